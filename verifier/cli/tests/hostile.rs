//! Broken objects: a clear line for each, no panic, and the others are checked all the same.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{jsonl, probity, root};

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A generator of numbers that are the same every time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

fn check_all(files: &[PathBuf]) {
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    let (code, lines) = jsonl(&files);
    assert!([0, 1, 3].contains(&code));
    for file in &files {
        assert!(lines.iter().any(|line| line["object"] == *file), "{file} is not judged");
    }
    for line in &lines {
        assert_ne!(line["code"], "internal-error", "{line}");
    }
    let list = probity(&[&["list"], &files[..]].concat());
    assert!(!list.err.contains("internal error"), "{}", list.err);
    for file in files.iter().step_by(8) {
        let run = probity(&["disasm", file]);
        assert!(!run.err.contains("internal error"), "{}", run.err);
    }
}

#[test]
fn truncated_objects() {
    let folder = folder("truncated");
    let bytes = fs::read(root().join("tests/programs/xdp_firewall.o")).unwrap();
    let mut files = Vec::new();
    for len in (0..bytes.len()).step_by(bytes.len() / 90) {
        let path = folder.join(format!("{len}.o"));
        fs::write(&path, &bytes[..len]).unwrap();
        files.push(path);
    }
    check_all(&files);
}

#[test]
fn objects_with_changed_bytes() {
    let folder = folder("changed");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut files = Vec::new();
    for name in ["xdp_firewall", "kprobe_stack", "tc_counters"] {
        let bytes = fs::read(root().join("tests/programs").join(format!("{name}.o"))).unwrap();
        for index in 0..60 {
            let mut bytes = bytes.clone();
            for _ in 0..=index % 8 {
                let at = numbers.below(bytes.len());
                bytes[at] = u8::try_from(numbers.below(256)).unwrap();
            }
            let path = folder.join(format!("{name}{index}.o"));
            fs::write(&path, &bytes).unwrap();
            files.push(path);
        }
    }
    check_all(&files);
}

#[test]
fn names_cannot_talk_to_the_terminal() {
    let folder = folder("names");
    let path = folder.join("red\x1b[31m.o");
    fs::write(&path, b"no object").unwrap();
    for command in ["check", "list", "disasm"] {
        let run = probity(&[command, path.to_str().unwrap()]);
        assert_eq!(run.code, 3);
        assert!(!run.out.contains('\x1b') && !run.err.contains('\x1b'), "{}{}", run.out, run.err);
    }
}
