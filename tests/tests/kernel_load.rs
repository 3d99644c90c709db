//! The oracle works: the running kernel gives verdicts, reasons, numbers and results of test runs.

use std::{os::fd::AsFd, path::PathBuf};

use probity_isa::{Insn, opcode::*};
use probity_program::{MapDef, Program};
use probity_tests::{
    generate::{generate, shrink},
    kernel::{self, LoadOptions, OracleError, load::LOG_ALL, load::LOG_STATS},
    raw::{self, RawProgram, RawRecord},
};

const SOCKET_FILTER: u32 = 1;
const ARRAY: u32 = 2;

/// `r0 = imm`
fn r0(imm: i32) -> Insn {
    Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm)
}

fn exit() -> Insn {
    Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
}

fn ask(insns: Vec<Insn>) -> kernel::KernelVerdict {
    let program = Program::from_insns(SOCKET_FILTER, insns);
    kernel::load(&program, &LoadOptions::default()).expect("no maps, no BTF")
}

#[test]
fn accepts_and_runs() {
    if !kernel::available() {
        return kernel::skip("accepts_and_runs");
    }
    let verdict = ask(vec![r0(7), exit()]);
    assert!(verdict.accepted, "{}", verdict.log);
    assert_eq!((verdict.errno, verdict.message.as_str()), (0, ""));
    assert_eq!((verdict.processed, verdict.stack_depth.as_str()), (2, "0"));
    let fd = verdict.fd.expect("accepted");
    let run = kernel::test_run(fd.as_fd(), &[0; 64], 1).expect("socket filters have test runs");
    assert_eq!((run.retval, run.data_out.len()), (7, 64));
}

#[test]
fn rejects_with_the_reason() {
    if !kernel::available() {
        return kernel::skip("rejects_with_the_reason");
    }
    let verdict = ask(vec![Insn::new(BPF_ALU64 | BPF_MOV | BPF_X, 0, 3, 0, 0), exit()]);
    assert!(!verdict.accepted && verdict.fd.is_none());
    assert_eq!((verdict.errno, verdict.message.as_str()), (libc::EACCES, "R3 !read_ok"));
    assert_eq!(verdict.processed, 1);
}

#[test]
fn levels_of_the_log() {
    if !kernel::available() {
        return kernel::skip("levels_of_the_log");
    }
    let program = Program::from_insns(SOCKET_FILTER, vec![r0(0), exit()]);
    let log = |log_level| {
        let options = LoadOptions { log_level, ..LoadOptions::default() };
        kernel::load(&program, &options).expect("a verdict").log
    };
    assert_eq!(log(0), "");
    assert!(log(LOG_STATS).contains("processed 2 insns"));
    assert!(log(LOG_ALL).contains("0: (b7) r0 = 0"), "{}", log(LOG_ALL));
}

#[test]
fn maps_are_created_and_filled() {
    if !kernel::available() {
        return kernel::skip("maps_are_created_and_filled");
    }
    // r1 = the address of byte 4 of the second map's value; r0 = *(u32 *)r1
    let insns = vec![
        Insn::new(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, 1),
        Insn::new(0, 0, 0, 0, 4),
        Insn::new(BPF_LDX | BPF_MEM | BPF_W, 0, 1, 0, 0),
        exit(),
    ];
    let mut program = Program::from_insns(SOCKET_FILTER, insns);
    let values = MapDef {
        name: "values-with-a-long-name".into(),
        contents: Some(vec![0, 0, 0, 0, 42, 0, 0, 0]),
        frozen: true,
        ..MapDef::new(ARRAY, 4, 8, 1)
    };
    program.maps = vec![MapDef::new(ARRAY, 4, 64, 3), values];
    let verdict = kernel::load(&program, &LoadOptions::default()).expect("maps");
    assert!(verdict.accepted, "{}", verdict.log);
    let run = kernel::test_run(verdict.fd.expect("accepted").as_fd(), &[0; 64], 1).expect("a run");
    assert_eq!(run.retval, 42);

    program.insns[1].imm = 6;
    let verdict = kernel::load(&program, &LoadOptions::default()).expect("maps");
    let reason = "R1 min value is outside of the allowed memory range";
    assert_eq!(verdict.message, reason, "{}", verdict.log);

    program.maps[0].key_size = 3;
    let error = kernel::load(&program, &LoadOptions::default()).expect_err("no such array");
    assert!(matches!(error, OracleError::Map { index: 0, .. }), "{error}");
}

fn corpus() -> Option<Vec<RawProgram>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/raw.jsonl");
    if !path.exists() {
        println!("skipped: there is no corpus at {}", path.display());
        return None;
    }
    Some(raw::read(&path).expect("the corpus is well-formed"))
}

