//! Which fields of kernel structs lead to pointers that the kernel trusts: the tables against what a
//! 6.18 kernel answered (`tests/data/linux/trust.json`), and that against the running one.

use std::collections::BTreeMap;
use std::fs;

use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::{Guard, Trust};
use probity_program::btf::{Kind, Type};
use probity_program::{Btf, Program};
use probity_tests::kernel::{self, LoadOptions, load::LOG_ALL};
use serde_json::Value;

const RELEASE: &str = "6.18.";
const TRACING: u32 = 26;
const RAW_TRACEPOINT: u32 = 23;

/// Rows of the tables that no kernel was asked about, and why.
const NOT_ASKED: &[(&str, &str)] = &[("socket", "nothing gives a trusted pointer to one")];

fn data() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/linux/trust.json");
    serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
}

fn word(trust: Trust) -> &'static str {
    match trust {
        Trust::Trusted => "trusted",
        Trust::TrustedOrNull => "trusted_or_null",
        Trust::Rcu => "rcu",
        Trust::RcuOrNull => "rcu_or_null",
    }
}

#[test]
fn the_tables_have_the_fields_that_the_kernel_trusts() {
    let file = data();
    let structs = file["structs"].as_object().expect("an object");
    assert!(structs.len() >= 20);
    for object in PLATFORM.objects {
        let Some(name) = object.btf else { continue };
        let ours: BTreeMap<&str, &str> =
            object.fields.iter().map(|field| (field.name, word(field.trust))).collect();
        assert!(object.fields.iter().all(|field| field.guard == Guard::Always), "{name}: hangs on a guard");
        match structs.get(name) {
            Some(known) => {
                let known = known.as_object().expect("an object");
                let theirs: BTreeMap<&str, &str> = known
                    .iter()
                    .map(|(field, trust)| (field.as_str(), trust.as_str().expect("a word")))
                    .collect();
                assert_eq!(ours, theirs, "{name}");
            }
            None => {
                let excused = NOT_ASKED.iter().any(|(row, _)| *row == name);
                assert!(ours.is_empty() || excused, "{name}: {ours:?} are nobody's answer");
            }
        }
    }
    // And none is missing.
    for (name, fields) in structs {
        let empty = fields.as_object().expect("an object").is_empty();
        assert!(empty || PLATFORM.objects.iter().any(|object| object.btf == Some(name)), "{name}");
    }
}

/// Where a field is in the kernel's struct; fields of anonymous structs are looked for too.
fn offset(btf: &Btf, ty: Type<'_>, field: &str) -> Option<u32> {
    let (Type::Struct(composite) | Type::Union(composite)) = ty else { return None };
    composite.members().find_map(|member| {
        if member.name == field {
            return Some(member.bit_offset / 8);
        }
        let inner = if member.name.is_empty() { btf.ty(member.ty) } else { None }?;
        Some(member.bit_offset / 8 + offset(btf, inner, field)?)
    })
}

fn load(dst: u8, src: u8, off: u32) -> Insn {
    Insn::new(BPF_LDX | BPF_MEM | BPF_DW, dst, src, i16::try_from(off).expect("a near field"), 0)
}

/// What r6 holds behind the instruction at `pc`, as the log prints it.
fn printed(log: &str, pc: usize) -> Option<String> {
    let own = format!("{pc}: (79)");
    let next = format!("{}: ", pc + 1);
    let line = log.lines().find(|line| line.starts_with(&own) && line.contains("; "));
    let value = |line: &str| {
        let (_, value) = line.rsplit_once("R6=")?;
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(value.len());
        Some(value[..end].to_owned())
    };
    line.and_then(value).or_else(|| log.lines().filter(|line| line.starts_with(&next)).find_map(value))
}

#[test]
fn the_running_kernel_trusts_them() {
    const TEST: &str = "the_running_kernel_trusts_them";
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let types = fs::read("/sys/kernel/btf/vmlinux").ok().and_then(|bytes| Btf::parse(&bytes).ok());
    if !kernel::available() {
        return kernel::skip(TEST);
    }
    let (true, Some(btf)) = (release.starts_with(RELEASE), types) else {
        println!("skipped: {TEST}: the kernel is {}, or has no BTF", release.trim_end());
        return;
    };
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for row in data()["asked"].as_array().expect("a list") {
        let tracepoint = row[0].as_str().expect("a name");
        if btf.find_by_name_kind(&format!("btf_trace_{tracepoint}"), Kind::Typedef).is_none() {
            println!("skipped: this kernel has no tracepoint {tracepoint}");
            continue;
        }
        let argument = u32::try_from(row[1].as_u64().expect("a number")).expect("small");
        let mut insns = vec![load(6, 1, 8 * argument)];
        let done = [Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, 0), Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)];
        for step in row[2].as_array().expect("a list") {
            let (name, field) = step.as_str().and_then(|step| step.split_once('.')).expect("struct.field");
            let ty = btf.find_by_name_kind(name, Kind::Struct).and_then(|id| btf.ty(id)).expect(name);
            // Null ends the program.
            insns.push(Insn::new(BPF_JMP | BPF_JNE, 6, 0, 2, 0));
            insns.extend(done);
            insns.push(load(6, 6, offset(&btf, ty, field).expect(field)));
        }
        let last = insns.len() - 1;
        insns.extend(done);
        let mut program = Program::from_insns(TRACING, insns);
        (program.attach_type, program.attach_to) = (RAW_TRACEPOINT, tracepoint.to_owned());
        let options = LoadOptions { log_level: LOG_ALL, ..LoadOptions::default() };
        let verdict = kernel::load(&program, &options).expect("a verdict");
        let theirs = printed(&verdict.log, last).unwrap_or(verdict.message);
        asked += 1;
        if row[3] != theirs.as_str() {
            wrong.push(format!("{tracepoint} {}: {theirs}, not {}", row[2], row[3]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 15, "{asked}");
}
