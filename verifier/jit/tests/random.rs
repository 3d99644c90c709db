//! Random programs of arithmetic, memory, branches and calls, in the interpreter and as machine code:
//! the same r0, the same memory, the same end when the fuel is short.

mod common;

use std::fmt::Write;

use common::random::Random;
use common::{Engines, Words};

/// Numbers around which things happen.
const NEAR: &[u64] = &[0, 1, 2, 31, 32, 63, 64, 0x7f, 0x80, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 63];

/// The registers that hold numbers; r6 has the context in the main function.
const NUMBERS: [u8; 9] = [0, 1, 2, 3, 4, 5, 7, 8, 9];
/// Words of the stack in use.
const SLOTS: i32 = 6;

/// A program under way.
struct Writer {
    random: Random,
    text: String,
    labels: usize,
}

impl Writer {
    fn line(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{}", line.as_ref());
    }

    fn reg(&mut self) -> u8 {
        self.random.pick(&NUMBERS)
    }

    /// A place on the stack for an access of so many bytes.
    fn slot(&mut self, bytes: i32) -> i32 {
        -8 * SLOTS + self.random.below((8 * SLOTS / bytes) as usize) as i32 * bytes
    }

    fn statement(&mut self) {
        let (a, b) = (self.reg(), self.reg());
        let (letter, imm) = (self.random.pick(&["r", "w"]), self.random.number(NEAR) as i32);
        let bits = self.random.pick(&[8, 16, 32, 64]);
        match self.random.below(20) {
            0..=4 => {
                let op = self.random.pick(&["=", "+=", "-=", "*=", "|=", "&=", "^="]);
                match self.random.below(2) {
                    0 => self.line(format!("{letter}{a} {op} {letter}{b}")),
                    _ => self.line(format!("{letter}{a} {op} {imm}")),
                }
            }
            5 | 6 => {
                let op = self.random.pick(&["<<=", ">>=", "s>>="]);
                let width = if letter == "r" { 64 } else { 32 };
                match self.random.below(3) {
                    0 => self.line(format!("{letter}{a} {op} {letter}{b}")),
                    1 => self.line(format!("r{a} <<= 32\nr{a} {op} 32")),
                    _ => {
                        let count = self.random.below(width);
                        self.line(format!("{letter}{a} {op} {count}"));
                    }
                }
            }
            7 | 8 => {
                let op = self.random.pick(&["/=", "%=", "s/=", "s%="]);
                match self.random.below(2) {
                    0 => self.line(format!("{letter}{a} {op} {letter}{b}")),
                    _ if imm == 0 => {}
                    _ => self.line(format!("{letter}{a} {op} {imm}")),
                }
            }
            9 => self.line(format!("{letter}{a} = -{letter}{a}")),
            10 => {
                let swap = self.random.pick(&["le", "be", "bswap"]);
                let bits = self.random.pick(&[16, 32, 64]);
                self.line(format!("r{a} = {swap}{bits} r{a}"));
            }
            11 => {
                let bits = self.random.pick(&[8, 16]);
                self.line(format!("{letter}{a} = (s{bits}){letter}{b}"));
            }
            12 => {
                let value = self.random.number(NEAR);
                self.line(format!("r{a} = {value:#x} ll"));
            }
            13 | 14 => {
                let slot = self.slot(bits / 8);
                let sign = if bits < 64 { self.random.pick(&["s", "u"]) } else { "u" };
                self.line(format!("r{a} = *({sign}{bits} *)(r10 {slot:+})"));
            }
            15 | 16 => {
                let slot = self.slot(bits / 8);
                match self.random.below(2) {
                    0 => self.line(format!("*(u{bits} *)(r10 {slot:+}) = r{a}")),
                    _ => self.line(format!("*(u{bits} *)(r10 {slot:+}) = {imm}")),
                }
            }
            17 | 18 => {
                let bits = self.random.pick(&[32, 64]);
                let (slot, wide) = (self.slot(bits / 8), if bits == 64 { "64" } else { "" });
                let place = format!("(u{bits} *)(r10 {slot:+})");
                match self.random.below(4) {
                    0 => {
                        let op = self.random.pick(&["+=", "|=", "&=", "^="]);
                        self.line(format!("lock *{place} {op} r{a}"));
                    }
                    1 => self.line(format!("r0 = atomic{wide}_cmpxchg({place}, r0, r{a})")),
                    _ => {
                        let op =
                            self.random.pick(&["fetch_add", "fetch_or", "fetch_and", "fetch_xor", "xchg"]);
                        self.line(format!("r{a} = atomic{wide}_{op}({place}, r{a})"));
                    }
                }
            }
            _ => self.line(format!("{letter}{a} = {letter}{b}\n{letter}{a} += {imm}")),
        }
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("l{}", self.labels)
    }

