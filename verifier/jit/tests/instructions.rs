//! Each kind of instruction with each register that it treats in its own way, in the interpreter and as
//! machine code: the same r0, the same memory.

mod common;

use common::{Engines, Words};

/// Numbers on which operators do different things.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    7,
    31,
    32,
    63,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0001,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
    0x1234_5678_9abc_def0,
];

const IMMEDIATES: [i32; 23] = [
    1,
    -1,
    2,
    3,
    5,
    6,
    7,
    8,
    9,
    10,
    31,
    32,
    33,
    63,
    -7,
    -8,
    255,
    65535,
    1000,
    641,
    1_000_000_007,
    i32::MAX,
    i32::MIN,
];

/// Registers that instructions treat in their own way, in pairs.
const PAIRS: [(usize, usize); 13] =
    [(0, 2), (2, 0), (0, 3), (3, 0), (3, 4), (4, 3), (4, 7), (7, 4), (4, 4), (0, 0), (3, 3), (8, 9), (5, 1)];

fn words(first: u64, second: u64) -> Words {
    let mut words = [0; 16];
    (words[0], words[1]) = (first, second);
    words
}

/// Loads the first two numbers into registers, runs `body`, and stores all registers.
fn program(a: usize, b: usize, body: &str) -> String {
    let mut text = String::from("r6 = r1\n");
    let all = [0, 1, 2, 3, 4, 5, 7, 8, 9];
    for reg in all {
        text.push_str(&format!("r{reg} = {}\n", 0x1111 * (reg + 1)));
    }
    text.push_str(&format!("r{a} = *(u64 *)(r6 + 0)\n"));
    if a != b {
        text.push_str(&format!("r{b} = *(u64 *)(r6 + 8)\n"));
    }
    text.push_str(body);
    for reg in all {
        text.push_str(&format!("*(u64 *)(r6 + {}) = r{reg}\n", 16 + 8 * reg));
    }
    text.push_str("r0 = 0\nexit\n");
    text
}

/// Runs what `body` makes of the names of two registers, with 64 and 32 bits, on all pairs of numbers.
fn pairs(body: impl Fn(&str, &str) -> String) {
    for (a, b) in PAIRS {
        for letter in ["r", "w"] {
            let engines =
                Engines::of(&program(a, b, &body(&format!("{letter}{a}"), &format!("{letter}{b}"))));
            for first in NUMBERS {
                for second in NUMBERS {
                    engines.agree(&words(first, second), None);
                }
            }
        }
    }
}

/// Runs what `body` makes of the name of a register, with 64 and 32 bits, on all numbers.
fn singles(letters: &[&str], body: impl Fn(&str) -> String) {
    for reg in [0, 3, 4, 5, 9] {
        for letter in letters {
            let engines = Engines::of(&program(reg, reg, &body(&format!("{letter}{reg}"))));
            for number in NUMBERS {
                engines.agree(&words(number, 0), None);
            }
        }
    }
}

const BOTH: [&str; 2] = ["r", "w"];

#[test]
fn arithmetic_of_registers() {
    for op in ["=", "+=", "-=", "*=", "|=", "&=", "^="] {
        pairs(|a, b| format!("{a} {op} {b}\n"));
    }
}

#[test]
fn shifts_of_registers() {
    for op in ["<<=", ">>=", "s>>="] {
        pairs(|a, b| format!("{a} {op} {b}\n"));
    }
}

#[test]
fn division_by_registers() {
    for op in ["/=", "%=", "s/=", "s%="] {
        pairs(|a, b| format!("{a} {op} {b}\n"));
    }
}

#[test]
fn arithmetic_with_immediates() {
    for op in ["=", "+=", "-=", "*=", "|=", "&=", "^="] {
        for imm in IMMEDIATES.into_iter().chain([0]) {
            singles(&BOTH, |a| format!("{a} {op} {imm}\n"));
        }
    }
}

#[test]
fn division_by_immediates() {
    for op in ["/=", "%=", "s/=", "s%="] {
        for imm in IMMEDIATES {
            singles(&BOTH, |a| format!("{a} {op} {imm}\n"));
        }
    }
}

#[test]
fn shifts_by_immediates() {
    for op in ["<<=", ">>=", "s>>="] {
        for count in [0, 1, 7, 8, 31] {
            singles(&BOTH, |a| format!("{a} {op} {count}\n"));
        }
        for count in [32, 33, 63] {
            singles(&["r"], |a| format!("{a} {op} {count}\n"));
        }
    }
}

#[test]
fn signs_and_byte_order() {
    singles(&BOTH, |a| format!("{a} = -{a}\n"));
    for bits in [16, 32, 64] {
        for swap in ["le", "be", "bswap"] {
            singles(&["r"], |a| format!("{a} = {swap}{bits} {a}\n"));
        }
    }
    for bits in [8, 16] {
        pairs(|a, b| format!("{a} = (s{bits}){b}\n"));
    }
    singles(&["r"], |a| format!("r2 = (s32){a}\n"));
}

