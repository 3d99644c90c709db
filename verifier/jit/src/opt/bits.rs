//! How many low bits of each value can be other than 0.

use probity_isa::Width;

use super::analysis::Analysis;
use super::ir::{BinOp, Func, Inst, UnOp, Value};

/// What a counter has at most: it begins below 2^32 and grows by at most 2^16 an iteration. More than
/// these bits it would have after 2^43 iterations of one loop, which take hours at the least.
const COUNTER: u32 = 60;

/// The largest step of a counter.
const STEP: u64 = 1 << 16;

/// The numbers of bits of all values: from none, up until nothing changes.
pub(super) fn known_bits(func: &Func, analysis: &Analysis) -> Vec<u8> {
    // Constants and the like are in no list.
    let leaf = |inst: &Inst| match inst {
        Inst::Const(number) => 64 - number.leading_zeros() as u8,
        Inst::Arg(_) | Inst::Run | Inst::Frame(_) | Inst::FuncAddr(_) => 64,
        _ => 0,
    };
    let mut bits: Vec<u8> = func.insts.iter().map(leaf).collect();
    for round in 0.. {
        let mut changed = false;
        for &block in &analysis.order {
            let block = &func.blocks[block as usize];
            for &value in block.phis.iter().chain(&block.insts) {
                let old = u32::from(bits[value.index()]);
                let get = |value: Value| u32::from(bits[value.index()]);
                let inst = func.inst(value);
                let new = match inst {
                    Inst::Phi(_) if is_counter(func, value) => COUNTER,
                    Inst::Phi(_) => func.args_of(value).iter().map(|&arg| get(arg)).max().unwrap_or(64),
                    _ => transfer(func, inst, &get),
                };
                // Grows only, and in few steps.
                let new = new.max(old);
                let new = match (round, inst) {
                    (3.., Inst::Phi(_)) if new > old => widened(new),
                    _ => new,
                };
                changed |= new != old;
                bits[value.index()] = new as u8;
            }
        }
        if !changed {
            break;
        }
    }
    bits
}

fn widened(bits: u32) -> u32 {
    match bits {
        0..=8 => 8,
        9..=16 => 16,
        17..=32 => 32,
        _ => 64,
    }
}

/// A phi that begins small and to which small numbers are added.
fn is_counter(func: &Func, phi: Value) -> bool {
    let mut steps = false;
    let small = func.args_of(phi).iter().all(|&arg| match *func.inst(arg) {
        Inst::Bin(BinOp::Add, Width::W64, x, by) if x == phi => {
            steps = true;
            func.as_const(by).is_some_and(|by| by <= STEP)
        }
        Inst::Const(number) => number <= u32::MAX.into(),
        Inst::Un(UnOp::Zext32, _) => true,
        Inst::Bin(_, Width::W32, ..) => true,
        _ => arg == phi,
    });
    small && steps
}

/// The bits of what is no phi.
fn transfer(func: &Func, inst: &Inst, get: &impl Fn(Value) -> u32) -> u32 {
    match *inst {
        Inst::Const(number) => 64 - number.leading_zeros(),
        Inst::Bin(op, width, a, b) => {
            let wide = width.bits();
            let (x, y) = (get(a).min(wide), get(b).min(wide));
            if let Some(number) = func.as_const(b)
                && let Some(bits) = by_number(op, wide, x, number)
            {
                return bits;
            }
            match op {
                BinOp::And => x.min(y),
                BinOp::Or | BinOp::Xor => x.max(y),
                BinOp::Add => (x.max(y) + 1).min(wide),
                BinOp::Mul => (x + y).min(wide),
                BinOp::Div | BinOp::Mod | BinOp::Shr => x,
                BinOp::MulHigh => (x + y).saturating_sub(64),
                BinOp::Sar if x < wide => x,
                _ => wide,
            }
        }
        Inst::Un(op, a) => match op {
            UnOp::Neg(width) => width.bits(),
            UnOp::Swap(bits) => bits.into(),
            UnOp::Zext32 => get(a).min(32),
            UnOp::Sext(size, width) => {
                let bits = get(a);
                if bits < size.bytes() * 8 { bits } else { width.bits() }
            }
        },
        Inst::Select(_, t, e) => get(t).max(get(e)),
        Inst::Load { size, sign: false, .. } | Inst::Atomic { size, .. } => size.bytes() * 8,
        _ => 64,
    }
}

/// The bits of an operation on `x` bits whose right operand is a number.
fn by_number(op: BinOp, wide: u32, x: u32, number: u64) -> Option<u32> {
    let count = number as u32 & (wide - 1);
    let size = 64 - number.leading_zeros();
    Some(match op {
        BinOp::Shl => (x + count).min(wide),
        BinOp::Shr => x.saturating_sub(count),
        BinOp::Sar if x < wide => x.saturating_sub(count),
        BinOp::Mod if number != 0 => x.min(size),
        BinOp::Div if number != 0 => (x + 1).saturating_sub(size),
        _ => return None,
    })
}
