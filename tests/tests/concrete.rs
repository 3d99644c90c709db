//! Random programs executed on random inputs: each state that the machine comes through is a member
//! of an abstract state of the path that it takes, and holds the references that this one holds. The
//! walk does not prune here, or only where a state has all that another has, so that there is such a
//! state for every step; that pruning changes no verdict is the subject of `pruning.rs`.
//!
//! `PROBITY_NESTED_SEEDS` and `PROBITY_NESTED_INPUTS` say how many nested programs run, and how often
//! each: 3000 and 12 are nineteen million steps, two minutes of a processor in release.
//!
//! Linux is wrong about one thing, and the engine with it: a sign-extending load from the stack
//! keeps its link to the register that was stored (see `the_known_exception`). Programs with such
//! loads are left out.

use std::path::Path;

use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_program::Program;
use probity_tests::{
    concrete::watched::{Total, is_linked, record, runs},
    corpus::{
        Corpus, File,
        run::{objects, path},
    },
    generate::{generate, generate_mixed, generate_nested, generate_structured, kind::Kind},
};
use rayon::prelude::*;

/// A load from the stack that extends the sign: through fp or, not known from the instruction, through a copy.
fn extends_sign(insn: &Insn) -> bool {
    insn.code & BPF_CLASS_MASK == BPF_LDX && insn.code & BPF_MODE_MASK == BPF_MEMSX
}

fn check(program: &Program, seed: u64, inputs: u64) -> Total {
    if program.insns.iter().any(extends_sign) {
        return Total::default();
    }
    let profile = PLATFORM.default_profile();
    if !is_linked(program, &profile) {
        return Total::default();
    }
    let Some(record) = record(program, &profile) else { return Total::default() };
    runs(program, &profile, &record, seed, inputs).unwrap_or_else(|violation| {
        panic!("{}: {violation}\n{}", program.name, probity_isa::disassemble(&program.insns, &()))
    })
}

fn check_all(name: &str, generator: fn(u64) -> Program, seeds: u64, inputs: u64) -> Total {
    let each = (0..seeds).into_par_iter().map(|seed| check(&generator(seed), seed, inputs));
    let total = each.reduce(Total::default, Total::and);
    println!("{name}: {total:?}");
    total
}

#[test]
fn concrete_states_are_members() {
    let scalars = check_all("arithmetic", generate, 2000, 420);
    let structured = check_all("structured", generate_structured, 2000, 420);
    assert!(scalars.steps + structured.steps >= 10_000_000, "too few steps");
    assert!(structured.ended > 1000, "too few runs to the end");
}

/// How often something is done, as the environment says it.
fn number(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or)
}

/// Functions that callables call, global functions, and what is held around calls of them.
#[test]
fn what_is_called_and_held() {
    let seeds = number("PROBITY_NESTED_SEEDS", 300);
    let total = check_all("nested", generate_nested, seeds, number("PROBITY_NESTED_INPUTS", 8));
    let mixed = check_all("mixed", generate_mixed, 1000, 20);
    let (by, all) = (total.by, seeds as usize);
    assert!(total.programs > all / 5, "too few programs are accepted");
    assert!(by.called_back > 200 * all && by.global > 50 * all, "too few steps in functions");
    assert!(by.holding > 200 * all && by.rounds > 10 * all, "too little is held, or called");
    assert!(mixed.by.holding > 1000, "too little is held");
}

/// Programs of the corpus: those with few paths against all of them, others against what a walk
/// that prunes remembers.
#[test]
fn the_corpus_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !folder.join("raw.jsonl").exists() {
        return println!("skipped: there is no corpus at {}", folder.display());
    }
    let corpus = Corpus::read(&folder, &[File::Raw, File::Selftests]).expect("the corpus is well-formed");
    let objects = objects(&corpus.cases);
    let each = corpus.cases.par_iter().enumerate().map(|(seed, case)| {
        let object = path(case).and_then(|path| objects.get(path)).and_then(|object| object.as_ref().ok());
        match corpus.target.load(case, object) {
            Ok(program) => check(&program, seed as u64, 60),
            Err(_) => Total::default(),
        }
    });
    let total = each.reduce(Total::default, Total::and);
    println!("corpus: {total:?}");
    assert!(total.steps >= 1_300_000 && total.pruned_steps >= 1_200_000, "too few steps");
    let by = total.by;
    assert!(by.called_back >= 30_000 && by.global >= 150_000 && by.holding >= 1500, "too few in functions");
}

/// The kernel takes the loaded, sign-extended value for equal to what was stored. Parity needs the
/// same of the engine; here it is caught at it, so that a repair on either side is noticed.
#[test]
fn the_known_exception() {
    let insn = Insn::new;
    let program = Program::from_insns(
        Kind::SocketFilter.number(),
        vec![
            insn(BPF_LDX | BPF_MEM | BPF_W, 6, 1, 0, 0),
            insn(BPF_ALU64 | BPF_AND, 6, 0, 0, 0xff),
            insn(BPF_STX | BPF_MEM | BPF_DW, 10, 6, -8, 0),
            insn(BPF_LDX | BPF_MEMSX | BPF_B, 1, 10, -8, 0),
            insn(BPF_JMP | BPF_JSGT, 1, 0, 1, -1),
            insn(BPF_ALU64 | BPF_MOV | BPF_X, 0, 6, 0, 0),
            insn(BPF_ALU64 | BPF_MOV, 0, 0, 0, 0),
            insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        ],
    );
    let profile = PLATFORM.default_profile();
    let record = record(&program, &profile).expect("it is accepted");
    assert!(!is_linked(&program, &profile), "the runtime must not run it");
    let failed = (0..64).any(|seed| runs(&program, &profile, &record, seed, 1).is_err());
    assert!(failed, "the engine does not follow the kernel any more");
}
