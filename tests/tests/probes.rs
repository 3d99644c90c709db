//! Small programs measured on Linux 6.18.44, against the engine: verdict, errno, message, counts.
//!
//! `tests/data/probes` has those that the engine judges, by subject, and in `left_out.txt` the names
//! of the others with the reason. `cargo run -p probity-tests --bin probes` writes that folder from
//! the records.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use probity_tests::{
    kernel::{self, LoadOptions},
    probes::{Answer, Probe, answer, condense, record, text},
};
use rayon::prelude::*;

/// All records but the one that says nothing of its program.
const RECORDS: usize = 2179;
/// How many of them the engine judges, at the least: raise it when the reach grows.
const JUDGED: usize = 2095;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn condensed() -> BTreeMap<String, String> {
    let entries = fs::read_dir(here("data/probes")).expect("the folder of probes");
    let file = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("text"))
    };
    entries.map(|entry| file(entry.expect("a file").path())).collect()
}

fn judged() -> Vec<Probe> {
    let files = condensed();
    let judged = files.iter().filter(|(name, _)| *name != condense::LEFT_OUT);
    let read = |(name, content): (&String, &String)| {
        text::read(content).unwrap_or_else(|probe| panic!("{name}: {probe} is not well-formed"))
    };
    judged.flat_map(read).collect()
}

#[test]
fn the_engine_says_what_the_kernel_says() {
    let probes = judged();
    let wrong = |probe: &Probe| match answer(probe) {
        Answer::Equal => None,
        Answer::Unsupported(reason) => Some(format!("{}: unsupported: {reason}", probe.name)),
        Answer::Different(what) => Some(what),
    };
    let wrong: Vec<String> = probes.par_iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), probes.len(), wrong.join("\n"));
}

#[test]
fn the_reach_only_grows() {
    let probes = judged();
    let names: BTreeSet<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
    assert_eq!(names.len(), probes.len(), "two probes of one name");
    assert!(probes.len() >= JUDGED, "{} are judged, {JUDGED} were", probes.len());
    let files = condensed();
    let left_out: Vec<&str> = files[condense::LEFT_OUT].lines().collect();
    for line in &left_out {
        let (name, reason) = line.split_once(": ").expect("a name and a reason");
        assert!(!names.contains(name) && !reason.is_empty(), "{line}");
    }
    assert_eq!(probes.len() + left_out.len(), RECORDS);
    let errors = probes.iter().filter(|probe| probe.expected.errno != 0).count();
    println!("{} judged, {errors} of them rejected, {} left out", probes.len(), left_out.len());
}

#[test]
fn the_condensed_form_is_of_the_records() {
    let path = here("../../shared/probes/probes.jsonl");
    if !path.exists() {
        return println!("skipped: there are no records at {}", path.display());
    }
    let records = record::read(&path).expect("records");
    assert_eq!(records.len(), RECORDS);
    let made = condense::files(records).unwrap_or_else(|different| panic!("{}", different.join("\n")));
    let kept = condensed();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&kept));
    for (name, text) in made {
        assert!(kept[&name] == text, "{name} is not up to date: run the binary `probes`");
    }
}

/// Some lines have addresses and numbers of BTF types of one kernel.
fn differs(probe: &Probe) -> Option<String> {
    let verdict = match kernel::load(&probe.program, &LoadOptions::default()) {
        Ok(verdict) => verdict,
        Err(error) => return Some(format!("{}: {error}", probe.name)),
    };
    let message = probe.expected.message.as_ref().and_then(|lines| lines.last());
    let same_message = message.is_none_or(|message| *message == verdict.message);
    let counts = probe.expected.counts.as_ref();
    let same_counts = counts.is_none_or(|counts| {
        (counts.processed, counts.total_states, counts.peak_states)
            == (verdict.processed, verdict.total_states, verdict.peak_states)
    });
    let same = verdict.errno == probe.expected.errno && same_message && same_counts;
    (!same).then(|| format!("{}: {} {} {:?}", probe.name, verdict.errno, verdict.message, probe.expected))
}

#[test]
fn this_kernel_says_the_same() {
    if !kernel::available() {
        return kernel::skip("this_kernel_says_the_same");
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !release.starts_with("6.18.44") {
        return println!("skipped: the probes are of 6.18.44, this is {}", release.trim());
    }
    let probes = judged();
    let different: Vec<String> = probes.iter().filter_map(differs).collect();
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), probes.len(), different.join("\n"));
}
