//! What an operation is when its operands are known in part: constants, identities, idioms.

use probity_isa::{JumpOp, Size, Width};

use super::ir::{BinOp, Cmp, Func, Inst, UnOp, Value};

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folded {
    /// A value that is there.
    Value(Value),
    /// This operation, which may be simpler than the one before.
    Inst(Inst),
}

const LOW: u64 = 0xffff_ffff;

/// A number as an operation of a width has it.
pub(super) fn cut(width: Width, number: u64) -> u64 {
    match width {
        Width::W32 => number & LOW,
        Width::W64 => number,
    }
}

/// What an operator computes.
pub(super) fn compute(op: BinOp, width: Width, a: u64, b: u64) -> u64 {
    let bits = width.bits();
    let (a, b) = (cut(width, a), cut(width, b));
    let count = (b as u32) & (bits - 1);
    let signed = |number: u64| match width {
        Width::W32 => i64::from(number as u32 as i32),
        Width::W64 => number as i64,
    };
    let result = match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        BinOp::Shl => a << count,
        BinOp::Shr => a >> count,
        BinOp::Sar => (signed(a) >> count) as u64,
        BinOp::Rotl if width == Width::W32 => u64::from((a as u32).rotate_left(count)),
        BinOp::Rotl => a.rotate_left(count),
        BinOp::MulHigh => ((u128::from(a) * u128::from(b)) >> 64) as u64,
        BinOp::Div => a.checked_div(b).unwrap_or(0),
        BinOp::Mod => a.checked_rem(b).unwrap_or(a),
        BinOp::Sdiv if b == 0 => 0,
        BinOp::Sdiv => signed(a).wrapping_div(signed(b)) as u64,
        BinOp::Smod if b == 0 => a,
        BinOp::Smod => signed(a).wrapping_rem(signed(b)) as u64,
    };
    cut(width, result)
}

/// What an operator with one operand computes.
pub(super) fn compute_one(op: UnOp, a: u64) -> u64 {
    match op {
        UnOp::Neg(width) => cut(width, a.wrapping_neg()),
        UnOp::Swap(16) => u64::from((a as u16).swap_bytes()),
        UnOp::Swap(32) => u64::from((a as u32).swap_bytes()),
        UnOp::Swap(_) => a.swap_bytes(),
        UnOp::Zext32 => a & LOW,
        UnOp::Sext(size, width) => {
            let wide = match size {
                Size::B => i64::from(a as i8),
                Size::H => i64::from(a as i16),
                Size::W => i64::from(a as i32),
                Size::Dw => a as i64,
            };
            cut(width, wide as u64)
        }
    }
}

/// Whether a condition holds.
pub(super) fn holds(op: JumpOp, width: Width, a: u64, b: u64) -> bool {
    let (a, b) = (cut(width, a), cut(width, b));
    let signed = |number: u64| match width {
        Width::W32 => i64::from(number as u32 as i32),
        Width::W64 => number as i64,
    };
    match op {
        JumpOp::Jeq => a == b,
        JumpOp::Jne => a != b,
        JumpOp::Jset => a & b != 0,
        JumpOp::Jgt => a > b,
        JumpOp::Jge => a >= b,
        JumpOp::Jlt => a < b,
        JumpOp::Jle => a <= b,
        JumpOp::Jsgt => signed(a) > signed(b),
        JumpOp::Jsge => signed(a) >= signed(b),
        JumpOp::Jslt => signed(a) < signed(b),
        JumpOp::Jsle => signed(a) <= signed(b),
    }
}

/// The opposite condition; None of `Jset`, which has none.
pub(super) fn opposite(op: JumpOp) -> Option<JumpOp> {
    Some(match op {
        JumpOp::Jeq => JumpOp::Jne,
        JumpOp::Jne => JumpOp::Jeq,
        JumpOp::Jgt => JumpOp::Jle,
        JumpOp::Jle => JumpOp::Jgt,
        JumpOp::Jge => JumpOp::Jlt,
        JumpOp::Jlt => JumpOp::Jge,
        JumpOp::Jsgt => JumpOp::Jsle,
        JumpOp::Jsle => JumpOp::Jsgt,
        JumpOp::Jsge => JumpOp::Jslt,
        JumpOp::Jslt => JumpOp::Jsge,
        JumpOp::Jset => return None,
    })
}

/// The condition with its operands in each other's place.
pub(super) fn swapped(op: JumpOp) -> JumpOp {
    match op {
        JumpOp::Jgt => JumpOp::Jlt,
        JumpOp::Jge => JumpOp::Jle,
        JumpOp::Jlt => JumpOp::Jgt,
        JumpOp::Jle => JumpOp::Jge,
        JumpOp::Jsgt => JumpOp::Jslt,
        JumpOp::Jsge => JumpOp::Jsle,
        JumpOp::Jslt => JumpOp::Jsgt,
        JumpOp::Jsle => JumpOp::Jsge,
        same => same,
    }
}

