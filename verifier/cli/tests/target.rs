//! What comes from the target kernel (`--btf`, `--kconfig`, or the running one), objects that are
//! linked (`--link`), and what loaders make up for maps.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{jsonl, probity};

const OPTIONS: &str = "verifier/cli/tests/objects/options.o";
const TABLES: &str = "verifier/cli/tests/objects/tables.o";
const FIREWALL: &str = "tests/programs/xdp_firewall.o";
const BUG: &str = "tests/programs/xdp_firewall_bug.o";
const A: &str = "verifier/object/tests/fixtures/link_a.o";
const B: &str = "verifier/object/tests/fixtures/link_b.o";
const TYPES: &str = "verifier/object/tests/fixtures/link_a.o";

fn file(name: &str, bytes: &[u8]) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("target");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The section of types of an object, as a file of its own.
fn types() -> String {
    let bytes = fs::read(common::root().join(TYPES)).unwrap();
    let start = bytes.windows(4).position(|bytes| bytes == [0x9f, 0xeb, 1, 0]).unwrap();
    let word = |at: usize| u32::from_le_bytes(*bytes[start + at..].first_chunk().unwrap()) as usize;
    file("own.btf", &bytes[start..start + 24 + word(16) + word(20)])
}

/// A gzip file of one stored block, with a name in its header.
fn gzip(text: &[u8]) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap();
    let mut bytes = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    bytes.extend_from_slice(b"config\0\x01");
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&(!len).to_le_bytes());
    bytes.extend_from_slice(text);
    bytes.extend_from_slice(&[0; 8]);
    bytes
}

#[test]
fn options_come_from_a_file() {
    let text = |version: &str, bpf: &str| {
        format!("#\n# Linux/x86 {version} Kernel Configuration\n#\nCONFIG_HZ=250\n{bpf}\n")
    };
    let types = types();
    for (name, text, accepted) in [
        ("new", text("6.18.44", "CONFIG_BPF=y"), true),
        ("old", text("3.19.0", "CONFIG_BPF=y"), false),
        ("without", text("6.18.44", "# CONFIG_BPF is not set"), false),
    ] {
        for (kind, bytes) in [("plain", text.as_bytes().to_vec()), ("gz", gzip(text.as_bytes()))] {
            let config = file(&format!("{name}.{kind}"), &bytes);
            let run =
                probity(&["check", OPTIONS, "--program", "versions", "--kconfig", &config, "--btf", &types]);
            assert_eq!(run.code, i32::from(!accepted), "{config}: {}{}", run.out, run.err);
            assert_eq!(run.err, "", "nothing is taken from the running kernel");
        }
    }
}

#[test]
fn a_configuration_that_is_none_is_unreadable() {
    let mut cut = gzip(b"CONFIG_BPF=y\n");
    cut.truncate(25);
    for (name, bytes) in [("cut.gz", cut), ("head.gz", vec![0x1f, 0x8b, 8]), ("binary", vec![0xff; 64])] {
        let config = file(name, &bytes);
        let run = probity(&["check", OPTIONS, "--kconfig", &config]);
        assert_eq!((run.code, run.out.as_str()), (3, ""));
        assert!(run.err.contains(name), "{}", run.err);
    }
    assert_eq!(probity(&["check", OPTIONS, "--kconfig", "missing"]).code, 3);
}

