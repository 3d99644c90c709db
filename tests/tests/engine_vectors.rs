//! Small programs against what Linux 6.18.44 computed: links between registers, the way through
//! the stack, arithmetic on pointers and accesses through them.
//!
//! The vectors in `../shared/domain` are described in the README there. A sample of them is in
//! `tests/data/domain` and is always run; the whole set is run when it is there. Each vector becomes
//! a program that starts with the vector's inputs in its registers; what is observed after the
//! instruction of interest is compared: all ten numbers, links, verdict, message.

use std::{collections::BTreeMap, fmt::Debug, fs, path::Path};

use probity_engine::{
    Finding,
    domain::{Scalar, Tnum},
    explore::walk::Observer,
    state::{ADD_CONST, Reg, State},
    verify::verify_from,
};
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::Behaviour;
use probity_program::{MapDef, Program};
use probity_tests::conformance::asm;
use rayon::prelude::*;
use serde::Deserialize;

const SOCKET_FILTER: u32 = 1;
const ARRAY: u32 = 2;

/// A value as written: `s`, `u`, `s32`, `u32` and `t`.
#[derive(Deserialize, Clone, Copy)]
struct Value {
    s: (i64, i64),
    u: (u64, u64),
    s32: (i32, i32),
    u32: (u32, u32),
    t: (u64, u64),
}

impl From<Value> for Scalar {
    fn from(v: Value) -> Scalar {
        Scalar {
            tnum: Tnum { value: v.t.0, mask: v.t.1 },
            umin: v.u.0,
            umax: v.u.1,
            smin: v.s.0,
            smax: v.s.1,
            u32_min: v.u32.0,
            u32_max: v.u32.1,
            s32_min: v.s32.0,
            s32_max: v.s32.1,
        }
    }
}

/// Copies of a register, one compare (`linked.jsonl`).
#[derive(Deserialize)]
struct Linked {
    r1_in: Value,
    steps: Vec<Step>,
    cond: Step,
    before: Registers,
    taken: Option<Registers>,
    fallthrough: Option<Registers>,
}

type Registers = BTreeMap<String, Register>;

/// An instruction before the compare, or the compare.
#[derive(Deserialize)]
struct Step {
    dst: u8,
    op: String,
    src: Option<u8>,
    imm: Option<i64>,
    width: u32,
}

/// A register with its link class and its distance from that.
#[derive(Deserialize)]
struct Register {
    #[serde(flatten)]
    value: Value,
    id: Option<u32>,
    delta: Option<i32>,
}

/// Stores to one stack slot and a load from it (`spill.jsonl`).
#[derive(Deserialize)]
struct Spill {
    r1_in: Option<Value>,
    r2_in: Option<Value>,
    stores: Vec<Store>,
    load: Load,
    out: Value,
    linked_to: Option<String>,
}

#[derive(Deserialize)]
struct Store {
    size: u32,
    off: i16,
    src: Option<u8>,
    imm: Option<i64>,
}

#[derive(Deserialize)]
struct Load {
    size: u32,
    off: i16,
    sx: bool,
}

/// Arithmetic on a pointer, then an access (`ptr.jsonl`).
#[derive(Deserialize)]
struct Pointer {
    base: String,
    value_size: Option<u32>,
    #[serde(default)]
    stack_init: bool,
    pre: Option<i32>,
    op: String,
    width: u32,
    order: String,
    scalar: Value,
    post: Option<i32>,
    ptr_out: Option<PointerOut>,
    access: Access,
    verdict: String,
    message: Option<String>,
}

#[derive(Deserialize)]
struct PointerOut {
    kind: String,
    off: Option<serde_json::Number>,
    var: Option<Value>,
}

#[derive(Deserialize)]
struct Access {
    kind: String,
    size: u32,
    off: i16,
}

/// The states before the instructions of interest, on the first path that comes to them.
#[derive(Default)]
struct Seen(BTreeMap<usize, State>);

impl Observer for Seen {
    fn step(&mut self, pc: usize, state: &State) {
        self.0.entry(pc).or_insert_with(|| state.clone());
    }
}

impl Seen {
    fn reg(&self, pc: usize, reg: u8) -> Option<Reg> {
        self.0.get(&pc).map(|state| *state.reg(reg))
    }
}

