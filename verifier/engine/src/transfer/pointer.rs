//! Arithmetic on pointers (verifier.md, 3.3).

use probity_isa::{AluOp, Source, Width};
use probity_platform::rejection::EINVAL;
use probity_platform::{Behaviour, Code as Why, Rejection};

use super::denied;
use crate::domain::{self, Scalar};
use crate::explore::walk::{Observer, Walk};
use crate::print::type_name;
use crate::state::Reg;

/// No pointer is moved this far, in either direction, in one step or in sum.
pub(crate) const MAX_OFFSET: i64 = 1 << 29;

impl<O: Observer> Walk<'_, O> {
    /// An operator between two pointers.
    pub(super) fn alu_pointers(&mut self, op: AluOp, dst: u8) -> Result<(), Rejection> {
        if op == AluOp::Sub && self.policy.pointer_leaks {
            *self.state.reg_mut(dst) = self.unknown();
            return Ok(());
        }
        Err(denied(Why::PointerArithmetic, format!("R{dst} pointer {} pointer prohibited", symbol(op)))
            .facts("one of the operands is a number", "both are pointers"))
    }

    /// An operator between a pointer and a number, which may be the left operand.
    pub(super) fn alu_pointer(
        &mut self,
        width: Width,
        op: AluOp,
        dst: u8,
        src: Source,
        pointer: &Reg,
        number: &Reg,
    ) -> Result<(), Rejection> {
        let offset = &number.val;
        let swapped = self.state.reg(dst).is_scalar();
        let known = offset.is_const().is_some();
        let contradictory = offset.smin > offset.smax || offset.umin > offset.umax;
        if (known && (offset.smin != offset.smax || offset.umin != offset.umax)) || contradictory {
            *self.state.reg_mut(dst) = self.unknown();
            return Ok(());
        }
        if width == Width::W32 {
            if op == AluOp::Sub && self.policy.pointer_leaks {
                *self.state.reg_mut(dst) = self.unknown();
                return Ok(());
            }
            let message = format!("R{dst} 32-bit pointer arithmetic prohibited");
            return Err(
                denied(Why::PointerArithmetic, message).facts("64-bit arithmetic", "32-bit arithmetic")
            );
        }
        self.check_kind(op, dst, pointer, offset)?;
        // The distance of a linked number stands where pointers have their offset, and counts.
        self.check_sane(offset, number.off, pointer)?;
        self.check_sane(&pointer.val, pointer.off, pointer)?;
        let mut window = None;
        if self.policy.speculation && matches!(op, AluOp::Add | AluOp::Sub) {
            window = self.speculate_move(op, dst, src, pointer, offset)?;
        }
        let result = match op {
            AluOp::Add => self.pointer_add(pointer, offset),
            AluOp::Sub => self.pointer_sub(dst, pointer, offset, swapped)?,
            AluOp::And | AluOp::Or | AluOp::Xor => {
                let message = format!("R{dst} bitwise operator {} on pointer prohibited", symbol(op));
                return Err(denied(Why::PointerArithmetic, message));
            }
            _ => {
                let message = format!("R{dst} pointer arithmetic with {} operator prohibited", symbol(op));
                return Err(denied(Why::PointerArithmetic, message));
            }
        };
        let unsynced =
            if result.off == pointer.off { raw_sum(op, &pointer.val, offset) } else { pointer.val };
        self.check_sane(&unsynced, result.off, pointer)?;
        if self.policy.speculation {
            self.check_moved(dst, &result)?;
            if let Some(window) = window {
                self.narrow_window(window, op, dst, &result)?;
            }
        }
        *self.state.reg_mut(dst) = result;
        Ok(())
    }

    fn check_kind(&self, op: AluOp, dst: u8, pointer: &Reg, offset: &Scalar) -> Result<(), Rejection> {
        let name = || type_name(self.platform, pointer.ty());
        if pointer.maybe_null() {
            let message = format!("R{dst} pointer arithmetic on {} prohibited, null-check it first", name());
            return Err(denied(Why::MaybeNull, message).facts("a pointer that is not null", "it may be null"));
        }
        let kind = self.platform.kind(pointer.kind);
        let known = offset.is_const();
        let allowed = match pointer.behaviour {
            Some(Behaviour::Map) => op == AluOp::Add && known == Some(0),
            Some(Behaviour::View) => !kind.no_arithmetic && known.is_some(),
            Some(Behaviour::PacketEnd | Behaviour::Handle) => false,
            _ => !kind.no_arithmetic,
        };
        if allowed {
            return Ok(());
        }
        let message = format!("R{dst} pointer arithmetic on {} prohibited", name());
        Err(denied(Why::PointerArithmetic, message))
    }

    /// Neither operand nor result may be further away than pointers reach.
    fn check_sane(&self, value: &Scalar, off: i32, pointer: &Reg) -> Result<(), Rejection> {
        let name = || type_name(self.platform, pointer.ty());
        let outside = |value: i64| value >= MAX_OFFSET || value <= -MAX_OFFSET;
        let message = if let Some(known) = value.is_const().filter(|&known| outside(known.cast_signed())) {
            format!("math between {} pointer and {} is not allowed", name(), known.cast_signed())
        } else if outside(i64::from(off)) {
            format!("{} pointer offset {off} is not allowed", name())
        } else if value.smin == i64::MIN {
            format!("math between {} pointer and register with unbounded min value is not allowed", name())
        } else if outside(value.smin) {
            format!("value {} makes {} pointer be out of bounds", value.smin, name())
        } else {
            return Ok(());
        };
        Err(Rejection::new(Why::PointerOffset, message).errno(EINVAL).facts(
            format!("an offset whose least value lies between -{MAX_OFFSET} and {MAX_OFFSET}, both excluded"),
            format!("offset {off} plus a value of at least {}", value.smin),
        ))
    }

    fn pointer_add(&mut self, pointer: &Reg, offset: &Scalar) -> Reg {
        let mut result = *pointer;
        if let Some(off) = fixed(pointer.off, offset, i64::checked_add) {
            result.off = off;
            result.val = blank_low(&pointer.val);
            return result;
        }
        result.val = domain::pointer_add(&pointer.val, offset);
        if pointer.behaviour == Some(Behaviour::Packet) {
            result.id = self.new_id();
            result.set_range(0);
        }
        result
    }

    fn pointer_sub(
        &mut self,
        dst: u8,
        pointer: &Reg,
        offset: &Scalar,
        swapped: bool,
    ) -> Result<Reg, Rejection> {
        if swapped {
            let message = format!("R{dst} tried to subtract pointer from scalar");
            return Err(denied(Why::PointerArithmetic, message));
        }
        if pointer.behaviour == Some(Behaviour::Stack) {
            let message = format!("R{dst} subtraction from stack pointer prohibited");
            return Err(denied(Why::PointerArithmetic, message)
                .facts("a negative constant added", "a number subtracted"));
        }
        let mut result = *pointer;
        if let Some(off) = fixed(pointer.off, offset, i64::checked_sub) {
            result.off = off;
            result.val = blank_low(&pointer.val);
            return Ok(result);
        }
        result.val = domain::pointer_sub(&pointer.val, offset);
        if pointer.behaviour == Some(Behaviour::Packet) {
            result.id = self.new_id();
            if offset.smin < 0 {
                result.set_range(0);
            }
        }
        Ok(result)
    }
}

