//! The list of probes (`probity spec probes spec/linux`) asked of the running kernel: a sample of it
//! each time, all of it by `cargo test -p probity-tests --test kernel_probe_list -- --ignored`.
//!
//! A kernel can't answer what it has no program type for, what its policy forbids to load, and what
//! needs types of its own: those lines are counted and passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::LazyLock;

use probity_codegen::{Options, SourceMap, build, emit};
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::{Callable, GuardEnv, Profile};
use probity_program::{MapDef, Program};
use probity_tests::kernel::{self, KernelVerdict, LoadOptions, OracleError, load::LOG_ALL};
use probity_tests::plain::{NOT_CREATED, calling, done, mov, small};
use rayon::prelude::*;

const RELEASE: &str = "6.18.";
/// So many lines are passed over between two of a sample.
const STRIDE: usize = 211;

const LIRC_MODE2: u32 = 20;
const TRACING: u32 = 26;
const STRUCT_OPS: u32 = 27;
const EXT: u32 = 28;
const LSM: u32 = 29;

/// Where the spec says something else than this kernel, on purpose: what a line begins with, the
/// numbers behind it, and why.
const EXCEPTIONS: &[(&str, RangeInclusive<u32>, &str)] = &[
    (
        "ctx BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE=24 none=0 0x0 read ",
        1..=7,
        "parts of the buffer's address, from the kernel's check of offset 0 alone",
    ),
    (
        "map BPF_MAP_TYPE_CPUMAP=16 4 8 ",
        257..=8192,
        "this kernel was built for 256 processors; the spec takes what the largest build does",
    ),
];

fn is_excused(line: &str) -> bool {
    EXCEPTIONS.iter().any(|(begins, numbers, _)| {
        let rest = line.strip_prefix(begins).and_then(|rest| rest.split(' ').next());
        rest.and_then(|word| word.parse().ok()).is_some_and(|number| numbers.contains(&number))
    })
}

static LIST: LazyLock<String> = LazyLock::new(|| {
    let mut sources = SourceMap::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/linux");
    sources.load(&path, "spec/linux").expect("the spec of Linux");
    let model = build(sources, &Options::default()).model.expect("it is accepted");
    emit::probes(&model, model.version)
});

/// A line of the list.
#[derive(Clone, Copy, Debug)]
struct Probe<'a> {
    line: &'a str,
    sort: &'a str,
    answer: &'a str,
}

impl<'a> Probe<'a> {
    fn read(line: &'a str) -> Probe<'a> {
        let (question, answer) = line.split_once(": ").expect("an answer");
        Probe { line, sort: question.split(' ').next().unwrap_or_default(), answer }
    }

    /// The words between the sort and the answer.
    fn words(&self) -> Vec<&'a str> {
        let question = self.line.split_once(": ").map_or(self.line, |(question, _)| question);
        question.split(' ').skip(1).collect()
    }
}

/// The number of `BPF_XDP=37`, of `37`, or of `0x25`.
fn number<T: TryFrom<i64>>(word: &str) -> T {
    let word = word.rsplit_once('=').map_or(word, |(_, number)| number);
    let value = match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => word.parse(),
    };
    T::try_from(value.expect("a number")).ok().expect("in range")
}

fn exit() -> Insn {
    Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
}

/// A program of `TYPE=n ATTACH=n FLAGS`; None when this kernel loads no such programs.
fn program(config: &[&str], insns: Vec<Insn>) -> Option<Program> {
    const RAW_TRACEPOINT: u32 = 23;
    const ITER: u32 = 28;
    let mut program = Program::from_insns(number(config[0]), insns);
    (program.attach_type, program.flags) = (number(config[1]), number(config[2]));
    let target = match (program.prog_type, program.attach_type) {
        (LIRC_MODE2 | EXT | LSM, _) => return None,
        (TRACING, RAW_TRACEPOINT) => "task_newtask",
        (TRACING, ITER) => "task",
        (TRACING, _) => return None,
        (STRUCT_OPS, _) => {
            // The index of the function in its table.
            program.attach_type = 0;
            "tcp_congestion_ops/ssthresh"
        }
        _ => "",
    };
    target.clone_into(&mut program.attach_to);
    Some(program)
}

fn asked(program: &Program, log_level: u32) -> Option<KernelVerdict> {
    kernel::load(program, &LoadOptions { log_level, ..LoadOptions::default() }).ok()
}

const TRACE: u32 = 1;

