//! The packet: small frames of several protocols one behind the other, which most programs take for
//! plain bytes.

/// How many frames there are.
const FRAMES: usize = 24;
/// How long each is.
const FRAME: usize = 64;
/// How long a packet is.
pub const LENGTH: usize = FRAMES * FRAME;

/// The same bytes for every contender, each with a copy of its own.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Packet {
    bytes: [u8; LENGTH],
}

impl Packet {
    /// The packet.
    #[must_use]
    pub fn boxed() -> Box<Packet> {
        let mut packet = Box::new(Packet { bytes: [0; LENGTH] });
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for (index, frame) in packet.bytes.chunks_exact_mut(FRAME).enumerate() {
            for byte in frame.iter_mut() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte = state.to_le_bytes()[4];
            }
            headers(frame, index);
        }
        packet
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// Writes the headers of one of the frames over its random bytes.
fn headers(frame: &mut [u8], index: usize) {
    let mut at = 12;
    let mut put = |bytes: &[u8]| {
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    if index % 3 == 1 {
        put(&[0x81, 0, 0, 42]);
    }
    match index % 8 {
        6 => put(&[0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]),
        7 => put(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, if index < 12 { 58 } else { 17 }, 64]),
        5 => put(&[0x90, 0, 0, 0]),
        protocol => {
            let number = [6, 17, 6, 1, 17][protocol];
            let fragment = u8::from(index % 9 == 3) << 5;
            put(&[0x08, 0, 0x45, 0, 0, 46, 1, 2, fragment, 0, 64, number, 0, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_always_the_same() {
        let (one, other) = (Packet::boxed(), Packet::boxed());
        assert_eq!(one.bytes(), other.bytes());
        assert_eq!(one.bytes()[12..14], [0x08, 0], "the first frame is IPv4");
        assert_eq!(one.bytes()[FRAME + 12..FRAME + 14], [0x81, 0], "the second has a tag");
    }
}
