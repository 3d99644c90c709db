//! Spec files, good and bad. The lists come from the folders.
//!
//! | folder | what is done with its files |
//! |---|---|
//! | `tests/spec/fail` | refused; the report is the `.stderr` beside it |
//! | `tests/spec/warn` | accepted; the report is the `.stderr` beside it |
//! | `tests/spec/pass` | accepted without a finding |
//! | `spec` | parsed, printed and parsed again |
//!
//! A file of `fail` or `warn` begins with a comment that names the codes that it must raise; it
//! must raise no other. `BLESS=1` writes the reports anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use probity_codegen::code::Code;
use probity_codegen::compile::Options;
use probity_codegen::diagnostic::{Diagnostic, Style, render};
use probity_codegen::layout::Layout;
use probity_codegen::print::print;
use probity_codegen::syntax::{self, Item};
use probity_codegen::{FileId, SourceMap, build};

/// Codes that no file can raise; each has a test of its own.
const WITHOUT_FILE: &[Code] = &[Code::FileTooLarge];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The spec files in a folder and below, ascending.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "bpfspec") {
            found.push(path);
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no spec files in {}", folder.display());
    found
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The codes that a file's first line names.
fn wanted(text: &str) -> BTreeSet<String> {
    let line = text.lines().next().unwrap_or_default();
    let codes =
        line.strip_prefix("// ").and_then(|line| line.split_once(": ")).map_or("", |(codes, _)| codes);
    codes.split(", ").map(str::to_owned).collect()
}

/// Builds a file alone. Gives whether it is accepted, its findings and their report.
fn check(path: &Path) -> (bool, Vec<Diagnostic>, String) {
    let text = fs::read_to_string(path).expect("readable");
    let mut sources = SourceMap::new();
    sources.add(file_name(path), text);
    let built = build(sources, &Options::default());
    let report = render(&built.sources, &built.diagnostics, Style::Plain);
    (built.rust.is_some(), built.diagnostics, report)
}

/// Checks the reports of a folder's files.
fn reports(folder: &str, accepted: bool) {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for path in files(&root().join("tests/spec").join(folder)) {
        let name = file_name(&path);
        let (built, found, report) = check(&path);
        let raised: BTreeSet<String> = found.iter().map(|one| one.code.to_string()).collect();
        let wanted = wanted(&fs::read_to_string(&path).expect("readable"));
        if raised != wanted || built != accepted {
            wrong.push(format!("{name}: wanted {wanted:?}, raised {raised:?}, accepted: {built}\n{report}"));
            continue;
        }
        let golden = path.with_extension("stderr");
        if bless {
            fs::write(&golden, &report).expect("writable");
        } else if fs::read_to_string(&golden).unwrap_or_default() != report {
            wrong.push(format!(
                "{name}: another report than {} (BLESS=1 rewrites)\n{report}",
                golden.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} files", wrong.join("\n"), wrong.len());
}

#[test]
fn bad_specs_are_refused_with_their_reports() {
    reports("fail", false);
}

#[test]
fn doubtful_specs_are_accepted_with_their_reports() {
    reports("warn", true);
}

#[test]
fn good_specs_are_accepted_without_a_finding() {
    for path in files(&root().join("tests/spec/pass")) {
        let (built, _, report) = check(&path);
        assert!(built && report.is_empty(), "{}\n{report}", path.display());
    }
}

#[test]
fn every_word_has_a_good_file() {
    let mut files = files(&root().join("tests/spec/pass"));
    files.push(root().join("spec/core.bpfspec"));
    let mut missing: BTreeSet<&str> = syntax::item_keywords().chain(syntax::clause_keywords()).collect();
    for path in files {
        let text = fs::read_to_string(&path).expect("readable");
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        for word in code.split(|mark: char| !mark.is_alphanumeric() && mark != '_') {
            missing.remove(word);
        }
    }
    assert!(missing.is_empty(), "words that no file of tests/spec/pass has: {missing:?}");
}

#[test]
fn reports_without_a_file_do_not_stay() {
    for folder in ["fail", "warn"] {
        for entry in fs::read_dir(root().join("tests/spec").join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ending| ending == "stderr") {
                assert!(path.with_extension("bpfspec").exists(), "{} is of no file", path.display());
            }
        }
    }
}

#[test]
fn every_code_has_a_file() {
    let mut seen = BTreeSet::new();
    for folder in ["fail", "warn"] {
        for path in files(&root().join("tests/spec").join(folder)) {
            seen.extend(wanted(&fs::read_to_string(&path).expect("readable")));
        }
    }
    let missing: Vec<String> = Code::ALL
        .iter()
        .filter(|code| !WITHOUT_FILE.contains(code) && !seen.contains(&code.to_string()))
        .map(|code| format!("{code} {}", code.name()))
        .collect();
    assert!(missing.is_empty(), "codes without a file: {missing:?}");
}

#[test]
fn a_file_above_the_limit_is_refused() {
    let text = " ".repeat(syntax::LARGEST + 1);
    let (items, found) = syntax::parse(FileId(0), &text);
    assert!(items.is_empty());
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::FileTooLarge]);
}

/// All spec files that parse: the shipped ones, and the good ones among the tests.
fn good_files() -> Vec<PathBuf> {
    let mut found = files(&root().join("spec"));
    found.extend(files(&root().join("tests/spec/pass")));
    found.extend(files(&root().join("tests/spec/warn")));
    found
}

/// Items as text without their spans.
fn without_spans(items: &[Item]) -> String {
    let text = format!("{items:#?}");
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let spans = |word: &str| {
            let word = word.trim_end_matches(',');
            word.split_once(':').is_some_and(|(file, range)| {
                let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                digits(file) && range.split_once("..").is_some_and(|(lo, hi)| digits(lo) && digits(hi))
            })
        };
        if !line.split(' ').next_back().is_some_and(spans) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn parsed(text: &str, name: &str) -> Vec<Item> {
    let (items, found) = syntax::parse(FileId(0), text);
    let mut sources = SourceMap::new();
    sources.add(name, text);
    assert!(found.is_empty(), "{}\n{text}", render(&sources, &found, Style::Plain));
    items
}

#[test]
fn what_is_printed_reads_back_the_same() {
    for path in good_files() {
        let name = path.display().to_string();
        let items = parsed(&fs::read_to_string(&path).expect("readable"), &name);
        let printed = print(&items);
        let again = parsed(&printed, &format!("{name}, printed"));
        assert_eq!(without_spans(&items), without_spans(&again), "{name}");
        assert_eq!(printed, print(&again), "{name}");
    }
}

#[test]
fn both_front_doors_read_the_same() {
    for path in good_files() {
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).expect("readable");
        let tokens: proc_macro2::TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{name} is not made of Rust's tokens: {error}"));
        let layout = Layout::new(tokens);
        let (direct, laid) = (parsed(&text, &name), parsed(layout.text(), &format!("{name}, laid out")));
        assert_eq!(without_spans(&direct), without_spans(&laid), "{name}");
    }
}

#[test]
fn spans_are_where_the_text_is() {
    for path in good_files() {
        let text = fs::read_to_string(&path).expect("readable");
        let mut sources = SourceMap::new();
        let file = sources.add(file_name(&path), text.clone());
        for item in syntax::parse(file, &text).0 {
            let own = sources.text(item.span);
            assert!(own.ends_with([';', '}']) || own.starts_with("//!"), "{own}");
            // An item's own text reads as that item.
            let alone = parsed(own, "an item alone");
            let without_doc = Item { doc: syntax::ast::Doc::default(), ..item.clone() };
            if !own.starts_with("//!") {
                assert_eq!(without_spans(&[without_doc]), without_spans(&alone));
            }
        }
    }
}

#[test]
fn hostile_texts_end_in_reports() {
    let many = 100_000;
    let texts = [
        "(".repeat(many),
        "{".repeat(many),
        "}".repeat(many),
        "helper a = 1 ".to_owned() + &"{".repeat(many),
        "helper a = 1 { where ".to_owned() + &"(".repeat(many) + &")".repeat(many) + "; }",
        "helper a = 1 { where ".to_owned() + &"!".repeat(many) + "a; }",
        "helper a = 1 { where a".to_owned() + &" + a".repeat(many) + "; }",
        "helper a = 1 { where ".to_owned() + &"a in {".repeat(many) + "; }",
        "use a".to_owned() + &"::a".repeat(many) + ";",
        "use a".to_owned() + &"::{a".repeat(many) + ";",
        "part a { ".repeat(many),
        "#a ".repeat(many),
        "\"".repeat(many),
        "/// a\n".repeat(many),
        "(".repeat(many) + &"}".repeat(many),
        " {\n".repeat(many) + &"kind\n".repeat(many),
        ";".repeat(many),
        "\u{0}\u{feff}\u{202e}".repeat(many),
        "version 99999999999999.1;".to_owned(),
    ];
    for text in texts {
        let (_, found) = syntax::parse(FileId(0), &text);
        let start: String = text.chars().take(60).collect();
        assert!(!found.is_empty(), "{start}");
        assert!(found.len() < 1000, "{start}: {} reports", found.len());
        assert!(found.iter().all(|one| one.primary.span.hi as usize <= text.len()), "{start}");
    }
}

#[test]
fn cut_texts_do_not_panic() {
    let text = fs::read_to_string(root().join("spec/linux/prog_types.bpfspec")).expect("readable");
    for end in (0..text.len()).step_by(7) {
        let (_, found) = syntax::parse(FileId(0), &text[..end]);
        let mut sources = SourceMap::new();
        sources.add("cut", &text[..end]);
        let _ = render(&sources, &found, Style::Plain);
    }
    // Each byte replaced by each of some marks, a few places at a time.
    let small = "helper a = 1 { proto (n: A | B) -> R; returns 0..=n.umax when since 6.1; }";
    for at in 0..small.len() {
        for mark in ["", ";", "{", "}", "(", "\"", "..", "::", "///\n", "=", "'", "ü"] {
            let changed = format!("{}{mark}{}", &small[..at], &small[at + 1..]);
            let (_, found) = syntax::parse(FileId(0), &changed);
            let mut sources = SourceMap::new();
            sources.add("changed", changed);
            let _ = render(&sources, &found, Style::Coloured);
        }
    }
}
