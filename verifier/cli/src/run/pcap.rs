//! Classic pcap files (draft-ietf-opsawg-pcap): a header, and packets with their lengths.

use std::ops::Range;

/// Packets of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Capture {
    /// What the packets begin with: 1 is Ethernet.
    pub(super) link_type: u16,
    pub(super) packets: Vec<Captured>,
    /// The file ends in the middle of a packet.
    pub(super) cut_off: bool,
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    /// Where its bytes are in the file.
    pub(super) at: Range<usize>,
    /// How many there were on the wire.
    pub(super) wire_len: u32,
}

const HEADER: usize = 24;
const RECORD: usize = 16;
/// In seconds and microseconds, in seconds and nanoseconds.
const MAGIC: [u32; 2] = [0xa1b2_c3d4, 0xa1b2_3c4d];
const NEXT_GENERATION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Reads a file.
///
/// # Errors
/// When it is none, by what is wrong and what to do.
pub(super) fn read(bytes: &[u8]) -> Result<Capture, String> {
    let Some(header) = bytes.first_chunk::<HEADER>() else {
        return Err("it is too short for a pcap file".into());
    };
    let magic = [header[0], header[1], header[2], header[3]];
    if magic == NEXT_GENERATION {
        return Err(
            "it is a pcapng file, which is unsupported: `editcap -F pcap` or `tcpdump -r IN -w OUT` \
                    make a classic pcap of it"
                .into(),
        );
    }
    let word: fn([u8; 4]) -> u32 = if MAGIC.contains(&u32::from_le_bytes(magic)) {
        u32::from_le_bytes
    } else if MAGIC.contains(&u32::from_be_bytes(magic)) {
        u32::from_be_bytes
    } else {
        return Err("it is no pcap file: it does not begin with a pcap's magic number".into());
    };
    // The upper half says whether packets end with a checksum.
    let link_type = word([header[20], header[21], header[22], header[23]]) as u16;
    let mut capture = Capture { link_type, packets: Vec::new(), cut_off: false };
    let mut at = HEADER;
    while at < bytes.len() {
        let Some(record) = bytes[at..].first_chunk::<RECORD>() else {
            capture.cut_off = true;
            break;
        };
        let kept = word([record[8], record[9], record[10], record[11]]) as usize;
        let wire_len = word([record[12], record[13], record[14], record[15]]);
        let start = at + RECORD;
        let Some(end) = start.checked_add(kept).filter(|end| *end <= bytes.len()) else {
            capture.cut_off = true;
            break;
        };
        capture.packets.push(Captured { at: start..end, wire_len });
        at = end;
    }
    Ok(capture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(magic: u32, word: fn(u32) -> [u8; 4], packets: &[&[u8]]) -> Vec<u8> {
        let mut bytes = word(magic).to_vec();
        bytes.extend([0; 16]);
        bytes.extend(word(1));
        for packet in packets {
            for number in [0, 0, packet.len() as u32, 1500] {
                bytes.extend(word(number));
            }
            bytes.extend_from_slice(packet);
        }
        bytes
    }

    #[test]
    fn both_byte_orders_and_both_clocks_are_read() {
        for magic in MAGIC {
            for word in [u32::to_le_bytes, u32::to_be_bytes] {
                let bytes = file(magic, word, &[&[1, 2, 3], &[]]);
                let capture = read(&bytes).unwrap();
                assert_eq!((capture.link_type, capture.cut_off), (1, false));
                let packets: Vec<_> =
                    capture.packets.iter().map(|one| (&bytes[one.at.clone()], one.wire_len)).collect();
                assert_eq!(packets, [(&[1u8, 2, 3][..], 1500), (&[][..], 1500)]);
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_something_else_is_said() {
        let whole = file(MAGIC[0], u32::to_le_bytes, &[&[1, 2, 3]]);
        for len in 24..whole.len() {
            let capture = read(&whole[..len]).unwrap();
            assert_eq!((capture.packets.len(), capture.cut_off), (0, len != 24));
        }
        let mut longer = whole;
        longer[32..36].fill(0xff);
        assert!(read(&longer).unwrap().cut_off);
        assert!(read(&[0; 23]).unwrap_err().contains("too short"));
        assert!(read(&[0; 24]).unwrap_err().contains("no pcap file"));
        let mut next = vec![0; 28];
        next[..4].copy_from_slice(&NEXT_GENERATION);
        assert!(read(&next).unwrap_err().contains("pcapng"));
    }
}
