//! Loops that are walked until nothing new comes: over the numbers of an iterator, with `may_goto`.

use super::Nested;

impl Nested {
    /// The numbers of an iterator.
    pub(super) fn iterate(&mut self, depth: usize) {
        let at = match self.iterators {
            0 => 48,
            1 => 56,
            _ => return self.numbers(),
        };
        let (top, end) = (self.label(), self.label());
        self.put(format_args!("r1 = r10\nr1 += -{at}"));
        self.one_of(&[
            "r2 = 0\nr3 = 3",
            "r2 = 0\nr3 = r7",
            "r2 = r7\nr3 = 100",
            "r2 = -1\nr3 = 2",
            "r2 = 5\nr3 = 5",
        ]);
        self.put(format_args!("call kfunc 0\n{top}:\nr1 = r10\nr1 += -{at}\ncall kfunc 1"));
        if !self.slips() {
            self.put(format_args!("if r0 == 0 goto {end}"));
        }
        self.one_of(&[
            "r7 = *(s32 *)(r0 +0)",
            "r7 = *(u32 *)(r0 +0)",
            "r1 = *(u32 *)(r0 +0)\nr7 += r1",
            "r1 = 0",
        ]);
        self.iterators += 1;
        self.body(depth);
        self.iterators -= 1;
        if self.rng.chance(30) {
            self.put(format_args!("if r7 == 77 goto {end}"));
        }
        self.put(format_args!("goto {top}\n{end}:\nr1 = r10\nr1 += -{at}"));
        if !self.slips() {
            self.line("call kfunc 2");
        }
    }

    /// A loop that ends some time.
    pub(super) fn may_goto(&mut self, depth: usize) {
        let (top, end) = (self.label(), self.label());
        self.put(format_args!("{top}:\nmay_goto {end}"));
        self.body(depth);
        if self.rng.chance(80) {
            let (slot, bound) = (self.rng.pick(&[24, 32, 40]), self.rng.pick(&[2, 5, 30]));
            self.put(format_args!("r1 = *(u64 *)(r10 -{slot})\nr1 += 1\n*(u64 *)(r10 -{slot}) = r1"));
            self.put(format_args!("if r1 > {bound} goto {end}"));
        }
        self.put(format_args!("goto {top}\n{end}:"));
    }
}
