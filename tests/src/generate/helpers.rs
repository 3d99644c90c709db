//! Calls of helpers, by a table of what their arguments are.

use probity_isa::opcode::*;

use super::{
    code::Generator,
    kind::Kind,
    world::{BUFFER, MapUse},
};

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arg {
    /// The context.
    Ctx,
    /// A map.
    Map(MapUse),
    /// Bytes that are read; their size is the next argument.
    Reads,
    /// Bytes that are written; their size is the next argument.
    Writes,
    /// The size of what comes before.
    Size,
    /// So many bytes that are read.
    Bytes(i32),
    /// So many bytes that are written.
    Fills(i32),
    /// Any number.
    Number,
    /// One of these.
    OneOf(&'static [i32]),
}

/// A helper.
struct Helper {
    id: i32,
    offered: fn(Kind) -> bool,
    args: &'static [Arg],
}

const fn helper(id: i32, offered: fn(Kind) -> bool, args: &'static [Arg]) -> Helper {
    Helper { id, offered, args }
}

fn everywhere(_: Kind) -> bool {
    true
}

fn in_tc(kind: Kind) -> bool {
    kind == Kind::SchedCls
}

fn in_xdp(kind: Kind) -> bool {
    kind == Kind::Xdp
}

fn with_events(kind: Kind) -> bool {
    kind != Kind::RawTracepoint || kind.is_tracing()
}

use Arg::{Bytes, Ctx, Fills, Map, Number, OneOf, Reads, Size, Writes};

const FLAGS: Arg = OneOf(&[0, 0, 0, 1, 2, -1]);

/// The helpers, by their numbers.
const HELPERS: [Helper; 40] = [
    helper(4, Kind::is_tracing, &[Writes, Size, Number]),
    helper(5, everywhere, &[]),
    helper(6, everywhere, &[Reads, Size, Number, Number]),
    helper(7, everywhere, &[]),
    helper(8, everywhere, &[]),
    helper(9, in_tc, &[Ctx, Number, Reads, Size, FLAGS]),
    helper(10, in_tc, &[Ctx, Number, Number, Number, OneOf(&[0, 2, 4])]),
    helper(11, in_tc, &[Ctx, Number, Number, Number, OneOf(&[0, 2, 4])]),
    helper(13, in_tc, &[Ctx, Number, FLAGS]),
    helper(14, Kind::is_tracing, &[]),
    helper(15, Kind::is_tracing, &[]),
    helper(16, Kind::is_tracing, &[Writes, Size]),
    helper(18, in_tc, &[Ctx, Number, Number]),
    helper(19, in_tc, &[Ctx]),
    helper(20, in_tc, &[Ctx, Fills(28), OneOf(&[28, 24, 8]), FLAGS]),
    helper(23, in_tc, &[Number, FLAGS]),
    helper(25, with_events, &[Ctx, Map(MapUse::PerfEvents), Number, Reads, Size]),
    helper(26, Kind::is_skb, &[Ctx, Number, Writes, Size]),
    helper(27, Kind::is_tracing, &[Ctx, Map(MapUse::StackTrace), FLAGS]),
    helper(28, in_tc, &[Reads, Size, Reads, Size, Number]),
    helper(31, in_tc, &[Ctx, Number, FLAGS]),
    helper(34, in_tc, &[Ctx]),
    helper(39, in_tc, &[Ctx, Number]),
    helper(45, Kind::is_tracing, &[Writes, Size, Number]),
    helper(46, Kind::is_skb, &[Ctx]),
    helper(51, in_xdp, &[Map(MapUse::DevMap), Number, FLAGS]),
    helper(67, Kind::is_tracing, &[Ctx, Writes, Size, FLAGS]),
    helper(68, Kind::is_skb, &[Ctx, Number, Writes, Size, OneOf(&[0, 1])]),
    helper(69, in_xdp, &[Ctx, Fills(64), OneOf(&[64, 48]), FLAGS]),
    helper(87, everywhere, &[Map(MapUse::Queue), Bytes(16), FLAGS]),
    helper(88, everywhere, &[Map(MapUse::Queue), Fills(16)]),
    helper(89, everywhere, &[Map(MapUse::Queue), Fills(16)]),
    helper(105, everywhere, &[Reads, Size, OneOf(&[0, 10, 16]), Fills(8)]),
    helper(113, everywhere, &[Writes, Size, Number]),
    helper(115, everywhere, &[Writes, Size, Number]),
    helper(118, everywhere, &[]),
    helper(130, everywhere, &[Map(MapUse::RingBuf), Reads, Size, FLAGS]),
    helper(134, everywhere, &[Map(MapUse::RingBuf), Number]),
    helper(189, in_xdp, &[Ctx, Number, Writes, Size]),
    helper(190, in_xdp, &[Ctx, Number, Reads, Size]),
];

impl Generator {
    /// A call of one of the helpers of this type of program; sometimes of any.
    pub(super) fn helper_call(&mut self) {
        let fits = |helper: &&Helper| (helper.offered)(self.kind);
        let offered: Vec<&Helper> = HELPERS.iter().filter(fits).collect();
        let any = self.rng.below(60) == 0;
        let helper = if any {
            &HELPERS[self.rng.below(HELPERS.len())]
        } else {
            offered[self.rng.below(offered.len())]
        };
        let needs_ctx = helper.args.contains(&Ctx);
        if needs_ctx && !self.is_main {
            return self.unlike_kind();
        }
        // What numbers there are goes where calls leave it alone.
        let number = self.number();
        let numbers = BUFFER - 200;
        self.emit(BPF_STX | BPF_MEM | BPF_DW, 10, number, numbers, 0);
        self.take_arguments();
        let mut memory = 0;
        for (&arg, reg) in helper.args.iter().zip(1..) {
            memory = self.argument(arg, reg, memory, numbers);
        }
        self.call_helper(helper.id);
    }

    /// Makes an argument; gives the bytes of the memory that it is.
    fn argument(&mut self, arg: Arg, reg: u8, memory: i32, numbers: i16) -> i32 {
        match arg {
            Arg::Ctx => {
                self.copy(reg, 6);
                if self.slips() {
                    self.emit(BPF_ALU64 | BPF_ADD, reg, 0, 0, 4);
                }
            }
            Arg::Map(wanted) => {
                let wanted = if self.slips() { MapUse::Array } else { wanted };
                self.load_map(reg, wanted);
            }
            Arg::Reads | Arg::Writes => return self.memory(reg, None, arg == Arg::Reads),
            Arg::Bytes(bytes) => return self.memory(reg, Some(bytes), true),
            Arg::Fills(bytes) => return self.memory(reg, Some(bytes), false),
            Arg::Size => self.size(reg, memory, numbers),
            Arg::Number => {
                if self.rng.chance(50) {
                    self.emit(BPF_LDX | BPF_MEM | BPF_DW, reg, 10, numbers, 0);
                } else {
                    let imm = self.rng.immediate();
                    self.set(reg, imm);
                }
            }
            Arg::OneOf(choices) => {
                let imm = self.rng.pick(choices);
                self.set(reg, imm);
            }
        }
        0
    }

    /// r`reg` = memory of at least so many bytes: something that is kept, or the stack.
    fn memory(&mut self, reg: u8, bytes: Option<i32>, read: bool) -> i32 {
        let held = self.world().held.clone();
        let fits: Vec<_> = held.into_iter().filter(|held| held.bytes >= bytes.unwrap_or(1)).collect();
        if !fits.is_empty() && self.rng.chance(50) {
            let held = self.rng.pick(&fits);
            self.load_place(reg, held.place);
            return held.bytes;
        }
        if self.is_main && bytes.is_none_or(|bytes| bytes <= 64) && self.rng.chance(25) {
            self.copy(reg, 9);
            return 64;
        }
        let bytes = bytes.unwrap_or_else(|| self.rng.pick(&[1, 4, 8, 16, 24]));
        if read && self.rng.chance(50) {
            for at in 0..(bytes as i16 + 7) / 8 {
                self.emit(BPF_ST | BPF_MEM | BPF_DW, 10, 0, BUFFER - 160 + at * 8, 0);
            }
        }
        let slip = if self.slips() { self.rng.pick(&[-300, 157, 4, 153]) } else { 0 };
        self.stack_address(reg, BUFFER - 160 + slip);
        bytes
    }

    /// r`reg` = a size of at most so many bytes.
    fn size(&mut self, reg: u8, bytes: i32, numbers: i16) {
        let bytes = if self.slips() { bytes + self.rng.pick(&[1, 8, -64]) } else { bytes };
        match self.rng.below(8) {
            0 => {
                // From 0 or 1 on.
                let mask = ((bytes.max(1) as u32 + 1).next_power_of_two() / 2 - 1) as i32;
                self.emit(BPF_LDX | BPF_MEM | BPF_DW, reg, 10, numbers, 0);
                self.emit(BPF_ALU64 | BPF_AND, reg, 0, 0, mask / 2);
                if self.rng.chance(60) {
                    self.emit(BPF_ALU64 | BPF_ADD, reg, 0, 0, 1);
                }
            }
            1 => {
                let inside = self.label();
                self.emit(BPF_LDX | BPF_MEM | BPF_W, reg, 10, numbers, 0);
                self.jump(BPF_JMP | BPF_JLE, reg, 0, bytes.max(1), inside);
                self.set(reg, 1);
                self.bind(inside);
                if self.rng.chance(50) {
                    let positive = self.label();
                    self.jump(BPF_JMP | BPF_JNE, reg, 0, 0, positive);
                    self.set(reg, 1);
                    self.bind(positive);
                }
            }
            2 if self.slips() => self.set(reg, 0),
            3 => {
                let some = 1 + self.rng.below(bytes.max(1) as usize) as i32;
                self.set(reg, some);
            }
            _ => self.set(reg, bytes),
        }
    }
}
