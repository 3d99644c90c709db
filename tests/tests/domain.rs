//! The scalar domain against what Linux 6.18.44 computed.
//!
//! The vectors in `../shared/domain` are described in the README there. A sample of them is in
//! `tests/data/domain` and is always run; the whole set is run when it is there. A vector is passed
//! when all ten numbers of every value are equal.

use std::collections::BTreeMap;
use std::path::Path;

use probity_engine::domain::{self, Delta, Refined, Scalar, Swap, Tnum};
use probity_isa::{AluOp, JumpOp, Width};
use serde::Deserialize;

/// The vector files: what one line of each holds.
mod vectors {
    use super::*;

    /// A value as written: `s`, `u`, `s32`, `u32` and `t`.
    #[derive(Deserialize, Clone, Copy)]
    pub(crate) struct Value {
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

    /// One instruction of `alu.jsonl`.
    #[derive(Deserialize)]
    pub(crate) struct Alu {
        pub(crate) op: String,
        pub(crate) width: u32,
        pub(crate) src: String,
        pub(crate) dst_in: Option<Value>,
        pub(crate) src_in: Option<Value>,
        pub(crate) imm: Option<i64>,
        pub(crate) out: Value,
        pub(crate) fork: Option<Fork>,
        #[serde(default)]
        pub(crate) unsynced_in: bool,
    }

    /// The second state of a split.
    #[derive(Deserialize)]
    pub(crate) struct Fork {
        pub(crate) dst_in: Value,
        pub(crate) out: Value,
    }

    /// One jump of `branch.jsonl`.
    #[derive(Deserialize)]
    pub(crate) struct Branch {
        pub(crate) op: String,
        pub(crate) width: u32,
        pub(crate) src: String,
        pub(crate) dst_in: Value,
        pub(crate) src_in: Option<Value>,
        pub(crate) imm: Option<i64>,
        pub(crate) taken: Option<Side>,
        pub(crate) fallthrough: Option<Side>,
        /// Which operands contradict themselves, for example `true_reg1`: dst when taken.
        #[serde(default)]
        pub(crate) violation: Vec<String>,
        #[serde(default)]
        pub(crate) bounds_hidden: bool,
        #[serde(default)]
        pub(crate) unsynced_in: bool,
    }

    /// The operands on one outcome.
    #[derive(Deserialize)]
    pub(crate) struct Side {
        pub(crate) dst: Value,
        pub(crate) src: Option<Value>,
    }

    /// One access of `ptr.jsonl`: the arithmetic part.
    #[derive(Deserialize)]
    pub(crate) struct Ptr {
        pub(crate) op: String,
        pub(crate) scalar: Value,
        pub(crate) ptr_out: Option<PtrOut>,
    }

    /// Copies of a register, one compare (`linked.jsonl`).
    #[derive(Deserialize)]
    pub(crate) struct Linked {
        pub(crate) steps: Vec<Step>,
        pub(crate) cond: Cond,
        pub(crate) before: Registers,
        pub(crate) taken: Option<Registers>,
        pub(crate) fallthrough: Option<Registers>,
    }

    /// The registers used, by name.
    pub(crate) type Registers = BTreeMap<String, Register>;

    /// One instruction before the compare.
    #[derive(Deserialize)]
    pub(crate) struct Step {
        pub(crate) dst: u32,
        pub(crate) op: String,
        pub(crate) width: u32,
    }

    /// The compare.
    #[derive(Deserialize)]
    pub(crate) struct Cond {
        pub(crate) dst: u32,
        pub(crate) op: String,
        pub(crate) src: Option<u32>,
        pub(crate) imm: Option<i64>,
        pub(crate) width: u32,
    }

    /// A register with its link class and its distance from that.
    #[derive(Deserialize, Clone)]
    pub(crate) struct Register {
        #[serde(flatten)]
        pub(crate) value: Value,
        pub(crate) id: Option<u32>,
        pub(crate) delta: Option<i32>,
    }

