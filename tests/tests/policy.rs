//! What a loader without CAP_PERFMON may load: the running kernel is asked by a thread that gave the
//! capability up, and the engine under a profile without it.
//!
//! Of what the engine judges, verdict, error number and message are the kernel's: of programs written
//! for each way in which an address or a stale byte could get out, of random ones, of those of the
//! corpus, of the probes. `PROBITY_POLICY_SEEDS` says how many random programs of each sort are asked
//! (100 unless it is set), `PROBITY_FIRST_SEED` where to begin.

use std::{collections::BTreeMap, env, fs, path::Path};

use probity_engine::Verdict;
use probity_isa::Insn;
use probity_linux::PLATFORM;
use probity_platform::Profile;
use probity_program::{MapDef, Program};
use probity_tests::{
    generate::{generate, generate_mixed, generate_structured},
    kernel::{self, LoadOptions, caps},
    probes::{condense, text},
    raw,
};
use rayon::prelude::*;

/// The version whose answers the engine gives.
const RELEASE: &str = "6.18.";
/// Socket filters, XDP, classifiers.
const TYPES: [u32; 3] = [1, 6, 3];

/// An answer to a program: of the kernel, or of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    verdict: &'static str,
    errno: i32,
    message: String,
}

/// Everything but what watches the kernel.
fn profile() -> Profile {
    let mut profile = PLATFORM.default_profile();
    profile.caps.retain(|cap| cap != "CAP_PERFMON" && cap != "CAP_SYS_ADMIN");
    profile
}

/// The kernel's answer to a loader that has no CAP_PERFMON; None when it can't be asked.
fn of_kernel(program: &Program, btf: bool) -> Option<Answer> {
    let _lowered = caps::without(&[caps::PERFMON, caps::SYS_ADMIN]).expect("giving up needs nothing");
    answered(program, btf)
}

fn answered(program: &Program, btf: bool) -> Option<Answer> {
    let verdict = kernel::load(program, &LoadOptions { btf, ..LoadOptions::default() }).ok()?;
    Some(Answer {
        verdict: if verdict.accepted { "accept" } else { "reject" },
        errno: verdict.errno,
        message: verdict.message,
    })
}

fn of_engine(program: &Program, profile: &Profile) -> Answer {
    let report = probity_engine::verify(program, &PLATFORM, profile);
    let finding = report.finding();
    Answer {
        verdict: match report.verdict {
            Verdict::Accepted(_) => "accept",
            Verdict::Rejected(_) => "reject",
            Verdict::Unsupported(_) => "unsupported",
        },
        errno: finding.map_or(0, |finding| finding.rejection.errno),
        message: finding.map_or("", |finding| finding.last_line()).trim_end().to_owned(),
    }
}

