//! Random programs, of arithmetic and of everything else, asked of the engine and of the running
//! kernel.
//!
//! Both must say the same: verdict, error number, message, the counts of the walk, the depth of the
//! stack. What they say different things of is made smaller while the difference stays, and printed
//! with its seed. `PROBITY_SEEDS` says how many programs of arithmetic are asked (5,000 unless it is
//! set), `PROBITY_STRUCTURED_SEEDS` how many structured ones (20,000), `PROBITY_FIRST_SEED` where to
//! begin; with `PROBITY_REASONS` the kernel's reasons are counted.

use std::{collections::BTreeMap, env, fs};

use probity_engine::Verdict;
use probity_linux::PLATFORM;
use probity_platform::Profile;
use probity_program::{Program, flags};
use probity_tests::{
    generate::{generate, generate_mixed, generate_structured, shrink},
    kernel::{self, LoadOptions},
};
use rayon::prelude::*;

/// The version whose answers the engine gives.
const RELEASE: &str = "6.18.";
/// The flags of loading that programs are asked with, by their seed: most with none.
const FLAGS: [u32; 8] =
    [0, 0, 0, flags::TEST_STATE_FREQ, flags::TEST_STATE_FREQ, flags::TEST_REG_INVARIANTS, 0, STRICT_AND_FREQ];
const STRICT_AND_FREQ: u32 = flags::STRICT_ALIGNMENT | flags::TEST_STATE_FREQ;
/// So many disagreements are made smaller and printed.
const SHOWN: usize = 10;

/// An answer to a program: of the kernel, or of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    verdict: &'static str,
    errno: i32,
    message: String,
    processed: u64,
    total_states: u64,
    peak_states: u64,
    max_states_per_insn: u64,
    stack_depth: String,
}

/// What two answers differ in, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    FalseAccept,
    FalseReject,
    Unsupported,
    Errno,
    Message,
    Processed,
    States,
    StackDepth,
    ProcessedOfRejected,
}

fn of_kernel(program: &Program) -> Answer {
    let options = LoadOptions { btf: false, ..LoadOptions::default() };
    let verdict = kernel::load(program, &options).unwrap_or_else(|error| panic!("{}: {error}", program.name));
    Answer {
        verdict: if verdict.accepted { "accept" } else { "reject" },
        errno: verdict.errno,
        message: verdict.message,
        processed: verdict.processed,
        total_states: verdict.total_states,
        peak_states: verdict.peak_states,
        max_states_per_insn: verdict.max_states_per_insn,
        stack_depth: verdict.stack_depth,
    }
}

fn of_engine(program: &Program, profile: &Profile) -> Answer {
    let report = probity_engine::verify(program, &PLATFORM, profile);
    let finding = report.finding();
    let depths: Vec<String> = report.stack_depth.iter().map(u32::to_string).collect();
    Answer {
        verdict: match report.verdict {
            Verdict::Accepted(_) => "accept",
            Verdict::Rejected(_) => "reject",
            Verdict::Unsupported(_) => "unsupported",
        },
        errno: finding.map_or(0, |finding| finding.rejection.errno),
        message: finding.map_or("", |finding| finding.last_line()).trim_end().to_owned(),
        processed: report.stats.processed,
        total_states: report.stats.total_states,
        peak_states: report.stats.peak_states,
        max_states_per_insn: report.stats.max_states_per_insn,
        stack_depth: depths.join("+"),
    }
}

fn difference(kernel: &Answer, engine: &Answer) -> Option<Difference> {
    let states = |answer: &Answer| (answer.total_states, answer.peak_states, answer.max_states_per_insn);
    let both = (kernel.verdict, engine.verdict);
    let differs = match both {
        ("reject", "accept") => Difference::FalseAccept,
        ("accept", "reject") => Difference::FalseReject,
        (_, "unsupported") => Difference::Unsupported,
        _ if kernel.errno != engine.errno => Difference::Errno,
        _ if kernel.message != engine.message => Difference::Message,
        ("reject", _) if kernel.processed != engine.processed => Difference::ProcessedOfRejected,
        ("reject", _) if kernel.stack_depth != engine.stack_depth => Difference::StackDepth,
        ("reject", _) => return None,
        _ if kernel.processed != engine.processed => Difference::Processed,
        _ if states(kernel) != states(engine) => Difference::States,
        _ if kernel.stack_depth != engine.stack_depth => Difference::StackDepth,
        _ => return None,
    };
    Some(differs)
}

