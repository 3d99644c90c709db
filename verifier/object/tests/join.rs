//! Objects that are linked into one: what counts, what is refused, and that it comes out as with
//! `bpftool gen object`.

mod common;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use common::{corpus, options};
use probity_isa::Insn;
use probity_object::{JoinError, LoadOptions, Object, ProgramError};
use probity_program::{
    Btf, Linkage, MapDef, Program,
    btf::{Kind, Type},
};

const A: &[u8] = include_bytes!("fixtures/link_a.o");
const B: &[u8] = include_bytes!("fixtures/link_b.o");
const CALLS: &[u8] = include_bytes!("fixtures/calls.o");
const EXTERNS: &[u8] = include_bytes!("fixtures/externs.o");
const LEGACY: &[u8] = include_bytes!("fixtures/legacy.o");

fn values() -> BTreeMap<String, String> {
    [("LINUX_KERNEL_VERSION", "0x061200"), ("CONFIG_BPF_SYSCALL", "y")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Types of a kernel that has what the fixtures ask for: their own.
fn target() -> Btf {
    Object::parse(A).unwrap().btf().unwrap().as_ref().clone()
}

fn load(object: &Object, name: &str) -> Program {
    let (values, target) = (values(), target());
    let options = LoadOptions { kconfig: Some(&values), target: Some(&target), ..options() };
    object.program(name, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn functions(program: &Program) -> Vec<(&str, Linkage)> {
    program.funcs.iter().map(|func| (func.name.as_str(), func.linkage)).collect()
}

#[test]
fn definitions_are_found_in_the_other_object() {
    let object = Object::join(&[("a.o", A), ("b.o", B)]).unwrap();
    let names: Vec<_> = object.programs().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["prog_a", "prog_b", "kernel_a", "kernel_b"]);
    let maps: Vec<_> = object.maps().iter().map(|map| map.def.name.as_str()).collect();
    assert_eq!(maps, ["counts", "only_b"]);
    let program = load(&object, "prog_a");
    assert_eq!(
        functions(&program),
        [
            ("prog_a", Linkage::Global),
            ("chosen", Linkage::Global),
            ("twin", Linkage::Static),
            ("visible_b", Linkage::Global),
            ("hidden_b", Linkage::Static),
            ("twin", Linkage::Static),
        ]
    );
    // The one that is not weak counts, with its own lines.
    let chosen = program.line(program.funcs[1].pc).unwrap();
    assert_eq!((&*chosen.file, &*chosen.text), ("./link_b.c", "\treturn twin(x) + 200;"));
    let types: Vec<_> = program.funcs.iter().map(|func| func.btf_id).collect();
    let btf = program.btf.as_ref().unwrap();
    assert!(types.iter().all(|id| btf.kind(probity_program::btf::TypeId(*id)) == Some(Kind::Func)));
    assert_ne!(types[2], types[5], "static functions of the same name stay two");
    // Data of both, the second behind the first at its alignment.
    let data = program.maps.iter().find(|map| map.name == ".data").unwrap();
    assert_eq!(data.contents.as_deref(), Some(&[1, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0][..]));
    let kconfig = program.maps.iter().find(|map| map.name == ".kconfig").unwrap();
    assert_eq!(kconfig.contents.as_deref(), Some(&[0, 0x12, 6, 0, 1][..]));
}

#[test]
fn types_of_both_are_one() {
    let object = Object::join(&[("a.o", A), ("b.o", B)]).unwrap();
    let btf = object.btf().unwrap();
    let count =
        |name: &str, kind: Kind| btf.types().filter(|(_, ty)| ty.name() == name && ty.kind() == kind).count();
    assert_eq!(count("value", Kind::Struct), 1, "with a pointer to itself");
    assert_eq!((count("int", Kind::Int), count("task_struct", Kind::Struct)), (1, 1));
    assert_eq!(
        (count("chosen", Kind::Func), count("hidden_b", Kind::Func), count("twin", Kind::Func)),
        (1, 1, 2)
    );
    assert_eq!((count("counts", Kind::Var), count("same_name", Kind::Var)), (1, 2));
    for (_, ty) in btf.types() {
        let Type::Datasec(section) = ty else { continue };
        assert_eq!(count(section.name, Kind::Datasec), 1);
        let mut end = 0;
        for var in section.vars() {
            let Some(Type::Var { linkage, .. }) = btf.ty(var.var) else { continue };
            if linkage != Linkage::Extern {
                assert!(var.offset >= end, "{}: variables overlap", section.name);
                end = var.offset + var.size;
            }
        }
    }
}

#[test]
fn declarations_of_the_kernel_are_one() {
    let object = Object::join(&[("a.o", A), ("externs.o", EXTERNS)]).unwrap();
    let mut names: Vec<_> = object.kconfig_names().collect();
    names.sort_unstable();
    assert_eq!(names.len(), 5);
    assert_eq!(load(&object, "kernel_a").ksyms, ["runqueues"]);
    assert!(object.programs().iter().any(|entry| entry.name == "kfuncs"));
    let options = options();
    let program = object.program("kfuncs", &options).unwrap();
    assert_eq!(program.kfuncs, ["bpf_task_acquire", "bpf_task_release", "no_such_kfunc"]);
}

#[test]
fn one_object_stays_what_it_is() {
    let alone = Object::parse(CALLS).unwrap();
    let joined = Object::join(&[("calls.o", CALLS)]).unwrap();
    same(&alone, &joined, "calls.o");
    assert!(Object::join(&[]).unwrap().programs().is_empty());
}

#[test]
fn objects_without_types_are_linked() {
    let object = Object::join(&[("legacy.o", LEGACY), ("b.o", B)]).unwrap();
    assert_eq!(object.maps().len(), 4);
    let program = object.program("filter", &options()).unwrap();
    assert_eq!(program.insns, Object::parse(LEGACY).unwrap().program("filter", &options()).unwrap().insns);
}

#[test]
fn two_definitions_are_an_error_with_both_places() {
    let error = Object::join(&[("a.o", A), ("again.o", A)]).unwrap_err();
    let JoinError::Duplicate { first, second, .. } = &error else { panic!("{error}") };
    assert_eq!((first.as_str(), second.as_str()), ("a.o", "again.o"));
    let text = error.to_string();
    assert!(text.contains("section ") && text.contains(" of a.o") && text.contains(" of again.o"), "{text}");
}

#[test]
fn declarations_must_agree() {
    let other = include_bytes!("../../cli/tests/objects/options.o");
    let error = Object::join(&[("externs.o", EXTERNS), ("options.o", other)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "CONFIG_BPF is in options.o and in externs.o, and differs: a variable of 1 bytes, and of 4: make them alike"
    );
}

#[test]
fn licences_must_agree() {
    let mut other = B.to_vec();
    let at = other.windows(4).rposition(|bytes| bytes == b"GPL\0").unwrap();
    other[at] = b'X';
    let error = Object::join(&[("a.o", A), ("b.o", &other)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "section license is in a.o and in b.o, and differs: `GPL` and `XPL`: make them alike"
    );
    let error = Object::join(&[("a.o", A), ("b.o", b"nothing")]).unwrap_err();
    assert!(error.to_string().starts_with("b.o: not an ELF object"), "{error}");
}

/// An object's name and bytes.
type Input = (&'static str, Vec<u8>);

#[test]
fn it_comes_out_as_with_bpftool() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut cases: Vec<(&str, Vec<Input>)> = vec![
        ("ab", vec![("a.o", A.to_vec()), ("b.o", B.to_vec())]),
        ("ba", vec![("b.o", B.to_vec()), ("a.o", A.to_vec())]),
    ];
    if let Some(corpus) = corpus() {
        let read = |name: &str| fs::read(corpus.join("selftests").join(name)).unwrap();
        let both =
            vec![("1.o", read("test_static_linked1.bpf.o")), ("2.o", read("test_static_linked2.bpf.o"))];
        cases.push(("static", both));
    }
    for (name, inputs) in cases {
        let mut command = Command::new("bpftool");
        let out = folder.join(format!("join-{name}.o"));
        command.args(["gen", "object"]).arg(&out);
        for (input, bytes) in &inputs {
            let path = folder.join(format!("join-{name}-{input}"));
            fs::write(&path, bytes).unwrap();
            command.arg(path);
        }
        match command.output() {
            Err(_) => {
                println!("skipped: bpftool is not there");
                return;
            }
            Ok(output) if !output.status.success() => {
                panic!("{name}: {}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(_) => {}
        }
        let theirs = Object::parse(&fs::read(&out).unwrap()).unwrap();
        let inputs: Vec<(&str, &[u8])> =
            inputs.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        same(&theirs, &Object::join(&inputs).unwrap(), name);
    }
}

/// Neighbours in the corpus, which have nothing to do with each other: what bpftool links, we link, and
/// to the same.
#[test]
fn neighbours_of_the_corpus_come_out_as_with_bpftool() {
    let Some(corpus) = corpus() else { return };
    if Command::new("bpftool").arg("version").output().is_err() {
        println!("skipped: bpftool is not there");
        return;
    }
    let mut paths: Vec<_> =
        fs::read_dir(corpus.join("selftests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("neighbours.o");
    let target = Btf::parse(&fs::read(corpus.join("vmlinux-6.18.44.btf")).unwrap()).unwrap();
    let values = common::kconfig(&corpus);
    let options = LoadOptions { kconfig: Some(&values), target: Some(&target), ..options() };
    let (mut linked, mut refused, mut more, mut differ) = (0, 0, 0, Vec::new());
    for pair in paths.windows(2) {
        let theirs = Command::new("bpftool").args(["gen", "object"]).arg(&out).args(pair).output().unwrap();
        let bytes = [fs::read(&pair[0]).unwrap(), fs::read(&pair[1]).unwrap()];
        let ours = Object::join(&[("0", bytes[0].as_slice()), ("1", bytes[1].as_slice())]);
        let name =
            pair.iter().map(|path| path.file_stem().unwrap().to_string_lossy()).collect::<Vec<_>>().join(" ");
        match (theirs.status.success(), ours) {
            (true, Ok(ours)) => {
                linked += 1;
                let found = differences(&Object::parse(&fs::read(&out).unwrap()).unwrap(), &ours, &options);
                differ.extend(found.iter().map(|found| format!("{name}: {found}")));
            }
            (false, Err(_)) => refused += 1,
            (true, Err(error)) => differ.push(format!("{name}: {error}")),
            // Functions of the kernel in both, licences of which one is constant: libbpf 1.1 does not.
            (false, Ok(_)) => more += 1,
        }
    }
    println!("{linked} linked by both, {refused} refused by both, {more} by bpftool alone");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(linked > 100);
}

/// Both have the same programs, maps, data and lines.
fn same(theirs: &Object, ours: &Object, name: &str) {
    let (values, target) = (values(), target());
    let options = LoadOptions { kconfig: Some(&values), target: Some(&target), ..options() };
    let differ = differences(theirs, ours, &options);
    assert!(differ.is_empty(), "{name}: {}", differ.join("\n"));
}

/// An instruction as both have it: without the number of a symbol that the target lacks.
fn bare(insn: &Insn) -> Insn {
    const LACKING: i32 = 2_002_000_000;
    let is_lacking = insn.code == 0x85 && insn.src == 0 && insn.imm >= LACKING;
    Insn { imm: if is_lacking { LACKING } else { insn.imm }, ..*insn }
}

fn differences(theirs: &Object, ours: &Object, options: &LoadOptions<'_>) -> Vec<String> {
    let mut differ = Vec::new();
    let names = |object: &Object| -> Vec<_> {
        let entries = object.programs().iter();
        entries.map(|entry| (entry.name.clone(), entry.section.clone(), entry.insns)).collect()
    };
    if names(theirs) != names(ours) || theirs.license() != ours.license() {
        return vec![format!("{:?} {:?}", names(theirs), names(ours))];
    }
    for entry in theirs.programs() {
        let at = &entry.name;
        let (x, y) = match (theirs.program(at, options), ours.program(at, options)) {
            (Ok(x), Ok(y)) => (x, y),
            (x, y) => {
                let text =
                    |program: Result<Program, ProgramError>| program.err().map(|error| error.to_string());
                let (x, y) = (text(x), text(y));
                if x != y {
                    differ.push(format!("{at}: {x:?} {y:?}"));
                }
                continue;
            }
        };
        if x.insns.len() != y.insns.len() {
            differ.push(format!("{at}: {} and {} instructions", x.insns.len(), y.insns.len()));
            continue;
        }
        let insns = x.insns.iter().zip(&y.insns).enumerate();
        if let Some((pc, (x, y))) = insns.clone().find(|(_, (x, y))| bare(x) != bare(y)) {
            differ.push(format!("{at}: {pc}: {x:?} {y:?}"));
        }
        if x.lines != y.lines {
            differ.push(format!("{at}: lines"));
        }
        if functions(&x) != functions(&y) {
            differ.push(format!("{at}: {:?} {:?}", functions(&x), functions(&y)));
        }
        if (&x.kfuncs, &x.ksyms) != (&y.kfuncs, &y.ksyms) {
            differ.push(format!("{at}: externs"));
        }
        for (x, y) in x.maps.iter().zip(&y.maps) {
            if (MapDef { btf_key: 0, btf_value: 0, ..x.clone() })
                != (MapDef { btf_key: 0, btf_value: 0, ..y.clone() })
            {
                differ.push(format!("{at}: {x:?} {y:?}"));
            }
        }
    }
    differ
}
