//! Steps through memory: packets, map values, sockets, ring buffers.

use super::{CGROUP_SKB, Hold, Mixed, SCHED_CLS, SOCKET_FILTER, VALUE, XDP};

const SIZES: [i16; 4] = [1, 2, 4, 8];

impl Mixed {
    /// A packet pointer, compared with its end in one of the ways there are.
    pub(super) fn packet(&mut self) {
        let (Some((data, end, meta)), Some(to)) = (self.packet_fields(), self.free()) else { return };
        let (from, until) = match meta {
            Some(meta) if self.rng.chance(20) => (meta, data),
            _ => (data, end),
        };
        let size = self.rng.pick(&[1, 2, 8, 14, 16, 34]);
        self.put(format_args!("r{to} = *(u32 *)(r6 +{from})\nr3 = *(u32 *)(r6 +{until})"));
        self.put(format_args!("r2 = r{to}\nr2 += {size}"));
        if self.rng.chance(70) {
            self.one_of(&[
                "if r2 > r3 goto out",
                "if r2 >= r3 goto out",
                "if r3 < r2 goto out",
                "if r3 <= r2 goto out",
                "if r2 != r3 goto out",
            ]);
        } else {
            let inside = self.label();
            let compare = self.rng.pick(&["r2 <= r3", "r2 < r3", "r3 >= r2", "r3 > r2"]);
            self.put(format_args!("if {compare} goto {inside}\ngoto out\n{inside}:"));
        }
        self.holds[to] = Hold::Packet(size);
    }

    pub(super) fn packet_access(&mut self) {
        let Some(base) = self.holding(|hold| matches!(hold, Hold::Packet(_))) else { return };
        let Hold::Packet(known) = self.holds[base] else { return };
        let size = self.rng.pick(&SIZES);
        let last = (known - size).max(0);
        let off = if self.rng.chance(15) { last + 1 } else { self.rng.below(last as usize + 1) as i16 };
        let bits = size * 8;
        if self.rng.chance(70) {
            let to = self.rng.pick(&[0, 2, 4, 5]);
            self.put(format_args!("r{to} = *(u{bits} *)(r{base} +{off})"));
        } else {
            self.put(format_args!("*(u{bits} *)(r{base} +{off}) = 5"));
        }
    }

    /// A packet pointer plus a number out of the packet, compared again.
    pub(super) fn packet_variable(&mut self) {
        let Some(base) = self.holding(|hold| matches!(hold, Hold::Packet(_))) else { return };
        let Some((_, end, _)) = self.packet_fields() else { return };
        let mask = self.rng.pick(&[3, 7, 15, 60]);
        self.put(format_args!("r4 = *(u8 *)(r{base} +0)\nr4 &= {mask}"));
        if self.rng.chance(30) {
            self.line("r4 <<= 2");
        }
        self.put(format_args!("r5 = r{base}"));
        self.one_of(&["r5 += r4", "r5 += r4", "r4 += r5\nr5 = r4"]);
        let size = self.rng.pick(&[1i16, 4, 8, 20]);
        self.put(format_args!("r3 = *(u32 *)(r6 +{end})\nr2 = r5\nr2 += {size}"));
        self.one_of(&["if r2 > r3 goto out", "if r3 < r2 goto out"]);
        let (bits, off) = (self.rng.pick(&[8, 16, 32]), self.rng.pick(&[0, 0, 1, size - 1, size - 4]));
        self.put(format_args!("r4 = *(u{bits} *)(r5 {off:+})"));
        if self.rng.chance(50) {
            self.put(format_args!("r{base} = r5"));
            self.holds[base] = Hold::Packet(size);
        }
    }

    pub(super) fn lookup(&mut self) {
        let Some(to) = self.free() else { return };
        let (key, map) = (self.rng.pick(&[0, 1, 3, 9]), self.rng.below(2));
        self.put(format_args!("*(u32 *)(r10 -4) = {key}\nr2 = r10\nr2 += -4\nr1 = map[{map}] ll\ncall 1"));
        self.holds[to] = Hold::Value;
        match self.rng.below(10) {
            0..6 => self.put(format_args!("if r0 == 0 goto out\nr{to} = r0")),
            6..8 => {
                let compared = self.rng.pick(&[0, to]);
                self.put(format_args!("r{to} = r0\nif r{compared} == 0 goto out"));
            }
            _ => {
                self.put(format_args!("r{to} = r0"));
                self.holds[to] = Hold::MaybeValue;
            }
        }
    }

