//! Random programs of what the optimising compiler changes most: counted loops, sums, arrays and words
//! on the stack side by side, choices, divisions by numbers, functions that are taken in.

mod common;

use std::fmt::Write;

use common::random::Random;
use common::{Engines, Words};

/// Numbers around which things happen.
const NEAR: &[u64] =
    &[0, 1, 2, 3, 10, 0x7f, 0x80, 0xff, 0x100, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 63];

/// Bytes of the array at the frame's top.
const ARRAY: i32 = 64;
/// Words of the stack below it.
const WORDS: i32 = 4;

/// r6 is the context, r7 and r8 are counters, r9 is for addresses.
struct Writer {
    random: Random,
    text: String,
    labels: usize,
}

impl Writer {
    fn line(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.text, "{}", line.as_ref());
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("l{}", self.labels)
    }

    fn reg(&mut self) -> u8 {
        self.random.below(6) as u8
    }

    fn word(&mut self) -> i32 {
        -ARRAY - 8 * (1 + self.random.below(WORDS as usize) as i32)
    }

    /// r9 is the address of an element of the array, by a counter or by a masked number.
    fn element(&mut self, bits: usize, counter: Option<u8>) -> i32 {
        let count = ARRAY as usize / (bits / 8);
        let scale = (bits / 8).trailing_zeros();
        let from = match counter {
            Some(counter) if self.random.below(2) == 0 => counter,
            _ => self.reg(),
        };
        let offset = if self.random.below(2) == 0 { 0 } else { 8 };
        self.line(format!("r9 = r{from}\nr9 &= {}\nr9 <<= {scale}", count / 2 - 1));
        match self.random.below(2) {
            0 => self.line(format!("r9 += r10\nr9 += {}", -ARRAY)),
            _ => {
                self.line("r0 = r10");
                self.line(format!("r0 += {}\nr0 += r9\nr9 = r0\nr0 = 77", -ARRAY));
            }
        }
        offset
    }

    fn statement(&mut self, counter: Option<u8>) {
        let (a, b) = (self.reg(), self.reg());
        let letter = self.random.pick(&["r", "w"]);
        let bits = self.random.pick(&[8_usize, 16, 32, 64]);
        match self.random.below(16) {
            0..=2 => {
                let op = self.random.pick(&["+=", "-=", "*=", "^=", "|=", "&="]);
                self.line(format!("{letter}{a} {op} {letter}{b}"));
            }
            3 => {
                let number =
                    self.random.pick(&[3, 5, 7, 9, 10, 11, 25, 31, 33, 37, 45, 72, 100, -1, 1 << 20]);
                self.line(format!("{letter}{a} *= {number}"));
            }
            4 => {
                let number = self.random.pick(&[3, 5, 7, 10, 12, 100, 641, 1000, 0x7fff_ffff, -2, -10]);
                let op = self.random.pick(&["/=", "%=", "s/=", "s%="]);
                self.line(format!("{letter}{a} {op} {number}"));
            }
            5 => {
                let (wide, count) = if letter == "r" {
                    (64, 1 + self.random.below(63))
                } else {
                    (32, 1 + self.random.below(31))
                };
                let temp = (a + 1) % 6;
                self.line(format!("{letter}{temp} = {letter}{a}\n{letter}{temp} >>= {}", wide - count));
                self.line(format!("{letter}{a} <<= {count}\n{letter}{a} |= {letter}{temp}"));
            }
            6 | 7 => {
                let off = self.element(bits, counter);
                self.line(format!("r{a} = *(u{bits} *)(r9 + {off})"));
            }
            8 => {
                let off = self.element(bits, counter);
                self.line(format!("*(u{bits} *)(r9 + {off}) = r{a}"));
            }
            9 => {
                let off = self.element(bits, counter);
                let op = self.random.pick(&["+=", "^=", "|="]);
                let other = (a + 1) % 6;
                self.line(format!(
                    "r{a} = *(u{bits} *)(r9 + {off})\nr{a} {op} r{other}\n*(u{bits} *)(r9 + {off}) = r{a}"
                ));
            }
            10 => {
                let word = self.word();
                self.line(format!("r{a} = *(u64 *)(r10 {word:+})"));
            }
            11 => {
                let word = self.word();
                self.line(format!("*(u64 *)(r10 {word:+}) = r{a}"));
            }
            12 => {
                let off = 8 * self.random.below(8);
                self.line(format!("r{a} = *(u64 *)(r6 + {off})"));
            }
            13 => {
                let off = 8 * self.random.below(8);
                self.line(format!("*(u64 *)(r6 + {off}) = r{a}"));
            }
            14 => {
                // A choice.
                let (op, skip) = (self.random.pick(&["==", "!=", ">", "<=", "s>", "s<", "&"]), self.label());
                let (c, number) = (self.reg(), self.random.below(3));
                self.line(format!("if {letter}{a} {op} {letter}{b} goto {skip}"));
                match self.random.below(2) {
                    0 => self.line(format!("r{c} = r{a}")),
                    _ => self.line(format!("r{c} = {number}")),
                }
                self.line(format!("{skip}:"));
            }
            _ => {
                if let Some(counter) = counter {
                    self.line(format!("{letter}{a} += {letter}{counter}"));
                }
            }
        }
    }

    fn statements(&mut self, most: usize, counter: Option<u8>) {
        for _ in 0..1 + self.random.below(most) {
            self.statement(counter);
        }
    }

    /// A loop with a counter in a register.
    fn counted(&mut self, counter: u8, depth: usize) {
        let (again, step) = (self.label(), 1 + self.random.below(3));
        let rounds = self.random.pick(&[1, 2, 3, 4, 6, 7, 8, 10, 12]);
        self.line(format!("r{counter} = 0\n{again}:"));
        match self.random.below(3) {
            0 => {
                // Only a sum.
                let (a, b, bits) = (self.reg(), self.reg(), self.random.pick(&[8_usize, 16, 32, 64]));
                let off = self.element(bits, Some(counter));
                let op = self.random.pick(&["+=", "^="]);
                if a != b && a != 0 && b != 0 {
                    self.line(format!("r{b} = *(u{bits} *)(r9 + {off})\nr{a} {op} r{b}"));
                }
            }
            1 if depth > 0 => {
                self.statements(3, Some(counter));
                self.counted(counter + 1, depth - 1);
                self.statements(3, Some(counter));
            }
            _ => self.statements(8, Some(counter)),
        }
        self.line(format!("r{counter} += {step}"));
        match self.random.below(2) {
            0 => self.line(format!("if r{counter} != {} goto {again}", rounds * step)),
            _ => self.line(format!("if r{counter} < {} goto {again}", rounds * step)),
        }
    }

    fn body(&mut self, functions: usize) {
        for _ in 0..3 {
            self.statements(6, None);
            match self.random.below(3) {
                0 if functions > 0 => {
                    let function = self.random.below(functions);
                    self.line("r1 = r10\nr1 += -64");
                    self.line(format!("call f{function}"));
                    for reg in 1..=5 {
                        self.line(format!("r{reg} = {}", reg * 9));
                    }
                }
                _ => self.counted(7, 1),
            }
        }
    }

    fn program(seed: u64) -> String {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut writer = Writer { random, text: String::new(), labels: 0 };
        let functions = writer.random.below(3);
        writer.line("r6 = r1");
        for slot in 0..(ARRAY / 8 + WORDS) {
            writer.line(format!("r0 = *(u64 *)(r6 + {})\n*(u64 *)(r10 - {}) = r0", 8 * slot, 8 * (slot + 1)));
        }
        for reg in 0..6 {
            writer.line(format!("r{reg} = *(u64 *)(r6 + {})", 8 * (reg + 4)));
        }
        writer.body(functions);
        for reg in 1..6 {
            writer.line(format!("*(u64 *)(r6 + {}) = r{reg}", 8 * reg));
        }
        for slot in 0..(ARRAY / 8) {
            writer.line(format!(
                "r1 = *(u64 *)(r10 - {})\n*(u64 *)(r6 + {}) = r1",
                8 * (slot + 1),
                8 * (slot + 6)
            ));
        }
        writer.line("exit");
        for function in 0..functions {
            writer.line(format!("f{function}:"));
            let off = 8 * writer.random.below(8);
            writer.line(format!("r0 = *(u64 *)(r1 + {off})\nr2 = r0\nr2 *= 11"));
            if writer.random.below(2) == 0 {
                writer.line("*(u64 *)(r10 - 8) = r2\nr3 = r10\nr3 += -8\nr4 = *(u32 *)(r3 + 4)\nr0 ^= r4");
            }
            if writer.random.below(2) == 0 {
                let end = writer.label();
                writer.line(format!("if r0 s> 7 goto {end}\n*(u64 *)(r1 + {off}) = r2\nexit\n{end}:"));
            }
            writer.line("r0 += 5\nexit");
        }
        writer.text
    }
}