/// True when the kernel can be asked.
fn asks(test: &str) -> bool {
    if !kernel::available() {
        kernel::skip(test);
        return false;
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let known = release.starts_with(RELEASE);
    if !known {
        println!("skipped: {test}: the kernel is {}, not {RELEASE}", release.trim());
    }
    known
}

/// Both say the same of each program that the engine judges; it judges so many percent at least.
fn agree(what: &str, programs: &[Program], btf: bool, judged: usize) {
    let profile = profile();
    let answers: Vec<(&Program, Answer, Answer)> = programs
        .par_iter()
        .filter_map(|program| Some((program, of_kernel(program, btf)?, of_engine(program, &profile))))
        .collect();
    let mut unsupported: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (program, kernel, engine) in &answers {
        if engine.verdict == "unsupported" {
            *unsupported.entry(&engine.message).or_default() += 1;
        } else if kernel != engine {
            let listing = probity_isa::disassemble(&program.insns, &());
            wrong.push(format!("{}:\n{listing}kernel: {kernel:?}\nengine: {engine:?}\n", program.name));
        }
    }
    let left_out: usize = unsupported.values().sum();
    let accepted = answers.iter().filter(|(_, kernel, _)| kernel.verdict == "accept").count();
    println!(
        "{what}: {} programs, {accepted} accepted by the kernel, {left_out} unsupported, {} differ",
        answers.len(),
        wrong.len()
    );
    for (reason, count) in &unsupported {
        println!("{count:6} {reason}");
    }
    let shown = wrong.iter().take(8).cloned().collect::<String>();
    assert!(wrong.is_empty(), "{what}: {} differ:\n{shown}", wrong.len());
    let judges = answers.len() - left_out;
    assert!(judges * 100 >= answers.len() * judged, "{what}: {judges} of {} are judged", answers.len());
}

/// A program of each type. Its map 0 is an array of values of 64 bytes, its map 1 a hash.
fn programs(text: &str) -> Vec<Program> {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let of_type = |prog_type| {
        let mut program = Program::from_insns(prog_type, insns.clone());
        program.name = format!("type {prog_type}: {}", text.replace('\n', "; "));
        program.maps = vec![MapDef::new(2, 4, 64, 4), MapDef::new(1, 8, 16, 4)];
        program
    };
    TYPES.into_iter().map(of_type).collect()
}

/// r7 is a value of map 0, r6 the context.
const LOOKUP: &str = "r6 = r1\n*(u32 *)(r10 -4) = 0\nr1 = map[0] ll\nr2 = r10\nr2 += -4\ncall 1\nif r0 != 0x0 goto pc+1\nexit\nr7 = r0\n";

/// What lets an address out, or what was on the stack before: one way each. A loader with
/// CAP_PERFMON may do it.
const LEAKS: &[&str] = &[
    "*(u64 *)(r7 +0) = r6",
    "*(u64 *)(r7 +0) = r10",
    "r1 = map[0] ll\n*(u64 *)(r7 +8) = r1",
    "r0 = r6\nexit",
    "r0 = r10\nexit",
    "r0 = r7\nexit",
    "r1 = r10\nr1 -= r7",
    "r1 = r7\nw1 -= 1",
    "w1 = w7",
    "r1 = (s8)r7",
    "r1 = (s32)r7",
    "r1 = r7\nr1 = -r1",
    "r1 = r7\nr1 = be64 r1",
    "r1 = r7\nr1 = bswap32 r1",
    "if r7 > r10 goto pc+0",
    "if r7 == 0x5 goto pc+0",
    "if r6 < 0x5 goto pc+0",
    "r1 = 5\nif r1 > r7 goto pc+0",
    "r1 = r6\nr1 = atomic64_fetch_add((u64 *)(r7 +0), r1)",
    "lock *(u64 *)(r7 +0) += r6",
    "r1 = r6\nr1 = atomic64_xchg((u64 *)(r7 +0), r1)",
    "r0 = r6\nr1 = 0\nr0 = atomic64_cmpxchg((u64 *)(r7 +0), r0, r1)",
    "r0 = 0\nr1 = r6\nr0 = atomic64_cmpxchg((u64 *)(r7 +0), r0, r1)",
    "*(u64 *)(r10 -16) = r6\nr1 = 0\nr1 = atomic64_fetch_add((u64 *)(r10 -16), r1)",
    "*(u64 *)(r10 -16) = r6\n*(u32 *)(r10 -16) = 0",
    "*(u64 *)(r10 -16) = r6\n*(u64 *)(r10 -24) = 0\nr1 = map[1] ll\nr2 = r10\nr2 += -24\nr3 = r10\nr3 += -24\nr4 = 0\ncall 2",
    "*(u64 *)(r10 -16) = 1\n*(u64 *)(r10 -24) = r6\nr1 = map[1] ll\nr2 = r10\nr2 += -24\ncall 1",
    "r1 = *(u64 *)(r10 -16)",
    "*(u64 *)(r10 -32) = 0\nr1 = *(u64 *)(r10 -16)",
    "*(u32 *)(r10 -16) = 0\nr1 = *(u64 *)(r10 -16)",
    "r1 = map[1] ll\nr2 = r10\nr2 += -16\ncall 1",
    "*(u64 *)(r10 -24) = 0\nr1 = map[1] ll\nr2 = r10\nr2 += -24\nr3 = r10\nr3 += -24\nr4 = 0\ncall 2",
    "r1 = *(u32 *)(r7 +0)\nr1 &= 7\nr2 = r10\nr2 += r1\nr1 = *(u8 *)(r2 -32)",
    "call pc+1\nexit\nr0 = r6\nr0 = r10\nexit",
];

/// Moves of pointers that can't be masked, or leave their memory; and some that do not.
const MOVES: &[&str] = &[
    "r7 += 64",
    "r7 += -1",
    "r7 += 63",
    "r1 = r10\nr1 += 0",
    "r1 = r10\nr1 += -512",
    "r1 = r10\nr1 += -520",
    "r1 = 0\nr6 += r1",
    "r6 += 4",
    "r1 = map[0] ll\nr2 = 0\nr1 += r2",
    "r1 = map[0] ll\nr1 += 0",
    "r1 = *(u32 *)(r7 +0)\nr1 &= 15\nr7 += r1\nr1 = *(u8 *)(r7 +8)",
    "r1 = *(u32 *)(r7 +0)\nr1 &= 15\nr1 = -r1\nr7 += r1",
    "r1 = *(u32 *)(r7 +0)\nr1 &= 15\nr7 -= r1",
    "r1 = *(u32 *)(r7 +0)\nr1 &= 15\nr1 += r7\nr1 = *(u8 *)(r1 +8)",
    "r1 = *(u32 *)(r7 +0)\nr1 &= 7\nr2 = *(u32 *)(r7 +4)\nif r2 > 0x5 goto pc+1\nr1 &= 3\nr7 += r1",
    "r1 = 1\nr2 = *(u32 *)(r7 +4)\nif r2 > 0x5 goto pc+1\nr1 = 2\nr7 += r1",
    "r1 = 1\nr2 = *(u32 *)(r7 +4)\nif r2 > 0x5 goto pc+1\nr7 += 4\nr7 += r1",
    // Only speculated: the access is never reached.
    "r1 = 1\nif r1 == 0x0 goto pc+1\ngoto pc+1\nr2 = *(u64 *)(r1 +0)",
    "*(u64 *)(r10 -16) = r6\nr1 = 1\nif r1 == 0x0 goto pc+1\n*(u64 *)(r10 -16) = 0\nr2 = *(u64 *)(r10 -16)",
];

fn written(bodies: &[&str]) -> Vec<Program> {
    let whole = |body: &&str| programs(&format!("{LOOKUP}{body}\nr0 = 0\nexit"));
    bodies.iter().flat_map(whole).collect()
}

#[test]
fn pointers_and_stale_bytes_stay_inside() {
    if !asks("pointers_and_stale_bytes_stay_inside") {
        return;
    }
    let leaks = written(LEAKS);
    agree("leaks", &leaks, false, 100);
    // It is the capability that decides. What is refused to everybody proves nothing here.
    let refused = |program: &&Program| of_kernel(program, false).expect("it is asked").verdict == "reject";
    let (refused, let_out): (Vec<&Program>, Vec<&Program>) = leaks.iter().partition(refused);
    let names: String = let_out.iter().map(|program| format!("{}\n", program.name)).collect();
    assert!(let_out.is_empty(), "the kernel lets these out:\n{names}");
    let as_root = PLATFORM.default_profile();
    let mine = |program: &&&Program| of_engine(program, &as_root).verdict == "accept";
    let with_it = refused.iter().filter(mine).count();
    assert!(with_it * 10 >= refused.len() * 7, "{with_it} of {} with CAP_PERFMON", refused.len());
}

#[test]
fn pointers_move_only_as_they_can_be_masked() {
    if asks("pointers_move_only_as_they_can_be_masked") {
        agree("moves", &written(MOVES), false, 100);
    }
}

fn number(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => default,
    }
}

