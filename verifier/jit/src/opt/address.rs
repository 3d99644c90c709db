//! What becomes part of an address, and of a comparison.

use probity_isa::{JumpOp, Size, Width};

use super::fold::cut;
use super::ir::{BinOp, Cmp, Inst, Value};
use super::lir::{Addr, Base, Compare, Lir, Src, Vreg};
use super::select::Selector;
use crate::encode::{self, Scale};

impl Selector<'_> {
    /// An address: additions and small shifts on the way become parts of it.
    pub(super) fn address(&mut self, base: Value, off: i32) -> Addr {
        let (mut base, mut disp) = (base, off);
        let mut index = None;
        while let Inst::Bin(BinOp::Add, Width::W64, x, y) = *self.func.inst(base) {
            if !self.may_fold(base, x, y) {
                break;
            }
            if let Some(number) = self.func.as_const(y) {
                let Some(sum) = i32::try_from(number as i64).ok().and_then(|number| disp.checked_add(number))
                else {
                    break;
                };
                disp = sum;
                base = x;
                continue;
            }
            if index.is_some() {
                break;
            }
            // What goes on to be looked at is the frame, or what is added to.
            let sum = self.is_sum(y) && !self.is_sum(x) && !self.is_frame(x);
            let (rest, part) = if self.is_frame(y) || sum { (y, x) } else { (x, y) };
            index = Some(part);
            base = rest;
        }
        // An index that is added to itself has its number in front.
        let mut scaled = None;
        if let Some(mut value) = index {
            if let Inst::Bin(BinOp::Add, Width::W64, x, y) = *self.func.inst(value)
                && let Some(number) = self.func.as_const(y)
                && self.may_fold(value, x, y)
                && let Some(sum) =
                    i32::try_from(number as i64).ok().and_then(|number| disp.checked_add(number))
            {
                disp = sum;
                value = x;
            }
            scaled = Some(self.scale(value, &mut disp));
            if scaled.is_some_and(|(_, scale)| scale == Scale::One) && !self.is_frame(base) {
                // Or the base is what is shifted.
                let (other, scale) = self.scale(base, &mut disp);
                if scale != Scale::One {
                    base = value;
                    scaled = Some((other, scale));
                }
            }
        }
        let first = match *self.func.inst(base) {
            Inst::Frame(from) if disp.checked_add(from).is_some() => {
                disp += from;
                Base::Frame
            }
            Inst::Run => Base::Run,
            _ => Base::Reg(self.reg(base)),
        };
        let index = scaled.map(|(value, scale)| (self.reg(value), scale));
        Addr { base: first, index, disp }
    }

    fn is_frame(&self, value: Value) -> bool {
        matches!(self.func.inst(value), Inst::Frame(_))
    }

    fn is_sum(&self, value: Value) -> bool {
        matches!(self.func.inst(value), Inst::Bin(BinOp::Add, Width::W64, ..))
    }

    /// Whether an addition may be done by the address instead.
    fn may_fold(&self, sum: Value, x: Value, y: Value) -> bool {
        if self.is_frame(x) || self.is_frame(y) {
            return true;
        }
        let home = self.func.home[sum.index()];
        // Out of a loop it is done once; and its operands would have to be kept in the loop.
        if self.analysis.head[home as usize] != self.analysis.head[self.block as usize] {
            return false;
        }
        // The next value of a counter: the old one would have to be kept beside it.
        let next_of = |phi: Value| self.func.args_of(phi).contains(&sum);
        !next_of(x) && !next_of(y)
    }

    /// A value as what is multiplied by a scale.
    fn scale(&self, value: Value, disp: &mut i32) -> (Value, Scale) {
        if let Inst::Bin(BinOp::Shl, Width::W64, x, count) = *self.func.inst(value)
            && let Some(count @ 1..=3) = self.func.as_const(count)
            && self.analysis.head[self.func.home[value.index()] as usize]
                == self.analysis.head[self.block as usize]
            && let Some(scale) = Scale::by(1 << count)
        {
            // (x + number) << count
            if let Inst::Bin(BinOp::Add, Width::W64, inner, number) = *self.func.inst(x)
                && let Some(number) = self.func.as_const(number)
                && self.may_fold(x, inner, inner)
                && let Ok(number) = i32::try_from(number as i64)
                && let Some(sum) = number.checked_mul(1 << count).and_then(|number| disp.checked_add(number))
            {
                *disp = sum;
                return (inner, scale);
            }
            return (x, scale);
        }
        (value, Scale::One)
    }

    /// A condition.
    pub(super) fn compare(&mut self, cmp: Cmp) -> Compare {
        let Cmp { op, width, a, b } = cmp;
        let wide = encode::Width::from(width);
        if op == JumpOp::Jset {
            return self.test(JumpOp::Jne, width, a, b);
        }
        let number = self.func.as_const(b).map(|number| cut(width, number));
        if let (JumpOp::Jeq | JumpOp::Jne, Some(0)) = (op, number)
            && let Inst::Bin(BinOp::And, inner, x, y) = *self.func.inst(a)
            && self.is_sole(a)
            && (inner == width
                || width == Width::W32
                || self.func.as_const(y).is_some_and(|mask| mask <= u32::MAX.into()))
        {
            return self.test(op, width, x, y);
        }
        // A byte or a word in memory, against a number.
        if let (Some(number), true) = (number, Self::is_unsigned(op)) {
            for size in [Size::B, Size::H] {
                if number >> (size.bytes() * 8) == 0
                    && let Some((base, off)) = self.foldable_load(a, size)
                {
                    let imm = if size == Size::B {
                        i32::from(number as u8 as i8)
                    } else {
                        i32::from(number as u16 as i16)
                    };
                    let a = Src::Mem(self.address(base, off));
                    return Compare { op, test: false, width: size.into(), a, b: Src::Imm(imm) };
                }
            }
        }
        if number == Some(0) && matches!(op, JumpOp::Jeq | JumpOp::Jne) && self.is_plain(a, width) {
            let a = self.reg(a);
            return Compare { op, test: true, width: wide, a: Src::Reg(a), b: Src::Reg(a) };
        }
        let size = if width == Width::W32 { Size::W } else { Size::Dw };
        let a = match self.foldable_load(a, size) {
            Some((base, off)) => Src::Mem(self.address(base, off)),
            None => Src::Reg(self.reg(a)),
        };
        let b = if matches!(a, Src::Mem(_)) { self.imm_or_reg(width, b) } else { self.operand(width, b) };
        Compare { op, test: false, width: wide, a, b }
    }

    /// True when a value is not a load that a comparison may do.
    fn is_plain(&self, value: Value, width: Width) -> bool {
        let size = if width == Width::W32 { Size::W } else { Size::Dw };
        self.foldable_load(value, size).is_none()
    }

    fn test(&mut self, op: JumpOp, width: Width, a: Value, b: Value) -> Compare {
        let number = self.func.as_const(b).map(|number| cut(width, number));
        // A mask of 31 bits leaves the sign alone.
        let width = if number.is_some_and(|mask| mask <= i32::MAX as u64) { Width::W32 } else { width };
        let b = self.imm_or_reg(width, b);
        let a = Src::Reg(self.reg(a));
        Compare { op, test: true, width: width.into(), a, b }
    }

    /// A choice between two values.
    pub(super) fn selection(&mut self, cmp: Cmp, t: Value, e: Value, dst: Vreg) -> Lir {
        let imm = |func: &super::ir::Func, value| {
            func.as_const(value).and_then(|number| super::select::immediate(Width::W64, number))
        };
        let (t_imm, e_imm) = (imm(self.func, t), imm(self.func, e));
        // One of them must be a register.
        let (t, e) = match (t_imm, e_imm) {
            (None, Some(number)) => (Src::Reg(self.reg(t)), Src::Imm(number)),
            (Some(number), None) => (Src::Imm(number), Src::Reg(self.reg(e))),
            (Some(t_imm), Some(e_imm)) if (t_imm, e_imm) == (1, 0) || (t_imm, e_imm) == (0, 1) => {
                (Src::Imm(t_imm), Src::Imm(e_imm))
            }
            _ => (
                Src::Reg(self.reg(t)),
                if let Some(number) = e_imm { Src::Imm(number) } else { Src::Reg(self.reg(e)) },
            ),
        };
        let cmp = self.compare(cmp);
        Lir::Select { cmp, dst, t, e }
    }
}
