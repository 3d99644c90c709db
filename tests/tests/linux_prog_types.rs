//! The program types of Linux as the engine uses them: it must answer tiny programs as the 6.18
//! kernel did whose answers are in `tests/data/linux`, and word for word as the running one does,
//! where that is a 6.18 too.

use std::{collections::BTreeSet, fs};

use probity_engine::{Report, Verdict, verify};
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::{Profile, Version};
use probity_program::Program;
use probity_tests::kernel::{self, LoadOptions};
use rayon::prelude::*;
use serde_json::Value;

const HELPERS: i32 = 211;
const RELEASE: &str = "6.18.";

fn data(name: &str) -> Value {
    let path = format!("{}/data/linux/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a number")).expect("32 bits")
}

/// The numbers of `1-3 8-16 24`, in steps.
fn numbers(ranges: &Value, step: usize) -> BTreeSet<u32> {
    let range = |range: &str| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let [low, high] = [low, high].map(|bound| bound.parse::<u32>().expect("a number"));
        (low..=high).step_by(step)
    };
    ranges.as_str().unwrap_or("").split_whitespace().flat_map(range).collect()
}

/// A configuration that the engine models, and what is known of it.
struct Config {
    name: String,
    prog_type: u32,
    attach: u32,
    flags: u32,
    known: Value,
}

fn configs(file: &str) -> Vec<Config> {
    let mut configs = Vec::new();
    for group in data(file)["groups"].as_array().expect("a list") {
        for row in group["configs"].as_array().expect("a list") {
            let (prog_type, sleeps) = (number(&row[1]), row[3] == true);
            if PLATFORM.prog_type(prog_type).expect("declared").is_modelled(&PLATFORM.default_profile()) {
                configs.push(Config {
                    name: row[0].as_str().expect("a name").to_owned(),
                    prog_type,
                    attach: number(&row[2]),
                    flags: if sleeps { 1 << 4 } else { 0 },
                    known: group.clone(),
                });
            }
        }
    }
    configs
}

impl Config {
    fn program(&self, insns: Vec<Insn>) -> Program {
        let (attach_type, flags) = (self.attach, self.flags);
        Program { attach_type, flags, ..Program::from_insns(self.prog_type, insns) }
    }
}

fn profile() -> Profile {
    PLATFORM.profile(Version::new(6, 18))
}

fn ask(program: &Program) -> Report {
    verify(program, &PLATFORM, &profile())
}

fn words(report: &Report) -> String {
    report.finding().map(|finding| finding.last_line().to_owned()).unwrap_or_default()
}

/// The running kernel's words; None when it is not to be compared with, or gives no verdict.
fn kernel_words(program: &Program) -> Option<(bool, String)> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !release.starts_with(RELEASE) || !kernel::available() {
        return None;
    }
    let verdict = kernel::load(program, &LoadOptions::default()).ok()?;
    Some((verdict.accepted, verdict.message))
}

/// What is wrong with the engine's answer, in itself and beside the kernel's.
fn wrong(what: &str, program: &Program, accepted: Option<bool>, ask_kernel: bool) -> Option<String> {
    let report = ask(program);
    let ours = (report.accepted(), words(&report));
    if matches!(report.verdict, Verdict::Unsupported(_)) {
        return Some(format!("{what}: unsupported: {}", ours.1));
    }
    if accepted.is_some_and(|accepted| accepted != ours.0) {
        return Some(format!("{what}: {ours:?}"));
    }
    let theirs = if ask_kernel { kernel_words(program)? } else { return None };
    (theirs != ours).then(|| format!("{what}: {ours:?}, the kernel says {theirs:?}"))
}

fn none(found: &[String]) {
    assert!(found.is_empty(), "{} wrong answers:\n{}", found.len(), found[..found.len().min(20)].join("\n"));
}

fn r0(imm: i32) -> Insn {
    Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm)
}

fn exit() -> Insn {
    Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
}

