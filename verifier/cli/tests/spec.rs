//! `probity spec fmt`, `header`, `doc`, `list` and `diff`.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{probity, root};

const FIREWALL: &str = "spec/examples/firewall.bpfspec";

/// A folder of a test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("probity-spec-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn golden(name: &str) -> String {
    fs::read_to_string(root().join("tests/golden").join(name)).unwrap()
}

#[test]
fn the_header_and_the_page_are_what_codegen_gives() {
    let run = probity(&["spec", "header", FIREWALL]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out == golden("header_firewall.h.golden"));
    let run = probity(&["spec", "doc", FIREWALL]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out == golden("page_firewall.md.golden"));
}

#[test]
fn a_platform_is_listed() {
    let run = probity(&["spec", "list", FIREWALL]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(
        run.out,
        "helper bpf_map_lookup_elem 1 program_types 1\n\
         helper bpf_map_update_elem 2 program_types 1\n\
         helper bpf_map_delete_elem 3 program_types 1\n\
         helper load_bytes 100 program_types 1\n\
         helper log_line 101 program_types 1\n\
         prog_type filter 1\n\
         map_type BPF_MAP_TYPE_HASH 1\n\
         map_type BPF_MAP_TYPE_ARRAY 2\n"
    );
}

#[test]
fn a_refused_platform_is_reported_and_gives_nothing() {
    let folder = Folder::new("refused");
    let bad = folder.file("bad.bpfspec", "platform bad;\nhelper a = 1 { }\n");
    for command in ["header", "doc", "list"] {
        let run = probity(&["spec", command, &bad]);
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        assert!(run.err.contains("has no prototype"), "{}", run.err);
        assert_eq!(probity(&["spec", command, "missing.bpfspec"]).code, 3);
    }
    assert_eq!(probity(&["spec", "diff", &bad, FIREWALL]).code, 1);
}

#[test]
fn versions_of_linux_are_compared() {
    let run = probity(&["spec", "diff", "spec/linux@4.10", "spec/linux@4.14"]);
    assert_eq!(run.code, 0);
    let has = |line: &str| run.out.lines().any(|found| found.starts_with(line));
    assert!(has("+ helper bpf_redirect_map = 51 "), "{}", run.out);
    assert!(has("+ offer BPF_PROG_TYPE_XDP bpf_redirect_map"), "{}", run.out);
    assert!(has("+ map_type BPF_MAP_TYPE_DEVMAP = 14"), "{}", run.out);
    assert!(has("+ prog_type BPF_PROG_TYPE_SOCK_OPS = 13"), "{}", run.out);
    assert!(!has("+ helper bpf_map_lookup_elem "), "{}", run.out);
    let run = probity(&["spec", "diff", "spec/linux", "spec/linux"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    let run = probity(&["spec", "diff", "spec/linux@6", "spec/linux"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("is no version"), "{}", run.err);
}

#[test]
fn files_are_formatted_and_stay_so() {
    let folder = Folder::new("fmt");
    let path = folder.file("a.bpfspec", "platform   a;\n/// Kept.\nhelper b=1{proto()->RET_VOID;}");
    let run = probity(&["spec", "fmt", "--check", &path]);
    assert_eq!((run.code, run.out), (1, format!("not formatted  {path}\n")));
    let run = probity(&["spec", "fmt", &path]);
    assert_eq!((run.code, run.out), (0, format!("formatted  {path}\n")));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("platform a;\n") && text.contains("/// Kept.\nhelper b = 1 {"), "{text}");
    let run = probity(&["spec", "fmt", "--check", folder.0.to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "", ""));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn comments_are_not_lost_unasked() {
    let folder = Folder::new("comments");
    let text = "//! About.\nplatform a; // why \"a\"\n// \"more\"\n";
    let path = folder.file("a.bpfspec", text);
    let run = probity(&["spec", "fmt", &path]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("a.bpfspec:2: a `//` comment would be lost"), "{}", run.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(probity(&["spec", "fmt", "--lose-comments", &path]).code, 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), "//! About.\n\nplatform a;\n");
    // What looks like a comment in a string is none.
    let text = "kind K: scalar { prints \"// no\"; }\n";
    let path = folder.file("b.bpfspec", text);
    let run = probity(&["spec", "fmt", "--check", &path]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[test]
fn files_with_errors_are_not_formatted() {
    let folder = Folder::new("errors");
    let path = folder.file("a.bpfspec", "platform a; nonsense;\n");
    let run = probity(&["spec", "fmt", &path]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("a.bpfspec:1"), "{}", run.out);
    assert_eq!(fs::read_to_string(&path).unwrap(), "platform a; nonsense;\n");
    assert_eq!(probity(&["spec", "fmt", "missing.bpfspec"]).code, 3);
}