fn number(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => default,
    }
}

/// What makes programs from seeds.
type Generator = fn(u64) -> Program;

/// The program, smaller, and what both say of it.
fn explained(generator: Generator, seed: u64, kind: Difference, profile: &Profile) -> String {
    let holds =
        |program: &Program| difference(&of_kernel(program), &of_engine(program, profile)) == Some(kind);
    let small = shrink(&generator(seed), holds);
    let (kernel, engine) = (of_kernel(&small), of_engine(&small, profile));
    let listing = probity_isa::disassemble(&small.insns, &());
    format!(
        "seed {seed}: {kind:?}, program type {}, flags {}\n{listing}kernel: {kernel:?}\nengine: {engine:?}\n",
        small.prog_type, small.flags
    )
}

#[test]
fn engine_and_kernel_agree() {
    agree("engine_and_kernel_agree", program, number("PROBITY_SEEDS", 5000));
}

/// The program of a seed with its flags: one in four is a mixed one.
fn program(seed: u64) -> Program {
    if seed % 4 == 3 {
        return generate_mixed(seed);
    }
    let index = usize::try_from(seed % FLAGS.len() as u64).expect("an index");
    Program { flags: FLAGS[index], ..generate(seed) }
}

#[test]
fn engine_and_kernel_agree_on_structured_programs() {
    let seeds = number("PROBITY_STRUCTURED_SEEDS", 20_000);
    agree("engine_and_kernel_agree_on_structured_programs", generate_structured, seeds);
}

fn agree(test: &str, generator: Generator, asked: u64) {
    if !kernel::available() {
        return kernel::skip(test);
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !release.starts_with(RELEASE) {
        return println!("skipped: {test}: the kernel is {}, not {RELEASE}", release.trim());
    }
    let first = number("PROBITY_FIRST_SEED", 0);
    let profile = PLATFORM.default_profile();
    let answers: Vec<(u64, Answer, Option<Difference>)> = (first..first + asked)
        .into_par_iter()
        .map(|seed| {
            let program = generator(seed);
            let kernel = of_kernel(&program);
            let difference = difference(&kernel, &of_engine(&program, &profile));
            (seed, kernel, difference)
        })
        .collect();
    let accepted = answers.iter().filter(|answer| answer.1.verdict == "accept").count();
    let mut differ: Vec<(Difference, u64)> =
        answers.iter().filter_map(|&(seed, _, difference)| Some((difference?, seed))).collect();
    differ.sort_unstable();
    println!("{asked} programs, {accepted} of them accepted by the kernel, {} differ", differ.len());
    if env::var_os("PROBITY_REASONS").is_some() {
        reasons(answers.iter().map(|answer| answer.1.message.as_str()));
    }
    for kinds in differ.chunk_by(|a, b| a.0 == b.0) {
        println!("{:5} {:?}", kinds.len(), kinds[0].0);
    }
    let shown: Vec<String> =
        differ.iter().take(SHOWN).map(|&(kind, seed)| explained(generator, seed, kind, &profile)).collect();
    assert!(differ.is_empty(), "{} of {asked} differ:\n{}", differ.len(), shown.join("\n"));
}

/// Prints why programs were rejected, the commonest first: numbers are left out.
fn reasons<'a>(messages: impl Iterator<Item = &'a str>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for message in messages {
        *counts.entry(message.replace(|c: char| c.is_ascii_digit(), "")).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (message, count) in counts.iter().take(60) {
        println!("{count:6} {message}");
    }
}
