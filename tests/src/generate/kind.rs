//! The types of program that are generated, and what their contexts hold.

use probity_isa::opcode::*;

/// A type of program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// BPF_PROG_TYPE_SOCKET_FILTER
    SocketFilter,
    /// BPF_PROG_TYPE_KPROBE
    Kprobe,
    /// BPF_PROG_TYPE_SCHED_CLS
    SchedCls,
    /// BPF_PROG_TYPE_TRACEPOINT
    Tracepoint,
    /// BPF_PROG_TYPE_XDP
    Xdp,
    /// BPF_PROG_TYPE_PERF_EVENT
    PerfEvent,
    /// BPF_PROG_TYPE_CGROUP_SKB
    CgroupSkb,
    /// BPF_PROG_TYPE_CGROUP_SOCK
    CgroupSock,
    /// BPF_PROG_TYPE_LWT_XMIT
    LwtXmit,
    /// BPF_PROG_TYPE_SOCK_OPS
    SockOps,
    /// BPF_PROG_TYPE_SK_SKB
    SkSkb,
    /// BPF_PROG_TYPE_SK_MSG
    SkMsg,
    /// BPF_PROG_TYPE_RAW_TRACEPOINT
    RawTracepoint,
}

/// Where a context holds the ends of its packet: the offsets, and the size of such a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketFields {
    /// The first byte.
    pub data: i16,
    /// The byte after the last.
    pub data_end: i16,
    /// The size code of the two loads.
    pub size: u8,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 13] = [
        Kind::SocketFilter,
        Kind::Kprobe,
        Kind::SchedCls,
        Kind::Tracepoint,
        Kind::Xdp,
        Kind::PerfEvent,
        Kind::CgroupSkb,
        Kind::CgroupSock,
        Kind::LwtXmit,
        Kind::SockOps,
        Kind::SkSkb,
        Kind::SkMsg,
        Kind::RawTracepoint,
    ];

    /// The number of the type on Linux.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Kind::SocketFilter => 1,
            Kind::Kprobe => 2,
            Kind::SchedCls => 3,
            Kind::Tracepoint => 5,
            Kind::Xdp => 6,
            Kind::PerfEvent => 7,
            Kind::CgroupSkb => 8,
            Kind::CgroupSock => 9,
            Kind::LwtXmit => 12,
            Kind::SockOps => 13,
            Kind::SkSkb => 14,
            Kind::SkMsg => 16,
            Kind::RawTracepoint => 17,
        }
    }

    /// Offsets of numbers in its context, of 4 bytes; of 8 where it runs in the kernel's own code.
    #[must_use]
    pub fn fields(self) -> &'static [i16] {
        match self {
            // len, pkt_type, mark, protocol, priority
            Kind::SocketFilter => &[0, 0, 4, 8, 16, 32],
            // also ingress_ifindex, ifindex, cb[0], hash
            Kind::SchedCls => &[0, 0, 4, 8, 16, 32, 36, 40, 48, 68],
            // ingress_ifindex, rx_queue_index
            Kind::Xdp => &[12, 16],
            Kind::CgroupSkb | Kind::LwtXmit => &[0, 0, 4, 8, 16, 32, 40],
            Kind::SkSkb => &[0, 4, 16, 32, 40],
            // bound_dev_if, family, type, protocol, mark, priority
            Kind::CgroupSock => &[0, 4, 8, 12, 16, 20],
            // op, args[0], family
            Kind::SockOps => &[0, 4, 20],
            // family, remote_ip4, size
            Kind::SkMsg => &[16, 20, 68],
            Kind::Kprobe | Kind::Tracepoint | Kind::PerfEvent | Kind::RawTracepoint => &[0, 8, 16, 64, 88],
        }
    }

    /// The size codes with which those are read, the likeliest ones more than once.
    #[must_use]
    pub fn field_sizes(self) -> &'static [u8] {
        match self {
            Kind::SocketFilter | Kind::SchedCls | Kind::CgroupSkb | Kind::LwtXmit | Kind::SkSkb => {
                &[BPF_W, BPF_W, BPF_W, BPF_H, BPF_B]
            }
            Kind::Kprobe | Kind::Tracepoint | Kind::PerfEvent | Kind::RawTracepoint => &[BPF_DW],
            Kind::Xdp | Kind::CgroupSock | Kind::SockOps | Kind::SkMsg => &[BPF_W],
        }
    }

    /// Where its packet is, if it has one.
    #[must_use]
    pub fn packet(self) -> Option<PacketFields> {
        match self {
            Kind::Xdp => Some(PacketFields { data: 0, data_end: 4, size: BPF_W }),
            Kind::SchedCls | Kind::CgroupSkb | Kind::LwtXmit | Kind::SkSkb => {
                Some(PacketFields { data: 76, data_end: 80, size: BPF_W })
            }
            Kind::SkMsg => Some(PacketFields { data: 0, data_end: 8, size: BPF_DW }),
            _ => None,
        }
    }

    /// True for those whose context is a packet of the network stack.
    #[must_use]
    pub fn is_skb(self) -> bool {
        use Kind::{CgroupSkb, LwtXmit, SchedCls, SkSkb, SocketFilter};
        matches!(self, SocketFilter | SchedCls | CgroupSkb | LwtXmit | SkSkb)
    }

    /// True for those that watch the kernel.
    #[must_use]
    pub fn is_tracing(self) -> bool {
        matches!(self, Kind::Kprobe | Kind::Tracepoint | Kind::PerfEvent | Kind::RawTracepoint)
    }

    /// True for those with LD_ABS and LD_IND.
    #[must_use]
    pub fn has_legacy_loads(self) -> bool {
        matches!(self, Kind::SocketFilter | Kind::SchedCls)
    }

    /// True for those that look up sockets.
    #[must_use]
    pub fn finds_sockets(self) -> bool {
        matches!(self, Kind::SchedCls | Kind::Xdp | Kind::CgroupSkb | Kind::SkSkb)
    }
}
