//! The headers and the pages of the examples under spec/examples and the index of Linux, held against
//! golden copies that `BLESS=1` rewrites; and that clang takes the headers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use probity_codegen::diagnostic::Style;
use probity_codegen::diff::diff;
use probity_codegen::emit::{header, index, page};
use probity_codegen::model::{Callable, Model};
use probity_codegen::{Options, SourceMap, build};
use probity_platform::{ArgRole, CallableFlags, RetType, Version};

const CLANG: &str = "clang-22";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn built(sources: SourceMap) -> Model {
    let built = build(sources, &Options::default());
    assert!(built.model.is_some(), "{}", built.report(Style::Plain));
    built.model.unwrap()
}

fn load(path: &str) -> Model {
    let mut sources = SourceMap::new();
    sources.load(&root().join(path), "").unwrap();
    built(sources)
}

fn text(text: &str) -> Model {
    let mut sources = SourceMap::new();
    sources.add("text.bpfspec", text);
    built(sources)
}

fn firewall() -> Model {
    load("spec/examples/firewall.bpfspec")
}

fn table() -> Model {
    load("spec/examples/table.bpfspec")
}

fn golden(name: &str, text: &str) {
    let path = root().join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, text).unwrap();
        return;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(wanted == text, "{} is stale: run with BLESS=1 and read the difference", path.display());
}

#[test]
fn the_header_of_the_firewall_is_as_the_golden_copy_says() {
    golden("header_firewall.h.golden", &header(&firewall()));
}

#[test]
fn the_page_of_the_firewall_is_as_the_golden_copy_says() {
    golden("page_firewall.md.golden", &page(&firewall()));
}

#[test]
fn the_header_of_the_table_is_as_the_golden_copy_says() {
    golden("header_table.h.golden", &header(&table()));
}

#[test]
fn the_page_of_the_table_is_as_the_golden_copy_says() {
    golden("page_table.md.golden", &page(&table()));
}

#[test]
fn the_helpers_and_kfuncs_of_linux_are_as_the_golden_copy_says() {
    let index = index(&load("spec/linux"));
    let callables = index.lines().filter(|line| line.starts_with("helper ") || line.starts_with("kfunc "));
    let text = callables.fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{line}");
        all
    });
    golden("linux_index.golden", &text);
}

/// A C file that calls every helper and kfunc of a platform and holds each struct against its view.
fn user(model: &Model) -> String {
    let mut c = String::from("#include \"platform.h\"\n");
    let mut views = BTreeMap::new();
    for view in &model.views {
        views.entry(view.name.as_str()).or_insert(view);
    }
    for (name, view) in views {
        let _ = writeln!(c, "_Static_assert(sizeof(struct {name}) == {}, \"{name}\");", view.size);
        for field in &view.fields {
            let place = format!("struct {name}, {}", field.name);
            let _ = writeln!(
                c,
                "_Static_assert(__builtin_offsetof({place}) == {}, \"{}\");",
                field.offset, field.name
            );
            let _ = writeln!(
                c,
                "_Static_assert(sizeof(((struct {name} *)0)->{}) == {}, \"{}\");",
                field.name, field.size, field.name
            );
        }
    }
    for row in &model.structs {
        let own = &row.name;
        let _ = writeln!(c, "_Static_assert(sizeof(struct {own}) == {}, \"{own}\");", row.size);
        for field in &row.fields {
            let (name, of) = (&field.name, format!("((struct {own} *)0)->{}", field.name));
            let offset = format!("__builtin_offsetof(struct {own}, {name}) == {}", field.offset);
            let _ = writeln!(c, "_Static_assert({offset} && sizeof({of}) == {}, \"{name}\");", field.size);
        }
    }
    if model.hosted {
        for row in &model.stack_objects {
            let _ = writeln!(c, "_Static_assert(sizeof(struct {0}) == {1}, \"{0}\");", row.name, row.size);
        }
    }
    let mut seen = Vec::new();
    for row in model.callables.iter().chain(&model.kfuncs) {
        if !seen.contains(&row.name) {
            seen.push(row.name.clone());
            call(&mut c, model, row);
        }
    }
    c
}

/// A function that calls a helper or kfunc; what is variadic, with as much as a call passes.
fn call(c: &mut String, model: &Model, row: &Callable) {
    let mut args: Vec<&str> = row
        .args
        .iter()
        .map(|arg| match model.arg_classes[usize::from(arg.class)].role {
            ArgRole::Anything | ArgRole::Scalar | ArgRole::Int | ArgRole::Const => "7",
            ArgRole::Size | ArgRole::SizeOrZero | ArgRole::ConstSize => "8",
            ArgRole::AllocSize | ArgRole::AllocSizeOrZero => "8",
            _ => "(void *)memory",
        })
        .collect();
    if row.flags.contains(CallableFlags::VARIADIC) {
        args.resize(5, "7");
    }
    let (ret, end) = match row.ret.ty {
        RetType::Void => ("void", ""),
        RetType::Integer => ("long", "return "),
        RetType::Pointer(_) => ("void *", "return "),
    };
    let _ = writeln!(c, "{ret} call_{0}(char *memory) {{ {end}{0}({1}); }}", row.name, args.join(", "));
}