#[test]
fn instructions_that_become_one() {
    for add in ["5", "-5", "2147483647"] {
        pairs(|a, b| format!("{a} = {b}\n{a} += {add}\n"));
    }
    pairs(|a, b| format!("{a} = {b}\n{a} += {a}\n"));
    pairs(|a, b| {
        let other = if a.starts_with('r') { "r7" } else { "w7" };
        format!("{a} = {b}\n{a} += {other}\n")
    });
    for shift in [">>", "s>>"] {
        singles(&["r"], |a| format!("{a} <<= 32\n{a} {shift}= 32\n"));
        singles(&["r"], |a| format!("{a} <<= 32\n{a} {shift}= 31\n"));
        singles(&["r"], |a| format!("r2 = {a}\nr2 <<= 32\nr2 {shift}= 32\n"));
        singles(&["r"], |a| format!("r2 = {a}\nr2 <<= 32\nr2 {shift}= 16\n"));
    }
    // A jump goes between them.
    singles(&["r"], |a| format!("r2 = 9\nif {a} > 7 goto in\nr2 = {a}\nin: r2 += 5\n"));
    singles(&["r"], |a| format!("r2 = {a}\nif {a} > 7 goto in\n{a} <<= 32\nin: {a} >>= 32\n"));
    singles(&["r"], |a| format!("if {a} > 7 goto in\nr2 = {a}\nr2 <<= 32\nin: r2 >>= 32\n"));
}

#[test]
fn loads_and_stores() {
    for (bits, bytes) in [(8, 1), (16, 2), (32, 4), (64, 8)] {
        for (base, off) in [("r10", -8), ("r10", -200), ("r10", -512)] {
            singles(&["r"], |a| {
                let mut text = format!("*(u64 *)({base} {off:+}) = {a}\n");
                text.push_str(&format!("*(u{bits} *)({base} {:+}) = {a}\n", off + 8 - bytes));
                text.push_str(&format!("r2 = *(u{bits} *)({base} {off:+})\n"));
                text.push_str(&format!("r5 = *(u64 *)({base} {off:+})\n"));
                if bits < 64 {
                    text.push_str(&format!("r7 = *(s{bits} *)({base} {off:+})\n"));
                }
                text
            });
            for imm in IMMEDIATES {
                singles(&["r"], |a| {
                    format!(
                        "*(u64 *)({base} {off:+}) = {a}\n*(u{bits} *)({base} {off:+}) = {imm}\n{a} = *(u64 *)({base} {off:+})\n"
                    )
                });
            }
        }
    }
}

#[test]
fn atomics() {
    let at = |bits: usize, base: &str| format!("(u{bits} *)({base} + 0)");
    let wide = |bits| if bits == 64 { "64" } else { "" };
    for (base, operand) in [(0, 2), (2, 0), (3, 4), (7, 8), (4, 5), (2, 3)] {
        for bits in [32, 64] {
            let mut forms = Vec::new();
            for op in ["+=", "|=", "&=", "^="] {
                forms.push(format!("lock *{} {op} r{operand}\n", at(bits, &format!("r{base}"))));
            }
            for op in ["fetch_add", "fetch_or", "fetch_and", "fetch_xor", "xchg"] {
                let place = at(bits, &format!("r{base}"));
                forms.push(format!("r{operand} = atomic{}_{op}({place}, r{operand})\n", wide(bits)));
            }
            if base != 0 {
                let place = at(bits, &format!("r{base}"));
                forms.push(format!("r0 = atomic{}_cmpxchg({place}, r0, r{operand})\n", wide(bits)));
            }
            for form in forms {
                // What is compared is right, and is not.
                for compare in ["r0 = r5\n", ""] {
                    let free = if base == 5 || operand == 5 { "r9" } else { "r5" };
                    let compare = if base == 0 || operand == 0 { "" } else { compare };
                    let text = format!(
                        "{free} = *(u64 *)(r6 + 0)\n*(u64 *)(r10 - 8) = {free}\nr{operand} = *(u64 *)(r6 + 8)\n\
                         {}r{base} = r10\nr{base} += -8\n{form}r{base} = *(u64 *)(r10 - 8)\n",
                        compare.replace("r5", free),
                    );
                    let engines = Engines::of(&program(9, 9, &text));
                    for first in NUMBERS {
                        for second in [1, 0xffff_ffff, 0x1234_5678_9abc_def0] {
                            engines.agree(&words(first, second), None);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn ordered_accesses() {
    for bits in [8, 16, 32, 64] {
        singles(&["r"], |a| {
            format!(
                "r2 = r10\nr2 += -8\n*(u64 *)(r10 - 8) = 0\nstore_release((u{bits} *)(r2 + 0), {a})\n\
                 {a} = load_acquire((u{bits} *)(r2 + 0))\nr2 = 0\n"
            )
        });
    }
}

#[test]
fn conditions() {
    for op in ["==", "!=", ">", ">=", "<", "<=", "s>", "s>=", "s<", "s<=", "&"] {
        pairs(|a, b| format!("if {a} {op} {b} goto yes\nr7 = 1\ngoto out\nyes: r7 = 2\nout:\n"));
        for imm in IMMEDIATES.into_iter().chain([0, 127, 128]) {
            singles(&BOTH, |a| format!("if {a} {op} {imm} goto yes\nr7 = 1\ngoto out\nyes: r7 = 2\nout:\n"));
        }
    }
}

#[test]
fn wide_numbers() {
    for number in NUMBERS {
        singles(&["r"], |a| format!("{a} = {number:#x} ll\n"));
    }
}
