//! Programs made to cost as much as a program can: up to the limits of instructions, of waiting
//! branches, of remembered states. They must end, with the message of the limit where they pass
//! one, within the memory that is promised for any program.
//!
//! One test, because memory is that of the process.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use probity_engine::verify;
use probity_isa::assemble;
use probity_linux::PLATFORM;
use probity_program::Program;
use probity_tests::speed::Memory;

const SOCKET_FILTER: u32 = 1;
const MEMORY: u64 = 300 << 20;
/// Far more than any of them needs, also without optimisation and on a busy machine.
const TIME: Duration = Duration::from_secs(120);

const TOO_LARGE: &str = "BPF program is too large. Processed 1000001 insn";
const TOO_MANY: &str = "The sequence of 8193 jumps is too complex.";

struct Heavy {
    name: &'static str,
    /// Its assembly, made when it is its turn: texts are large.
    text: fn() -> String,
    /// The message; empty when it is accepted.
    message: &'static str,
}

fn repeat(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = writeln!(text, "{}", line(index));
        text
    })
}

const HEAVY: [Heavy; 6] = [
    Heavy { name: "a million moves", text: moves, message: "" },
    Heavy { name: "100 000 states, none ever met again", text: lonely_states, message: "" },
    Heavy { name: "waiting branches, each with a stack of its own", text: branches, message: TOO_MANY },
    Heavy {
        name: "waiting branches in eight frames, all written in between",
        text: nested,
        message: TOO_MANY,
    },
    Heavy { name: "as many states as paths", text: many_states, message: TOO_LARGE },
    Heavy { name: "a loop that never ends and always changes", text: endless, message: TOO_LARGE },
];

fn moves() -> String {
    repeat(999_999, |_| "r0 = 0".into()) + "exit"
}

/// A state is remembered every eight instructions.
fn lonely_states() -> String {
    let round = |index| format!("if r0 != 0 goto +0\n*(u64 *)(r10 - 8) = {index}\nr2 += 1\nr2 += r0");
    String::from("r0 = 0\nr2 = 0\n") + &repeat(200_000, round) + "r0 = 0\nexit"
}

fn branches() -> String {
    let store = |slot: usize| format!("*(u64 *)(r10 - {}) = r2\n", 8 * (slot + 1));
    let round = |index| {
        let stores: String = (0..64).map(store).collect();
        format!("{stores}if r2 == {index} goto +0")
    };
    String::from("r2 = *(u32 *)(r1 + 0)\nr0 = 0\n") + &repeat(8_200, round) + "exit"
}

fn endless() -> String {
    "r2 = 0\nagain: r2 += 1\n*(u64 *)(r10 - 8) = r2\nif r2 != 0 goto again\nr0 = 0\nexit".into()
}

/// Each function hands the stacks of its callers on, in a slot each. The innermost writes to all of
/// them between two branches.
fn nested() -> String {
    let mut text = String::from("r6 = *(u32 *)(r1 + 0)\nr2 = r10\nr1 = r10\n");
    for frame in 0..7 {
        if frame > 0 {
            let _ = writeln!(text, "f{frame}: r6 = *(u32 *)(r1 - 16)");
        }
        // Below the frame pointer: what is handed on, and the value that branches ask about.
        text.push_str("*(u64 *)(r10 - 8) = r1\n*(u64 *)(r10 - 16) = r6\nr1 = r10\n");
        let _ = writeln!(text, "call f{}\nr0 = 0\nexit", frame + 1);
    }
    text.push_str("f7: r6 = *(u32 *)(r1 - 16)\n*(u64 *)(r10 - 8) = r1\n");
    for index in 0..8_200 {
        let _ = writeln!(text, "r2 = r10");
        for _ in 0..7 {
            // The caller's frame: one slot in each piece of its stack.
            text.push_str("r2 = *(u64 *)(r2 - 8)\n");
            for slot in 0..STORES {
                let _ = writeln!(text, "*(u64 *)(r2 - {}) = {index}", 32 + 32 * slot);
            }
        }
        let _ = writeln!(text, "if r6 == {index} goto +0");
    }
    text + "r0 = 0\nexit"
}

/// Stores to each frame between two branches.
const STORES: usize = 2;

/// Twenty bits of which each path knows all, and safety hangs on them.
fn many_states() -> String {
    let mut text = String::from("r7 = *(u32 *)(r1 + 0)\nr6 = 0\n");
    for bit in 0..20 {
        let _ = writeln!(text, "if r7 & {} goto +1\nr6 += {}", 1 << bit, 1 << bit);
    }
    text + "r2 = r10\nr2 += r6\nr0 = 0\nexit"
}

#[test]
fn heavy_programs_end_in_bounds() {
    let mut problems = Vec::new();
    // What is freed may stay resident, and counts for the next program.
    let begin = Memory::watch();
    for Heavy { name, text, message } in HEAVY {
        let insns = assemble(&text(), &()).unwrap_or_else(|errors| panic!("{name}: {:?}", errors[0]));
        let program = Program::from_insns(SOCKET_FILTER, insns);
        let (_reset, start) = (Memory::watch(), Instant::now());
        let report = verify(&program, &PLATFORM, &PLATFORM.default_profile());
        let (peak, time) = (begin.peak(), start.elapsed());
        let said = report.finding().map_or("", |finding| finding.last_line());
        println!("{name}: {:?}, {} MB, {time:.2?}: {said}", report.stats, peak >> 20);
        if said != message {
            problems.push(format!("{name}: said \"{said}\""));
        }
        if peak > MEMORY || time > TIME {
            problems.push(format!("{name}: {} MB, {time:?}", peak >> 20));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
