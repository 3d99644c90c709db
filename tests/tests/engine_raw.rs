//! The raw programs of the corpus against the engine: no wrong acceptance, no crash, and enough of
//! the kernel's verdicts.

use std::path::Path;

use probity_tests::corpus::{Answer, Corpus, File, Outcome, Totals, run};

/// Of all programs, in percent: the kernel's verdict.
const AGREE: f64 = 60.0;

#[test]
fn raw_programs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !folder.join("raw.jsonl").exists() {
        return println!("skipped: raw_programs: there is no corpus at {}", folder.display());
    }
    let corpus = Corpus::read(&folder, &[File::Raw]).expect("the corpus is well-formed");
    let outcomes = run(&corpus);
    let totals = Totals::of(&outcomes);
    print!("{totals}");
    let named = |wanted: &dyn Fn(&Outcome) -> bool| {
        let lines = outcomes.iter().filter(|outcome| wanted(outcome));
        lines.map(|one| format!("{}: {}: {}\n", one.object, one.program, one.message)).collect::<String>()
    };
    let crashed = named(&|outcome| outcome.answer == Answer::Crash);
    assert!(crashed.is_empty(), "crashes:\n{crashed}");
    let accepted = named(&Outcome::is_false_accept);
    assert!(accepted.is_empty(), "accepted, and the kernel rejects them:\n{accepted}");
    assert!(totals.agree.percent() >= AGREE, "the kernel's verdict of {}", totals.agree);
}