impl Func {
    /// A value with the same low 32 bits, when there is a simpler one.
    pub(super) fn low(&self, mut value: Value) -> Value {
        loop {
            match *self.inst(value) {
                Inst::Un(UnOp::Zext32, inner) => value = inner,
                Inst::Un(UnOp::Sext(Size::W, Width::W64), inner) => value = inner,
                _ => return value,
            }
        }
    }

    /// How many bits of a value can be other than 0, as its instruction alone says.
    pub(super) fn plain_bits(&self, value: Value) -> u32 {
        match *self.inst(value) {
            Inst::Const(number) => 64 - number.leading_zeros(),
            Inst::Bin(BinOp::And, Width::W64, _, b) => match self.as_const(b) {
                Some(mask) => 64 - mask.leading_zeros(),
                None => 64,
            },
            Inst::Bin(BinOp::Shr, width, _, b) => match self.as_const(b) {
                Some(count) => width.bits() - (count as u32 & (width.bits() - 1)),
                None => width.bits(),
            },
            Inst::Bin(_, width, ..) => width.bits(),
            Inst::Un(UnOp::Neg(width) | UnOp::Sext(_, width), _) => width.bits(),
            Inst::Un(UnOp::Swap(bits), _) => bits.into(),
            Inst::Un(UnOp::Zext32, _) => 32,
            Inst::Load { size, sign: false, .. } => size.bytes() * 8,
            _ => 64,
        }
    }

    /// Simplifies an operation with two operands.
    pub(super) fn fold_bin(&mut self, op: BinOp, width: Width, mut a: Value, mut b: Value) -> Folded {
        if width == Width::W32 {
            (a, b) = (self.low(a), self.low(b));
        }
        if op.commutes() && self.as_const(a).is_some() {
            (a, b) = (b, a);
        }
        let right = self.as_const(b).map(|number| cut(width, number));
        if let Some(right) = right {
            if let Some(left) = self.as_const(a) {
                return Folded::Value(self.constant(compute(op, width, left, right)));
            }
            if let Some(folded) = self.fold_right(op, width, a, right) {
                return folded;
            }
            b = self.constant(right);
        }
        if a == b {
            match op {
                BinOp::Sub | BinOp::Xor => return Folded::Value(self.constant(0)),
                BinOp::And | BinOp::Or => return self.as_width(width, a),
                _ => {}
            }
        }
        if let (BinOp::Add | BinOp::Or | BinOp::Xor, Some(rotation)) = (op, self.rotation(width, a, b)) {
            return Folded::Inst(rotation);
        }
        Folded::Inst(Inst::Bin(op, width, a, b))
    }

    /// A value as the result of an operation of a width that changes nothing.
    fn as_width(&mut self, width: Width, value: Value) -> Folded {
        match width {
            Width::W64 => Folded::Value(value),
            Width::W32 => self.fold_un(UnOp::Zext32, value),
        }
    }

