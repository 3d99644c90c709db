//! Programs of our own objects: the sources stand beside them, in `fixtures/`.

mod common;

use std::collections::BTreeMap;

use common::{DATA, corpus, options};
use probity_object::{LoadOptions, Object, ProgramError};
use probity_program::{Btf, Linkage, Program};

const CALLS: &[u8] = include_bytes!("fixtures/calls.o");
const EXTERNS: &[u8] = include_bytes!("fixtures/externs.o");
const LEGACY: &[u8] = include_bytes!("fixtures/legacy.o");
const KINDS: &[u8] = include_bytes!("fixtures/kinds.o");
const KINDS_TARGET: &[u8] = include_bytes!("fixtures/kinds_target.o");

fn load(bytes: &[u8], name: &str) -> Program {
    Object::parse(bytes).unwrap().program(name, &options()).unwrap()
}

/// Calls and loads of functions: where they are, and where they go.
fn targets(program: &Program) -> Vec<(usize, usize)> {
    let insns = program.insns.iter().enumerate();
    insns
        .filter(|(_, insn)| (insn.code == 0x85 && insn.src == 1) || (insn.code == 0x18 && insn.src == 4))
        .map(|(pc, insn)| (pc, pc.wrapping_add_signed(insn.imm as isize + 1)))
        .collect()
}

#[test]
fn programs_are_listed() {
    let object = Object::parse(CALLS).unwrap();
    let list: Vec<_> = object
        .programs()
        .iter()
        .map(|entry| (entry.name.as_str(), entry.section.as_str(), entry.insns, entry.is_optional))
        .collect();
    assert_eq!(
        list,
        [
            ("second_program", "one/two", 17, false),
            ("first_program", "one/two", 15, false),
            ("third_program", "?two", 2, true),
        ]
    );
    assert_eq!(object.license(), "Dual MIT/GPL");
}

#[test]
fn subprograms_are_appended_in_the_order_of_calls() {
    let program = load(CALLS, "first_program");
    let funcs: Vec<_> =
        program.funcs.iter().map(|func| (func.pc, func.name.as_str(), func.linkage)).collect();
    assert_eq!(
        funcs,
        [
            (0, "first_program", Linkage::Global),
            (15, "body", Linkage::Static),
            (33, "middle", Linkage::Static),
            (48, "leaf", Linkage::Static),
            (54, "visible", Linkage::Global),
        ]
    );
    assert_eq!(program.insns.len(), 61);
    assert_eq!(targets(&program), [(3, 15), (9, 54), (12, 33), (27, 33), (41, 48), (54, 48)]);
    assert!(program.funcs.iter().all(|func| func.btf_id != 0));
    assert_eq!(program.attach_to, "two");
    assert_eq!(program.section, "one/two");
}

#[test]
fn hidden_functions_are_static() {
    let program = load(CALLS, "second_program");
    let hidden = program.funcs.iter().find(|func| func.name == "hidden").unwrap();
    assert_eq!(hidden.linkage, Linkage::Static);
}

#[test]
fn lines_follow_their_instructions() {
    let program = load(CALLS, "first_program");
    assert!(program.lines.is_sorted_by_key(|line| line.pc));
    let line = program.line(59).unwrap();
    assert!(line.file.ends_with("calls.c"));
    assert_eq!(&*line.text, "\treturn leaf(x) + limit;");
    let line = program.line(0).unwrap();
    assert!(line.text.contains("bpf_loop(limit"));
    assert!(line.column > 0);
}

