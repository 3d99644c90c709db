//! Our log line for line beside the running kernel's: of the example programs, with their source
//! lines, and of random ones.
//!
//! `PROBITY_LOG_SEEDS` says how many random programs are asked (300 unless it is set).

use std::{env, fs, path::PathBuf};

use probity_engine::log::{Level, LogOptions, verify_with_log};
use probity_linux::PLATFORM;
use probity_object::{LoadOptions, Object, SectionType};
use probity_program::Program;
use probity_tests::{
    corpus::{
        logs::{Parting, parting},
        target::global_data,
    },
    generate::generate,
    kernel,
};
use rayon::prelude::*;

/// The version whose logs the engine writes.
const RELEASE: &str = "6.18.";

/// The levels that are compared: the path to the error, and everything, with statistics.
const LEVELS: [u32; 4] = [1, 2, 4, 6];

fn oracle(name: &str) -> bool {
    if !kernel::available() {
        kernel::skip(name);
        return false;
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !release.starts_with(RELEASE) {
        println!("skipped: {name}: the kernel is {}, not {RELEASE}", release.trim());
        return false;
    }
    true
}

fn ours(program: &Program, level: u32) -> String {
    let options = LogOptions::new(Level::from_number(level).expect("a level"));
    verify_with_log(program, &PLATFORM, &PLATFORM.default_profile(), &options).1
}

/// A remark of the kernel about its own bounds, which the engine does not make: a register that is
/// compared with itself may get contradictory ones.
const OWN_FAULT: &str = "REG INVARIANTS VIOLATION";

/// Where the logs of a level part.
fn differs(program: &Program, level: u32, btf: bool) -> Option<Parting> {
    let options = kernel::LoadOptions { log_level: level, btf };
    let verdict = kernel::load(program, &options).unwrap_or_else(|error| panic!("{}: {error}", program.name));
    if verdict.log.contains(OWN_FAULT) {
        return None;
    }
    parting(&verdict.log, &ours(program, level))
}

fn examples() -> Vec<Program> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("programs");
    let mut programs = Vec::new();
    for name in ["xdp_firewall.o", "xdp_firewall_bug.o", "tc_counters.o", "kprobe_stack.o"] {
        let bytes = fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let object = Object::parse(&bytes).expect("a well-formed object");
        let sections = |section: &str| {
            let (row, _) = PLATFORM.section(section)?;
            Some(SectionType { prog_type: row.prog_type, ..SectionType::default() })
        };
        let options = LoadOptions::new(&sections, global_data());
        let loaded = object.load(&options);
        programs.extend(loaded.map(|(_, program)| program.expect("it links")));
    }
    programs
}

#[test]
fn logs_of_the_examples() {
    if !oracle("logs_of_the_examples") {
        return;
    }
    for program in examples() {
        for level in LEVELS {
            let parting = differs(&program, level, true);
            assert_eq!(parting, None, "{} at level {level}", program.name);
        }
    }
}

#[test]
fn logs_of_random_programs() {
    if !oracle("logs_of_random_programs") {
        return;
    }
    let seeds = env::var("PROBITY_LOG_SEEDS").map_or(300, |text| text.parse().expect("a number"));
    let differing: Vec<(u64, u32, Parting)> = (0..seeds)
        .into_par_iter()
        .flat_map_iter(|seed| {
            let program = generate(seed);
            LEVELS.map(|level| differs(&program, level, false).map(|parting| (seed, level, parting)))
        })
        .flatten()
        .collect();
    let shown: Vec<String> = differing.iter().take(8).map(|differs| format!("{differs:#?}")).collect();
    assert!(
        differing.is_empty(),
        "{} logs of {seeds} programs differ:\n{}",
        differing.len(),
        shown.join("\n")
    );
}
