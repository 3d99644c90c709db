//! What holds for the tree as a whole: who depends on whom, the sizes of files, their docs, and
//! that the engine names nothing that a spec names.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use probity_linux::PLATFORM;

/// Who may depend on whom. A member that is not here is an error.
const MAY_USE: &[(&str, &[&str])] = &[
    ("probity-platform", &[]),
    ("probity-isa", &["probity-platform"]),
    ("probity-program", &["probity-platform", "probity-isa"]),
    ("probity-object", &["probity-program", "probity-isa", "probity-platform"]),
    ("probity-engine", &["probity-program", "probity-isa", "probity-platform"]),
    ("probity-vm", &["probity-engine", "probity-program", "probity-isa", "probity-platform"]),
    ("probity-jit", &["probity-vm", "probity-engine", "probity-program", "probity-isa", "probity-platform"]),
    ("probity-codegen", &["probity-platform"]),
    ("probity-macro", &["probity-codegen"]),
    ("probity-linux", &["probity-platform"]),
    (
        // The macro is the inline front door that embedders reach through the facade.
        "probity",
        &[
            "probity-platform",
            "probity-isa",
            "probity-program",
            "probity-object",
            "probity-engine",
            "probity-vm",
            "probity-jit",
            "probity-linux",
            "probity-macro",
        ],
    ),
    ("probity-cli", &["probity", "probity-codegen"]),
    ("probity-bench", &["probity", "probity-tests"]),
];

/// Who builds with what.
const MAY_BUILD_WITH: &[(&str, &str)] = &[("probity-linux", "probity-codegen")];

/// The package that holds all others to account, and uses them all.
const TESTS: &str = "probity-tests";

const TOP_LEVEL: &[&str] = &[
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "codegen",
    "generated",
    "rustfmt.toml",
    "spec",
    "tests",
    "verifier",
];

/// The sources that must not know a name of any spec.
const NAMELESS: &[&str] = &["verifier/engine/src/", "verifier/vm/", "verifier/jit/"];

const MAX_LINES: usize = 900;
const MAX_LIB_LINES: usize = 150;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace is above").to_owned()
}

/// The files that people wrote, relative to the root: tracked ones, and new ones that are not
/// ignored. None outside of a git checkout.
fn files() -> Option<Vec<String>> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let Some(output) = git.ok().filter(|output| output.status.success()) else {
        println!("skipped: this is no git checkout");
        return None;
    };
    let list = String::from_utf8(output.stdout).expect("names of files");
    Some(list.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect())
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn none(problems: &[String]) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn dependencies() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap_or_default().to_owned();
    let packages = list(&metadata["packages"]);
    let members: BTreeSet<String> = packages.iter().map(name).collect();
    let mut problems = Vec::new();
    for package in packages.iter().filter(|package| name(package) != TESTS) {
        let user = name(package);
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == user) else {
            problems.push(format!("{user} is not in the table of dependencies"));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let used = name(&dependency);
            let may = match dependency["kind"].as_str() {
                Some("dev") => true,
                Some("build") => MAY_BUILD_WITH.contains(&(user.as_str(), used.as_str())),
                _ => allowed.contains(&used.as_str()),
            };
            if members.contains(&used) && !may {
                problems.push(format!("{user} must not use {used}"));
            }
        }
    }
    none(&problems);
}

#[test]
fn sizes() {
    let Some(files) = files() else { return };
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let lines = text(file).lines().count();
        let limit = if file.ends_with("/lib.rs") { MAX_LIB_LINES } else { MAX_LINES };
        if lines > limit {
            problems.push(format!("{file} has {lines} lines, more than {limit}"));
        }
    }
    none(&problems);
}

#[test]
fn module_docs() {
    let Some(files) = files() else { return };
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs") && file.contains("/src/")) {
        let text = text(file);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if !first.starts_with("//! ") && !first.starts_with("#![doc") {
            problems.push(format!("{file} does not begin with what the module is"));
        }
    }
    none(&problems);
}

#[test]
fn leftovers() {
    let macros = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("db", "g!")];
    let written = [".rs", ".md", ".toml", ".bpfspec", ".pest", ".sh", ".c", ".h", ".yml"];
    let Some(files) = files() else { return };
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| written.iter().any(|end| file.ends_with(end))) {
        for (number, line) in (1..).zip(text(file).lines()) {
            if line.ends_with([' ', '\t']) {
                problems.push(format!("{file}:{number}: space at the end of the line"));
            }
            if file.ends_with(".rs")
                && let Some(left) = macros.iter().find(|name| line.contains(**name))
            {
                problems.push(format!("{file}:{number}: {left}"));
            }
        }
    }
    none(&problems);
}

#[test]
fn top_level() {
    let Some(files) = files() else { return };
    let entries: BTreeSet<&str> = files.iter().filter_map(|file| file.split('/').next()).collect();
    let more: Vec<String> = entries
        .iter()
        .filter(|entry| !TOP_LEVEL.contains(entry))
        .map(|entry| format!("{entry} is none of the fixed entries of the top level"))
        .collect();
    none(&more);
}

/// The names of callables, program types and map types of every spec, and where they are declared.
fn declared(files: &[String]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let tables = PLATFORM.callables.iter().map(|row| row.name);
    let tables = tables.chain(PLATFORM.prog_types.iter().map(|row| row.name));
    for name in tables.chain(PLATFORM.map_types.iter().map(|row| row.name)) {
        names.insert(name.to_owned(), "the Linux platform".to_owned());
    }
    for file in files.iter().filter(|file| file.starts_with("spec/") && file.ends_with(".bpfspec")) {
        for line in text(file).lines() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let mut words = line.split(|c| !is_word(c)).filter(|word| !word.is_empty());
            let keyword = words.next().unwrap_or_default();
            let declares = matches!(keyword, "helper" | "kfunc" | "prog_type" | "map_type");
            if let Some(name) = words.next().filter(|_| declares) {
                names.entry(name.to_owned()).or_insert_with(|| file.clone());
            }
        }
    }
    names
}

/// Invariant 1: the engine, the machine and the compiler know no name of any spec. A name of one
/// plain word (`filter`) is looked for in quotes, all others anywhere.
#[test]
fn no_name_of_a_spec() {
    let Some(files) = files() else { return };
    let names = declared(&files);
    assert!(names.len() > 200, "{} names", names.len());
    let nameless =
        |file: &&String| NAMELESS.iter().any(|start| file.starts_with(start)) && file.ends_with(".rs");
    let mut problems = Vec::new();
    for file in files.iter().filter(nameless) {
        for (number, line) in (1..).zip(text(file).lines()) {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            for word in line.split(|c| !is_word(c)) {
                let Some(place) = names.get(word) else { continue };
                if word.contains('_') || line.contains(&format!("\"{word}\"")) {
                    problems.push(format!("{file}:{number}: {word} is a name of {place}"));
                }
            }
        }
    }
    none(&problems);
}