#[test]
fn contexts() {
    let sizes = [(1, BPF_B), (2, BPF_H), (4, BPF_W), (8, BPF_DW)];
    let mut cases = Vec::new();
    let configs = configs("contexts");
    for config in &configs {
        let end = number(&config.known["size"]) + 9;
        for (size, code) in sizes {
            let known = |what: &str| numbers(&config.known[what][size.to_string()], size as usize);
            let (reads, writes) = (known("read"), known("write"));
            for offset in 0..end.min(1 << 15) {
                // Of long contexts the ends and a sample.
                if end < 1000 || offset < 64 || offset + 64 > end || offset % 509 == 0 {
                    cases.push((
                        config,
                        offset,
                        size,
                        code,
                        reads.contains(&offset),
                        writes.contains(&offset),
                    ));
                }
            }
        }
    }
    assert!(cases.len() > 25_000, "{}", cases.len());
    let found: Vec<String> = cases
        .into_par_iter()
        .flat_map_iter(|(config, offset, size, code, read, write)| {
            let off = i16::try_from(offset).expect("below 32768");
            let load = vec![Insn::new(BPF_LDX | BPF_MEM | code, 0, 1, off, 0), r0(1), exit()];
            let store = vec![Insn::new(BPF_ST | BPF_MEM | code, 1, 0, off, 0), r0(1), exit()];
            let ask_kernel = offset % 4 == 0;
            [("read", load, read), ("write", store, write)].into_iter().filter_map(
                move |(what, insns, known)| {
                    let what = format!("{}: {what} of {size} at {offset}", config.name);
                    wrong(&what, &config.program(insns), Some(known), ask_kernel)
                },
            )
        })
        .collect();
    none(&found);
}

#[test]
fn exits() {
    let mut found = Vec::new();
    for config in configs("exits") {
        let range = &config.known["range"];
        let any = range.is_string();
        let (low, high) = (range[0].as_i64().unwrap_or(-5), range[1].as_i64().unwrap_or(5));
        for value in [low - 1, low, high, high + 1] {
            let program = config.program(vec![r0(i32::try_from(value).expect("small")), exit()]);
            let accepted = any || (low..=high).contains(&value);
            found.extend(wrong(&format!("{}: returns {value}", config.name), &program, Some(accepted), true));
        }
    }
    none(&found);
}

#[test]
fn helpers() {
    let configs = configs("helpers");
    let offered = |config: &Config| numbers(&config.known["offers"], 1);
    let cases: Vec<(&Config, i32, bool)> = configs
        .iter()
        .flat_map(|config| {
            let offered = offered(config);
            (1..=HELPERS).map(move |helper| (config, helper, offered.contains(&helper.cast_unsigned())))
        })
        .collect();
    let found: Vec<String> = cases
        .into_par_iter()
        .filter_map(|(config, helper, offered)| {
            let call = Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
            let program = config.program(vec![call, r0(1), exit()]);
            let words = words(&ask(&program));
            let refused = words.starts_with("program of this type cannot use helper");
            let what = format!("{}: helper {helper}", config.name);
            match refused == offered {
                true => Some(format!("{what}: {words:?}")),
                false if refused => wrong(&what, &program, Some(false), helper % 8 == 0),
                false => None,
            }
        })
        .collect();
    none(&found);
}

#[test]
fn attach_types_and_sleep() {
    /// The kernel whose answers these are was built without it.
    const LIRC_MODE2: u32 = 20;
    let (mut found, mut asked) = (Vec::new(), 0);
    for prog in PLATFORM.prog_types {
        if !prog.is_modelled(&PLATFORM.default_profile()) || prog.number == LIRC_MODE2 {
            continue;
        }
        for (attach, flags) in (0..=60).flat_map(|attach| [(attach, 0), (attach, 1 << 4)]) {
            let config = Config {
                name: format!("{} attach {attach} flags {flags:#x}", prog.name),
                prog_type: prog.number,
                attach,
                flags,
                known: Value::Null,
            };
            let program = config.program(vec![r0(1), exit()]);
            let report = ask(&program);
            let errno = report.finding().map_or(0, |finding| finding.rejection.errno);
            let ours = (report.accepted(), errno, words(&report));
            let taken = prog.takes_attach(prog.attach_type(attach));
            // What takes no attach types but its own is refused before anything is counted.
            if !taken && (ours.0 || report.stats.processed != 0) {
                found.push(format!("{}: {ours:?}", config.name));
            }
            let Some((release, true)) = fs::read_to_string("/proc/sys/kernel/osrelease")
                .ok()
                .map(|release| (release, kernel::available()))
            else {
                continue;
            };
            if !release.starts_with(RELEASE) {
                continue;
            }
            let Ok(verdict) = kernel::load(&program, &LoadOptions::default()) else { continue };
            asked += 1;
            // It has no words for attach types.
            let message = if taken { verdict.message } else { ours.2.clone() };
            let theirs = (verdict.accepted, verdict.errno, message);
            if ours != theirs {
                found.push(format!("{}: {ours:?}, the kernel says {theirs:?}", config.name));
            }
        }
    }
    println!("{asked} asked of the kernel");
    none(&found);
}
