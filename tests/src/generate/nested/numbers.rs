//! Numbers, and memory that they are kept in.

use super::Nested;

impl Nested {
    /// A statement that may call a helper.
    pub(super) fn numbers(&mut self) {
        match self.rng.below(8) {
            0 => self.one_of(&["call 7\nr7 = r0", "call 7\nr7 = r0\nr7 &= 31", "call 5\nr7 = r0\nr7 >>= 60"]),
            _ => self.quiet(),
        }
    }

    /// A statement without calls.
    pub(super) fn quiet(&mut self) {
        match self.rng.below(10) {
            0 => {
                self.one_of(&[
                    "r7 += 1",
                    "r7 &= 15",
                    "r7 -= 3",
                    "w7 += 1",
                    "r7 <<= 1",
                    "r7 s>>= 2",
                    "r7 = 4",
                ]);
            }
            1 => self.branch(),
            2 => {
                let slot = self.slot();
                self.put(format_args!("*(u64 *)(r10 -{slot}) = r7"));
            }
            3 => {
                let slot = self.slot();
                self.put(format_args!("r7 = *(u64 *)(r10 -{slot})"));
            }
            4 | 5 => self.count(),
            6 => self.one_of(&[
                "*(u64 *)(r6 +0) = r7",
                "*(u64 *)(r6 +8) = 2",
                "*(u32 *)(r6 +4) = r7",
                "r1 = 1\nlock *(u64 *)(r6 +8) += r1",
            ]),
            7 => self.one_of(&[
                "r7 = *(u64 *)(r6 +0)",
                "r7 = *(u64 *)(r6 +8)",
                "r7 = *(u8 *)(r6 +3)",
                "r1 = *(u64 *)(r6 +0)\nr1 += 1\n*(u64 *)(r6 +0) = r1",
            ]),
            _ => self.offset(),
        }
    }

    fn slot(&mut self) -> i32 {
        self.rng.pick(&[24, 32, 40])
    }

    fn branch(&mut self) {
        let join = self.label();
        let (width, op) = (
            self.rng.pick(&['r', 'r', 'w']),
            self.rng.pick(&[">", "<", "s>", "s<", "==", "!=", "&", ">=", "<="]),
        );
        let bound = self.rng.pick(&[0, 1, 3, 7, 15, -1]);
        self.put(format_args!("if {width}7 {op} {bound} goto {join}"));
        self.one_of(&["r7 = 2", "r7 &= 7", "*(u64 *)(r10 -24) = 5", "*(u64 *)(r10 -32) = r7", "r7 += 1"]);
        self.put(format_args!("{join}:"));
    }

    /// A number of the frame, or behind r6, grows.
    fn count(&mut self) {
        let step = self.rng.pick(&[1, 1, 2, -1]);
        match self.rng.below(4) {
            0 => self.put(format_args!("r1 = *(u64 *)(r6 +0)\nr1 += {step}\n*(u64 *)(r6 +0) = r1")),
            1 => self.put(format_args!("r1 = *(u64 *)(r10 -16)\nr1 += {step}\n*(u64 *)(r10 -16) = r1")),
            _ => {
                let slot = self.slot();
                self.put(format_args!(
                    "r1 = *(u64 *)(r10 -{slot})\nr1 += {step}\n*(u64 *)(r10 -{slot}) = r1"
                ));
            }
        }
    }

    /// A number becomes an offset into 16 bytes, once it is bounded.
    fn offset(&mut self) {
        let skip = self.label();
        match self.rng.below(4) {
            0 => {
                let slot = self.slot();
                self.put(format_args!("r1 = *(u64 *)(r10 -{slot})"));
            }
            1 => self.line("r1 = *(u64 *)(r6 +0)"),
            _ => self.line("r1 = r7"),
        }
        let last = if self.slips() { 16 } else { 15 };
        match self.rng.below(3) {
            0 => self.line("r1 &= 15"),
            1 if self.slips() => {}
            _ => self.put(format_args!("if r1 > {last} goto {skip}")),
        }
        self.one_of(&["r2 = r6", "r2 = r6", "r2 = r10\nr2 += -16"]);
        self.line("r2 += r1");
        self.one_of(&["r7 = *(u8 *)(r2 +0)", "*(u8 *)(r2 +0) = 7", "*(u8 *)(r2 +0) = r7"]);
        self.put(format_args!("{skip}:"));
    }
}