    /// Stores to one stack slot and a load from it (`spill.jsonl`).
    #[derive(Deserialize)]
    pub(crate) struct Spill {
        pub(crate) r1_in: Option<Value>,
        pub(crate) r2_in: Option<Value>,
        pub(crate) stores: Vec<Store>,
        pub(crate) load: Load,
        pub(crate) out: Value,
        pub(crate) linked_to: Option<String>,
    }

    /// A store of a register or of a constant.
    #[derive(Deserialize)]
    pub(crate) struct Store {
        pub(crate) size: u32,
        pub(crate) off: i32,
        pub(crate) src: Option<u32>,
        pub(crate) imm: Option<i64>,
    }

    /// The load.
    #[derive(Deserialize)]
    pub(crate) struct Load {
        pub(crate) size: u32,
        pub(crate) off: i32,
        pub(crate) sx: bool,
    }

    /// The pointer afterwards.
    #[derive(Deserialize)]
    pub(crate) struct PtrOut {
        pub(crate) var: Option<Value>,
    }

    pub(crate) fn width(bits: u32) -> Width {
        if bits == 32 { Width::W32 } else { Width::W64 }
    }

    pub(crate) fn alu_op(name: &str) -> Option<AluOp> {
        Some(match name {
            "add" => AluOp::Add,
            "sub" => AluOp::Sub,
            "mul" => AluOp::Mul,
            "div" => AluOp::Div,
            "or" => AluOp::Or,
            "and" => AluOp::And,
            "lsh" => AluOp::Lsh,
            "rsh" => AluOp::Rsh,
            "mod" => AluOp::Mod,
            "xor" => AluOp::Xor,
            "arsh" => AluOp::Arsh,
            "sdiv" => AluOp::Sdiv,
            "smod" => AluOp::Smod,
            _ => return None,
        })
    }