fn loads(program: &Program) -> Option<&'static str> {
    asked(program, TRACE).map(|verdict| if verdict.accepted { "loads" } else { "refused" })
}

fn attach(words: &[&str], flags: &str) -> Option<&'static str> {
    let prog_type = number::<u32>(words[0]);
    // Those say what they attach to.
    if [TRACING, STRUCT_OPS].contains(&prog_type) {
        return None;
    }
    let config = [words[0], words[1], flags];
    loads(&program(&config, vec![mov(0, 1), exit()])?)
}

fn helper(words: &[&str], expected: &str) -> Option<&'static str> {
    let call = Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, number(words[3]));
    let mut program = program(&words[..3], vec![call, mov(0, 1), exit()])?;
    let denied = |message: &str| {
        message.starts_with("program of this type cannot use helper")
            || message == "helper call is not allowed in probe"
            || message.starts_with("invalid func unknown")
    };
    if denied(&asked(&program, TRACE)?.message) {
        return Some("denied");
    }
    program.license = "Proprietary".into();
    let message = asked(&program, TRACE)?.message;
    let gpl_only = message == "cannot call GPL-restricted function from non-GPL compatible program";
    // Programs of such a type are under the GPL as a whole.
    let whole = message.contains("must have a GPL compatible license");
    Some(if gpl_only || (whole && expected == "gpl_only") { "gpl_only" } else { "offered" })
}

fn kfunc(words: &[&str]) -> Option<&'static str> {
    let call = Insn::new(BPF_JMP | BPF_CALL, 0, 2, 0, 0);
    let mut program = program(&words[..3], vec![call, mov(0, 1), exit()])?;
    program.kfuncs = vec![words[3].to_owned()];
    let denied = format!("calling kernel function {} is not allowed", words[3]);
    Some(if asked(&program, TRACE)?.message == denied { "denied" } else { "offered" })
}

fn context(words: &[&str], expected: &str) -> Option<String> {
    // Typed by what they attach to.
    if [TRACING, STRUCT_OPS].contains(&number(words[0])) {
        return None;
    }
    let off = number(words[4]);
    let size = match words[5] {
        "1" => BPF_B,
        "2" => BPF_H,
        "4" => BPF_W,
        _ => BPF_DW,
    };
    let read = words[3] == "read";
    let access = match read {
        true => Insn::new(BPF_LDX | BPF_MEM | size, 2, 1, off, 0),
        false => Insn::new(BPF_ST | BPF_MEM | size, 1, 0, off, 0),
    };
    let verdict = asked(&program(&words[..3], vec![access, mov(0, 1), exit()])?, LOG_ALL)?;
    if !verdict.accepted {
        return Some("refused".into());
    }
    if !read {
        return Some("yes".into());
    }
    let lines = verdict.log.lines().filter(|line| line.starts_with("0: (") || line.starts_with("1: "));
    let kind = lines.filter_map(|line| line.rsplit_once(" R2=")).map(|(_, value)| value).next()?;
    let end = kind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(kind.len());
    // Which struct an object is, its kind does not say.
    let kind = if expected.ends_with("ptr_") && kind.starts_with(expected) { expected } else { &kind[..end] };
    Some(kind.to_owned())
}

fn exit_value(words: &[&str]) -> Option<&'static str> {
    let program = program(&words[..3], vec![mov(0, number(words[3])), exit()])?;
    asked(&program, TRACE).map(|verdict| if verdict.accepted { "accepted" } else { "refused" })
}

fn map(words: &[&str]) -> Option<&'static str> {
    let [key, value, entries, flags] = [1, 2, 3, 4].map(|at| number::<u32>(words[at]));
    let mut map = MapDef::new(number(words[0]), key, value, entries);
    map.flags = flags;
    let mut program = Program::from_insns(1, Vec::new());
    program.maps = vec![map];
    match kernel::create_map(&program) {
        Ok(()) => Some("created"),
        Err(OracleError::Map { error, .. }) if error.raw_os_error() == Some(libc::ENOMEM) => None,
        Err(_) => Some("refused"),
    }
}

