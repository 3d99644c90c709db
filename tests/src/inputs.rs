//! What a kernel's test run (`BPF_PROG_TEST_RUN`) calls a program with, by program type: the packet
//! and the context that it makes of some bytes. Measured on Linux 6.18.

use probity_linux::{PLATFORM, prog_types::*};
use probity_platform::ProgType;
use probity_vm::{Context, Input, Packet};

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// What a program is called with.
#[derive(Debug)]
pub struct TestInput {
    /// The context.
    pub context: Context,
    /// The packet, where there is one.
    pub packet: Option<Packet>,
    /// Bytes of a link header that the program does not see.
    hidden: usize,
}

/// How the kernel makes a packet for programs of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A socket buffer that begins with the Ethernet header.
    Link,
    /// One that begins behind it.
    Network,
    /// A frame before there is a socket buffer.
    Frame,
    /// None: the program gets the context that the caller gives.
    Plain,
}

/// By program type; those that are not here have no test runs, or none that is modelled.
const SHAPES: &[(u32, Shape)] = &[
    (BPF_PROG_TYPE_SOCKET_FILTER, Shape::Network),
    (BPF_PROG_TYPE_SCHED_CLS, Shape::Link),
    (BPF_PROG_TYPE_SCHED_ACT, Shape::Link),
    (BPF_PROG_TYPE_XDP, Shape::Frame),
    (BPF_PROG_TYPE_CGROUP_SKB, Shape::Network),
    (BPF_PROG_TYPE_LWT_IN, Shape::Network),
    (BPF_PROG_TYPE_LWT_OUT, Shape::Network),
    (BPF_PROG_TYPE_LWT_XMIT, Shape::Network),
    (BPF_PROG_TYPE_SYSCALL, Shape::Plain),
];

/// The program types that are modelled.
pub fn prog_types() -> impl Iterator<Item = u32> {
    SHAPES.iter().map(|&(number, _)| number)
}

impl TestInput {
    /// What a test run with these bytes calls a program of a type with. None when that is not modelled.
    #[must_use]
    pub fn new(prog_type: &ProgType, data: &[u8]) -> Option<TestInput> {
        let &(_, shape) = SHAPES.iter().find(|&&(number, _)| number == prog_type.number)?;
        let mut context = Context::of(&PLATFORM, prog_type);
        let packet = match shape {
            Shape::Plain => None,
            Shape::Frame => {
                context.set("ingress_ifindex", 0, LOOPBACK);
                Some(Packet::new(data))
            }
            Shape::Link => Some(buffer(prog_type.number, &mut context, data, 0)),
            Shape::Network => Some(buffer(prog_type.number, &mut context, data, ETHERNET)),
        };
        let hidden = if shape == Shape::Network { ETHERNET } else { 0 };
        Some(TestInput { context, packet, hidden })
    }

    /// The packet after a run, as a test run gives it back: with its metadata, and with a link header
    /// of zeros where the program did not see one. Empty without a packet.
    #[must_use]
    pub fn packet_after(&mut self) -> Vec<u8> {
        let Some(packet) = &mut self.packet else { return Vec::new() };
        let mut bytes = vec![0; self.hidden];
        bytes.extend(packet.metadata());
        bytes.extend(packet.to_vec());
        bytes
    }

    /// As a run takes it.
    #[must_use]
    pub fn input(&mut self) -> Input<'_> {
        Input { context: Some(&mut self.context), packet: self.packet.as_mut(), ..Input::default() }
    }
}

/// The interface that test runs use.
const LOOPBACK: u64 = 1;

/// The packet of a socket buffer, which begins so far behind the start of its bytes.
fn buffer(prog_type: u32, context: &mut Context, data: &[u8], start: usize) -> Packet {
    let seen = data.get(start..).unwrap_or_default();
    context.set("len", 0, seen.len() as u64);
    context.set("protocol", 0, protocol(data).into());
    context.set("ifindex", 0, LOOPBACK);
    context.set("pkt_type", 0, kind(data));
    if prog_type == BPF_PROG_TYPE_CGROUP_SKB {
        socket(context, data);
    }
    if start == 0 { Packet::new(data) } else { Packet::behind_link_header(data) }
}

/// For whom a packet is, by its Ethernet address: the loopback's own is all zeros, and so is the one
/// that it broadcasts to.
fn kind(data: &[u8]) -> u64 {
    const HOST: u64 = 0;
    const MULTICAST: u64 = 2;
    const OTHER_HOST: u64 = 3;
    match data.get(..6) {
        None | Some([0, 0, 0, 0, 0, 0]) => HOST,
        Some(address) if address[0] & 1 == 1 => MULTICAST,
        Some(_) => OTHER_HOST,
    }
}

/// What the packet's socket has for a group of processes: the addresses of the packet.
fn socket(context: &mut Context, data: &[u8]) {
    const AF_INET: u64 = 2;
    const AF_INET6: u64 = 10;
    const ETH_P_IP: u16 = 0x800;
    const ETH_P_IPV6: u16 = 0x86dd;
    let word = |at: usize| {
        let bytes = data.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u64::from(u32::from_le_bytes(bytes.unwrap_or_default()))
    };
    match u16::from_be(protocol(data)) {
        ETH_P_IP if data.len() >= ETHERNET + 20 => {
            context.set("family", 0, AF_INET);
            context.set("local_ip4", 0, word(ETHERNET + 12));
            context.set("remote_ip4", 0, word(ETHERNET + 16));
        }
        ETH_P_IPV6 if data.len() >= ETHERNET + 40 => {
            context.set("family", 0, AF_INET6);
            for index in 0..4 {
                let at = ETHERNET + 8 + 4 * index as usize;
                context.set("local_ip6", index, word(at));
                context.set("remote_ip6", index, word(at + 16));
            }
        }
        _ => {}
    }
}

/// The EtherType in network order, as the kernel reads it off a header.
fn protocol(data: &[u8]) -> u16 {
    const LEAST: u16 = 0x600;
    const ETH_P_802_3: u16 = 1;
    const ETH_P_802_2: u16 = 4;
    let pair = |at: usize| data.get(at..at + 2).map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
    let host = match (pair(12), pair(ETHERNET)) {
        (ether_type, _) if ether_type >= LEAST => ether_type,
        (_, 0xffff) => ETH_P_802_3,
        _ => ETH_P_802_2,
    };
    host.to_be()
}
