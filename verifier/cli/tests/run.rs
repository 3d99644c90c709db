//! `probity run`: programs on input.

mod common;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use common::{Run, command, golden, probity};
use serde_json::{Value, json};

const FIREWALL: &str = "tests/programs/xdp_firewall.o";
const COUNTERS: &str = "tests/programs/tc_counters.o";
const RUN: &str = "verifier/cli/tests/objects/run.o";
const SYN: &str = "tests/programs/input/syn_ssh.hex";
const PCAP: &str = "tests/programs/input/five.pcap";
const SETTINGS: &str = "settings=tests/programs/input/settings.json";
const BLOCKED: &str = "blocked=tests/programs/input/blocked.json";

/// Text with the times out of it: `(812 ns)` and `(1.2 us)` are `(N ns)`.
fn timeless(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = ["ns", "us", "ms"].iter().find_map(|unit| word.strip_prefix(unit));
        match (unit, out.last_mut()) {
            (Some(rest), Some(last))
                if last.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit()) =>
            {
                *last = if last.starts_with('(') { "(N".into() } else { "N".into() };
                out.push(format!("ns{rest}"));
            }
            _ => out.push(word.to_owned()),
        }
    }
    out.join(" ")
}

/// Lines of JSON with the times out of them.
fn lines(run: &Run) -> Vec<Value> {
    let line = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        if value["time_ns"].is_u64() {
            value["time_ns"] = json!(0);
        }
        value
    };
    run.out.lines().map(line).collect()
}

/// A file for one test.
fn file(name: &str, content: &[u8]) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("run");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// Runs a program of the test's object, with `--format jsonl`.
fn jsonl(program: &str, args: &[&str]) -> (i32, Vec<Value>) {
    let run = probity(&[&["run", RUN, "--program", program, "--format", "jsonl"], args].concat());
    assert_eq!(run.err, "", "{program} {args:?}");
    (run.code, lines(&run))
}

#[test]
fn the_readme_shows_a_run() {
    let args = ["run", FIREWALL, "--packet", SYN, "--map", SETTINGS, "--dump-maps"];
    let run = probity(&args);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let found = timeless(&run.out);
    golden("run/readme.txt", &found);
    let readme = fs::read_to_string(common::root().join("README.md")).unwrap();
    assert!(readme.contains(&args.join(" ")), "README.md does not show the command");
    assert!(timeless(&readme).contains(&found), "README.md does not show this:\n{found}");
}

/// Whether an error says that this build has no JIT.
fn lacks_jit(run: &Run) -> bool {
    run.code == 3 && (run.out.clone() + &run.err).contains("this build has no JIT")
}

#[test]
fn all_engines_say_the_same() {
    for object in [FIREWALL, COUNTERS] {
        let args = ["run", object, "--packet", SYN, "--dump-maps", "--format", "jsonl"];
        let one = probity(&args);
        assert_eq!((one.code, one.err.as_str()), (0, ""), "{object}");
        for (flag, engine) in [("--checked", "checked"), ("--jit", "jit")] {
            let other = probity(&[&args[..], &[flag]].concat());
            if lacks_jit(&other) {
                println!("skipped: {flag}: this build has no JIT");
                continue;
            }
            assert_eq!((other.code, other.err.as_str()), (0, ""), "{object} {flag}");
            let mut wanted = lines(&one);
            wanted[0]["engine"] = json!(engine);
            assert_eq!(lines(&other), wanted, "{object} {flag}");
        }
    }
}

#[test]
fn a_changed_packet_is_shown_with_what_changed() {
    for (program, wanted) in [("swap", "XDP_TX (3)"), ("grow", "XDP_PASS (2)")] {
        let run = probity(&["run", RUN, "--program", program, "--packet", SYN]);
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        assert!(run.out.starts_with(wanted), "{}", run.out);
        golden(&format!("run/{program}.txt"), &timeless(&run.out));
    }
    let (code, lines) = jsonl("grow", &["--packet", SYN]);
    assert_eq!((code, &lines[0]["verdict"], &lines[0]["r0"]), (0, &json!("XDP_PASS"), &json!(2)));
    let (before, after) = (lines[0]["packet"]["before"].as_str(), lines[0]["packet"]["after"].as_str());
    assert_eq!(after.unwrap(), format!("0x01020304{}", before.unwrap().trim_start_matches("0x")));
}