    /// Statements, forks and loops.
    fn block(&mut self, depth: usize, functions: usize) {
        for _ in 0..1 + self.random.below(8) {
            match self.random.below(14) {
                0 if depth > 0 => self.fork(depth, functions),
                1 if depth > 1 => self.counted(functions),
                2 if functions > 0 => {
                    let function = self.random.below(functions);
                    self.line(format!("call f{function}"));
                    // A call leaves r0 alone of what it may change.
                    for reg in 1..=5 {
                        self.line(format!("r{reg} = {}", reg * 7));
                    }
                }
                _ => self.statement(),
            }
        }
    }

    fn fork(&mut self, depth: usize, functions: usize) {
        let (a, b, letter) = (self.reg(), self.reg(), self.random.pick(&["r", "w"]));
        let op = self.random.pick(&["==", "!=", ">", ">=", "<", "<=", "s>", "s>=", "s<", "s<=", "&"]);
        let (other, end) = (self.label(), self.label());
        match self.random.below(2) {
            0 => self.line(format!("if {letter}{a} {op} {letter}{b} goto {other}")),
            _ => {
                let imm = self.random.number(NEAR) as i32;
                self.line(format!("if {letter}{a} {op} {imm} goto {other}"));
            }
        }
        self.block(depth - 1, functions);
        self.line(format!("goto {end}"));
        self.line(format!("{other}:"));
        self.block(depth - 1, functions);
        self.line(format!("{end}:"));
    }

    /// A loop, whose counter is on the stack below what others use.
    fn counted(&mut self, functions: usize) {
        let (again, count) = (self.label(), 1 + self.random.below(4));
        let at = -8 * (SLOTS + 1);
        self.line(format!("*(u64 *)(r10 {at:+}) = {count}"));
        self.line(format!("{again}:"));
        self.block(0, functions);
        self.line(format!("r1 = *(u64 *)(r10 {at:+})\nr1 += -1\n*(u64 *)(r10 {at:+}) = r1"));
        self.line(format!("if r1 != 0 goto {again}"));
    }

    fn program(seed: u64) -> String {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut writer = Writer { random, text: String::new(), labels: 0 };
        let functions = writer.random.below(3);
        writer.line("r6 = r1");
        for (number, reg) in NUMBERS.into_iter().enumerate() {
            writer.line(format!("r{reg} = *(u64 *)(r6 + {})", 8 * number));
        }
        writer.frame("r6");
        writer.block(2, functions);
        for (number, reg) in NUMBERS.into_iter().enumerate() {
            writer.line(format!("*(u64 *)(r6 + {}) = r{reg}", 8 * number));
        }
        for slot in 0..SLOTS {
            writer.line(format!("r1 = *(u64 *)(r10 - {})", 8 * (slot + 1)));
            writer.line(format!("*(u64 *)(r6 + {}) = r1", 8 * (9 + slot)));
        }
        writer.line("exit");
        for function in 0..functions {
            // A later one calls earlier ones only.
            writer.line(format!("f{function}:"));
            for reg in NUMBERS.into_iter().filter(|reg| !(1..=5).contains(reg)) {
                let from = writer.random.pick(&[1, 2, 3, 4, 5]);
                writer.line(format!("r{reg} = r{from}"));
            }
            writer.frame("");
            writer.block(1, if function > 0 { 1 } else { 0 });
            writer.line("exit");
        }
        writer.text
    }

    /// All of the frame's words are written.
    fn frame(&mut self, context: &str) {
        for slot in 0..SLOTS {
            match context {
                "" => self.line(format!("*(u64 *)(r10 - {}) = {}", 8 * (slot + 1), 3 * slot)),
                _ => {
                    self.line(format!("r0 = *(u64 *)({context} + {})", 8 * (9 + slot)));
                    self.line(format!("*(u64 *)(r10 - {}) = r0", 8 * (slot + 1)));
                }
            }
        }
        if !context.is_empty() {
            self.line(format!("r0 = *(u64 *)({context} + 0)"));
        }
    }
}

/// How many programs; `PROBITY_PROGRAMS` says otherwise.
fn programs() -> u64 {
    std::env::var("PROBITY_PROGRAMS").ok().and_then(|text| text.parse().ok()).unwrap_or(1500)
}

#[test]
fn random_programs() {
    let (mut accepted, mut ended, mut short) = (0, 0, 0);
    let first: u64 = std::env::var("PROBITY_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for seed in first..=programs() {
        let text = Writer::program(seed);
        let insns = probity_isa::assemble(&text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        let Ok(engines) = Engines::new(insns) else { continue };
        accepted += 1;
        let mut random = Random(seed | 1);
        for _ in 0..8 {
            let words: Words = std::array::from_fn(|_| random.number(NEAR));
            let fuel = if random.below(4) == 0 { Some(random.below(20) as u64) } else { None };
            let outcome = engines.agree(&words, fuel);
            ended += usize::from(outcome.result.is_ok());
            short += usize::from(outcome.result.is_err());
        }
    }
    println!("{accepted} programs, {ended} runs to the end, {short} out of fuel");
    assert!(accepted * 2 > programs(), "{accepted} of {} accepted", programs());
    assert!(ended > 0 && short > 0);
}
