//! Captured packets.

/// The packets of a classic pcap file, each with its time in nanoseconds.
pub(crate) fn packets(pcap: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut packets, mut rest) = (Vec::new(), &pcap[24..]);
    while let Some((header, behind)) = rest.split_first_chunk::<16>() {
        let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("4 bytes"));
        let (packet, next) = behind.split_at(word(8) as usize);
        packets.push((u64::from(word(0)) * 1_000_000_000 + u64::from(word(4)) * 1000, packet));
        rest = next;
    }
    packets
}