    /// A map out of a map, and a value out of that.
    pub(super) fn inner_map(&mut self) {
        let Some(to) = self.free() else { return };
        let key = self.rng.pick(&[0, 1, 3]);
        let lookup = "r2 = r10\nr2 += -4";
        self.put(format_args!("*(u32 *)(r10 -4) = {key}\n{lookup}\nr1 = map[4] ll\ncall 1"));
        self.put(format_args!("if r0 == 0 goto out\nr1 = r0\n{lookup}\ncall 1\nr{to} = r0"));
        self.holds[to] = Hold::MaybeValue;
    }

    pub(super) fn value_access(&mut self) {
        let Some(base) = self.holding(|hold| matches!(hold, Hold::Value | Hold::MaybeValue)) else { return };
        if self.holds[base] == Hold::MaybeValue && self.rng.chance(85) {
            self.put(format_args!("if r{base} == 0 goto out"));
            self.holds[base] = Hold::Value;
        }
        let bits = self.rng.pick(&SIZES) * 8;
        match self.rng.below(10) {
            0..4 => {
                let off = self.rng.pick(&[0, 8, VALUE - 8, VALUE - 4, VALUE - 1]);
                self.put(format_args!("r4 = *(u{bits} *)(r{base} +{off})"));
            }
            4..6 => {
                let (off, value) = (self.rng.pick(&[0, 8, VALUE - 8]), self.rng.pick(&[6, 10, base]));
                self.put(format_args!("*(u{bits} *)(r{base} +{off}) = r{value}"));
            }
            _ => {
                self.put(format_args!("r4 = *(u32 *)(r{base} +0)"));
                self.one_of(&[
                    "r4 &= 31",
                    "r4 &= 47",
                    "if r4 > 40 goto out",
                    "w4 &= 7",
                    "if r4 s> 40 goto out",
                ]);
                let (op, off) = (self.rng.pick(&["+=", "+=", "-="]), self.rng.pick(&[0, 0, 7, 16]));
                self.put(format_args!("r5 = r{base}\nr5 {op} r4\nr4 = *(u8 *)(r5 +{off})"));
            }
        }
    }

    pub(super) fn socket(&mut self) {
        if !matches!(self.prog_type, SCHED_CLS | CGROUP_SKB) {
            return;
        }
        self.line("r1 = *(u64 *)(r6 +168)");
        if self.rng.chance(90) {
            self.line("if r1 == 0 goto out");
        }
        let off = self.rng.pick(&[0, 4, 4, 8, 12]);
        self.put(format_args!("r2 = *(u32 *)(r1 +{off})"));
        if self.rng.chance(40) {
            let off = self.rng.pick(&[0, 4, 28, 72]);
            self.put(format_args!("call 95\nif r0 == 0 goto out\nr2 = *(u32 *)(r0 +{off})"));
        }
    }

    /// Room in a ring buffer: a reference.
    pub(super) fn sample(&mut self) {
        let Some(to) = self.free() else { return };
        self.put(format_args!("r1 = map[2] ll\nr2 = 16\nr3 = 0\ncall 131\nif r0 == 0 goto out\nr{to} = r0"));
        self.holds[to] = Hold::Sample;
    }

    pub(super) fn submit(&mut self) {
        let Some(held) = self.holding(|hold| hold == Hold::Sample) else { return };
        if self.rng.chance(50) {
            let off = self.rng.pick(&[0, 8, 8, 12]);
            self.put(format_args!("*(u64 *)(r{held} +{off}) = 1"));
        }
        let helper = self.rng.pick(&[132, 133]);
        self.put(format_args!("r1 = r{held}\nr2 = 0\ncall {helper}"));
        self.holds[held] = Hold::Nothing;
    }

    /// A helper that reads, or writes, memory of a size that may vary.
    pub(super) fn helper_memory(&mut self) {
        self.line("call 7\nr2 = r0");
        self.one_of(&["r2 &= 7", "r2 &= 15", "if r2 > 16 goto out", "r2 &= 63", "w2 &= 31", "r2 = 8"]);
        if self.rng.chance(30) {
            self.line("r2 += 1");
        }
        match self.holding(|hold| matches!(hold, Hold::Value | Hold::Packet(_))) {
            Some(base) if self.rng.chance(60) => self.put(format_args!("r1 = r{base}")),
            _ => {
                let slot = self.rng.pick(&[-8, -16, -32, -48]);
                self.put(format_args!("r1 = r10\nr1 += {slot}"));
            }
        }
        match self.prog_type {
            SCHED_CLS | XDP => self.line("r3 = 0\nr4 = 0\nr5 = 0\ncall 28"),
            SOCKET_FILTER => self.line("r4 = r2\nr3 = r1\nr1 = r6\nr2 = 4\ncall 26"),
            _ => {}
        }
    }
}
