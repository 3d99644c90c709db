//! Random numbers: SplitMix64, small and the same on every machine.

/// A stream of random numbers, from a seed.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Rng {
        Rng { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number less than `end`, which is not 0. Good enough for small ends.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which are not empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// The index of one of `weights`, each as probable as it is heavy.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        let heavier = |&weight: &usize| {
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        };
        weights.iter().position(heavier).expect("the sum bounds it")
    }

    /// An immediate: mostly one at which something changes.
    pub fn immediate(&mut self) -> i32 {
        const EDGES: [i32; 18] =
            [0, 1, -1, 2, 3, 7, 8, -8, 15, 63, 64, 0xff, 0x100, 0xffff, i32::MAX, i32::MIN, -2, 255];
        match self.below(10) {
            0..5 => self.pick(&EDGES),
            5..8 => self.below(128) as i32 - 16,
            8 => 1 << self.below(31),
            _ => self.bits() as i32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_stream() {
        let mut rng = Rng::new(1_234_567);
        let first = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([rng.bits(), rng.bits()], first);
    }

    #[test]
    fn weights_of_zero_are_never_chosen() {
        let mut rng = Rng::new(1);
        assert!((0..1000).all(|_| rng.weighted(&[0, 3, 0, 1]) % 2 == 1));
    }
}