    pub(crate) fn jump_op(name: &str) -> JumpOp {
        match name {
            "jeq" => JumpOp::Jeq,
            "jgt" => JumpOp::Jgt,
            "jge" => JumpOp::Jge,
            "jset" => JumpOp::Jset,
            "jne" => JumpOp::Jne,
            "jsgt" => JumpOp::Jsgt,
            "jsge" => JumpOp::Jsge,
            "jlt" => JumpOp::Jlt,
            "jle" => JumpOp::Jle,
            "jslt" => JumpOp::Jslt,
            "jsle" => JumpOp::Jsle,
            other => panic!("unknown condition {other}"),
        }
    }
}

/// The result of one instruction that is not a binary operation, or of one that is.
fn transfer(op: &str, width: Width, dst: &Scalar, src: &Scalar) -> Scalar {
    if let Some(op) = vectors::alu_op(op) {
        return domain::alu(op, width, dst, src);
    }
    let suffix = |prefix: &str| op.strip_prefix(prefix).and_then(|bits| bits.parse::<u32>().ok());
    if let Some(bits) = suffix("movsx") {
        domain::movsx(src, bits, width)
    } else if let Some(bits) = suffix("bswap") {
        domain::end(Swap::Bswap, bits, dst)
    } else if let Some(bits) = suffix("be") {
        domain::end(Swap::Be, bits, dst)
    } else if let Some(bits) = suffix("le") {
        domain::end(Swap::Le, bits, dst)
    } else {
        match op {
            "neg" => domain::neg(width, dst),
            "mov" if width == Width::W64 => *src,
            "mov" => domain::zero_extend(src, 4),
            _ => panic!("unknown instruction {op}"),
        }
    }
}

fn check_alu(line: &str) -> Option<Result<(), String>> {
    let v: vectors::Alu = serde_json::from_str(line).expect("an ALU vector");
    if v.unsynced_in {
        return None;
    }
    let width = vectors::width(v.width);
    let dst = v.dst_in.map_or(Scalar::UNKNOWN, Scalar::from);
    let src = match (v.src.as_str(), v.src_in, v.imm) {
        ("self", ..) => dst,
        (_, Some(src), _) => src.into(),
        (_, _, Some(imm)) => Scalar::constant(imm as u64),
        _ => Scalar::UNKNOWN,
    };
    let fork = vectors::alu_op(&v.op).and_then(|op| domain::fork(op, width, &dst, &src));
    let want = (Scalar::from(v.out), v.fork.map(|f| (f.dst_in.into(), f.out.into())));
    let got = match fork {
        None => (transfer(&v.op, width, &dst, &src), None),
        Some((now, later)) => {
            let src_later = if v.src == "self" { later } else { src };
            let second = transfer(&v.op, width, &later, &src_later);
            // A constant is printed as a number, whatever its intervals.
            let printed = later.is_const().map_or(later, Scalar::constant);
            (transfer(&v.op, width, &now, &src), Some((printed, second)))
        }
    };
    Some(compare(line, &got, &want))
}

fn check_branch(line: &str) -> Option<Result<(), String>> {
    let v: vectors::Branch = serde_json::from_str(line).expect("a branch vector");
    if v.unsynced_in || v.bounds_hidden {
        return None;
    }
    let (width, op) = (vectors::width(v.width), vectors::jump_op(&v.op));
    let dst = Scalar::from(v.dst_in);
    let src = match (v.src.as_str(), v.src_in, v.imm) {
        ("self", ..) => dst,
        (_, Some(src), _) => src.into(),
        (_, _, imm) => Scalar::constant(imm.unwrap_or_default() as u64),
    };
    let decided = domain::decide(op, width, &dst, &src);
    let mut violation = Vec::new();
    let mut side = |taken: bool| {
        let refined = match decided {
            Some(is) if is != taken => return None,
            Some(_) => Refined { dst, src, dst_violation: false, src_violation: false },
            None if v.src == "self" => domain::refine_same(op, width, &dst, taken),
            None => domain::refine(op, width, &dst, &src, taken),
        };
        for (register, is) in [("reg1", refined.dst_violation), ("reg2", refined.src_violation)] {
            if is {
                violation.push(format!("{taken}_{register}"));
            }
        }
        Some((refined.dst, (v.src == "reg").then_some(refined.src)))
    };
    let got = (side(true), side(false), violation);
    let want =
        |side: &Option<vectors::Side>| side.as_ref().map(|s| (Scalar::from(s.dst), s.src.map(Scalar::from)));
    let want = (want(&v.taken), want(&v.fallthrough), v.violation);
    Some(compare(line, &got, &want))
}

fn check_ptr(line: &str) -> Option<Result<(), String>> {
    let v: vectors::Ptr = serde_json::from_str(line).expect("a pointer vector");
    let want = Scalar::from(v.ptr_out?.var?);
    let scalar = Scalar::from(v.scalar);
    let start = Scalar::constant(0);
    // Constants go into the fixed part.
    let got = match (scalar.is_const(), v.op.as_str()) {
        (Some(_), _) => start,
        (None, "sub") => domain::pointer_sub(&start, &scalar),
        (None, _) => domain::pointer_add(&start, &scalar),
    };
    Some(compare(line, &got, &want))
}

/// The compare and what it tells the linked registers; the classes are taken as recorded.
fn check_linked(line: &str) -> Option<Result<(), String>> {
    let v: vectors::Linked = serde_json::from_str(line).expect("a linked vector");
    let (width, op) = (vectors::width(v.cond.width), vectors::jump_op(&v.cond.op));
    let name = |register: u32| format!("r{register}");
    let (dst, src) = (name(v.cond.dst), v.cond.src.map(name));
    let value = |name: &String| Scalar::from(v.before[name].value);
    let (left, right) = match &src {
        Some(src) => (value(&dst), value(src)),
        None => (value(&dst), Scalar::constant(v.cond.imm.unwrap_or_default() as u64)),
    };
    let decided = domain::decide(op, width, &left, &right);
    let delta = |name: &String| {
        let in_32 = |s: &vectors::Step| format!("r{}", s.dst) == *name && s.op == "add" && s.width == 32;
        match v.before[name].delta {
            None => Delta::Base,
            Some(delta) if v.steps.iter().any(in_32) => Delta::Add32(delta),
            Some(delta) => Delta::Add64(delta),
        }
    };
    let side = |taken: bool| {
        let mut now: BTreeMap<String, Scalar> =
            v.before.iter().map(|(name, r)| (name.clone(), r.value.into())).collect();
        match decided {
            Some(is) if is != taken => return None,
            Some(_) => return Some(now),
            None => (),
        }
        let refined = domain::refine(op, width, &left, &right, taken);
        now.insert(dst.clone(), refined.dst);
        if let Some(src) = &src {
            now.insert(src.clone(), refined.src);
        }
        for known in src.iter().chain([&dst]) {
            let Some(id) = v.before[known].id else { continue };
            for (name, member) in &v.before {
                if member.id == Some(id)
                    && name != known
                    && let Some(value) = domain::propagate(&now[known], delta(known), delta(name))
                {
                    now.insert(name.clone(), value);
                }
            }
        }
        Some(now)
    };
    let want = |side: &Option<vectors::Registers>| {
        side.as_ref()
            .map(|registers| registers.iter().map(|(name, r)| (name.clone(), r.value.into())).collect())
    };
    let want: (Option<BTreeMap<_, Scalar>>, Option<BTreeMap<_, Scalar>>) =
        (want(&v.taken), want(&v.fallthrough));
    Some(compare(line, &(side(true), side(false)), &want))
}

/// The casts of a value on its way through the stack. Skips what depends on the slot's bytes.
fn check_spill(line: &str) -> Option<Result<(), String>> {
    let v: vectors::Spill = serde_json::from_str(line).expect("a spill vector");
    let store = v.stores.last()?;
    if store.off % 8 != 0 || v.load.off != store.off || v.load.size > store.size {
        return None;
    }
    let value = match store.src {
        Some(1) => v.r1_in?.into(),
        Some(_) => v.r2_in?.into(),
        None => Scalar::constant(store.imm? as u64),
    };
    let load = if v.load.sx { domain::sign_extend } else { domain::zero_extend };
    let linked = value.is_const().is_none() && domain::fits_unsigned(&value, v.load.size);
    let linked_to = if linked { store.src.map(|src| format!("r{src}")) } else { None };
    let got = (load(&value, v.load.size), linked_to);
    Some(compare(line, &got, &(v.out.into(), v.linked_to)))
}

fn compare<T: PartialEq + std::fmt::Debug>(line: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{line}\n  got  {got:x?}\n  want {want:x?}")) }
}

/// Runs one file and panics with the first few differences.
fn run(path: &Path, check: impl Fn(&str) -> Option<Result<(), String>>) {
    let text = std::fs::read_to_string(path).expect("the vectors");
    let (mut equal, mut skipped, mut differ) = (0, 0, Vec::new());
    for line in text.lines() {
        match check(line) {
            None => skipped += 1,
            Some(Ok(())) => equal += 1,
            Some(Err(message)) => differ.push(message),
        }
    }
    println!("{}: {equal} equal, {} not, {skipped} skipped", path.display(), differ.len());
    let first: Vec<_> = differ.iter().take(5).map(String::as_str).collect();
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), path.display(), first.join("\n"));
    assert!(equal > 0, "{} has nothing to compare", path.display());
}

/// The sample, then the whole set if it is there.
fn both(file: &str, check: impl Fn(&str) -> Option<Result<(), String>>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    run(&here.join("data/domain").join(file), &check);
    let all = here.join("../../shared/domain").join(file);
    if all.exists() {
        run(&all, &check);
    } else {
        println!("{} is not there: only the sample was run", all.display());
    }
}

#[test]
fn alu() {
    both("alu.jsonl", check_alu);
}

#[test]
fn branch() {
    both("branch.jsonl", check_branch);
}

#[test]
fn pointer() {
    both("ptr.jsonl", check_ptr);
}

#[test]
fn linked() {
    both("linked.jsonl", check_linked);
}

#[test]
fn spill() {
    both("spill.jsonl", check_spill);
}