#[test]
fn fields_of_the_context_are_set_and_shown() {
    let ctx = file("ctx.json", br#"{"priority": 41}"#);
    let run = probity(&["run", RUN, "--program", "mark", "--ctx", &ctx]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("run/mark.txt", &timeless(&run.out));
    let (_, lines) = jsonl("mark", &["--ctx", &ctx]);
    let changes = json!([
        {"field": "mark", "element": null, "before": 0, "after": 64},
        {"field": "cb", "element": 2, "before": 0, "after": 42},
    ]);
    assert_eq!(lines[0]["context"], changes);
    // IPv4, as the packet says.
    let (_, lines) = jsonl("mark", &["--packet", SYN]);
    assert_eq!((&lines[0]["verdict"], &lines[0]["context"]), (&json!("TC_ACT_OK"), &json!([])));
    let (_, lines) = jsonl("half", &["--packet", SYN]);
    assert_eq!((&lines[0]["verdict"], &lines[0]["r0"]), (&Value::Null, &json!(27)));
    let ctx = file("ctx_wrong.json", br#"{"nothing": 41}"#);
    let run = probity(&["run", RUN, "--program", "mark", "--ctx", &ctx]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("no field `nothing`; it has len, "), "{}", run.err);
}

#[test]
fn syscall_programs_take_bytes_or_fields() {
    let bytes: Vec<u8> = [3u64, 4, 5, 0].iter().flat_map(|number| number.to_le_bytes()).collect();
    let raw = file("args.bin", &bytes);
    let run = probity(&["run", RUN, "--program", "add", "--ctx", &raw]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("run/add.txt", &timeless(&run.out));
    let (_, lines) = jsonl("add", &["--ctx", &raw]);
    let after = lines[0]["context_bytes"]["after"].as_str().unwrap();
    assert!(after.ends_with("0c00000000000000"), "{after}");
    let fields = file("args.json", br#"{"args": [3, 4, 5]}"#);
    let (_, lines) = jsonl("add", &["--ctx", &fields]);
    assert_eq!(lines[0]["context"], json!([{"field": "args", "element": 3, "before": 0, "after": 12}]));
    let run = probity(&["run", RUN, "--program", "add"]);
    assert!(run.out.starts_with("r0 = -22 (0xffffffea)  add  (syscall, interpreter, "), "{}", run.out);
    let run = probity(&["run", RUN, "--program", "add", "--packet", SYN]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("called without a packet"), "{}", run.err);
    let run = probity(&["run", RUN, "--program", "mark", "--ctx", &raw]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no plain bytes"), "{}", run.err);
}

#[test]
fn captures_give_a_summary_by_verdict() {
    let run = probity(&["run", FIREWALL, "--pcap", PCAP, "--map", SETTINGS, "--map", BLOCKED]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("run/pcap.txt", &timeless(&run.out));
    let run = probity(&[
        "run",
        FIREWALL,
        "--pcap",
        PCAP,
        "--map",
        SETTINGS,
        "--map",
        BLOCKED,
        "--dump-maps",
        "--format",
        "jsonl",
    ]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let lines: Vec<String> = lines(&run).iter().map(|line| format!("{line}\n")).collect();
    golden("run/pcap.jsonl", &lines.concat());
}

#[test]
fn captures_that_are_none_are_refused() {
    let next = file("next.pcap", &[&[0x0a, 0x0d, 0x0d, 0x0a][..], &[0; 28]].concat());
    let run = probity(&["run", FIREWALL, "--pcap", &next]);
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    assert!(run.err.contains("pcapng file, which is unsupported"), "{}", run.err);
    assert_eq!(probity(&["run", FIREWALL, "--pcap", SYN]).code, 3);
    assert_eq!(probity(&["run", FIREWALL, "--pcap", "missing.pcap"]).code, 3);
    assert_eq!(probity(&["run", FIREWALL, "--pcap", PCAP, "--packet", SYN]).code, 2);
}

#[test]
fn maps_come_out_as_they_go_in() {
    let (code, first) = jsonl("count", &["--pcap", PCAP, "--dump-maps"]);
    assert_eq!(code, 0);
    let maps: Vec<&Value> = first.iter().filter(|line| line["kind"] == "map").collect();
    let mut args = Vec::new();
    for map in &maps {
        let name = map["name"].as_str().unwrap();
        let line = file(&format!("dump{name}.json"), map.to_string().as_bytes());
        args.push(format!("{name}={line}"));
    }
    let maps: Vec<String> = maps.iter().map(|map| format!("{map}\n")).collect();
    golden("run/maps.jsonl", &maps.concat());
    // Packets that the program gives up before it counts them by type.
    let empty = file("empty.bin", &[0]);
    let mut again = vec!["--packet", &empty, "--dump-maps"];
    for arg in &args {
        again.extend(["--map", arg]);
    }
    let (_, second) = jsonl("count", &again);
    let second: Vec<String> =
        second.iter().filter(|line| line["kind"] == "map").map(|map| format!("{map}\n")).collect();
    let counted = maps.concat().replace(r#"{"key":1,"values":[5]}"#, r#"{"key":1,"values":[6]}"#);
    assert_ne!(counted, maps.concat());
    assert_eq!(second.concat(), counted);
}

#[test]
fn global_variables_are_a_map_of_fields() {
    let limit = file("limit.json", br#"[{"key": 0, "value": {"limit": 50}}]"#);
    let (_, lines) = jsonl("count", &["--packet", SYN, "--map", &format!(".data={limit}")]);
    assert_eq!(lines[0]["verdict"], "XDP_DROP");
    let wrong = file("wrong.json", br#"[{"key": 0, "value": {"nothing": 50}}]"#);
    let run = probity(&["run", RUN, "--program", "count", "--map", &format!(".data={wrong}")]);
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    assert!(
        run.err.contains("element 0 of map run.data: value: there is no field `nothing`; there is limit"),
        "{}",
        run.err
    );
}

#[test]
fn wrong_maps_are_named() {
    let refused = |content: &str, code: i32, wanted: &str| {
        let file = file(&format!("flows{}.json", wanted.len()), content.as_bytes());
        let run = probity(&["run", RUN, "--program", "count", "--map", &format!("flows={file}")]);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{}", run.err);
        assert!(run.err.contains(wanted), "{}", run.err);
    };
    refused("{", 3, "no list of");
    refused(r#"[{"key": 1, "value": 1}]"#, 3, "key: it is a structure: give an object of fields");
    refused(r#"[{"key": "0x00", "value": 1}]"#, 3, "has 1 bytes, not 4");
    refused(r#"[{"key": {"protocol": 65536}, "value": {}}]"#, 3, "protocol: 65536 does not fit into 16 bits");
    refused(r#"[{"key": {}, "values": []}]"#, 3, "`values` is for maps of run slots");
    let run = probity(&["run", RUN, "--program", "count", "--map", "nothing=x.json"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no map `nothing`: it uses flows, run.data, totals"), "{}", run.err);
    assert_eq!(probity(&["run", RUN, "--program", "count", "--map", "flows"]).code, 2);
    assert_eq!(probity(&["run", RUN, "--program", "count", "--map", "flows=missing.json"]).code, 3);
}

#[test]
fn arrays_of_programs_are_filled_by_name() {
    let steps = file("steps.json", br#"[{"key": 1, "value": "swap"}]"#);
    for mode in [&[][..], &["--checked"], &["--jit"]] {
        if lacks_jit(&probity(&[&["run", RUN, "--program", "enter"], mode].concat())) {
            continue;
        }
        let (_, lines) = jsonl("enter", mode);
        assert_eq!(lines[0]["verdict"], "XDP_ABORTED");
        let (code, lines) =
            jsonl("enter", &[mode, &["--map", &format!("steps={steps}"), "--packet", SYN]].concat());
        assert_eq!((code, &lines[0]["verdict"]), (0, &json!("XDP_TX")));
    }
    let wrong = file("steps_wrong.json", br#"[{"key": 1, "value": "mark"}]"#);
    let run = probity(&["run", RUN, "--program", "enter", "--map", &format!("steps={wrong}")]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("claimed by programs of type"), "{}", run.err);
}

#[test]
fn what_is_not_accepted_does_not_run_but_checked() {
    let run = probity(&["run", RUN, "--program", "trusting"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    golden("run/not_accepted.txt", &run.err);
    let (code, lines) = jsonl("trusting", &[]);
    assert_eq!((code, &lines[0]["kind"], &lines[0]["code"]), (1, &json!("error"), &json!("maybe-null")));
    let run = probity(&["run", RUN, "--program", "trusting", "--checked"]);
    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("ended early  trusting  (xdp, checked interpreter)\n"), "{}", run.out);
    golden("run/fault.txt", &run.err);
    let (code, lines) = jsonl("trusting", &["--checked"]);
    assert_eq!((code, &lines[0]["kind"], &lines[0]["error"]["code"]), (1, &json!("run"), &json!("fault")));
    assert_eq!(
        lines[0]["error"]["source"]["text"].as_str().unwrap().trim(),
        "return *total ? XDP_PASS : XDP_DROP;"
    );
    // With an interface that has a place in the array there is a value.
    let ctx = file("interface.json", br#"{"ingress_ifindex": 4294967292}"#);
    let (code, lines) = jsonl("trusting", &["--checked", "--ctx", &ctx]);
    assert_eq!((code, &lines[0]["verdict"]), (0, &json!("XDP_DROP")));
}

#[test]
fn what_the_runtime_lacks_is_named() {
    let run = probity(&["run", RUN, "--program", "away"]);
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    golden("run/unsupported.txt", &run.err);
    let run = probity(&["run", FIREWALL, "--dump-asm", "--packet", SYN]);
    assert!(
        lacks_jit(&run) || (run.out.contains("entry:\n") && run.out.contains("main program:\n")),
        "{}{}",
        run.out,
        run.err
    );
    assert_eq!(probity(&["run", FIREWALL, "--jit", "--checked"]).code, 2);
}

#[test]
fn fuel_ends_a_run() {
    let (code, lines) = jsonl("swap", &["--fuel", "1000000"]);
    assert_eq!((code, &lines[0]["verdict"]), (0, &json!("XDP_TX")));
    let run = probity(&["run", COUNTERS, "--fuel", "1"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("used its fuel up"), "{}", run.err);
}

#[test]
fn repeated_runs_have_a_median_and_maps_keep_what_they_did() {
    let run = probity(&["run", RUN, "--program", "count", "--repeat", "1000", "--dump-maps"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains(", median of 1000 runs)\n"), "{}", run.out);
    assert!(run.out.contains("{\"key\":1,\"values\":[1000]}"), "{}", run.out);
    assert_eq!(probity(&["run", RUN, "--program", "count", "--repeat", "0"]).code, 2);
}

#[test]
fn a_program_must_be_there_and_be_named() {
    let run = probity(&["run", RUN]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(
        run.err.contains("say which program with --program: the object has swap, count, "),
        "{}",
        run.err
    );
    let run = probity(&["run", FIREWALL, "--program", "nothing"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no program `nothing`: the object has firewall"), "{}", run.err);
    assert_eq!(probity(&["run", "missing.o"]).code, 3);
    assert_eq!(probity(&["run"]).code, 2);
    assert_eq!(probity(&["run", "verifier/cli/tests/objects/empty.o"]).code, 3);
    let run = probity(&["run", "--help"]);
    assert!(run.out.contains("Exit codes:") && run.out.contains("Examples:"));
}

/// Runs the plugin with a program on stdin.
fn plugin(args: &[&str], program: &str) -> Run {
    let mut command = command(&[&["run", "--plugin"], args].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A plugin that does not like its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(program.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn the_plugin_speaks_with_the_conformance_runner() {
    // r0 = *(u32 *)(r1 +0); r0 += r2; exit. The runner puts two spaces between bytes.
    let program =
        "61  10  00  00  00  00  00  00  0f  20  00  00  00  00  00  00  95  00  00  00  00  00  00  00  \n";
    for mode in [&[][..], &["--checked"], &["--jit"]] {
        let run = plugin(&[&["01  02  03  84  "], mode].concat(), program);
        if lacks_jit(&run) {
            continue;
        }
        assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "84030205\n", ""));
    }
    let run = plugin(&["01 02", "03", "04"], program);
    assert_eq!(run.out, "4030205\n");
    // r0 = 7; exit, without memory.
    assert_eq!(plugin(&[], "b7 00 00 00 07 00 00 00 95 00 00 00 00 00 00 00").out, "7\n");
    // r0 <<= 68 is refused, and runs in the checked interpreter.
    let shift = "b7 00 00 00 01 00 00 00 67 00 00 00 44 00 00 00 95 00 00 00 00 00 00 00";
    let run = plugin(&[], shift);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("invalid shift 68"), "{}", run.err);
    assert_eq!(plugin(&["--checked"], shift).out, "10\n");
    let run = plugin(&["--elf"], shift);
    assert!(run.code == 3 && run.err.contains("without its --elf_format"), "{}", run.err);
    assert_eq!(plugin(&["xyz"], shift).code, 2);
    assert_eq!(plugin(&[], "b7 00").code, 3);
    assert_eq!(plugin(&[], "hello").code, 3);
    assert_eq!(plugin(&["--checked"], "95 00 00 00 00 00 00 00").code, 1);
}
