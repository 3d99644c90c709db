//! Programs of everything at once: packets, map values, references, stack, functions, links. They
//! are put together from small steps that are mostly right by themselves; what goes wrong between
//! them is what a verifier has to find.

mod memory;
mod numbers;

use std::fmt::Write;

use probity_program::{MapDef, Program, flags};

use super::Rng;

const HASH: u32 = 1;
const ARRAY: u32 = 2;
const PROG_ARRAY: u32 = 3;
const ARRAY_OF_MAPS: u32 = 12;
const RINGBUF: u32 = 27;

const SOCKET_FILTER: u32 = 1;
const SCHED_CLS: u32 = 3;
const XDP: u32 = 6;
const CGROUP_SKB: u32 = 8;

/// The size of the values of both maps that are looked up.
const VALUE: i16 = 48;

/// What a register holds, as far as the steps care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Nothing,
    Context,
    Number,
    /// A packet pointer, and how many bytes were compared.
    Packet(i16),
    Value,
    MaybeValue,
    /// A reference.
    Sample,
}

/// A program that grows.
struct Mixed {
    rng: Rng,
    prog_type: u32,
    text: String,
    holds: [Hold; 10],
    slots: Vec<(i16, Hold)>,
    labels: usize,
}

/// The program of a seed, and the flags that it is loaded with.
#[must_use]
pub fn generate_mixed(seed: u64) -> Program {
    let mut rng = Rng::new(seed);
    let prog_type = rng.pick(&[XDP, XDP, SCHED_CLS, SCHED_CLS, SOCKET_FILTER, CGROUP_SKB]);
    let mut holds = [Hold::Nothing; 10];
    holds[6] = Hold::Context;
    let mut mixed = Mixed { rng, prog_type, text: "r6 = r1\n".into(), holds, slots: Vec::new(), labels: 0 };
    for _ in 0..3 + mixed.rng.below(15) {
        mixed.step();
    }
    mixed.end();
    let insns = probity_isa::assemble(&mixed.text, &()).unwrap_or_else(|error| {
        panic!("seed {seed}: {error:?}\n{}", mixed.text);
    });
    let mut program = Program::from_insns(prog_type, insns);
    program.name = format!("mixed_{seed}");
    let (freq, strict) = (flags::TEST_STATE_FREQ, flags::STRICT_ALIGNMENT);
    program.flags = mixed.rng.pick(&[0, 0, 0, freq, freq, strict, freq | strict]);
    let value_size = VALUE.cast_unsigned().into();
    program.maps = vec![
        MapDef::new(ARRAY, 4, value_size, 4),
        MapDef::new(HASH, 4, value_size, 4),
        MapDef::new(RINGBUF, 0, 0, 4096),
        MapDef::new(PROG_ARRAY, 4, 4, 4),
        MapDef { inner: Some(0), ..MapDef::new(ARRAY_OF_MAPS, 4, 4, 2) },
    ];
    program
}

impl Mixed {
    fn step(&mut self) {
        match self.rng.below(26) {
            0..3 => self.packet(),
            3..5 => self.packet_access(),
            5 => self.packet_variable(),
            6..8 => self.lookup(),
            8..10 => self.value_access(),
            10 => self.inner_map(),
            11 => self.socket(),
            12 => self.sample(),
            13 => self.submit(),
            14..16 => self.number(),
            16..18 => self.branch(),
            18 => self.link(),
            19 => self.spill(),
            20 => self.fill(),
            21 => self.narrow_spill(),
            22 => self.variable_stack(),
            23 => self.atomic(),
            24 => self.helper_memory(),
            _ => self.transfer(),
        }
    }

    /// One line of assembly, or several.
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn one_of(&mut self, lines: &[&str]) {
        let line = self.rng.pick(lines);
        self.line(line);
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("l{}", self.labels)
    }

    /// A register to hold something; never one with a reference, which would be lost.
    fn free(&mut self) -> Option<usize> {
        let register = self.rng.pick(&[7, 8, 9]);
        (self.holds[register] != Hold::Sample).then_some(register)
    }

    /// A register that holds such a thing.
    fn holding(&mut self, wanted: impl Fn(Hold) -> bool) -> Option<usize> {
        let found: Vec<usize> = (6..10).filter(|&register| wanted(self.holds[register])).collect();
        if found.is_empty() { None } else { Some(self.rng.pick(&found)) }
    }

    /// The offsets of the packet's begin, end and metadata in the context.
    fn packet_fields(&self) -> Option<(i16, i16, Option<i16>)> {
        match self.prog_type {
            XDP => Some((0, 4, Some(8))),
            SCHED_CLS => Some((76, 80, Some(140))),
            CGROUP_SKB => Some((76, 80, None)),
            _ => None,
        }
    }

    /// A call of a function of its own, or of another program.
    fn transfer(&mut self) {
        if self.rng.chance(15) {
            let index = self.rng.below(4);
            return self.line(format!("r1 = r6\nr2 = map[3] ll\nr3 = {index}\ncall 12"));
        }
        let argument = self.rng.pick(&[6, 6, 10]);
        self.line(format!("r1 = r{argument}\nr2 = r10\nr2 += -16\ncall outer"));
        if let Some(register) = self.free().filter(|_| self.rng.clone().chance(50)) {
            self.line(format!("r{register} = r0"));
            self.holds[register] = Hold::Number;
        }
    }

    /// Gives back what is held, mostly, and writes the exits and the functions.
    fn end(&mut self) {
        while let Some(register) = self.holding(|hold| hold == Hold::Sample) {
            self.holds[register] = Hold::Nothing;
            if self.rng.chance(93) {
                self.line(format!("r1 = r{register}\nr2 = 0\ncall 132"));
            }
        }
        self.line("r0 = 0\nexit");
        if self.text.contains("goto out") {
            self.line("out: r0 = 1\nexit");
        }
        if self.text.contains("call outer") {
            self.one_of(&[
                "outer: r0 = 1\nexit",
                "outer: *(u64 *)(r2 +0) = 1\nr0 = 2\nexit",
                "outer: r0 = *(u64 *)(r2 +0)\nexit",
                "outer: r6 = r1\ncall 7\nr0 &= 7\nif r0 > 3 goto some\nr0 = 9\nsome: exit",
                "outer: r0 = *(u32 *)(r1 +0)\nexit",
                "outer: r7 = r2\ncall 7\n*(u64 *)(r7 +0) = r0\nr0 &= 3\nexit",
                "outer: r6 = r2\nr1 = r2\ncall inner\nr0 = *(u64 *)(r6 +0)\nexit",
                "outer: r7 = r2\nr1 = r2\ncall inner\nr8 = r0\nr1 = r7\ncall inner\nr0 += r8\nexit",
            ]);
        }
        if self.text.contains("call inner") {
            self.one_of(&[
                "inner: r0 = 1\nexit",
                "inner: r0 = *(u64 *)(r1 +0)\nexit",
                "inner: *(u64 *)(r1 +0) = 7\nr0 = 0\nexit",
                "inner: call 7\nif r0 > 5 goto more\nr0 = 1\nmore: exit",
            ]);
        }
    }

    /// Adds to the text as `write!` does.
    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_program() {
        for seed in 0..500 {
            assert_eq!(generate_mixed(seed).insns, generate_mixed(seed).insns);
        }
        assert_ne!(generate_mixed(1).insns, generate_mixed(2).insns);
    }
}