/// How many programs; `PROBITY_PROGRAMS` says otherwise.
fn programs() -> u64 {
    std::env::var("PROBITY_PROGRAMS").ok().and_then(|text| text.parse().ok()).unwrap_or(1500)
}

#[test]
fn random_programs() {
    let first = std::env::var("PROBITY_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut accepted = 0;
    for seed in first..first + programs() {
        let text = Writer::program(seed);
        let insns = probity_isa::assemble(&text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        let engines = match Engines::new(insns) {
            Ok(engines) => engines,
            Err(why) => {
                if std::env::var_os("PROBITY_WHY").is_some() {
                    println!("{why}");
                }
                continue;
            }
        };
        accepted += 1;
        let mut random = Random(seed | 1);
        for _ in 0..6 {
            let words: Words = std::array::from_fn(|_| random.number(NEAR));
            let result =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| engines.agree(&words, None)));
            assert!(result.is_ok(), "seed {seed}:\n{text}");
        }
    }
    println!("{accepted} of {} programs", programs());
    assert!(accepted * 2 > programs(), "{accepted} of {} accepted", programs());
}

/// Code of a program, or that it is left to the other compiler; None when it is not verified.
fn compiled(text: &str) -> Option<(usize, std::time::Duration)> {
    let insns = probity_isa::assemble(text, &()).expect("it is assembled");
    let count = insns.len();
    let verified = common::verified(insns, Vec::new()).ok()?;
    let executable = probity_vm::Executable::new(&verified, Vec::new()).expect("it is linked");
    let start = std::time::Instant::now();
    match probity_jit::opt::compile(&executable, &probity_jit::Options::default()) {
        Ok(_) | Err(probity_jit::opt::OptError::Unhandled(_)) => Some((count, start.elapsed())),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn large_programs_do_not_take_long() {
    // Many blocks, in which all registers change.
    let mut branches = String::from("r6 = r1\n");
    for reg in [0, 2, 3, 4, 5, 7, 8, 9] {
        let _ = writeln!(branches, "r{reg} = *(u64 *)(r6 + {})", 8 * reg);
    }
    for number in 0..8000 {
        let (a, b) = ([0, 2, 3, 4, 5, 7, 8, 9][number % 8], [0, 2, 3, 4, 5, 7, 8, 9][number * 5 % 7]);
        let _ = writeln!(
            branches,
            "if r{a} > {number} goto l{number}\nr{a} += r{b}\nr{b} ^= r{a}\nr{a} *= 7\nl{number}:"
        );
    }
    branches.push_str("exit\n");
    // One block that is as long.
    let mut straight = String::from("r6 = r1\nr0 = 0\n");
    for number in 0..10000 {
        let _ =
            writeln!(straight, "r2 = *(u64 *)(r6 + {})\nr0 += r2\n*(u64 *)(r6 + 8) = r0", number % 16 * 8);
    }
    straight.push_str("exit\n");
    for text in [branches, straight] {
        if let Some((count, time)) = compiled(&text) {
            println!("{count} instructions: {time:?}");
            // The tests' code is hardly optimised, and machines are busy.
            assert!(time.as_secs() < 10, "{count} instructions take {time:?}");
        }
    }
}