#[test]
fn maps_stand_in_the_order_of_use() {
    let program = load(CALLS, "first_program");
    let names: Vec<_> = program.maps.iter().map(|map| map.name.as_str()).collect();
    assert_eq!(names, [".rodata", "counts", ".bss", ".data"]);
    let rodata = &program.maps[0];
    assert_eq!(rodata.contents.as_deref(), Some(&[7, 0, 0, 0][..]));
    assert_eq!((rodata.map_type, rodata.key_size, rodata.value_size, rodata.max_entries), (2, 4, 4, 1));
    assert_eq!(rodata.flags, DATA.rdonly_flag | DATA.mmapable_flag);
    assert!(rodata.frozen);
    let counts = &program.maps[1];
    assert_eq!((counts.map_type, counts.key_size, counts.value_size), (1, 4, 16));
    assert_eq!((counts.max_entries, counts.flags), (16, 1));
    let btf = program.btf.as_ref().unwrap();
    assert_eq!(btf.name(probity_program::btf::TypeId(counts.btf_value)), Some("value"));
    assert_eq!(program.maps[2].contents.as_deref(), Some(&[0; 8][..]));
    assert_eq!(program.maps[3].contents.as_deref(), Some(&[3, 0, 0, 0][..]));
    assert!(!program.maps[3].frozen);
    // The load of `limit`: a map's value, at the variable's offset.
    assert_eq!((program.insns[0].src, program.insns[0].imm, program.insns[1].imm), (2, 0, 0));
}

#[test]
fn inner_maps_follow_their_outer_maps() {
    let program = load(CALLS, "second_program");
    let names: Vec<_> = program.maps.iter().map(|map| map.name.as_str()).collect();
    assert_eq!(names, ["outer", "outer.inner", "jumps", ".data"]);
    assert_eq!(program.maps[0].inner, Some(1));
    assert_eq!((program.maps[0].key_size, program.maps[0].value_size), (4, 4));
    assert_eq!((program.maps[1].map_type, program.maps[1].value_size), (2, 8));
    assert_eq!(program.maps[2].inner, None);
    assert_eq!((program.insns[10].src, program.insns[10].imm), (1, 2));
    let object = Object::parse(CALLS).unwrap();
    let slots = |name: &str| {
        let mut maps = object.maps().iter();
        maps.find(|map| map.def.name == name).unwrap().slots.clone()
    };
    assert_eq!(slots("outer"), [(0, "first".into()), (1, "second".into())]);
    assert_eq!(slots("jumps"), [(1, "second_program".into())]);
}

#[test]
fn legacy_maps_have_numbers_only() {
    let program = load(LEGACY, "filter");
    assert_eq!(program.maps.len(), 2);
    assert_eq!((program.maps[0].name.as_str(), program.maps[0].value_size), ("two", 16));
    let one = &program.maps[1];
    assert_eq!((one.map_type, one.key_size, one.value_size, one.max_entries, one.flags), (1, 4, 8, 100, 1));
    assert_eq!(targets(&program), [(2, 9), (6, 9)]);
    let names: Vec<_> = program.funcs.iter().map(|func| (func.pc, func.name.as_str(), func.btf_id)).collect();
    assert_eq!(names, [(0, "filter", 0), (9, "get", 0)]);
    assert!(program.btf.is_none() && program.lines.is_empty());
}

#[test]
fn externs_are_named() {
    let program = load(EXTERNS, "kfuncs");
    assert_eq!(program.kfuncs, ["bpf_task_acquire", "bpf_task_release", "no_such_kfunc"]);
    assert_eq!(program.ksyms, ["no_such_kfunc"]);
    assert_eq!((program.insns[4].src, program.insns[4].imm), (2, 1));
    let program = load(EXTERNS, "ksyms");
    assert_eq!(program.ksyms, ["runqueues", "no_such_variable"]);
    // The one without a type is a number.
    assert_eq!((program.insns[0].src, program.insns[2].src), (0, 3));
}

