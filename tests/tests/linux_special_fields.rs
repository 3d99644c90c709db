//! Maps whose values have special fields: which programs may use them. The engine refuses as the
//! running kernel does, in its words; the tables' sizes and map types are the kernel's.

use std::fs;
use std::sync::Arc;

use probity_engine::{Verdict, verify};
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::{ProgType, SpecialField, SpecialFieldForm};
use probity_program::{Btf, MapDef, Program};
use probity_tests::kernel::{self, LoadOptions, OracleError};
use probity_tests::types::Types;

const RELEASE: &str = "6.18.";
/// Types of maps that hold values with BTF, in the shape that [`map`] gives them.
const MAPS: &[u32] = &[1, 2, 5, 6, 9, 10, 24, 28, 29, 32];
/// Types of local storages.
const STORAGES: &[u32] = &[24, 28, 29, 32];
const NO_PREALLOC: u32 = 1;
const INT: u32 = Types::INT;
const LONG: u32 = Types::LONG;

fn asked(test: &str) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !kernel::available() {
        kernel::skip(test);
        return false;
    }
    if !release.starts_with(RELEASE) {
        println!("skipped: {test}: the kernel is {}, not {RELEASE}", release.trim_end());
        return false;
    }
    true
}

/// A struct of so many bytes with a special name.
fn named(types: &mut Types, name: &str, size: u32) -> u32 {
    let inside = if size < 8 { INT } else { LONG };
    types.composite(name, size, &[("opaque", inside, 0)])
}

/// Types with a value that has the field so often: the types, the value's, its size.
fn value(field: &SpecialField, times: u32) -> (Arc<Btf>, u32, u32) {
    let mut types = Types::new();
    let ty = match field.form {
        SpecialFieldForm::Tag => {
            // What a task points to lies in the program's own types, what a kernel's object is not.
            let target = match field.name {
                "kptr" | "kptr_untrusted" => types.composite("task_struct", 4, &[("x", INT, 0)]),
                _ => types.composite("own", 8, &[("x", LONG, 0)]),
            };
            let tag = types.add(field.name, 18 << 24, target, &[]);
            types.add("", 2 << 24, tag, &[])
        }
        SpecialFieldForm::Struct => named(&mut types, field.name, field.size),
    };
    let each = field.size.next_multiple_of(8);
    let size = each * times + 16;
    let mut members: Vec<(&str, u32, u32)> =
        ["a", "b"].into_iter().zip(0..times).map(|(name, at)| (name, ty, at * each)).collect();
    let node = match field.name {
        "bpf_list_head" => Some("bpf_list_node"),
        "bpf_rb_root" => Some("bpf_rb_node"),
        _ => None,
    };
    let Some(node) = node else {
        members.push(("x", LONG, each * times));
        let value = types.composite("value", size, &members);
        return (types.done(), value, size);
    };
    // Lists and trees say what they hold, and need a lock.
    let row = PLATFORM.special_field(SpecialFieldForm::Struct, node).expect("a node");
    let link = named(&mut types, node, row.size);
    types.composite("item", row.size + 8, &[("node", link, 0), ("x", LONG, row.size)]);
    let lock = named(&mut types, "bpf_spin_lock", 4);
    members.push(("lock", lock, each * times));
    let value = types.composite("value", size, &members);
    for member in 0..times {
        types.add("contains:item:node", 17 << 24, value, &[member]);
    }
    (types.done(), value, size)
}

