//! The tutorial, step by step, as somebody follows it: its files, its commands, and what they print.

use std::fs;
use std::path::Path;

use probity_tests::outside::{CLANG, Outside, checkout};

const TUTORIAL: &str = include_str!("../../verifier/probity/TUTORIAL.md");

/// What the tutorial promises: from an empty folder to a plug-in that runs.
const MOST_COMMANDS: usize = 10;
const FEWER_LINES: usize = 120;

/// Where the tutorial takes the checkout to be, and where its user's folder is.
const CHECKOUT: &str = "../probity/";
const HOME: &str = "/home/you";

/// What a fenced block is.
#[derive(Debug)]
enum Step {
    /// A file, named on the line before.
    File(String, String),
    /// Commands, one a line.
    Commands(Vec<String>),
    /// What the command before prints.
    Output(String),
}

/// The steps of a page. Every fenced block is one.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut before = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.is_empty() {
                before = line;
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text = || block.iter().map(|line| format!("{line}\n")).collect();
        let name = before.strip_prefix('`').and_then(|line| line.strip_suffix("`:"));
        steps.push(match (kind, name) {
            ("sh", None) => Step::Commands(block.iter().map(|&line| line.to_owned()).collect()),
            ("text", None) => Step::Output(text()),
            (_, Some(name)) => Step::File(name.to_owned(), text()),
            (_, None) => panic!("no step: {before}\n{line}\n{}", block.join("\n")),
        });
        before = "";
    }
    steps
}

#[test]
fn the_tutorial_does_what_it_says() {
    let outside = Outside::new("tutorial", env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    if !outside.has_clang() {
        println!("skipped: {CLANG} is not installed, so there is no plug-in to run");
    }
    let mut folder = outside.work();
    let (mut commands, mut written, mut outputs) = (0, 0, 0);
    // Counted until the plug-in has run.
    let mut counted = None;
    let mut printed = String::new();
    for step in steps(TUTORIAL) {
        match step {
            Step::File(name, text) => {
                written += text.lines().count();
                let kept = checkout().join("verifier/probity/tutorial").join(&name);
                if kept.exists() {
                    let kept = fs::read_to_string(kept).expect("text");
                    assert_eq!(text, kept, "{name}: the examples of the library have another one");
                }
                fs::write(folder.join(&name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            Step::Commands(lines) => {
                for line in lines {
                    commands += 1;
                    let is_run = line.starts_with("cargo run ");
                    if !outside.has_clang() && (line.starts_with("clang ") || is_run) {
                        run(&outside, "cargo build -q", &folder);
                        return;
                    }
                    if let Some(into) = line.strip_prefix("cd ") {
                        folder.push(into);
                        outside.lock(&folder).expect("the lock file of the workspace");
                        continue;
                    }
                    printed = run(&outside, &line, &folder);
                    if is_run {
                        counted.get_or_insert((commands, written));
                    }
                }
            }
            Step::Output(wanted) => {
                outputs += 1;
                let shown = printed.replace(&*outside.work().to_string_lossy(), HOME);
                assert_eq!(wanted, shown, "the tutorial shows\n{wanted}\nand this is printed:\n{shown}");
            }
        }
    }
    let (commands, written) = counted.expect("a plug-in runs");
    println!("from an empty folder to a plug-in: {commands} commands, {written} lines");
    assert!(commands <= MOST_COMMANDS, "{commands} commands");
    assert!(written < FEWER_LINES, "{written} lines");
    // It runs, is refused, and gives way to another.
    assert_eq!(outputs, 3);
}

/// Runs a command; gives what it prints.
fn run(outside: &Outside, line: &str, folder: &Path) -> String {
    // As the tutorial has it, but for the time that optimising takes.
    let debug = if line.starts_with("cargo install ") { " --debug" } else { "" };
    let line = line.replace(CHECKOUT, &format!("{}/", checkout().display())) + debug;
    let output = outside.command("sh").and_then(|mut sh| sh.args(["-c", &line]).current_dir(folder).output());
    let output = output.unwrap_or_else(|error| panic!("{line}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}\n{errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_page_is_taken_apart() {
    let page =
        "Words.\n\n`a/b.c`:\n```c\nint x;\n\nint y;\n```\nMore:\n```sh\none\ntwo\n```\n```text\nout\n```\n";
    let steps = steps(page);
    assert!(matches!(&steps[0], Step::File(name, text) if name == "a/b.c" && text == "int x;\n\nint y;\n"));
    assert!(matches!(&steps[1], Step::Commands(lines) if lines == &["one", "two"]));
    assert!(matches!(&steps[2], Step::Output(text) if text == "out\n"));
    assert_eq!(steps.len(), 3);
}

#[test]
#[should_panic(expected = "no step")]
fn nothing_on_a_page_is_left_out() {
    steps("Words.\n\n```rust\nfn main() {}\n```\n");
}