    /// An operation whose right operand is a number.
    fn fold_right(&mut self, op: BinOp, width: Width, a: Value, right: u64) -> Option<Folded> {
        let all = cut(width, u64::MAX);
        let bits = width.bits();
        let count = right as u32 & (bits - 1);
        let constant = |func: &mut Func, number| func.constant(number);
        let same = match op {
            BinOp::Add | BinOp::Sub | BinOp::Or | BinOp::Xor => right == 0,
            BinOp::Shl | BinOp::Shr | BinOp::Sar | BinOp::Rotl => count == 0,
            BinOp::Mul | BinOp::Div | BinOp::Sdiv => right == 1,
            BinOp::Mod | BinOp::Smod => right == 0,
            BinOp::And => right == all,
            BinOp::MulHigh => false,
        };
        if same {
            return Some(self.as_width(width, a));
        }
        let power = right.is_power_of_two().then(|| u64::from(right.trailing_zeros()));
        match (op, right) {
            (BinOp::And | BinOp::Mul | BinOp::Div | BinOp::Sdiv | BinOp::MulHigh, 0)
            | (BinOp::Mod | BinOp::Smod, 1) => {
                return Some(Folded::Value(constant(self, 0)));
            }
            (BinOp::Or, _) if right == all => return Some(Folded::Value(constant(self, all))),
            (BinOp::Sub, _) => {
                let negative = constant(self, cut(width, right.wrapping_neg()));
                return Some(self.fold_bin(BinOp::Add, width, a, negative));
            }
            (BinOp::Mul, _) if power.is_some() => {
                let power = constant(self, power?);
                return Some(self.fold_bin(BinOp::Shl, width, a, power));
            }
            (BinOp::Div, _) if power.is_some() => {
                let power = constant(self, power?);
                return Some(self.fold_bin(BinOp::Shr, width, a, power));
            }
            (BinOp::Mod, _) if power.is_some() => {
                let mask = constant(self, right - 1);
                return Some(self.fold_bin(BinOp::And, width, a, mask));
            }
            // A mask of 32 bits clears the upper half by itself.
            (BinOp::And, LOW) => return Some(self.fold_un(UnOp::Zext32, a)),
            (BinOp::And, _) if width == Width::W32 => {
                let mask = constant(self, right);
                return Some(self.fold_bin(BinOp::And, Width::W64, a, mask));
            }
            _ => {}
        }
        match (op, *self.inst(a)) {
            (BinOp::Add, Inst::Frame(off)) if width == Width::W64 => {
                let off = i64::from(off).checked_add(right as i64).and_then(|off| i32::try_from(off).ok())?;
                return Some(Folded::Value(self.leaf(Inst::Frame(off))));
            }
            // Nothing to carry: an addition, which addresses can do.
            (BinOp::Or | BinOp::Xor, Inst::Bin(BinOp::Shl, inner, _, up)) if inner == width => {
                let up = self.as_const(up)? as u32 & (bits - 1);
                if right >> up != 0 || right > i32::MAX as u64 {
                    return None;
                }
                let right = constant(self, right);
                return Some(self.fold_bin(BinOp::Add, width, a, right));
            }
            (BinOp::And, Inst::Bin(BinOp::And, Width::W64, x, mask)) => {
                let mask = self.as_const(mask)? & right;
                let mask = constant(self, mask);
                return Some(self.fold_bin(BinOp::And, Width::W64, x, mask));
            }
            (BinOp::And, Inst::Un(UnOp::Zext32, x)) => {
                let mask = constant(self, right & LOW);
                return Some(self.fold_bin(BinOp::And, Width::W64, x, mask));
            }
            (BinOp::Shr | BinOp::Sar, Inst::Bin(BinOp::Shl, inner, x, up)) if inner == width => {
                let up = self.as_const(up)? as u32 & (bits - 1);
                if up != count {
                    return None;
                }
                if op == BinOp::Shr {
                    let mask = constant(self, all >> count);
                    return Some(self.fold_bin(BinOp::And, Width::W64, x, mask));
                }
                let size = match bits - count {
                    8 => Size::B,
                    16 => Size::H,
                    32 => Size::W,
                    _ => return None,
                };
                return Some(self.fold_un(UnOp::Sext(size, width), x));
            }
            _ => {}
        }
        None
    }

    /// `x << k | x >> (bits - k)`.
    fn rotation(&self, width: Width, a: Value, b: Value) -> Option<Inst> {
        let shift = |value: Value| match *self.inst(value) {
            Inst::Bin(op @ (BinOp::Shl | BinOp::Shr), width, x, count) => {
                Some((op, width, x, self.as_const(count)? as u32 & (width.bits() - 1)))
            }
            _ => None,
        };
        let (one, other) = (shift(a)?, shift(b)?);
        let (left, right) = if one.0 == BinOp::Shl { (one, other) } else { (other, one) };
        let fits = left.0 == BinOp::Shl
            && right.0 == BinOp::Shr
            && left.1 == right.1
            && left.2 == right.2
            && left.3 + right.3 == left.1.bits()
            // Rotations of 32 bits have nothing above; those of 64 must not be cut.
            && (left.1 == Width::W32 || width == Width::W64);
        let value = if one.0 == BinOp::Shl { a } else { b };
        let count = match *self.inst(value) {
            Inst::Bin(_, _, _, count) if fits => count,
            _ => return None,
        };
        Some(Inst::Bin(BinOp::Rotl, left.1, left.2, count))
    }

    /// Simplifies an operation with one operand.
    pub(super) fn fold_un(&mut self, op: UnOp, a: Value) -> Folded {
        if let Some(number) = self.as_const(a) {
            return Folded::Value(self.constant(compute_one(op, number)));
        }
        let narrow = match op {
            UnOp::Neg(Width::W32) | UnOp::Swap(16 | 32) | UnOp::Zext32 => true,
            UnOp::Sext(size, _) => size != Size::Dw,
            _ => false,
        };
        let low = if narrow { self.low(a) } else { a };
        match op {
            UnOp::Zext32 if self.plain_bits(a) <= 32 => Folded::Value(a),
            UnOp::Zext32 if self.plain_bits(low) <= 32 => Folded::Value(low),
            UnOp::Sext(Size::Dw, _) => Folded::Value(a),
            UnOp::Sext(Size::W, Width::W32) => self.fold_un(UnOp::Zext32, low),
            UnOp::Sext(size, _) if self.plain_bits(low) < size.bytes() * 8 => Folded::Value(low),
            _ => Folded::Inst(Inst::Un(op, low)),
        }
    }