#[test]
fn random_programs() {
    if !asks("random_programs") {
        return;
    }
    let (first, asked) = (number("PROBITY_FIRST_SEED", 0), number("PROBITY_POLICY_SEEDS", 100));
    let seeds = || first..first + asked;
    agree("arithmetic", &seeds().map(generate).collect::<Vec<_>>(), false, 85);
    agree("mixed", &seeds().map(generate_mixed).collect::<Vec<_>>(), false, 95);
    agree("structured", &seeds().map(generate_structured).collect::<Vec<_>>(), false, 50);
}

#[test]
fn programs_of_the_corpus() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/raw.jsonl");
    if !path.exists() {
        return println!("skipped: programs_of_the_corpus: there is none at {}", path.display());
    }
    if !asks("programs_of_the_corpus") {
        return;
    }
    let raw = raw::read(&path).expect("the corpus is well-formed");
    let named = raw.into_iter().map(|raw| Program { name: raw.record.name, ..raw.program });
    agree("corpus", &named.collect::<Vec<_>>(), true, 80);
}

/// True of a jump to an instruction before it.
fn jumps_back(insn: &Insn) -> bool {
    let jump = matches!(insn.code & 7, 5 | 6) && !matches!(insn.code & 0xf0, 0x80 | 0x90);
    // The long form of an unconditional jump has its distance in the immediate.
    jump && (insn.off < 0 || (insn.code == 0x06 && insn.imm < 0))
}

#[test]
fn probes() {
    if !asks("probes") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/probes");
    let mut probes = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of probes") {
        let path = entry.expect("a file").path();
        if path.file_name().is_some_and(|name| name != condense::LEFT_OUT) {
            let read = text::read(&fs::read_to_string(path).expect("text")).expect("well-formed probes");
            probes.extend(read.into_iter().map(|probe| Program { name: probe.name, ..probe.program }));
        }
    }
    // A loop may take the kernel a million instructions and a log of each where speculation is followed.
    probes.retain(|program| !program.insns.iter().any(jumps_back));
    agree("probes", &probes, true, 50);
}
