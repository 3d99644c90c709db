//! Whole structured programs, and the choice of an idiom.

use probity_isa::opcode::*;
use probity_program::Program;

use super::{code::Generator, kind::Kind, rng::Rng, world::World};

/// About how many instructions the entry function has.
const LENGTHS: std::ops::Range<usize> = 12..90;
/// How many idioms lie in each other.
const DEPTH: usize = 3;

/// The structured program of a seed. Its name says the seed.
#[must_use]
pub fn generate_structured(seed: u64) -> Program {
    let mut rng = Rng::new(seed ^ 0x5eed_0000_0000_0000);
    let kind = match rng.below(3) {
        0 => rng.pick(&Kind::ALL),
        _ => rng.pick(&[
            Kind::SchedCls,
            Kind::Xdp,
            Kind::SchedCls,
            Kind::Xdp,
            Kind::SocketFilter,
            Kind::Kprobe,
        ]),
    };
    let length = LENGTHS.start + rng.below(LENGTHS.len());
    let mut generator = Generator::new(rng, kind);
    generator.world = Some(World::new());
    generator.out = generator.label();
    generator.prologue();
    generator.source();
    generator.statements(length, 0);
    let goes_on = generator.rng.chance(70) || generator.sink();
    generator.end(goes_on);
    // Each sort may call the other.
    while generator.has_wanted() {
        generator.functions_of_pointers();
        generator.called_functions();
    }

    let world = generator.world.take().unwrap_or_default();
    let mut program = Program::from_insns(kind.number(), generator.finish());
    program.name = format!("structured_{seed}");
    program.maps = world.maps;
    program
}

impl Generator {
    /// An idiom.
    pub(super) fn gadget(&mut self, until: usize, depth: usize) {
        let nested = usize::from(depth < DEPTH);
        let held = if self.world().held.is_empty() { 0 } else { 14 };
        match self.rng.weighted(&[
            14 * nested,
            12 * nested,
            held,
            5,
            6,
            10,
            6 * nested,
            5 * nested,
            6,
            5,
            6,
            2,
            4,
            7 * nested,
            3 * nested,
            3,
        ]) {
            0 => self.value_scope(until, depth),
            1 => self.packet_scope_or_other(until, depth),
            2 => self.use_held(),
            3 => self.update(),
            4 => self.context_access(),
            5 => self.helper_call(),
            6 => self.record_scope(until, depth),
            7 => self.socket_scope(until, depth),
            8 => self.vary_on_stack(),
            9 => self.access_stack(),
            10 => self.call_with_pointer(),
            11 => self.tail_call(),
            12 => self.pointer_arithmetic(),
            13 => self.rounds(depth),
            14 => self.rounds_to_unknown(depth),
            _ => self.legacy_load(),
        }
    }

    fn packet_scope_or_other(&mut self, until: usize, depth: usize) {
        if self.is_main && self.kind.packet().is_some() {
            self.packet_scope(until, depth);
        } else {
            let dst = self.target();
            self.emit(BPF_ALU64 | BPF_MOV, dst, 0, 0, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_program() {
        for seed in 0..300 {
            let program = generate_structured(seed);
            assert_eq!(program.insns, generate_structured(seed).insns);
            assert!((5..1000).contains(&program.insns.len()), "{}", program.insns.len());
        }
    }
}