/// A program of a type that names a map with such a value, and nothing more.
fn program(prog_type: u32, map_type: u32, (btf, ty, size): &(Arc<Btf>, u32, u32)) -> Program {
    let mut map = MapDef::new(map_type, 4, *size, 4);
    if STORAGES.contains(&map_type) {
        (map.max_entries, map.flags) = (0, NO_PREALLOC);
    }
    (map.btf_key, map.btf_value) = (INT, *ty);
    let insns = vec![
        Insn::new(BPF_LD | BPF_IMM | BPF_DW, 1, 1, 0, 0),
        Insn::new(0, 0, 0, 0, 0),
        Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, 1),
        Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    ];
    let mut program = Program::from_insns(prog_type, insns);
    (program.maps, program.btf) = (vec![map], Some(btf.clone()));
    // Where an attach type must be named, the first one is.
    let row = PLATFORM.prog_type(prog_type).expect("declared");
    if !row.takes_attach(row.attach_type(0)) {
        program.attach_type = row.attach[0].number;
    }
    if row.sleep.must.is_some() {
        program.flags = probity_program::flags::SLEEPABLE;
    }
    program
}

/// Modelled, and built into the kernel whose answers are compared.
fn is_asked(prog: &ProgType) -> bool {
    const LIRC_MODE2: u32 = 20;
    prog.is_modelled(&PLATFORM.default_profile()) && prog.number != LIRC_MODE2
}

fn in_maps() -> impl Iterator<Item = &'static SpecialField> {
    PLATFORM.special_fields.iter().filter(|row| !row.maps.is_empty())
}

#[test]
fn every_field_has_its_size_and_its_maps() {
    assert_eq!(in_maps().count(), 12);
    for row in PLATFORM.special_fields {
        assert!(row.size > 0, "{}", row.name);
        assert!(!row.maps.is_empty() || row.name.ends_with("_node"), "{}", row.name);
    }
    let unique: Vec<&str> =
        PLATFORM.special_fields.iter().filter(|row| row.unique).map(|row| row.name).collect();
    assert_eq!(unique, ["bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_wq", "bpf_task_work"]);
}

#[test]
fn maps_have_the_fields_that_the_kernel_lets_them_have() {
    if !asked("maps_have_the_fields_that_the_kernel_lets_them_have") {
        return;
    }
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for row in in_maps() {
        let types = value(row, 1);
        for &map_type in MAPS {
            let created = kernel::create_map(&program(3, map_type, &types)).is_ok();
            asked += 1;
            if created != row.maps.contains(&map_type) {
                wrong.push(format!("{} in map type {map_type}: created: {created}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked, 12 * MAPS.len());
}

#[test]
fn programs_are_refused_in_the_kernels_words() {
    let (mut compared, mut refused) = (0, 0);
    let ask = asked("programs_are_refused_in_the_kernels_words");
    for row in in_maps() {
        for times in [1, 2] {
            // The kernel does not take the BTF then.
            if times == 2 && row.name == "bpf_spin_lock" {
                continue;
            }
            let types = value(row, times);
            let map_type = row.maps[0];
            for prog in PLATFORM.prog_types.iter().filter(|prog| is_asked(prog)) {
                let program = program(prog.number, map_type, &types);
                let report = verify(&program, &PLATFORM, &PLATFORM.profile(PLATFORM.version));
                let what = format!("{} x {times} in {}", row.name, prog.name);
                let finding = report.finding();
                let ours = match &report.verdict {
                    Verdict::Accepted(_) => (0, ""),
                    // What runs into the map is not modelled; that the program may use it is said.
                    Verdict::Unsupported(_) => (0, ""),
                    Verdict::Rejected(found) => (found.rejection.errno, finding.expect("it").last_line()),
                };
                refused += usize::from(ours.0 != 0);
                if !ask {
                    continue;
                }
                match kernel::load(&program, &LoadOptions::default()) {
                    Ok(verdict) => {
                        assert_eq!(ours, (verdict.errno, verdict.message.as_str()), "{what}");
                        compared += 1;
                    }
                    Err(OracleError::Map { .. }) => panic!("{what}: no map"),
                    Err(error) => panic!("{what}: {error}"),
                }
            }
        }
    }
    println!("{compared} compared, {refused} refused");
    assert_eq!(refused, 38);
    assert!(!ask || compared >= 400, "{compared}");
}
