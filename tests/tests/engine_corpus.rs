//! The programs of real objects in the corpus against the engine: no wrong acceptance, no crash,
//! none that takes long, and where the engine gives a verdict, enough of the kernel's.

use std::path::Path;

use probity_tests::corpus::{Answer, Corpus, File, Outcome, Totals, run};

/// Of the programs with a verdict of ours, in percent: the kernel's verdict.
const AGREE: f64 = 95.0;
/// Of the programs that both accept, in percent: the same count of instructions.
const PROCESSED: f64 = 70.0;

fn programs_of(file: File) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !folder.join(format!("{file}.jsonl")).exists() {
        return println!("skipped: {file}: there is no corpus at {}", folder.display());
    }
    let corpus = Corpus::read(&folder, &[file]).expect("the corpus is well-formed");
    let outcomes = run(&corpus);
    let totals = Totals::of(&outcomes);
    print!("{file}\n{totals}");
    let named = |wanted: &dyn Fn(&Outcome) -> bool| {
        let lines = outcomes.iter().filter(|outcome| wanted(outcome));
        lines.map(|one| format!("{} {}: {}\n", one.object, one.program, one.message)).collect::<String>()
    };
    let crashed = named(&|outcome| outcome.answer == Answer::Crash);
    assert!(crashed.is_empty(), "crashes:\n{crashed}");
    let accepted = named(&Outcome::is_false_accept);
    assert!(accepted.is_empty(), "accepted, and the kernel rejects them:\n{accepted}");
    // The limit is for programs as they are shipped: not for a build with debug assertions.
    let slow = named(&Outcome::is_slow);
    assert!(cfg!(debug_assertions) || slow.is_empty(), "over the time limit:\n{slow}");
    let agree = totals.agree_supported;
    assert!(agree.percent() >= AGREE, "the kernel's verdict of {agree}");
    assert!(totals.processed.percent() >= PROCESSED, "the kernel's count of {}", totals.processed);
}

#[test]
fn selftests() {
    programs_of(File::Selftests);
}

#[test]
fn realworld() {
    programs_of(File::Realworld);
}