/// Where this kernel's answer differs from the recorded one.
fn difference(raw: &RawProgram) -> Option<String> {
    let record = &raw.record;
    let verdict = match kernel::load(&raw.program, &LoadOptions::default()) {
        Ok(verdict) => verdict,
        Err(error) => return Some(format!("{}: {}: {error}", record.file, record.name)),
    };
    let said = (verdict.accepted, verdict.errno, verdict.message.as_str());
    let recorded = (record.verdict == "accept", record.errno, record.message.as_str());
    let numbers = (verdict.processed, verdict.total_states, verdict.peak_states, &verdict.stack_depth);
    let recorded_numbers = (record.processed, record.total_states, record.peak_states, &record.stack_depth);
    let same = said == recorded && numbers == recorded_numbers;
    (!same).then(|| {
        format!(
            "{}: {}: {said:?} {numbers:?}, recorded {recorded:?} {recorded_numbers:?}",
            record.file, record.name
        )
    })
}

#[test]
fn the_corpus_is_this_kernels() {
    if !kernel::available() {
        return kernel::skip("the_corpus_is_this_kernels");
    }
    let Some(corpus) = corpus() else { return };
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !release.starts_with("6.18.44") {
        return println!("skipped: the corpus is of 6.18.44, this is {}", release.trim());
    }
    let askable: Vec<&RawProgram> = corpus.iter().filter(|raw| !raw.record.needs_more()).collect();
    let differences: Vec<String> = askable.iter().filter_map(|raw| difference(raw)).collect();
    println!("{} of {} programs asked, {} differ", askable.len(), corpus.len(), differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn test_runs_of_the_corpus() {
    if !kernel::available() {
        return kernel::skip("test_runs_of_the_corpus");
    }
    const ANY_POINTER: u32 = 13_303_370;
    let Some(corpus) = corpus() else { return };
    let mut runs = 0;
    for raw in corpus.iter().filter(|raw| !raw.record.runs.is_empty()) {
        let verdict = kernel::load(&raw.program, &LoadOptions::default()).expect("it was loaded once");
        let Some(fd) = verdict.fd else { continue };
        for run in raw.record.runs.iter().filter(|run| run.errno == 0) {
            let ran = kernel::test_run(fd.as_fd(), &RawRecord::hex(&run.data_in), 1);
            let retval = ran.expect("it ran once").retval;
            if run.expected != ANY_POINTER {
                assert_eq!(retval, run.retval, "{}: {}", raw.record.file, raw.record.name);
            }
            runs += 1;
        }
    }
    println!("{runs} test runs");
}

#[test]
fn generated_programs_get_both_verdicts() {
    if !kernel::available() {
        return kernel::skip("generated_programs_get_both_verdicts");
    }
    // More for a longer search: PROBITY_SEEDS=100000.
    let seeds = std::env::var("PROBITY_SEEDS").ok().and_then(|text| text.parse().ok());
    let seeds: u64 = seeds.unwrap_or(1000);
    let mut accepted = 0;
    let mut reasons = std::collections::BTreeMap::<String, usize>::new();
    for seed in 0..seeds {
        let program = generate(seed);
        let verdict = kernel::load(&program, &LoadOptions::default())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        if verdict.accepted {
            accepted += 1;
        } else {
            // A generated program is well-formed: what is wrong is found on the way.
            assert!(verdict.processed > 0, "seed {seed}: {}", verdict.log);
            let masked = verdict.message.replace(|c: char| c.is_ascii_digit(), "N");
            *reasons.entry(masked).or_default() += 1;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("{accepted} of {seeds} generated programs accepted; reasons of the others:");
    for (reason, count) in reasons.iter().take(12) {
        println!("{count:5} {reason}");
    }
    assert!((seeds * 2 / 5..seeds * 3 / 5).contains(&accepted), "{accepted} of {seeds}");
}

#[test]
fn shrinks_what_the_kernel_rejects() {
    if !kernel::available() {
        return kernel::skip("shrinks_what_the_kernel_rejects");
    }
    let reason = |program: &Program| {
        let verdict = kernel::load(program, &LoadOptions::default()).expect("a verdict");
        verdict.message
    };
    let wanted = |program: &Program| reason(program).contains("max value is outside of the allowed");
    let seeds = (0..1000).filter(|&seed| wanted(&generate(seed)));
    for seed in seeds.take(5) {
        let program = generate(seed);
        let small = shrink(&program, wanted);
        println!("seed {seed}: {} instructions, then {}", program.insns.len(), small.insns.len());
        assert!(small.insns.len() <= 24 && wanted(&small), "seed {seed}: {:?}", small.insns);
    }
}