/// Runs a program that starts with these numbers in its registers.
fn run(insns: Vec<Insn>, maps: Vec<MapDef>, inputs: &[(u8, Option<Value>)]) -> (Seen, Result<(), Finding>) {
    let mut program = Program::from_insns(SOCKET_FILTER, insns);
    program.maps = maps;
    let mut seen = Seen::default();
    let kind = PLATFORM.kind_of(Behaviour::Scalar).expect("a platform has numbers");
    let entry = |state: &mut State| {
        for (reg, value) in inputs {
            let value = value.map_or(Scalar::UNKNOWN, Scalar::from);
            *state.reg_mut(*reg) = Reg { kind, ..Reg::scalar(value) };
        }
    };
    let result = verify_from(&program, &PLATFORM, &PLATFORM.default_profile(), entry, &mut seen);
    (seen, result.map(drop))
}

fn mov(dst: u8, imm: i32) -> Insn {
    Insn::new(BPF_ALU64 | BPF_MOV, dst, 0, 0, imm)
}

fn copy(dst: u8, src: u8) -> Insn {
    Insn::new(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
}

fn exit() -> Insn {
    Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
}

fn imm32(imm: Option<i64>) -> i32 {
    i32::try_from(imm.unwrap_or_default()).expect("an immediate")
}

fn size_code(bytes: u32) -> u8 {
    match bytes {
        1 => BPF_B,
        2 => BPF_H,
        4 => BPF_W,
        _ => BPF_DW,
    }
}

fn alu_code(op: &str) -> u8 {
    match op {
        "add" => BPF_ADD,
        "sub" => BPF_SUB,
        "and" => BPF_AND,
        "or" => BPF_OR,
        "xor" => BPF_XOR,
        "mov" | "movsx8" | "movsx16" | "movsx32" => BPF_MOV,
        other => panic!("unknown operation {other}"),
    }
}

/// An instruction of a linked vector. The constant helper of the steps is r4 there and `helper`
/// here: r4 holds from the start what the compare finds in it.
fn step(step: &Step, helper: u8) -> Vec<Insn> {
    let renamed = |reg: u8| if reg == 4 { helper } else { reg };
    let class = if step.width == 32 { BPF_ALU } else { BPF_ALU64 };
    let code = class | alu_code(&step.op);
    let dst = renamed(step.dst);
    let sign = step.op.strip_prefix("movsx").map_or(0, |bits| bits.parse().expect("bits"));
    match (step.src, step.imm) {
        (Some(src), _) => vec![Insn::new(code | BPF_X, dst, renamed(src), sign, 0)],
        (None, Some(imm)) if i32::try_from(imm).is_err() => {
            assert_eq!(step.op, "mov");
            let high = (imm >> 32) as i32;
            vec![Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, imm as i32), Insn::new(0, 0, 0, 0, high)]
        }
        (None, imm) => vec![Insn::new(code, dst, 0, sign, imm32(imm))],
    }
}

/// Registers by name, with classes numbered in order of appearance.
type Links = BTreeMap<String, (Scalar, u32, i32)>;

/// Renumbers classes across several maps in order of appearance. Those of one member are dropped:
/// they mean nothing, and what shaped a vector's r1 may have left it one.
fn renumber(maps: &mut [Option<Links>]) {
    for map in maps.iter_mut().flatten() {
        let ids: Vec<u32> = map.values().map(|link| link.1).collect();
        for link in map.values_mut().filter(|link| ids.iter().filter(|id| **id == link.1).count() == 1) {
            (link.1, link.2) = (0, 0);
        }
    }
    let mut numbers = BTreeMap::new();
    for (_, id, _) in maps.iter_mut().flatten().flat_map(|map| map.values_mut()) {
        if *id != 0 {
            let next = numbers.len() as u32 + 1;
            *id = *numbers.entry(*id).or_insert(next);
        }
    }
}

