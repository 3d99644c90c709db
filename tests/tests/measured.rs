//! Small programs of our own that a running 6.18.44 was asked about, against the engine: verdict,
//! errno, message, counts, stack.
//!
//! `tests/data/measured` has them by subject, in the form of `probity_tests::probes::text`. To add
//! one, write its name, its type and its instructions (labels may be used), and let the running
//! kernel fill in the rest: `BLESS=1 cargo test -p probity-tests --test measured`.

use std::{fs, path::Path};

use probity_tests::{
    kernel::{self, LoadOptions},
    probes::{Answer, Counts, Expected, Probe, answer, record, text},
};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/measured")
}

/// The files with their names, sorted.
fn files() -> Vec<(String, Vec<Probe>)> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .expect("the folder of measured programs")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            let content = fs::read_to_string(path).expect("text");
            let probes =
                text::read(&content).unwrap_or_else(|probe| panic!("{name}: {probe} is not well-formed"));
            (name, probes)
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// What this kernel says of a program.
fn ask(probe: &Probe) -> Expected {
    let verdict = kernel::load(&probe.program, &LoadOptions::default())
        .unwrap_or_else(|error| panic!("{}: {error}", probe.name));
    // Some things are refused before there is a log.
    let message = if verdict.log.is_empty() { None } else { Some(record::reason(&verdict.log)) };
    Expected {
        errno: verdict.errno,
        message: if verdict.accepted { Some(Vec::new()) } else { message },
        counts: Some(Counts {
            processed: verdict.processed,
            max_states_per_insn: Some(verdict.max_states_per_insn),
            total_states: verdict.total_states,
            peak_states: verdict.peak_states,
        }),
        stack_depth: Some(verdict.stack_depth).filter(|depth| !depth.is_empty()),
    }
}

/// Whether this kernel is the one that was measured; says in one line when not.
fn measured_kernel(name: &str) -> bool {
    if !kernel::available() {
        kernel::skip(name);
        return false;
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let same = release.starts_with("6.18.44");
    if !same {
        println!("skipped: {name}: 6.18.44 was measured, this is {}", release.trim());
    }
    same
}

fn bless() {
    for (name, mut probes) in files() {
        for probe in &mut probes {
            probe.expected = ask(probe);
        }
        fs::write(folder().join(name), text::write(&probes)).expect("the file can be written");
    }
}

#[test]
fn the_engine_says_what_the_kernel_said() {
    if std::env::var_os("BLESS").is_some() && measured_kernel("bless") {
        bless();
    }
    let probes: Vec<Probe> = files().into_iter().flat_map(|(_, probes)| probes).collect();
    let wrong = |probe: &Probe| match answer(probe) {
        Answer::Equal => None,
        Answer::Unsupported(reason) => Some(format!("{}: unsupported: {reason}", probe.name)),
        Answer::Different(what) => Some(what),
    };
    let wrong: Vec<String> = probes.iter().filter_map(wrong).collect();
    println!("{} measured programs", probes.len());
    assert!(!probes.is_empty() && wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn this_kernel_says_the_same() {
    // The other test writes the files then, from the kernel's answers.
    if std::env::var_os("BLESS").is_some() || !measured_kernel("this_kernel_says_the_same") {
        return;
    }
    for (name, probes) in files() {
        for probe in probes {
            assert_eq!(ask(&probe), probe.expected, "{name}: {}", probe.name);
        }
    }
}
