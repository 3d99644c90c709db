//! What Linux's names mean, where a name in a context or a verdict means something to people: the
//! one place that knows such names. Numbers are those of the uapi headers (`bpf.h`, `pkt_cls.h`,
//! `if_packet.h`).

use probity::platform::ProgType;

/// What a field of a context says of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// How many bytes the program is given.
    Length,
    /// How many there were on the wire.
    WireLength,
    /// The EtherType, in network order.
    Protocol,
    /// For whom it is, by its destination.
    Kind,
    /// The interface: there is one, with this number.
    Interface,
}

/// The interface that packets come by, as where the kernel runs programs for a test.
pub(super) const INTERFACE: u64 = 1;

/// The fields that are set from packets, in every context that has them.
pub(super) const FIELDS: &[(&str, Fact)] = &[
    ("len", Fact::Length),
    ("wire_len", Fact::WireLength),
    ("protocol", Fact::Protocol),
    ("pkt_type", Fact::Kind),
    ("ifindex", Fact::Interface),
    ("ingress_ifindex", Fact::Interface),
];

const XDP: &[(i32, &str)] =
    &[(0, "XDP_ABORTED"), (1, "XDP_DROP"), (2, "XDP_PASS"), (3, "XDP_TX"), (4, "XDP_REDIRECT")];

const TC: &[(i32, &str)] = &[
    (-1, "TC_ACT_UNSPEC"),
    (0, "TC_ACT_OK"),
    (1, "TC_ACT_RECLASSIFY"),
    (2, "TC_ACT_SHOT"),
    (3, "TC_ACT_PIPE"),
    (4, "TC_ACT_STOLEN"),
    (5, "TC_ACT_QUEUED"),
    (6, "TC_ACT_REPEAT"),
    (7, "TC_ACT_REDIRECT"),
    (8, "TC_ACT_TRAP"),
];

const VERDICTS: &[(&str, &[(i32, &str)])] =
    &[("BPF_PROG_TYPE_XDP", XDP), ("BPF_PROG_TYPE_SCHED_CLS", TC), ("BPF_PROG_TYPE_SCHED_ACT", TC)];

/// Types of numbers in network order: their bytes say more than their number.
pub(super) const NETWORK_ORDER: &[&str] = &["__be16", "__be32", "__be64"];

/// The name of what a program of a type returned: those that have names are ints of C.
pub(super) fn verdict(prog_type: &ProgType, r0: u64) -> Option<&'static str> {
    let (_, names) = VERDICTS.iter().find(|(name, _)| *name == prog_type.name)?;
    names.iter().find(|(number, _)| *number == r0 as i32).map(|(_, name)| *name)
}

/// For whom an Ethernet frame is: `PACKET_HOST`, `PACKET_BROADCAST` or `PACKET_MULTICAST`.
pub(super) fn kind(packet: &[u8]) -> u64 {
    match packet.first_chunk::<6>() {
        Some([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) => 1,
        Some([first, ..]) if first & 1 == 1 => 2,
        _ => 0,
    }
}

/// The EtherType of an Ethernet frame as it lies in memory; 0 when it is too short.
pub(super) fn protocol(packet: &[u8]) -> u64 {
    match packet {
        [_, _, _, _, _, _, _, _, _, _, _, _, high, low, ..] => u16::from_le_bytes([*high, *low]).into(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PLATFORM;

    #[test]
    fn every_name_is_one_of_the_platform() {
        for (name, _) in VERDICTS {
            assert!(PLATFORM.prog_type_named(name).is_some(), "{name}");
        }
        for (name, _) in FIELDS {
            let known = |view: &probity::platform::View| view.fields.iter().any(|field| field.name == *name);
            assert!(PLATFORM.views.iter().any(known), "{name}");
        }
    }

    #[test]
    fn a_verdict_is_an_int() {
        let tc = PLATFORM.prog_type_named("sched_cls").unwrap();
        assert_eq!(verdict(tc, u64::from(u32::MAX)), Some("TC_ACT_UNSPEC"));
        assert_eq!(verdict(tc, u64::MAX), Some("TC_ACT_UNSPEC"));
        assert_eq!(verdict(tc, 9), None);
        assert_eq!(verdict(PLATFORM.prog_type_named("socket_filter").unwrap(), 2), None);
    }

    #[test]
    fn frames_say_for_whom_they_are_and_what_they_carry() {
        assert_eq!((kind(&[]), kind(&[0; 14]), kind(&[0xff; 14]), kind(&[1; 14])), (0, 0, 1, 2));
        let mut frame = [0; 14];
        frame[12..].copy_from_slice(&[0x08, 0x00]);
        assert_eq!((protocol(&frame), protocol(&frame[..13])), (0x0008, 0));
    }
}
