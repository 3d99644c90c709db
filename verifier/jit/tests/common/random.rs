//! Random numbers for random programs.

/// Random numbers (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below the end.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 33) as usize % end
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of these or its negative, around which things happen; or any.
    pub(crate) fn number(&mut self, near: &[u64]) -> u64 {
        match self.below(4) {
            0 => self.bits(),
            1 => self.bits() >> self.below(64),
            2 => self.pick(near).wrapping_neg(),
            _ => self.pick(near),
        }
    }
}