    /// Puts a condition into its usual form: a number on the right.
    pub(super) fn fold_cmp(&mut self, mut cmp: Cmp) -> Cmp {
        if cmp.width == Width::W32 {
            cmp.a = self.low(cmp.a);
            cmp.b = self.low(cmp.b);
        }
        if self.as_const(cmp.a).is_some() && self.as_const(cmp.b).is_none() {
            cmp = Cmp { op: swapped(cmp.op), a: cmp.b, b: cmp.a, ..cmp };
        }
        if let Some(number) = self.as_const(cmp.b) {
            // Of 32 bits the sign counts where the processor extends it.
            cmp.b = self.constant(cut(cmp.width, number));
        }
        cmp
    }

    /// Whether a condition holds, if that is known.
    pub(super) fn known(&self, cmp: &Cmp) -> Option<bool> {
        Some(holds(cmp.op, cmp.width, self.as_const(cmp.a)?, self.as_const(cmp.b)?))
    }

    /// Simplifies anything.
    pub(super) fn fold(&mut self, inst: Inst) -> Folded {
        match inst {
            Inst::Bin(op, width, a, b) => self.fold_bin(op, width, a, b),
            Inst::Un(op, a) => self.fold_un(op, a),
            Inst::Select(cmp, t, e) => {
                let cmp = self.fold_cmp(cmp);
                match self.known(&cmp) {
                    Some(true) => Folded::Value(t),
                    Some(false) => Folded::Value(e),
                    None if t == e => Folded::Value(t),
                    None => Folded::Inst(Inst::Select(cmp, t, e)),
                }
            }
            Inst::Load { size, sign, fixed, base, off } => {
                let (base, off) = self.fold_address(base, off);
                Folded::Inst(Inst::Load { size, sign, fixed, base, off })
            }
            Inst::Store { size, base, off, value } => {
                let (base, off) = self.fold_address(base, off);
                let value = if size <= Size::W { self.low(value) } else { value };
                Folded::Inst(Inst::Store { size, base, off, value })
            }
            Inst::Atomic { size, op, fetch, base, off, value, expected } => {
                let (base, off) = self.fold_address(base, off);
                Folded::Inst(Inst::Atomic { size, op, fetch, base, off, value, expected })
            }
            inst => Folded::Inst(inst),
        }
    }

    /// An address in the frame as one number.
    fn fold_address(&mut self, base: Value, off: i32) -> (Value, i32) {
        if let Inst::Frame(from) = *self.inst(base)
            && let Some(sum) = from.checked_add(off)
        {
            return (self.leaf(Inst::Frame(0)), sum);
        }
        (base, off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg() -> (Func, Value) {
        let mut func = Func::default();
        let value = func.leaf(Inst::Arg(0));
        (func, value)
    }

    #[test]
    fn shifts_there_and_back_are_extensions() {
        let (mut func, x) = arg();
        let count = func.constant(32);
        let up = func.loose(0, Inst::Bin(BinOp::Shl, Width::W64, x, count));
        assert_eq!(func.fold_bin(BinOp::Shr, Width::W64, up, count), Folded::Inst(Inst::Un(UnOp::Zext32, x)));
        let sign = Inst::Un(UnOp::Sext(Size::W, Width::W64), x);
        assert_eq!(func.fold_bin(BinOp::Sar, Width::W64, up, count), Folded::Inst(sign));
    }

    #[test]
    fn rotations_are_found_either_way_round() {
        for (width, bits) in [(Width::W32, 32), (Width::W64, 64)] {
            let (mut func, x) = arg();
            let (left, right) = (func.constant(13), func.constant(bits - 13));
            let up = func.loose(0, Inst::Bin(BinOp::Shl, width, x, left));
            let down = func.loose(0, Inst::Bin(BinOp::Shr, width, x, right));
            let rotation = Folded::Inst(Inst::Bin(BinOp::Rotl, width, x, left));
            assert_eq!(func.fold_bin(BinOp::Or, width, up, down), rotation);
            assert_eq!(func.fold_bin(BinOp::Add, width, down, up), rotation);
            assert_ne!(func.fold_bin(BinOp::And, width, down, up), rotation);
        }
    }

    #[test]
    fn of_nothing_comes_what_the_standard_says() {
        for width in [Width::W32, Width::W64] {
            assert_eq!(compute(BinOp::Div, width, 7, 0), 0);
            assert_eq!(compute(BinOp::Mod, width, 7, 0), 7);
            let least = 1 << (width.bits() - 1);
            assert_eq!(compute(BinOp::Sdiv, width, least, u64::MAX), least);
            assert_eq!(compute(BinOp::Smod, width, least, u64::MAX), 0);
        }
    }
}
