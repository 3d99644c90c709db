//! Records into files by subject, and the list of those that are left out.

use std::collections::BTreeMap;

use super::{Answer, Probe, answer, text};

/// The file of those that are left out: `name: reason`.
pub const LEFT_OUT: &str = "left_out.txt";

/// The file for a name's first part.
const SUBJECTS: [(&str, &[&str]); 10] = [
    ("scalars", &["alu", "link", "fmt", "c4"]),
    ("pointers", &["ptr", "bp", "null"]),
    ("packets", &["pkt"]),
    ("memory", &["ctx", "atomic", "flags", "types"]),
    ("stack", &["stack", "stkdepth", "privstack", "live"]),
    ("calls", &["helper", "constkey", "ref", "sub", "tail", "tail kprobe", "sleep", "kfunc", "kfunc2"]),
    ("control_flow", &["cfg", "dfs", "limit", "ret", "log"]),
    ("precision", &["prec"]),
    ("pruning", &["prune"]),
    ("loops", &["loop", "heur", "hist"]),
];

/// The name of the file of a probe.
fn subject(name: &str) -> &'static str {
    let first = name.split('/').next().unwrap_or_default();
    let found = SUBJECTS.iter().find(|(_, firsts)| firsts.contains(&first));
    found.map_or("others", |(subject, _)| subject)
}

/// The files, by name, that hold these records: those that the engine judges by subject, and the
/// list of the others.
///
/// # Errors
///
/// What differs, of every record that the engine judges otherwise than the kernel.
pub fn files(probes: Vec<Probe>) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut by_subject = BTreeMap::<&str, Vec<Probe>>::new();
    let (mut left_out, mut different) = (String::new(), Vec::new());
    for probe in probes {
        match answer(&probe) {
            Answer::Equal => by_subject.entry(subject(&probe.name)).or_default().push(probe),
            Answer::Unsupported(reason) => left_out.push_str(&format!("{}: {reason}\n", probe.name)),
            Answer::Different(what) => different.push(what),
        }
    }
    if !different.is_empty() {
        return Err(different);
    }
    let file = |(subject, probes): (&str, Vec<Probe>)| (format!("{subject}.txt"), text::write(&probes));
    let mut files: BTreeMap<String, String> = by_subject.into_iter().map(file).collect();
    files.insert(LEFT_OUT.into(), left_out);
    Ok(files)
}