fn check_linked(line: &str) -> Result<(), String> {
    const HELPER: u8 = 5;
    let v: Linked = serde_json::from_str(line).expect("a linked vector");
    let mut insns: Vec<Insn> = v.steps.iter().flat_map(|one| step(one, HELPER)).collect();
    let compare = insns.len();
    let registers: Vec<u8> = v.before.keys().map(|name| name[1..].parse().expect("a register")).collect();
    // Both outcomes read every register, so that all of them are alive.
    let outcome: Vec<Insn> = registers.iter().map(|&reg| copy(6, reg)).chain([mov(0, 0), exit()]).collect();
    let class = if v.cond.width == 32 { BPF_JMP32 } else { BPF_JMP };
    let code = class | asm::jump(&v.cond.op).expect("a condition");
    let off = i16::try_from(outcome.len()).expect("few");
    insns.push(match v.cond.src {
        Some(src) => Insn::new(code | BPF_X, v.cond.dst, src, off, 0),
        None => Insn::new(code, v.cond.dst, 0, off, imm32(v.cond.imm)),
    });
    insns.extend(&outcome);
    insns.extend(&outcome);
    let r4 = v.before.get("r4").map(|register| register.value);
    let (seen, result) = run(insns, Vec::new(), &[(1, Some(v.r1_in)), (4, r4)]);
    if let Err(finding) = result {
        return Err(format!("{line}\n  {finding:?}"));
    }
    let at = |pc: usize| {
        let state = seen.0.get(&pc)?;
        let links = registers.iter().map(|&number| {
            let reg = state.reg(number);
            // The log does not print the class of a constant.
            let link = match reg.val.is_const() {
                Some(_) => (0, 0),
                None => (reg.link_class(), if reg.id & ADD_CONST == 0 { 0 } else { reg.off }),
            };
            (format!("r{number}"), (reg.val, link.0, link.1))
        });
        Some(links.collect())
    };
    let mut got = [at(compare), at(compare + 1 + outcome.len()), at(compare + 1)];
    let recorded = |registers: &Registers| {
        let one = |register: &Register| {
            (register.value.into(), register.id.unwrap_or(0), register.delta.unwrap_or(0))
        };
        registers.iter().map(|(name, register)| (name.clone(), one(register))).collect()
    };
    let mut want =
        [Some(recorded(&v.before)), v.taken.as_ref().map(recorded), v.fallthrough.as_ref().map(recorded)];
    renumber(&mut got);
    renumber(&mut want);
    equal(line, &got, &want)
}

fn check_spill(line: &str) -> Result<(), String> {
    let v: Spill = serde_json::from_str(line).expect("a spill vector");
    let store = |store: &Store| {
        let size = size_code(store.size);
        match store.src {
            Some(src) => Insn::new(BPF_STX | BPF_MEM | size, 10, src, store.off, 0),
            None => Insn::new(BPF_ST | BPF_MEM | size, 10, 0, store.off, imm32(store.imm)),
        }
    };
    let mut insns: Vec<Insn> = v.stores.iter().map(store).collect();
    let mode = if v.load.sx { BPF_MEMSX } else { BPF_MEM };
    insns.push(Insn::new(BPF_LDX | mode | size_code(v.load.size), 3, 10, v.load.off, 0));
    let after = insns.len();
    // All three are read later, so that all of them are alive.
    insns.extend([copy(0, 1), copy(0, 2), copy(0, 3), mov(0, 0), exit()]);
    let (seen, result) = run(insns, Vec::new(), &[(1, v.r1_in), (2, v.r2_in)]);
    if let Err(finding) = result {
        return Err(format!("{line}\n  {finding:?}"));
    }
    let reg = |number| seen.reg(after, number).expect("the load is reached");
    let out = reg(3);
    let linked = |number: u8| reg(number).id != 0 && reg(number).id == out.id;
    let linked_to = [1, 2].into_iter().find(|&number| linked(number)).map(|number| format!("r{number}"));
    equal(line, &(out.val, linked_to), &(v.out.into(), v.linked_to))
}

