//! Simplifies with what is known of bits, replaces divisions by numbers, merges equal operations.

use std::collections::HashMap;

use probity_isa::{JumpOp, Width};

use super::analysis::Analysis;
use super::bits::known_bits;
use super::fold::{Folded, opposite};
use super::ir::{BinOp, Cmp, Func, Inst, Term, UnOp, Value};

struct Simplifier<'a> {
    func: &'a mut Func,
    analysis: &'a Analysis,
    bits: Vec<u8>,
    /// Operations that were met, and where last.
    met: HashMap<Inst, Value>,
}

/// Simplifies all of a function. Branches whose side is known become jumps: predecessors are stale then.
pub(super) fn simplify(func: &mut Func, analysis: &Analysis) {
    let bits = known_bits(func, analysis);
    let mut simplifier = Simplifier { func, analysis, bits, met: HashMap::new() };
    for &block in &analysis.order {
        simplifier.block(block);
    }
    func.drop_trivial_phis();
}

/// Decides branches whose side is known, drops blocks that nothing reaches, joins blocks that follow
/// each other.
pub(super) fn clean(func: &mut Func) {
    for block in 0..func.blocks.len() {
        let Term::Branch(cmp, t, e) = func.blocks[block].term else { continue };
        if let Some(holds) = func.known(&cmp) {
            let (goes, not) = if holds { (t, e) } else { (e, t) };
            func.blocks[block].term = Term::Jump(goes);
            func.remove_edge(block as u32, not);
        }
    }
    drop_unreached(func);
    func.drop_trivial_phis();
    skip_empty(func);
    for block in 0..func.blocks.len() {
        while let Term::Jump(next) = func.blocks[block].term {
            let only = func.blocks[next as usize].preds == [block as u32];
            if !only || next as usize == block || !func.blocks[next as usize].phis.is_empty() {
                break;
            }
            join(func, block as u32, next);
        }
    }
}

/// Edges lead past blocks that only jump.
fn skip_empty(func: &mut Func) {
    for block in 1..func.blocks.len() {
        let data = &func.blocks[block];
        let (Term::Jump(next), [pred]) = (data.term, data.preds.as_slice()) else { continue };
        let (pred, block) = (*pred, block as u32);
        let empty = data.insts.is_empty() && data.phis.is_empty();
        if !empty || next == block || func.blocks[next as usize].preds.contains(&pred) {
            continue;
        }
        func.blocks[pred as usize].term.retarget(|to| if to == block { next } else { to });
        for other in &mut func.blocks[next as usize].preds {
            if *other == block {
                *other = pred;
            }
        }
        func.blocks[block as usize].preds.clear();
        func.blocks[block as usize].term = Term::Unreachable;
    }
}

fn drop_unreached(func: &mut Func) {
    let mut reached = vec![false; func.blocks.len()];
    let mut open = vec![0_u32];
    while let Some(block) = open.pop() {
        if !std::mem::replace(&mut reached[block as usize], true) {
            open.extend(func.blocks[block as usize].term.successors());
        }
    }
    for (block, reached) in reached.into_iter().enumerate() {
        if reached {
            continue;
        }
        let term = std::mem::replace(&mut func.blocks[block].term, Term::Unreachable);
        for next in term.successors() {
            func.remove_edge(block as u32, next);
        }
        func.blocks[block].insts.clear();
        func.blocks[block].phis.clear();
    }
}

/// Appends a block to its only predecessor.
fn join(func: &mut Func, block: u32, next: u32) {
    let insts = std::mem::take(&mut func.blocks[next as usize].insts);
    for value in &insts {
        func.home[value.index()] = block;
    }
    func.blocks[block as usize].insts.extend(insts);
    let term = std::mem::replace(&mut func.blocks[next as usize].term, Term::Unreachable);
    func.blocks[next as usize].preds.clear();
    func.blocks[block as usize].term = term;
    for after in term.successors() {
        for pred in &mut func.blocks[after as usize].preds {
            if *pred == next {
                *pred = block;
            }
        }
    }
}

