//! The traffic of the firewall's example.

const SYN: u8 = 2;
const DATA: u8 = 0x18;
const FIN: u8 = 0x11;

/// All of it, as a classic pcap file: what comes in, in milliseconds, and nothing that goes out.
pub(crate) fn pcap() -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend([0; 8]);
    file.extend([0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    let mut packets: Vec<(u32, Vec<u8>)> = Vec::new();
    // 10.0.0.1 keeps to the rules.
    for (at, flags) in [(0, SYN), (300, DATA), (600, DATA), (1100, DATA), (1400, FIN)] {
        packets.push((at, tcp([10, 0, 0, 1], 40001, flags)));
    }
    // 10.0.0.2 says a lot, on one connection.
    packets.push((20, tcp([10, 0, 0, 2], 40002, SYN)));
    packets.extend((0..8).map(|number| (100 + 40 * number, tcp([10, 0, 0, 2], 40002, DATA))));
    // 10.0.0.3 has no connection.
    packets.extend([500, 700].map(|at| (at, tcp([10, 0, 0, 3], 40003, DATA))));
    // 10.0.0.4 opens more connections than it may.
    packets.extend((0..8).map(|number| (200 + 10 * number, tcp([10, 0, 0, 4], 41000 + number as u16, SYN))));
    // Two strangers, a question that is no IP, and a packet that is cut off.
    packets.extend([(150, [10, 9, 9, 8]), (160, [10, 9, 9, 9])].map(|(at, ip)| (at, tcp(ip, 40009, SYN))));
    let mut question = tcp([10, 0, 0, 1], 40001, SYN);
    question[12..14].copy_from_slice(&[8, 6]);
    packets.push((800, question));
    packets.push((900, tcp([10, 0, 0, 1], 40001, DATA)[..30].to_vec()));
    packets.sort_by_key(|(at, _)| *at);
    for (at, packet) in packets {
        let length = packet.len() as u32;
        for number in [1_700_000_000 + at / 1000, at % 1000 * 1000, length, length] {
            file.extend(number.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// A packet to port 443 of 192.0.2.1.
fn tcp(source: [u8; 4], port: u16, flags: u8) -> Vec<u8> {
    let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let mut ip = vec![0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0];
    ip.extend(source);
    ip.extend([192, 0, 2, 1]);
    let words: u32 = ip.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let folded = (words & 0xffff) + (words >> 16);
    ip[10..12].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    packet.extend(ip);
    packet.extend(port.to_be_bytes());
    packet.extend(443u16.to_be_bytes());
    packet.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet
}