fn check_pointer(line: &str) -> Result<(), String> {
    let v: Pointer = serde_json::from_str(line).expect("a pointer vector");
    let mut insns = Vec::new();
    let mut maps = Vec::new();
    if v.stack_init {
        let zero = |slot: i16| Insn::new(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8 * slot, 0);
        insns.extend((1..=64).map(zero));
    }
    if v.base == "stack" {
        insns.push(copy(3, 10));
    } else {
        maps.push(MapDef::new(ARRAY, 4, v.value_size.expect("a map has values"), 1));
        insns.push(Insn::new(BPF_LD | BPF_IMM | BPF_DW, 3, BPF_PSEUDO_MAP_VALUE, 0, 0));
        insns.push(Insn::default());
    }
    let add = |reg: u8, imm: i32| Insn::new(BPF_ALU64 | BPF_ADD, reg, 0, 0, imm);
    insns.extend(v.pre.map(|imm| add(3, imm)));
    let class = if v.width == 32 { BPF_ALU } else { BPF_ALU64 };
    let code = class | alu_code(&v.op) | BPF_X;
    if v.order == "scalar+=ptr" {
        insns.extend([Insn::new(code, 4, 3, 0, 0), copy(3, 4)]);
    } else {
        insns.push(Insn::new(code, 3, 4, 0, 0));
    }
    insns.extend(v.post.map(|imm| add(3, imm)));
    let access = insns.len();
    let size = size_code(v.access.size);
    insns.push(match v.access.kind.as_str() {
        "load" => Insn::new(BPF_LDX | BPF_MEM | size, 5, 3, v.access.off, 0),
        "store" => Insn::new(BPF_STX | BPF_MEM | size, 3, 5, v.access.off, 0),
        _ => Insn::new(BPF_ST | BPF_MEM | size, 3, 0, v.access.off, 0),
    });
    insns.extend([mov(0, 0), exit()]);
    let (seen, result) = run(insns, maps, &[(4, Some(v.scalar)), (5, None)]);
    // The pointer as it is printed: what is known of the variable part counts only if it varies.
    let pointer = |reg: Reg| match reg.val.is_const() {
        Some(constant) => (i64::from(reg.off).wrapping_add_unsigned(constant), None),
        None => (i64::from(reg.off), Some(reg.val)),
    };
    let want_pointer = v.ptr_out.as_ref().filter(|out| out.kind != "?").map(|out| {
        let var = out.var.map(Scalar::from).filter(|var| var.is_const().is_none());
        (out.off.as_ref().map_or(0, wrapped), var)
    });
    let got_pointer = seen.reg(access, 3).map(pointer);
    let got_pointer = if want_pointer.is_some() { got_pointer } else { None };
    let message = match result {
        Ok(()) => None,
        Err(finding) => Some(finding.rejection.message.trim_end().replace('\n', " | ")),
    };
    let want_message = if v.verdict == "ok" { None } else { v.message };
    equal(line, &(got_pointer, message), &(want_pointer, want_message))
}

/// A printed offset: negative ones stand there as unsigned numbers where they were hexadecimal.
fn wrapped(number: &serde_json::Number) -> i64 {
    number.as_i64().or_else(|| number.as_u64().map(u64::cast_signed)).expect("an offset")
}

fn equal<T: PartialEq + Debug>(line: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{line}\n  got  {got:x?}\n  want {want:x?}")) }
}

/// Runs one file and panics with the first few differences.
fn file(path: &Path, check: impl Fn(&str) -> Result<(), String> + Sync) {
    let text = fs::read_to_string(path).expect("the vectors");
    let lines: Vec<&str> = text.lines().collect();
    let differ: Vec<String> = lines.par_iter().filter_map(|line| check(line).err()).collect();
    println!("{}: {} equal, {} not", path.display(), lines.len() - differ.len(), differ.len());
    let first: Vec<_> = differ.iter().take(5).map(String::as_str).collect();
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), path.display(), first.join("\n"));
    assert!(!lines.is_empty(), "{} has nothing to compare", path.display());
}

/// The sample, then the whole set if it is there.
fn both(name: &str, check: impl Fn(&str) -> Result<(), String> + Sync) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    file(&here.join("data/domain").join(name), &check);
    let all = here.join("../../shared/domain").join(name);
    if all.exists() {
        file(&all, &check);
    } else {
        println!("skipped: {} is not there: only the sample was run", all.display());
    }
}

#[test]
fn linked() {
    both("linked.jsonl", check_linked);
}

#[test]
fn spill() {
    both("spill.jsonl", check_spill);
}

#[test]
fn pointer() {
    both("ptr.jsonl", check_pointer);
}