/// The sum as it is before its parts learn from each other: what the check of the result sees.
fn raw_sum(op: AluOp, pointer: &Scalar, offset: &Scalar) -> Scalar {
    let (low, high, tnum) = if op == AluOp::Sub {
        let low = pointer.smin.checked_sub(offset.smax);
        (low, pointer.smax.checked_sub(offset.smin), pointer.tnum.sub(offset.tnum))
    } else {
        let low = pointer.smin.checked_add(offset.smin);
        (low, pointer.smax.checked_add(offset.smax), pointer.tnum.add(offset.tnum))
    };
    let (smin, smax) = low.zip(high).unwrap_or((i64::MIN, i64::MAX));
    Scalar { tnum, smin, smax, ..Scalar::UNKNOWN }
}

/// The fixed offset after adding a known number, when it still fits.
fn fixed(off: i32, offset: &Scalar, sum: fn(i64, i64) -> Option<i64>) -> Option<i32> {
    let known = offset.is_const()?.cast_signed();
    i32::try_from(sum(i64::from(off), known)?).ok()
}

/// The variable part as it is after a step that does not change it: pointers carry no 32-bit
/// bounds, they are deduced anew.
fn blank_low(value: &Scalar) -> Scalar {
    domain::pointer_add(value, &Scalar::constant(0))
}

/// An operator as messages show it.
pub(crate) fn symbol(op: AluOp) -> &'static str {
    match op {
        AluOp::Add => "+=",
        AluOp::Sub => "-=",
        AluOp::Mul => "*=",
        AluOp::Div | AluOp::Sdiv => "/=",
        AluOp::Or => "|=",
        AluOp::And => "&=",
        AluOp::Lsh => "<<=",
        AluOp::Rsh => ">>=",
        AluOp::Mod | AluOp::Smod => "%=",
        AluOp::Xor => "^=",
        AluOp::Arsh => "s>>=",
    }
}
