//! Each example of the language's reference reads, prints and reads back.

use std::collections::BTreeSet;
use std::path::Path;

use probity_codegen::diagnostic::{Style, render};
use probity_codegen::print::print;
use probity_codegen::{FileId, SourceMap, syntax};

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/README.md");
    std::fs::read_to_string(path).expect("the reference")
}

/// The blocks marked `bpfspec`.
fn examples(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match &mut open {
            None if line == "```bpfspec" => open = Some(String::new()),
            None => {}
            Some(_) if line == "```" => found.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    assert!(open.is_none(), "an example does not end");
    found
}

#[test]
fn examples_read_and_print() {
    let examples = examples(&reference());
    assert!(examples.len() >= 10, "{} examples", examples.len());
    for example in examples {
        let (items, found) = syntax::parse(FileId(0), &example);
        let mut sources = SourceMap::new();
        sources.add("spec/README.md", example.clone());
        assert!(found.is_empty(), "{}", render(&sources, &found, Style::Plain));
        let printed = print(&items);
        let (again, found) = syntax::parse(FileId(0), &printed);
        assert!(found.is_empty(), "{printed}");
        assert_eq!(printed, print(&again));
    }
}

#[test]
fn examples_show_every_kind_of_item() {
    let mut missing: BTreeSet<&str> = syntax::item_keywords().collect();
    for example in examples(&reference()) {
        for word in example.split_whitespace() {
            missing.remove(word);
        }
    }
    assert!(missing.is_empty(), "items without an example: {missing:?}");
}

#[test]
fn every_word_of_a_clause_is_explained() {
    let text = reference();
    let missing: Vec<&str> =
        syntax::clause_keywords().filter(|word| !text.contains(&format!("`{word}"))).collect();
    assert!(missing.is_empty(), "words that the reference does not explain: {missing:?}");
}