/// Compiles a platform's header with a file that uses it; true when clang is there.
fn compiles(name: &str, model: &Model) -> bool {
    if Command::new(CLANG).arg("--version").output().is_err() {
        println!("skipped: {CLANG} is not installed");
        return false;
    }
    let folder = std::env::temp_dir().join(format!("probity-header-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("platform.h"), header(model)).unwrap();
    fs::write(folder.join("user.c"), user(model)).unwrap();
    let run = Command::new(CLANG)
        .args(["-target", "bpf", "-O2", "-Wall", "-Werror", "-c", "user.c", "-o", "user.o"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    fs::remove_dir_all(&folder).unwrap();
    true
}

#[test]
fn clang_takes_the_header_of_the_firewall() {
    compiles("firewall", &firewall());
}

#[test]
fn clang_takes_the_header_of_the_table() {
    compiles("table", &table());
}

#[test]
fn clang_takes_the_header_of_the_prelude() {
    compiles("prelude", &load("tests/spec/pass/core_all.bpfspec"));
}

#[test]
fn clang_takes_the_header_of_linux() {
    compiles("linux", &load("spec/linux"));
}

const ODD: &str = r#"
platform odd;
use core::{ scalars, memory, context };
/// A struct that C would make longer /* and a comment */ in it.
view odd size 12 { first: u64; last: u16; }
/// Begins with a gap.
view gap size 16 { at 4 __pad0: u32; tail: [u8; 3]; }
/// Longer in C than its fields.
struct key { a, b: u32; ports: [u16; 2]; /// What it is.
    protocol: u8; }
struct wire size 13 { a, b: u32; at 9 __pad8: u8; }
helper many = 4294967295 {
    proto (a: ARG_ANYTHING, b: ARG_ANYTHING, c: ARG_PTR_TO_CTX) -> RET_INTEGER;
}
helper few = 2 { since 1.5; gpl_only; proto () -> RET_VOID; }
helper more = 4 { unsupported "x"; variadic; proto (first: ARG_ANYTHING) -> RET_INTEGER; }
helper some = 3 { until 2.0; proto (ctx: ARG_PTR_TO_CTX) -> RET_VOID; }
helper find = 5 {
    proto (from: ARG_PTR_TO_MEM(key) | MEM_RDONLY, to: ARG_PTR_TO_MEM(wire) | MEM_WRITE) -> RET_PTR_TO_MEM(wire) | PTR_MAYBE_NULL;
    lifetime run;
}
set both { find; few when attach == ONE; some; many; more; }
prog_type alpha = 1 { ctx odd; helpers both; attach ONE = 1; section "alpha"; }
prog_type beta = 2 { since 1.2; ctx gap; helpers both; section "beta"; }
"#;

#[test]
fn odd_layouts_and_names_are_right_in_c() {
    let model = text(ODD);
    compiles("odd", &model);
    let header = header(&model);
    assert!(header.contains("packed, aligned(4)") && header.contains("__pad0_[4]"), "{header}");
    assert!(header.contains("static long (*const more)(__u64 first, ...) = (long (*)(__u64, ...)) 4;"));
    assert!(header.contains("/* Longer in C than its fields. */\nstruct key {\n\t__u32 a;\n\t__u32 b;\n"));
    assert!(
        header.contains("\t__u16 ports[2];\n\t/* What it is. */\n\t__u8 protocol;\n\t__u8 __pad13[3];\n};")
    );
    assert!(header.contains("packed, aligned(1)") && header.contains("\t__u8 __pad8_[1];\n\t__u8 __pad8;\n"));
    assert!(header.contains("static struct wire *(*const find)(const struct key *from, struct wire *to) ="));
    assert!(header.contains("ODD_PROG_TYPE_ALPHA = 1,"), "{header}");
}

#[test]
fn structs_are_kept_beside_their_sizes() {
    let model = text(ODD);
    let find = model.callables.iter().find(|row| row.name == "find").unwrap();
    let (key, wire) = (&model.structs[0], &model.structs[1]);
    assert_eq!((key.name.as_str(), key.size, wire.name.as_str(), wire.size), ("key", 16, "wire", 13));
    let args: Vec<_> = find.args.iter().map(|arg| (arg.size, arg.structure)).collect();
    assert_eq!(args, [(16, Some(0)), (13, Some(1))]);
    assert_eq!((find.ret.size, find.ret_structure), (13, Some(1)));
    let ports = &key.fields[2];
    assert_eq!((ports.name.as_str(), ports.offset, ports.size, ports.element), ("ports", 8, 4, 2));
    let page = page(&model);
    assert!(
        page.contains("* [Structs](#structs) (2)\n") && page.contains("### wire\n\n13 bytes.\n"),
        "{page}"
    );
    assert!(
        page.contains("| 8 | `ports` | `[u16; 2]` |  |\n| 12 | `protocol` | `u8` | What it is. |\n"),
        "{page}"
    );
    assert!(page.contains("(from: ARG_PTR_TO_MEM(key) | MEM_RDONLY, "), "{page}");
    assert!(page.contains(" -> RET_PTR_TO_MEM(wire) | PTR_MAYBE_NULL\n"), "{page}");
}

#[test]
fn a_struct_that_lies_otherwise_is_a_difference() {
    let (old, new) = (text(ODD), text(&ODD.replace("at 9 __pad8", "at 10 __pad8")));
    let lines = diff((&old, Version::new(1, 0)), (&new, Version::new(1, 0)));
    let fields = "at 0 a: u32; at 4 b: u32;";
    assert_eq!(
        lines,
        [format!(
            "~ struct wire size 13 {{ {fields} at 9 __pad8: u8 }} => size 13 {{ {fields} at 10 __pad8: u8 }}"
        )]
    );
}

#[test]
fn versions_of_a_platform_differ_in_what_they_offer() {
    let model = text(ODD);
    let at = |major, minor| (&model, Version::new(major, minor));
    assert_eq!(diff(at(1, 0), at(1, 0)), Vec::<String>::new());
    assert_eq!(
        diff(at(1, 2), at(2, 0)),
        [
            "+ helper few = 2 () -> RET_VOID, GPL only",
            "- helper some = 3 (ctx: ARG_PTR_TO_CTX) -> RET_VOID",
            "+ offer alpha few when attach == ONE",
            "- offer alpha some",
            "+ offer beta few when attach == ONE",
            "- offer beta some",
        ]
    );
    let back = diff(at(2, 0), at(1, 2));
    assert!(back.contains(&"- offer alpha few when attach == ONE".to_owned()), "{back:?}");
    let other = text(
        "platform odd; use core; view odd size 8 { a: u64; } \
         prog_type alpha = 3 { ctx odd; helpers all; section \"alpha\"; }",
    );
    let found = diff(at(1, 0), (&other, Version::new(1, 0)));
    assert!(found.contains(&"~ prog_type alpha = 1 => = 3".to_owned()), "{found:?}");
    assert!(found.contains(&"- attach_type alpha ONE = 1".to_owned()), "{found:?}");
}

#[test]
fn methods_of_a_host_say_what_the_spec_says_of_their_results() {
    let mut sources = SourceMap::new();
    sources.add(
        "terms.bpfspec",
        "platform terms; use core::{ scalars, memory, context, ints, objects };
         view v size 8 { a: u64; }
         object row { id: u64; }
         helper roll = 1 { proto (sides: ARG_SCALAR) -> RET_INTEGER; returns 1..=20; }
         helper part = 2 { proto () -> RET_PTR_TO_MEM; returns bytes 16; lifetime run; }
         /// Looks a row up.
         kfunc row_get { proto (id: u64) -> row | PTR_MAYBE_NULL; lifetime until rows_move; }
         kfunc row_take { flags KF_ACQUIRE | KF_RET_NULL; proto (id: u64) -> row; }
         kfunc row_drop { flags KF_RELEASE; proto (row: row) -> void; }
         kfunc rows_move { proto () -> void; }
         prog_type run = 1 { ctx v; helpers all; kfuncs all; section \"run\"; }",
    );
    let rust = build(sources, &Options::default()).rust.expect("the spec is accepted");
    for (method, docs) in [
        ("roll", "Programs rely on a result in `1..=20`; with another, the run ends."),
        (
            "part",
            "The run keeps what it gives until it ends. It has at least 16 bytes; with fewer, the run ends.",
        ),
        ("row_get", "Programs have what it gives until `rows_move` is called, or the run ends."),
        (
            "row_take",
            "Programs must release what it gives. What a run leaves behind that ends early is given to `row_drop`.",
        ),
        ("rows_move", "Ends what was given until it is called."),
    ] {
        let at = rust.find(&format!("fn {method}(")).unwrap_or_else(|| panic!("no method {method}\n{rust}"));
        let before = rust[..at].trim_end().lines().next_back().unwrap_or_default().trim();
        assert_eq!(before, format!("/// {docs}"), "{method}");
    }
    assert!(!rust.contains("-> ()"), "{rust}");
}
