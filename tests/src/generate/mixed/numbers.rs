//! Steps with numbers and the stack: arithmetic, branches, links, spills, atomics.

use super::{Hold, Mixed};

impl Mixed {
    pub(super) fn number(&mut self) {
        let Some(to) = self.free() else { return };
        self.put(format_args!("call 7\nr{to} = r0"));
        self.holds[to] = Hold::Number;
        for _ in 0..self.rng.below(4) {
            let (amount, mask) = (1 + self.rng.below(31), self.rng.pick(&[1, 7, 255, -8]));
            match self.rng.below(9) {
                0 | 1 => self.put(format_args!("r{to} &= {mask}")),
                2 => self.put(format_args!("w{to} >>= {amount}")),
                3 => self.put(format_args!("r{to} <<= {amount}")),
                4 => self.put(format_args!("r{to} s>>= {amount}")),
                5 => self.put(format_args!("r{to} = (s8)r{to}")),
                6 => self.put(format_args!("r{to} += {mask}")),
                7 => self.put(format_args!("r{to} *= 3\nr{to} |= 1")),
                _ => self.put(format_args!("r{to} = -r{to}")),
            }
        }
    }

    /// A branch whose sides differ in a number.
    pub(super) fn branch(&mut self) {
        let Some(left) = self.holding(|hold| hold == Hold::Number) else { return };
        let (width, join) = (self.rng.pick(&['r', 'r', 'w']), self.label());
        let op = self.rng.pick(&[">", "<", "s>", "s<", "==", "!=", "&", ">=", "<="]);
        let right = self.rng.pick(&[0, 1, 7, 8, -1, 255, 100]);
        self.put(format_args!("if {width}{left} {op} {right} goto {join}"));
        match self.holding(|hold| hold == Hold::Number) {
            Some(other) if self.rng.chance(60) => {
                let change = self.rng.pick(&["+= 1", "= 3", "&= 15"]);
                self.put(format_args!("r{other} {change}"));
            }
            _ => self.line("r0 = 2"),
        }
        self.put(format_args!("{join}:"));
    }

    /// Two registers that are one number apart, a compare of one, a use of the other.
    pub(super) fn link(&mut self) {
        let (Some(from), Some(to)) = (self.holding(|hold| hold == Hold::Number), self.free()) else { return };
        self.put(format_args!("r{to} = r{from}"));
        self.holds[to] = Hold::Number;
        if self.rng.chance(60) {
            let (distance, op) =
                (self.rng.pick(&[1, 5, -3, 100]), self.rng.pick(&["r += ", "r -= ", "w += "]));
            let (width, op) = op.split_at(1);
            self.put(format_args!("{width}{to}{op}{distance}"));
        }
        let (join, compared) = (self.label(), self.rng.pick(&[from, to]));
        let (op, bound) = (self.rng.pick(&[">", "<", "s>", "==", "!="]), self.rng.pick(&[3, 20, -1]));
        self.put(format_args!("if r{compared} {op} {bound} goto {join}\nr0 = 1\n{join}:"));
        if let Some(base) = self.holding(|hold| hold == Hold::Value).filter(|_| self.rng.clone().chance(50)) {
            self.put(format_args!(
                "if r{from} > 40 goto out\nr5 = r{base}\nr5 += r{to}\nr0 = *(u8 *)(r5 +0)"
            ));
        }
    }

    fn slot(&mut self) -> i16 {
        self.rng.pick(&[-16, -24, -32, -40])
    }

    pub(super) fn spill(&mut self) {
        let Some(from) = self.holding(|hold| hold != Hold::Nothing) else { return };
        let slot = self.slot();
        self.put(format_args!("*(u64 *)(r10 {slot}) = r{from}"));
        self.slots.retain(|&(known, _)| known != slot);
        // The copy of a reference is not the one that is given back.
        let hold = self.holds[from];
        self.slots.push((slot, if hold == Hold::Sample { Hold::Nothing } else { hold }));
    }

    pub(super) fn fill(&mut self) {
        if self.slots.is_empty() {
            return;
        }
        let Some(to) = self.free() else { return };
        let (slot, hold) = self.slots[self.rng.below(self.slots.len())];
        self.put(format_args!("r{to} = *(u64 *)(r10 {slot})"));
        self.holds[to] = hold;
    }

    /// A part of a number to the stack and back, and a compare in between.
    pub(super) fn narrow_spill(&mut self) {
        let Some(from) = self.holding(|hold| hold == Hold::Number) else { return };
        let slot = self.slot();
        self.slots.retain(|&(known, _)| known != slot);
        let bits = self.rng.pick(&[8, 16, 32, 64]);
        let at = slot + if bits < 64 { self.rng.pick(&[0, 0, 4]) } else { 0 };
        let sign = if bits < 64 { self.rng.pick(&['u', 'u', 's']) } else { 'u' };
        let join = self.label();
        let target = if self.rng.chance(50) { "out" } else { &join };
        let lines = format!("*(u{bits} *)(r10 {at}) = r{from}\nif r{from} > 31 goto {target}\n{join}:");
        self.line(lines);
        self.put(format_args!("r0 = *({sign}{bits} *)(r10 {slot})"));
        if let Some(base) = self.holding(|hold| hold == Hold::Value) {
            self.put(format_args!("r5 = r{base}\nr5 += r0\nr0 = *(u8 *)(r5 +0)"));
        }
    }

    pub(super) fn variable_stack(&mut self) {
        let (mask, slot) = (self.rng.pick(&[7, 8, 24, 15]), self.rng.pick(&[-40, -32, -24]));
        self.put(format_args!("call 7\nr0 &= {mask}\nr4 = r10\nr4 += {slot}\nr4 += r0"));
        let bits = self.rng.pick(&[8, 64, 8, 32]);
        if self.rng.chance(50) {
            let value = self.rng.below(2);
            self.put(format_args!("*(u{bits} *)(r4 +0) = {value}"));
        } else {
            self.put(format_args!("r0 = *(u{bits} *)(r4 +0)"));
        }
        self.slots.clear();
    }

    pub(super) fn atomic(&mut self) {
        let value = self.holding(|hold| hold == Hold::Value).filter(|_| self.rng.clone().chance(50));
        let (base, off) = match value {
            Some(base) => (base, self.rng.pick(&[0, 8, 16])),
            None => (10, self.slot()),
        };
        if base == 10 {
            self.slots.retain(|&(known, _)| known != off);
            self.put(format_args!("*(u64 *)(r10 {off}) = 5"));
        }
        let amount = self.rng.below(6);
        self.put(format_args!("r2 = {amount}"));
        match self.rng.below(6) {
            0 => self.put(format_args!("lock *(u64 *)(r{base} {off:+}) += r2")),
            1 => self.put(format_args!("r2 = atomic64_fetch_add((u64 *)(r{base} {off:+}), r2)")),
            2 => self.put(format_args!("r2 = atomic_xchg((u32 *)(r{base} {off:+}), r2)")),
            3 => self.put(format_args!("r0 = 0\nr0 = atomic64_cmpxchg((u64 *)(r{base} {off:+}), r0, r2)")),
            4 => self.put(format_args!("r2 = load_acquire((u64 *)(r{base} {off:+}))")),
            _ => self.put(format_args!("store_release((u32 *)(r{base} {off:+}), r2)")),
        }
    }
}