#[test]
fn what_needs_the_kernel_says_so_without_it() {
    let object = Object::parse(EXTERNS).unwrap();
    let error = object.program("options", &options()).unwrap_err();
    assert!(error.to_string().contains("unsupported: .kconfig extern LINUX_KERNEL_VERSION"));
    let error = object.program("fields", &options()).unwrap_err();
    assert!(error.to_string().contains("CO-RE relocation (field_exists)"));
    let error = object.program("nothing", &options()).unwrap_err();
    assert_eq!(error, ProgramError::NotFound { program: "nothing".into() });
    let nothing = |_: &str| None;
    let error = object.program("fields", &LoadOptions::new(&nothing, DATA)).unwrap_err();
    assert!(matches!(error, ProgramError::UnknownSection { section, .. } if section == "kernel"));
}

#[test]
fn options_come_from_the_configuration() {
    let object = Object::parse(EXTERNS).unwrap();
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    values.insert("LINUX_KERNEL_VERSION".into(), "0x061200".into());
    values.insert("CONFIG_BPF".into(), "m".into());
    values.insert("CONFIG_DEFAULT_HOSTNAME".into(), "\"(none)\"".into());
    let mut options = options();
    options.kconfig = Some(&values);
    let program = object.program("options", &options).unwrap();
    let map = &program.maps[0];
    assert!(map.frozen && map.name == ".kconfig");
    let contents = map.contents.as_deref().unwrap();
    let at = |pc: usize| program.insns[pc + 1].imm as usize;
    assert_eq!(contents[at(0)..][..4], 0x0006_1200u32.to_le_bytes());
    assert_eq!(contents[at(3)..][..4], [2, 0, 0, 0]);
    assert_eq!(contents[at(7)], 0);
    assert_eq!(&contents[at(11)..][..7], b"(none)\0");
    let mut wrong = values.clone();
    wrong.insert("CONFIG_BPF".into(), "maybe".into());
    options.kconfig = Some(&wrong);
    let error = object.program("options", &options).unwrap_err();
    assert!(error.to_string().contains("its value maybe does not fit its type"));
}

#[test]
fn fields_are_where_the_target_has_them() {
    let Some(corpus) = corpus() else {
        return;
    };
    let target = Btf::parse(&std::fs::read(corpus.join("vmlinux-6.18.44.btf")).unwrap()).unwrap();
    let object = Object::parse(EXTERNS).unwrap();
    let mut options = options();
    options.target = Some(&target);
    let program = object.program("fields", &options).unwrap();
    assert_eq!(program.insns[0].imm, 0, "the member does not exist");
    assert_eq!((program.insns[2].code, program.insns[2].imm), (0x85, 0x0bad_2310));
    let task = target.find_by_name_kind("task_struct", probity_program::btf::Kind::Struct).unwrap();
    let tgid = target.member(task, "tgid").unwrap();
    assert_eq!(program.insns[4].imm.cast_unsigned(), tgid.bit_offset / 8);
    // Weak externs that the target lacks are null.
    let program = object.program("kfuncs", &options).unwrap();
    assert_eq!(program.kfuncs, ["bpf_task_acquire", "bpf_task_release"]);
    assert_eq!((program.insns[6].src, program.insns[6].imm), (0, 0));
    let program = object.program("ksyms", &options).unwrap();
    assert_eq!(program.ksyms, ["runqueues"]);
}

#[test]
fn core_relocations_of_every_kind_are_as_libbpf_has_them() {
    let target = Object::parse(KINDS_TARGET).unwrap().btf().unwrap().as_ref().clone();
    let object = Object::parse(KINDS).unwrap();
    assert!(object.wants_target() && !Object::parse(LEGACY).unwrap().wants_target());
    let mut options = options();
    options.target = Some(&target);
    let text = include_str!("fixtures/kinds.libbpf.txt");
    assert_eq!(text.lines().count(), object.programs().len());
    for line in text.lines() {
        let (head, insns) = line.split_once(": ").unwrap();
        let name = head.split(' ').nth(1).unwrap();
        let program = object.program(name, &options).unwrap();
        let ours: Vec<String> = program
            .insns
            .iter()
            .map(|insn| {
                // A map is a descriptor there.
                let imm = if insn.code == 0x18 && insn.src == 2 { 4 } else { insn.imm };
                format!("{:02x}.{:x}{:x}.{}.{imm}", insn.code, insn.dst, insn.src, insn.off)
            })
            .collect();
        assert_eq!(ours.join(" "), insns, "{name}");
    }
}

