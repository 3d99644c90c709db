//! Pruning is about work and not about verdicts: random programs get the same answer on all paths to
//! their ends, with pruning, and with a state remembered at every chance.

use probity_engine::{explore::walk::Unobserved, verify, verify::verify_unpruned};
use probity_linux::PLATFORM;
use probity_platform::{Code, Profile};
use probity_program::{Program, flags};
use probity_tests::generate::{generate, generate_structured};
use rayon::prelude::*;

/// None when accepted, else why not. A loop without end has two names: without remembered states it
/// is found by its length.
fn reason(code: Option<Code>) -> Option<Code> {
    code.map(|code| if code == Code::InfiniteLoop { Code::TooComplex } else { code })
}

fn pruned(program: &Program, profile: &Profile) -> (Option<Code>, u64) {
    let report = verify(program, &PLATFORM, profile);
    (reason(report.finding().map(|finding| finding.rejection.code)), report.stats.processed)
}

/// The three answers of a program, and the work with and without pruning.
fn answers(program: &Program, profile: &Profile) -> ([Option<Code>; 3], u64, u64) {
    let (with, processed) = pruned(program, profile);
    let unpruned = verify_unpruned(program, &PLATFORM, profile, &mut Unobserved);
    let all = unpruned.as_ref().map_or(0, |stats| stats.processed);
    let without = reason(unpruned.err().map(|finding| finding.rejection.code));
    let often = Program { flags: program.flags | flags::TEST_STATE_FREQ, ..program.clone() };
    ([with, without, pruned(&often, profile).0], processed, all)
}

fn agree(name: &str, generator: fn(u64) -> Program, seeds: u64) {
    let profile = PLATFORM.default_profile();
    let results: Vec<_> = (0..seeds)
        .into_par_iter()
        .map(|seed| {
            let program = generator(seed);
            let (answers, with, without) = answers(&program, &profile);
            // Without pruning some are too long to say.
            let too_long = answers[1] == Some(Code::TooComplex);
            assert!(
                (answers[1] == answers[0] || too_long) && answers[2] == answers[0],
                "{name} seed {seed}: pruned, unpruned, often: {answers:?}\n{}",
                probity_isa::disassemble(&program.insns, &())
            );
            (answers[0].is_none() && !too_long, too_long, with, without)
        })
        .collect();
    let accepted: Vec<_> = results.iter().filter(|result| result.0).collect();
    let too_long = results.iter().filter(|result| result.1).count();
    let (with, without) = accepted.iter().fold((0, 0), |sum, one| (sum.0 + one.2, sum.1 + one.3));
    println!(
        "{name}: {seeds} programs, {} accepted with {with} steps, {without} without pruning; \
         {too_long} too long without it",
        accepted.len()
    );
    assert!(without > with && accepted.len() * 4 > results.len() && too_long * 50 < results.len());
}

#[test]
fn arithmetic_gets_the_same_verdict() {
    agree("arithmetic", generate, 1500);
}

#[test]
fn structured_programs_get_the_same_verdict() {
    agree("structured", generate_structured, 2000);
}
