//! Nested programs: functions that callables call, and what is held around such calls: records of
//! ring buffers, locks, iterators; global functions, `may_goto`. They are made of statements
//! that are right by themselves, but for slips; most programs are accepted.
//!
//! In every function r6 points to 16 bytes, r7 is a number, r8 what is held, r9 the context where
//! there is one. Its frame:
//!
//! | bytes | what |
//! |---|---|
//! | -16 | memory that calls are given |
//! | -24, -32, -40 | numbers |
//! | -48, -56 | iterators |
//! | -72, -88 | dynptrs |
//! | -96 | what r8 held |
//! | -104 | a key |
//!
//! | module | subject |
//! |---|---|
//! | `calls` | functions: that callables call, static, global, other programs |
//! | `held` | what is held: records, dynptrs, locks |
//! | `numbers` | numbers and memory |
//! | `rounds` | iterators, `may_goto` |
//! | `types` | the types that say so |

mod calls;
mod held;
mod numbers;
mod rounds;
mod types;

use std::fmt::Write;

use probity_program::{MapDef, Program, flags};

use super::Rng;
use calls::{Function, Role};

const SCHED_CLS: u32 = 3;

/// The maps, by their index.
mod map {
    /// An array of values with a lock.
    pub(super) const SPECIAL: usize = 0;
    /// An array of 64 bytes.
    pub(super) const ARRAY: usize = 1;
    pub(super) const RING: usize = 2;
    pub(super) const PROGRAMS: usize = 3;
    pub(super) const USER_RING: usize = 4;
    /// A hash table of 16 bytes.
    pub(super) const HASH: usize = 5;
    /// An array of one element of 64 bytes.
    pub(super) const SINGLE: usize = 6;
}

/// Calls lead so deep.
const LEVELS: usize = 3;
/// Scopes of a function lie so deep in each other.
const DEPTH: usize = 2;

/// A program that grows.
struct Nested {
    rng: Rng,
    text: String,
    labels: usize,
    functions: Vec<Function>,
    /// The function that grows: what it is, and how many calls lead to it at least.
    role: Role,
    level: usize,
    /// r8 is in use.
    holds: bool,
    /// No call but of what a lock allows.
    locked: bool,
    /// How many references are held.
    references: usize,
    iterators: usize,
    views: usize,
}

/// The nested program of a seed. Its name says the seed.
#[must_use]
pub fn generate_nested(seed: u64) -> Program {
    let mut nested = Nested {
        rng: Rng::new(seed ^ 0x0e57_ed00_0000_0000),
        text: String::new(),
        labels: 0,
        functions: Vec::new(),
        role: Role::Main,
        level: 0,
        holds: false,
        locked: false,
        references: 0,
        iterators: 0,
        views: 0,
    };
    nested.function(None);
    let mut done = 0;
    while let Some(function) = nested.functions.get(done).copied() {
        nested.function(Some((done, function)));
        done += 1;
    }
    let insns = probity_isa::assemble(&nested.text, &()).unwrap_or_else(|error| {
        panic!("seed {seed}: {error:?}\n{}", nested.text);
    });
    let mut program = Program::from_insns(SCHED_CLS, insns);
    program.name = format!("nested_{seed}");
    program.license = "GPL".to_owned();
    program.flags = if nested.rng.chance(25) { flags::TEST_STATE_FREQ } else { 0 };
    program.kfuncs = ["new", "next", "destroy"].map(|name| format!("bpf_iter_num_{name}")).to_vec();
    program.maps = vec![
        MapDef::new(2, 4, crate::special::VALUE as u32, 4),
        MapDef::new(2, 4, 64, 3),
        MapDef::new(27, 0, 0, 4096),
        MapDef::new(3, 4, 4, 2),
        MapDef::new(31, 0, 0, 4096),
        MapDef::new(1, 4, 16, 8),
        MapDef::new(2, 4, 64, 1),
    ];
    types::describe(&mut program, &nested.functions);
    program
}

impl Nested {
    /// A whole function.
    fn function(&mut self, function: Option<(usize, Function)>) {
        (self.role, self.level) = function.map_or((Role::Main, 0), |(_, of)| (of.role, of.level));
        if let Some((number, _)) = function {
            self.put(format_args!("f{number}:"));
        }
        self.prologue();
        let count = if self.level == 0 { 2 + self.rng.below(5) } else { 1 + self.rng.below(3) };
        self.statements(count, 0);
        self.end();
    }

    fn statements(&mut self, count: usize, depth: usize) {
        for _ in 0..count {
            self.statement(depth);
        }
    }

    /// Statements of a scope.
    fn body(&mut self, depth: usize) {
        let count = 1 + self.rng.below(2);
        self.statements(count, depth + 1);
    }

    fn statement(&mut self, depth: usize) {
        if self.locked {
            return self.quiet();
        }
        let scopes = usize::from(depth < DEPTH);
        let calls = usize::from(self.level < LEVELS);
        match self.rng.weighted(&[
            30,
            9 * calls / (self.level + 1),
            7 * calls / (self.level + 1),
            5 * calls / (self.level + 1),
            5 * calls / (self.level + 1),
            6 * calls / (self.level + 1),
            7 * scopes,
            4 * scopes,
            7 * scopes,
            5 * scopes,
            3,
            2,
        ]) {
            0 => self.numbers(),
            1 => self.rounds(),
            2 => self.elements(),
            3 => self.samples(),
            4 => self.static_call(),
            5 => self.global_call(),
            6 => self.iterate(depth),
            7 => self.may_goto(depth),
            8 => self.record(depth),
            9 => self.view(depth),
            10 => self.lock(),
            _ => self.tail_call(),
        }
    }

    /// Once in a while something is wrong.
    fn slips(&mut self) -> bool {
        self.rng.below(150) == 0
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn one_of(&mut self, lines: &[&str]) {
        let line = self.rng.pick(lines);
        self.line(line);
    }

    /// Adds to the text as `write!` does.
    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("l{}", self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_program() {
        for seed in 0..500 {
            let program = generate_nested(seed);
            assert_eq!(program.insns, generate_nested(seed).insns);
            assert!((10..1500).contains(&program.insns.len()), "{}", program.insns.len());
        }
    }
}