#[test]
fn maps_of_data_have_the_name_of_the_object_as_libbpf_makes_it() {
    let mut object = Object::parse(CALLS).unwrap();
    let mut names = |file: &str| {
        object.set_name(file);
        let program = object.program("first_program", &options()).unwrap();
        let names: Vec<_> = program.maps.iter().map(|map| map.name.clone()).collect();
        names.join(" ")
    };
    assert_eq!(names("foo.o"), "foo.rodata counts foo.bss foo.data");
    assert_eq!(names("averyveryverylongname.o"), "averyver.rodata counts averyver.bss averyver.data");
    assert_eq!(names("my-ob.bpf.o"), "my_ob.rodata counts my_ob.bss my_ob.data");
    assert_eq!(names(""), ".rodata counts .bss .data");
}

#[test]
fn old_definitions_know_inner_maps() {
    for (bytes, pinning, node) in [
        (&include_bytes!("fixtures/old_inner.o")[..], 0, Some(3)),
        (&include_bytes!("fixtures/old_inner_tc.o")[..], 2, None),
    ] {
        let object = Object::parse(bytes).unwrap();
        let outer = object.maps().iter().find(|map| map.def.name == "outer").unwrap();
        assert_eq!((outer.pinning, outer.numa_node), (pinning, node));
        let program = object.program("filter", &options()).unwrap();
        assert_eq!(program.maps.len(), 1, "nobody said which types are of maps");
        let of_maps = |map_type: u32| map_type == 12;
        let mut options = options();
        options.is_of_maps = &of_maps;
        let program = object.program("filter", &options).unwrap();
        assert_eq!(program.maps[0].inner, Some(1));
        let inner = &program.maps[1];
        assert_eq!((inner.name.as_str(), inner.map_type, inner.value_size), ("outer.inner", 1, 8));
    }
}

#[test]
fn externs_that_the_target_lacks_are_named() {
    let object = Object::parse(EXTERNS).unwrap();
    let own = object.btf().unwrap().as_ref().clone();
    let (empty, mut options) = (Btf::default(), options());
    options.target = Some(&empty);
    assert_eq!(object.program("kfuncs", &options).unwrap().kfuncs.len(), 2, "taken as present");
    options.strict_externs = true;
    // A structure that is only declared is not that of the kernel: libbpf says so too.
    let error = object.program("kfuncs", &options).unwrap_err().to_string();
    assert!(
        error.contains("bpf_task_acquire: the target's types have no such function, and it is not __weak"),
        "{error}"
    );
    let error = object.program("ksyms", &options).unwrap_err().to_string();
    assert!(error.contains("runqueues: the target's types have no such variable"), "{error}");
    // A target that has them all, with these types.
    options.target = Some(&own);
    assert_eq!(object.program("kfuncs", &options).unwrap().kfuncs.len(), 3);
    assert_eq!(object.program("ksyms", &options).unwrap().ksyms.len(), 2);
}

#[test]
fn externs_of_another_type_are_refused() {
    let Some(corpus) = corpus() else {
        return;
    };
    let target = Btf::parse(&std::fs::read(corpus.join("vmlinux-6.18.44.btf")).unwrap()).unwrap();
    let mut options = options();
    (options.target, options.strict_externs) = (Some(&target), true);
    let object = Object::parse(include_bytes!("fixtures/wrong_types.o")).unwrap();
    for (program, what) in [("function", "a function"), ("variable", "a variable"), ("weak", "a function")] {
        let error = object.program(program, &options).unwrap_err().to_string();
        assert!(error.contains(&format!("the target has {what} of this name with another type")), "{error}");
    }
}