impl Simplifier<'_> {
    fn bits(&self, value: Value) -> u32 {
        match self.bits.get(value.index()) {
            Some(bits) => u32::from(*bits),
            None => self.func.plain_bits(value),
        }
    }

    fn block(&mut self, block: u32) {
        let insts = std::mem::take(&mut self.func.blocks[block as usize].insts);
        for value in insts {
            let mut inst = *self.func.inst(value);
            inst.map(|value| self.func.resolve(value));
            match self.improve(block, inst) {
                Folded::Value(other) => self.func.replace(value, other),
                Folded::Inst(inst) => {
                    let same = self.merged(block, &inst);
                    if let Some(same) = same {
                        self.func.replace(value, same);
                        continue;
                    }
                    self.func.insts[value.index()] = inst;
                    self.func.blocks[block as usize].insts.push(value);
                    if inst.is_pure() {
                        self.met.insert(inst, value);
                    }
                }
            }
        }
        let mut term = self.func.blocks[block as usize].term;
        term.map(|value| self.func.resolve(value));
        if let Term::Branch(cmp, ..) = &mut term {
            *cmp = self.condition(*cmp);
        }
        self.func.blocks[block as usize].term = term;
    }

    /// An equal operation that was done on every path to here.
    fn merged(&self, block: u32, inst: &Inst) -> Option<Value> {
        let value = *self.met.get(inst)?;
        let dominates = self.analysis.dominates(self.func.home[value.index()], block);
        (inst.is_pure() && dominates).then_some(value)
    }

    /// Appends an operation, or finds an equal one.
    fn push(&mut self, block: u32, inst: Inst) -> Value {
        match self.func.fold(inst) {
            Folded::Value(value) => value,
            Folded::Inst(inst) => match self.merged(block, &inst) {
                Some(value) => value,
                None => {
                    let value = self.func.push(block, inst);
                    self.met.insert(inst, value);
                    value
                }
            },
        }
    }

    fn condition(&mut self, cmp: Cmp) -> Cmp {
        let mut cmp = self.func.fold_cmp(cmp);
        if cmp.width == Width::W32 {
            return cmp;
        }
        if let Some(chosen) = self.choice(&cmp) {
            return chosen;
        }
        let signed = matches!(cmp.op, JumpOp::Jsgt | JumpOp::Jsge | JumpOp::Jslt | JumpOp::Jsle);
        // With a bit to spare, signed comparisons mean the same in fewer bits.
        let most = if signed { 31 } else { 32 };
        if self.bits(cmp.a) <= most && self.bits(cmp.b) <= most {
            cmp.width = Width::W32;
            cmp = self.func.fold_cmp(cmp);
        }
        cmp
    }

    /// Of a choice between something and 0 that is compared with 0: what it was made by.
    fn choice(&self, cmp: &Cmp) -> Option<Cmp> {
        let Inst::Select(by, t, e) = *self.func.inst(cmp.a) else { return None };
        let zeros = self.func.as_const(cmp.b) == Some(0) && self.func.as_const(e) == Some(0);
        if !zeros || !self.is_never_zero(t) {
            return None;
        }
        match cmp.op {
            JumpOp::Jne => Some(by),
            JumpOp::Jeq => Some(Cmp { op: opposite(by.op)?, ..by }),
            _ => None,
        }
    }

    fn is_never_zero(&self, value: Value) -> bool {
        match *self.func.inst(value) {
            Inst::Const(number) => number != 0,
            Inst::Bin(BinOp::Add, Width::W64, a, b) => {
                let small = self.bits(a) <= 62 && self.bits(b) <= 62;
                small && (self.is_never_zero(b) || self.is_never_zero(a))
            }
            _ => false,
        }
    }

    fn improve(&mut self, block: u32, inst: Inst) -> Folded {
        match inst {
            Inst::Un(UnOp::Zext32, a) if self.bits(a) <= 32 => Folded::Value(a),
            Inst::Un(UnOp::Sext(size, _), a) if self.bits(a) < size.bytes() * 8 => Folded::Value(a),
            Inst::Bin(BinOp::And, Width::W64, a, b) => {
                let bits = self.bits(a);
                match self.func.as_const(b) {
                    Some(mask) if bits < 64 && mask.trailing_ones() >= bits => Folded::Value(a),
                    _ => self.func.fold(inst),
                }
            }
            Inst::Bin(op @ (BinOp::Div | BinOp::Mod), width, a, b) => self.divide(block, op, width, a, b),
            Inst::Select(cmp, t, e) => {
                let cmp = self.condition(cmp);
                self.func.fold(Inst::Select(cmp, t, e))
            }
            Inst::Bin(BinOp::Mul, width, a, b) => self.multiply(block, width, a, b),
            inst => self.func.fold(inst),
        }
    }

    /// Multiplications by some numbers become shifts and additions. What is left is multiplied by 3, 5
    /// or 9, which an address does.
    fn multiply(&mut self, block: u32, width: Width, a: Value, b: Value) -> Folded {
        let folded = self.func.fold_bin(BinOp::Mul, width, a, b);
        let Folded::Inst(Inst::Bin(BinOp::Mul, width, a, b)) = folded else { return folded };
        let Some(number) = self.func.as_const(b) else { return folded };
        let times = |this: &mut Self, x: Value, factor: u64| {
            let factor = this.func.constant(factor);
            this.push(block, Inst::Bin(BinOp::Mul, width, x, factor))
        };
        let shl = |this: &mut Self, x: Value, count: u32| {
            let count = this.func.constant(count.into());
            this.push(block, Inst::Bin(BinOp::Shl, width, x, count))
        };
        const SMALL: [u64; 3] = [3, 5, 9];
        if SMALL.contains(&number) {
            return folded;
        }
        let (odd, power) = (number >> number.trailing_zeros(), number.trailing_zeros());
        if SMALL.contains(&odd) {
            let product = times(self, a, odd);
            let power = self.func.constant(power.into());
            return self.func.fold(Inst::Bin(BinOp::Shl, width, product, power));
        }
        if (number - 1).is_power_of_two() {
            let product = shl(self, a, (number - 1).trailing_zeros());
            return self.func.fold(Inst::Bin(BinOp::Add, width, product, a));
        }
        if number.checked_add(1).is_some_and(u64::is_power_of_two) && number >> 31 == 0 {
            let product = shl(self, a, number.count_ones());
            return self.func.fold(Inst::Bin(BinOp::Sub, width, product, a));
        }
        for factor in SMALL {
            if number % factor == 0 && SMALL.contains(&(number / factor)) {
                let product = times(self, a, factor);
                let factor = self.func.constant(number / factor);
                return Folded::Inst(Inst::Bin(BinOp::Mul, width, product, factor));
            }
            for count in 1..=3 {
                if number == (factor << count) + 1 {
                    let product = times(self, a, factor);
                    let product = shl(self, product, count);
                    return self.func.fold(Inst::Bin(BinOp::Add, width, product, a));
                }
            }
        }
        folded
    }

    /// Unsigned divisions by a number become multiplications by its inverse.
    fn divide(&mut self, block: u32, op: BinOp, width: Width, a: Value, b: Value) -> Folded {
        let narrow = self.bits(a) <= 32 && self.bits(b) <= 32;
        let width = if narrow { Width::W32 } else { width };
        let folded = self.func.fold_bin(op, width, a, b);
        let Folded::Inst(Inst::Bin(op @ (BinOp::Div | BinOp::Mod), width, a, b)) = folded else {
            return folded;
        };
        let Some(number) = self.func.as_const(b) else { return folded };
        // 0, 1 and powers of two are gone.
        if number < 3 {
            return folded;
        }
        let quotient = match width {
            Width::W32 => {
                // With 64 bits the rounded inverse of d is exact for all x below 2^32: its error is
                // below d, which adds less than 1/d to the quotient.
                let x = self.push(block, Inst::Un(UnOp::Zext32, a));
                let inverse = self.func.constant(u64::MAX / number + 1);
                self.push(block, Inst::Bin(BinOp::MulHigh, Width::W64, x, inverse))
            }
            Width::W64 => match inverse(number) {
                Some((shift_before, factor, shift)) => {
                    let before = self.func.constant(shift_before.into());
                    let x = self.push(block, Inst::Bin(BinOp::Shr, Width::W64, a, before));
                    let factor = self.func.constant(factor);
                    let high = self.push(block, Inst::Bin(BinOp::MulHigh, Width::W64, x, factor));
                    let shift = self.func.constant(shift.into());
                    self.push(block, Inst::Bin(BinOp::Shr, Width::W64, high, shift))
                }
                None => return folded,
            },
        };
        if op == BinOp::Div {
            return Folded::Value(quotient);
        }
        let product = self.push(block, Inst::Bin(BinOp::Mul, width, quotient, b));
        self.func.fold(Inst::Bin(BinOp::Sub, width, a, product))
    }
}

