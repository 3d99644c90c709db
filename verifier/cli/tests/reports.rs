//! Reports of programs that are rejected on purpose: the objects in `tests/reports`, each compared
//! word for word, in text and in JSON.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{golden, jsonl, probity, root};
use serde_json::Value;

const FOLDER: &str = "verifier/cli/tests/reports";

/// The objects, and the values of their programs.
fn rejected() -> Vec<(String, Vec<Value>)> {
    let entries = fs::read_dir(root().join(FOLDER)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut objects: Vec<String> =
        names.filter(|name| name.ends_with(".o")).map(|name| format!("{FOLDER}/{name}")).collect();
    objects.sort();
    objects
        .into_iter()
        .map(|object| (jsonl(&[&object]).1, object))
        .map(|(lines, object)| (object, lines))
        .collect()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_else(|| panic!("no {field} in {line}"))
}

#[test]
fn every_report_is_as_it_was_reviewed() {
    let mut programs = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for (object, lines) in rejected() {
        for line in &lines {
            let program = text(line, "program");
            assert_eq!(text(line, "verdict"), "rejected", "{program}");
            codes.insert(text(line, "code").to_owned());
            assert!(programs.insert(format!("{program}.txt")), "two programs are called {program}");
            let run = probity(&["check", &object, "--program", program]);
            assert_eq!((run.code, run.err.as_str()), (1, ""));
            golden(&format!("reports/{program}.txt"), &run.out);
        }
    }
    assert!(programs.len() >= 40 && codes.len() >= 30, "{} programs, {} codes", programs.len(), codes.len());
    let kept = fs::read_dir(root().join("tests/golden/cli/reports")).unwrap();
    let kept: BTreeSet<String> =
        kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(kept, programs, "golden files and programs");
}

/// What the JSON says stands in the text too.
#[test]
fn json_and_text_tell_the_same() {
    for (object, lines) in rejected() {
        for line in &lines {
            let program = text(line, "program");
            let run = probity(&["check", &object, "--program", program]);
            let told = |fact: &str| {
                for part in fact.lines() {
                    assert!(run.out.contains(part), "{program}: `{part}` is not told in\n{}", run.out);
                }
            };
            for field in ["code", "message", "explanation", "suggestion", "insn"] {
                told(text(line, field));
            }
            for field in ["needed", "known", "subject"] {
                told(line[field].as_str().unwrap_or_default());
            }
            for register in line["registers"].as_array().unwrap() {
                told(&format!("{}: {}", text(register, "name"), text(register, "holds")));
            }
            for step in line["history"].as_array().unwrap() {
                told(text(step, "text"));
                assert!(!text(step, "what").is_empty() && step["pc"].is_u64());
            }
            for neighbour in line["source"]["neighbours"].as_array().unwrap() {
                told(text(neighbour, "text").trim());
            }
            if !line["spec"].is_null() {
                let place = &line["spec"];
                told(&format!("{}:{}:{}", text(place, "file"), place["line"], place["column"]));
                assert!(!text(place, "clause").is_empty());
            }
        }
    }
}

/// Without the file, the lines that the object carries are shown.
#[test]
fn a_report_needs_no_source_file() {
    let folder = std::env::temp_dir().join(format!("probity-reports-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let object = folder.join("packet.o");
    fs::copy(root().join(FOLDER).join("packet.o"), &object).unwrap();
    let run = probity(&["check", object.to_str().unwrap(), "--program", "packet_not_compared"]);
    let (_, lines) = jsonl(&[object.to_str().unwrap(), "--program", "packet_not_compared"]);
    // The same name, other text: it is not the file that was compiled.
    fs::write(folder.join("packet.c"), "int x;\n".repeat(200)).unwrap();
    let other = probity(&["check", object.to_str().unwrap(), "--program", "packet_not_compared"]);
    fs::remove_dir_all(&folder).unwrap();
    assert!(run.out.contains("if (eth->protocol == bpf_htons(0x0800))"), "{}", run.out);
    assert_eq!(run.out, other.out);
    let neighbours = lines[0]["source"]["neighbours"].as_array().unwrap();
    assert!(!neighbours.is_empty(), "BTF carries the line before");
}
