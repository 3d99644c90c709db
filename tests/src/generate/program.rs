//! Whole programs.

use probity_isa::opcode::*;
use probity_program::{MapDef, Program};

use super::{
    code::{Generator, Regs},
    kind::Kind,
    rng::Rng,
};

/// The size of the map values that programs read and write.
pub const VALUE_SIZE: u32 = 64;

const ARRAY: u32 = 2;
const MAP_LOOKUP_ELEM: i32 = 1;
const GET_PRANDOM_U32: i32 = 7;
/// Programs have about as many instructions as this range says, and those of their functions.
const LENGTHS: std::ops::Range<usize> = 8..52;

/// The program of a seed. Its name says the seed.
#[must_use]
pub fn generate(seed: u64) -> Program {
    let mut rng = Rng::new(seed);
    let kind = rng.pick(&[Kind::SocketFilter, Kind::SocketFilter, Kind::SchedCls, Kind::Xdp]);
    let length = LENGTHS.start + rng.below(LENGTHS.len());
    let mut generator = Generator::new(rng, kind);
    generator.out = generator.label();
    generator.prologue();
    for _ in 0..1 + generator.rng.below(2) {
        generator.source();
    }
    generator.statements(length, 0);
    let goes_on = generator.sink();
    generator.end(goes_on);
    generator.called_functions();

    let mut program = Program::from_insns(kind.number(), generator.finish());
    program.name = format!("seed_{seed}");
    program.maps = vec![MapDef::new(ARRAY, 4, VALUE_SIZE, 4), MapDef::new(ARRAY, 4, VALUE_SIZE, 1)];
    program
}

impl Generator {
    /// r6 = the context, r9 = a map value.
    pub(super) fn prologue(&mut self) {
        self.copy(6, 1);
        if self.rng.chance(25) {
            self.imm64(9, BPF_PSEUDO_MAP_VALUE, 1, 0);
            return;
        }
        self.lookup_key();
        self.imm64(1, BPF_PSEUDO_MAP_FD, 0, 0);
        self.copy(2, 10);
        self.emit(BPF_ALU64 | BPF_ADD, 2, 0, 0, -4);
        self.call_helper(MAP_LOOKUP_ELEM);
        let out = self.out;
        let copied_first = self.rng.chance(50);
        if copied_first {
            self.copy(9, 0);
        }
        self.jump(BPF_JMP | BPF_JEQ, 0, 0, 0, out);
        if !copied_first {
            self.copy(9, 0);
        }
        // r0 is a pointer still.
        self.ready = Regs(0);
    }

    /// The key at fp-4: known and in the map, known and not, or unknown.
    fn lookup_key(&mut self) {
        match self.rng.below(6) {
            0..3 => {
                let key = self.rng.below(4) as i32;
                self.emit(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, key);
            }
            3 => self.emit(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 9),
            _ => {
                self.call_helper(GET_PRANDOM_U32);
                self.emit(BPF_STX | BPF_MEM | BPF_W, 10, 0, -4, 0);
            }
        }
        self.spilled.push((-4, 4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_program() {
        for seed in 0..200 {
            let program = generate(seed);
            assert_eq!(program.insns, generate(seed).insns);
            assert!((5..120).contains(&program.insns.len()), "{}", program.insns.len());
        }
        assert_ne!(generate(1).insns, generate(2).insns);
    }
}