/// Of a divisor: a shift before, a factor of 64 bits and a shift behind, so that the upper half of the
/// product is the quotient of every number (Granlund and Montgomery, 1994). None when the factor
/// would have 65 bits.
fn inverse(divisor: u64) -> Option<(u32, u64, u32)> {
    let factor = |divisor: u64, bits: u32| {
        // For numbers of `bits` bits: the factor ceil(2^(64+l) / d) is good when its error times
        // 2^bits is at most 2^(64+l); the smallest such l.
        (0..64).find_map(|shift| {
            let power = 1_u128 << (64 + shift);
            let factor = power.div_ceil(divisor.into());
            let error = factor * u128::from(divisor) - power;
            let good = error << bits <= power;
            (good && factor <= u128::from(u64::MAX)).then_some((factor as u64, shift))
        })
    };
    if let Some((factor, shift)) = factor(divisor, 64) {
        return Some((0, factor, shift));
    }
    let before = divisor.trailing_zeros();
    let (factor, shift) = if before == 0 { None } else { factor(divisor >> before, 64 - before) }?;
    Some((before, factor, shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_divide() {
        let mut numbers = vec![0, 1, 2, 3, u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1];
        let mut x = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..2000 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            numbers.push(x >> (x % 64));
        }
        let mut found = 0;
        for &divisor in numbers.iter().filter(|divisor| **divisor >= 3 && !divisor.is_power_of_two()) {
            let Some((before, factor, shift)) = inverse(divisor) else { continue };
            found += 1;
            let multiples = [divisor, divisor.wrapping_mul(7), u64::MAX / divisor * divisor];
            for &number in numbers.iter().chain(&multiples) {
                for number in [number, number.wrapping_sub(1)] {
                    let high = ((u128::from(number >> before) * u128::from(factor)) >> 64) as u64;
                    assert_eq!(high >> shift, number / divisor, "{number} / {divisor}");
                }
            }
        }
        assert!(found > 100, "{found}");
        for divisor in [3_u64, 7, 10, 641, 0xffff_ffff] {
            let inverse = u64::MAX / divisor + 1;
            for number in [0, 1, divisor - 1, divisor, divisor + 1, 0xffff_fffe, 0xffff_ffff, 0x8000_0000] {
                assert_eq!(((u128::from(number) * u128::from(inverse)) >> 64) as u64, number / divisor);
            }
        }
    }
}