/// A configuration that offers a helper, with the overload that the list asks about.
fn offering(helper: &str) -> Option<(u32, u32, u32, &'static Callable)> {
    let profile: Profile = PLATFORM.profile(PLATFORM.version);
    let usable = |prog: &&probity_platform::ProgType| prog.is_modelled(&profile) && prog.number != LIRC_MODE2;
    for prog in PLATFORM.prog_types.iter().filter(usable) {
        let attach = prog.attach.first().map_or(0, |row| row.number);
        let sleepable = prog.sleep.must.is_some();
        let env = GuardEnv { profile: &profile, prog_type: prog.number, attach, sleepable, target: "" };
        let named = |entry: &&probity_platform::SetEntry| {
            entry.guard.holds(&env) && PLATFORM.callables[usize::from(entry.callable)].name == helper
        };
        if let Some(entry) = prog.callables.iter().find(named) {
            let flags = if sleepable { 1 << 4 } else { 0 };
            return Some((prog.number, attach, flags, &PLATFORM.callables[usize::from(entry.callable)]));
        }
    }
    None
}

fn map_helper(words: &[&str]) -> Option<&'static str> {
    let map_type = number::<u32>(words[0]);
    if NOT_CREATED.contains(&map_type) {
        return None;
    }
    let name = words[1].split_once('=').map_or(words[1], |(name, _)| name);
    let (prog_type, attach, flags, callable) = offering(name)?;
    let mut insns = calling(callable)?;
    insns.extend(done());
    let mut program = Program::from_insns(prog_type, insns);
    (program.attach_type, program.flags, program.maps) = (attach, flags, small(map_type));
    let options = LoadOptions { btf: false, ..LoadOptions::default() };
    let verdict = kernel::load(&program, &options).ok()?;
    match verdict.message.as_str() {
        "" if verdict.accepted => Some("goes"),
        message if message.starts_with("cannot pass map_type") => Some("refused"),
        "expected prog array map for tail call" => Some("refused"),
        // Something else comes first: the question is not answered.
        _ => None,
    }
}

/// What the kernel answers; None when it can't be asked.
fn answer(probe: &Probe<'_>) -> Option<String> {
    let words = probe.words();
    let plain = match probe.sort {
        "attach" => attach(&words, "0x0"),
        "sleeps" => attach(&words, "0x10"),
        "helper" => helper(&words, probe.answer),
        "kfunc" => kfunc(&words),
        "ctx" => return context(&words, probe.answer),
        "exit" => exit_value(&words),
        "map" => map(&words),
        "map_helper" => map_helper(&words),
        sort => panic!("no such question: {sort}"),
    };
    plain.map(str::to_owned)
}

/// Asks every `stride`th line. Gives how many the kernel answered.
fn compare(test: &str, stride: usize) -> usize {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !kernel::available() || !release.starts_with(RELEASE) {
        println!("skipped: {test}: no kernel {RELEASE} that loads programs");
        return usize::MAX;
    }
    let probes: Vec<Probe<'_>> = LIST.lines().step_by(stride).map(Probe::read).collect();
    let answers: Vec<Option<String>> = probes.par_iter().map(answer).collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (probe, answer) in probes.iter().zip(&answers) {
        let count = counts.entry(probe.sort).or_default();
        count.0 += 1;
        let Some(answer) = answer else { continue };
        count.1 += 1;
        if answer != probe.answer && !is_excused(probe.line) {
            wrong.push(format!("{}, the kernel: {answer}", probe.line));
        }
    }
    println!("sorts, lines, answered: {counts:?}");
    if let Some(path) = std::env::var_os("PROBITY_PROBES_WRONG") {
        std::fs::write(path, wrong.join("\n")).expect("writable");
    }
    assert!(
        wrong.is_empty(),
        "{} of the kernel's answers differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
    counts.values().map(|(_, answered)| answered).sum()
}

#[test]
fn the_list_asks_about_everything() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for line in LIST.lines() {
        *counts.entry(Probe::read(line).sort).or_default() += 1;
        assert!(lines.insert(line), "twice: {line}");
    }
    println!("{counts:?}");
    for (sort, least) in [
        ("attach", 1900),
        ("sleeps", 1900),
        ("helper", 17_000),
        ("ctx", 20_000),
        ("exit", 200),
        ("map", 700),
        ("map_helper", 1200),
    ] {
        assert!(counts.get(sort).is_some_and(|&count| count >= least), "{sort}: {counts:?}");
    }
    assert!(EXCEPTIONS.iter().all(|(_, _, why)| why.len() > 20));
}

#[test]
fn a_sample_is_answered_alike() {
    assert!(compare("a_sample_is_answered_alike", STRIDE) >= 200);
}

#[test]
#[ignore = "some 70000 loads"]
fn every_line_is_answered_alike() {
    assert!(compare("every_line_is_answered_alike", 1) >= 45_000);
}
