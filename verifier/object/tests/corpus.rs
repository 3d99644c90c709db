//! Programs of other people's objects, compared with what libbpf handed to a real kernel.
//!
//! The objects are not in the repository: without `../shared/corpus` these tests print a line and
//! pass.

mod common;

use std::{collections::BTreeMap, path::Path};

use common::{corpus, kconfig, options};
use probity_object::{LoadOptions, Object};
use probity_program::Btf;
use serde_json::Value;

/// What went as in reality, and what did not.
#[derive(Default)]
struct Tally {
    agree: usize,
    differ: Vec<String>,
}

fn compare(list: &str, file_of: impl Fn(&str) -> String, count: &str) -> Option<Tally> {
    let corpus = corpus()?;
    let target = Btf::parse(&std::fs::read(corpus.join("vmlinux-6.18.44.btf")).unwrap()).unwrap();
    let kconfig = kconfig(&corpus);
    let mut options: LoadOptions<'_> = options();
    options.target = Some(&target);
    options.kconfig = Some(&kconfig);
    // libbpf took them all.
    options.strict_externs = true;
    let mut objects: BTreeMap<String, Result<Object, String>> = BTreeMap::new();
    let mut tally = Tally::default();
    for line in std::fs::read_to_string(corpus.join(list)).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (name, program) = (line["object"].as_str().unwrap(), line["program"].as_str().unwrap());
        let object = objects.entry(name.to_owned()).or_insert_with(|| {
            let bytes = std::fs::read(corpus.join(file_of(name))).map_err(|e| e.to_string())?;
            Object::parse(&bytes).map_err(|e| e.to_string())
        });
        let expected = usize::try_from(line[count].as_u64().unwrap()).unwrap();
        let problem = match object {
            Ok(object) => match object.program(program, &options) {
                Ok(linked) if linked.insns.len() == expected => poison_differs(&line, &linked),
                Ok(linked) => {
                    let entry = object.programs().iter().find(|entry| entry.name == program);
                    Some(format!(
                        "{} instructions ({} of its own) instead of {expected}",
                        linked.insns.len(),
                        entry.map_or(0, |entry| entry.insns)
                    ))
                }
                Err(error) => Some(error.to_string()),
            },
            Err(error) => Some(error.clone()),
        };
        match problem {
            None => tally.agree += 1,
            Some(problem) => tally.differ.push(format!("{name} {program}: {problem}")),
        }
    }
    for problem in &tally.differ {
        println!("{list}: {problem}");
    }
    println!("{list}: {} agree, {} differ", tally.agree, tally.differ.len());
    Some(tally)
}

/// The instructions that CO-RE replaced because they cannot be: the lists must be the same. That
/// of the corpus ends after seventeen, and some lines of it have none.
fn poison_differs(line: &Value, program: &probity_program::Program) -> Option<String> {
    let expected: Vec<&str> = line["poison"].as_str()?.split_terminator(',').collect();
    let mut found: Vec<String> = program
        .insns
        .iter()
        .enumerate()
        .filter(|(_, insn)| insn.code == 0x85 && insn.src == 0 && insn.imm == 0x0bad_2310)
        .map(|(pc, _)| format!("core@{pc}"))
        .collect();
    if expected.len() == 17 {
        found.truncate(17);
    }
    (found != expected).then(|| format!("poisoned {found:?} instead of {expected:?}"))
}

#[test]
fn selftests() {
    let file_of = |name: &str| format!("selftests/{name}.bpf.o");
    if let Some(tally) = compare("selftests.jsonl", file_of, "insn_cnt") {
        assert!(tally.differ.is_empty());
    }
}

#[test]
fn realworld() {
    let file_of = |name: &str| format!("realworld/{name}");
    if let Some(tally) = compare("realworld.jsonl", file_of, "insns") {
        assert!(tally.differ.is_empty());
    }
}

#[test]
fn every_object_loads() {
    let Some(corpus) = corpus() else {
        return;
    };
    let options = options();
    let (mut objects, mut programs, mut failed) = (0, 0, 0);
    visit(&corpus, &mut |path| {
        let object = Object::parse(&std::fs::read(path).unwrap());
        let object = object.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        objects += 1;
        for (_, program) in object.load(&options) {
            programs += 1;
            failed += usize::from(program.is_err());
        }
    });
    println!("{objects} objects, {programs} programs, {failed} not without a target");
    assert!(objects > 0);
}

fn visit(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, each);
        } else if std::fs::read(&path).unwrap().starts_with(b"\x7fELF") {
            each(&path);
        }
    }
}
