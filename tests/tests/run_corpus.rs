//! The programs of the corpus that the kernel has run, in both interpreters and, where there is a
//! compiler, as machine code: the kernel's r0.

use std::path::Path;

use probity_tests::{
    corpus::{Case, Corpus, File},
    runs::{RunTotals, run_all},
};

/// Programs of `raw.jsonl` that run.
const RAW: usize = 149;
/// Programs of `selftests.jsonl` that run.
const SELFTESTS: usize = 333;

/// Programs whose r0 is another one each time, and why.
const VARIES: &[(&str, &str)] = &[
    ("state_equality_check_way_1", "an address"),
    ("state_equality_check_way_2", "an address"),
    ("check_corrupted_spill_fill_lsb", "an address"),
    ("check_corrupted_spill_fill_msb", "an address"),
    ("check_valid_spill_fill", "an address"),
];

fn varies(case: &Case) -> bool {
    VARIES.iter().any(|&(program, _)| program == case.program)
}

fn programs_of(file: File, floor: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !folder.join(format!("{file}.jsonl")).exists() {
        return println!("skipped: runs of {file}: there is no corpus at {}", folder.display());
    }
    let corpus = Corpus::read(&folder, &[file]).expect("the corpus is well-formed");
    let totals = RunTotals::of(&run_all(&corpus, &varies));
    print!("{file}\n{totals}");
    assert!(totals.different.is_empty(), "not the kernel's r0:\n{}", totals.different.join("\n"));
    assert!(totals.equal >= floor, "{} programs ran, fewer than {floor}", totals.equal);
}

#[test]
fn raw() {
    programs_of(File::Raw, RAW);
}

#[test]
fn selftests() {
    programs_of(File::Selftests, SELFTESTS);
}