#[test]
fn the_running_kernel_is_asked_and_that_is_said() {
    if !Path::new("/sys/kernel/btf/vmlinux").exists() || !Path::new("/proc/config.gz").exists() {
        println!("skipped: the running kernel shows no types or no configuration");
        return;
    }
    let run = probity(&["check", OPTIONS]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(run.err.lines().count(), 2, "{}", run.err);
    assert!(
        run.err.contains("/sys/kernel/btf/vmlinux") && run.err.contains("/proc/config.gz"),
        "{}",
        run.err
    );
    let (_, lines) = jsonl(&[OPTIONS]);
    for line in lines {
        let notes = line["notes"].as_array().unwrap();
        assert_eq!(notes.len(), 2, "{line}");
        assert!(notes[0].as_str().unwrap().contains("/sys/kernel/btf/vmlinux"), "{line}");
    }
    // What needs nothing of it is not told about it.
    assert_eq!(probity(&["check", FIREWALL]).err, "");
    assert_eq!(probity(&["disasm", OPTIONS]).err.lines().count(), 2);
}

#[test]
fn members_of_tables_are_named() {
    let run = probity(&["list", TABLES]);
    assert!(run.out.contains("on_init      struct_ops/tcp_congestion_ops.init "), "{}", run.out);
    assert!(run.out.contains("of_optional  ?struct_ops/tcp_congestion_ops.undo_cwnd "), "{}", run.out);
    let run = probity(&["list", TABLES, "--format", "jsonl"]);
    let optional: Vec<String> = run
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["optional"] == true)
        .map(|line| format!("{} {}", line["name"].as_str().unwrap(), line["struct_ops"]))
        .collect();
    // One in a table that is made is loaded, whatever its section says.
    assert_eq!(optional, ["of_optional \"tcp_congestion_ops.undo_cwnd\"", "of_none null"]);
    let (code, lines) = jsonl(&[TABLES, "--program", "undo"]);
    assert_eq!(code, 3);
    assert_eq!(lines[0]["struct_ops"], "tcp_congestion_ops.undo_cwnd");
    assert_eq!(lines[0]["verdict"], "unsupported");
}

#[test]
fn what_is_made_up_for_maps_is_said() {
    let run = probity(&["check", TABLES, "--program", "use_maps"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(run.err, "note: map sized_later has no max_entries, which user space sets: taken as 1\n");
    let (_, lines) = jsonl(&[TABLES, "--program", "use_maps"]);
    assert_eq!(lines[0]["notes"].as_array().unwrap().len(), 1);
}

#[test]
fn objects_are_linked() {
    let run = probity(&["list", "--link", A, B]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with(&format!("{A}+{B}  (licence GPL, 4 programs, 2 maps)\n")), "{}", run.out);
    let run = probity(&["disasm", "--link", A, B, "--program", "prog_b"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("chosen:\n") && run.out.contains("map[counts]"), "{}", run.out);
    assert_eq!(probity(&["disasm", A, B]).code, 2);
    let (_, lines) = jsonl(&["--link", A, B]);
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line["object"] == format!("{A}+{B}")));
}

#[test]
fn objects_that_do_not_fit_are_unreadable() {
    let run = probity(&["check", "--link", FIREWALL, BUG]);
    assert_eq!(run.code, 3);
    assert!(
        run.out.contains("is defined twice: in section ") && run.out.contains(&format!("of {BUG}")),
        "{}",
        run.out
    );
    let run = probity(&["check", "--link", FIREWALL, "missing.o"]);
    assert_eq!(run.code, 3);
    assert!(run.out.contains("missing.o: "), "{}", run.out);
}

#[test]
fn verdicts_are_those_of_what_bpftool_links() {
    const OBJECTS: [&str; 3] = [FIREWALL, "tests/programs/tc_counters.o", "tests/programs/kprobe_stack.o"];
    let out = file("by_bpftool.o", b"");
    let mut command = std::process::Command::new("bpftool");
    let linked = command.args(["gen", "object", &out]).args(OBJECTS).current_dir(common::root()).output();
    if !linked.is_ok_and(|output| output.status.success()) {
        println!("skipped: bpftool is not there, or does not link");
        return;
    }
    let said = |args: &[&str]| {
        let (code, mut lines) = jsonl(args);
        for line in &mut lines {
            let line = line.as_object_mut().unwrap();
            line.remove("object");
            line.remove("time_us");
        }
        (code, lines)
    };
    let ours = said(&[&["--link"], &OBJECTS[..]].concat());
    assert_eq!((ours.0, ours.1.len()), (0, 4));
    assert_eq!(ours, said(&[&out]));
}
