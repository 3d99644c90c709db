//! Arithmetic on numbers, and moves (verifier.md, 3.1, 3.2, 3.6).

use probity_isa::{AluOp, Size, Source, Swap, Width};
use probity_platform::{Code as Why, Rejection};

use crate::domain::{self, Scalar, fits_unsigned};
use crate::explore::walk::{Observer, Walk};
use crate::state::{ADD_CONST, ADD_CONST32, ADD_CONST64, Reg};

impl<O: Observer> Walk<'_, O> {
    pub(super) fn alu(&mut self, width: Width, op: AluOp, dst: u8, src: Source) -> Result<(), Rejection> {
        self.check_source(src)?;
        self.check_readable(dst)?;
        check_operand(width, op, src)?;
        self.check_writable(dst)?;
        let operand = match src {
            Source::Reg(reg) => *self.state.reg(reg),
            Source::Imm(imm) => self.constant(i64::from(imm).cast_unsigned()),
        };
        let target = *self.state.reg(dst);
        match (target.is_scalar(), operand.is_scalar()) {
            (true, true) => self.alu_scalars(width, op, dst, &operand),
            (false, false) => self.alu_pointers(op, dst),
            (true, false) => {
                self.mark_precise(dst)?;
                self.alu_pointer(width, op, dst, &operand, &target, true)
            }
            (false, true) => {
                if let Source::Reg(reg) = src {
                    self.mark_precise(reg)?;
                }
                self.alu_pointer(width, op, dst, &target, &operand, false)
            }
        }
    }

    /// A scalar with a known value.
    pub(crate) fn constant(&self, value: u64) -> Reg {
        Reg { kind: self.kinds.scalar, ..Reg::scalar(Scalar::constant(value)) }
    }

    fn alu_scalars(&mut self, width: Width, op: AluOp, dst: u8, src: &Reg) -> Result<(), Rejection> {
        let mut target = *self.state.reg(dst);
        if let Some((here, later)) = domain::fork(op, width, &target.val, &src.val) {
            let pc = self.pc;
            let branch = self.push_branch(pc, Some(pc))?;
            let reg = branch.reg_mut(dst);
            reg.val = later;
            reg.unlink();
            target.val = here;
            target.unlink();
        }
        let before = target;
        target.val = domain::alu(op, width, &before.val, &src.val);
        link_delta(&mut target, &before, width, op, src);
        *self.state.reg_mut(dst) = target;
        Ok(())
    }

    pub(super) fn neg(&mut self, width: Width, dst: u8) -> Result<(), Rejection> {
        self.check_readable(dst)?;
        self.check_number(dst)?;
        self.check_writable(dst)?;
        self.unary(dst, |value| domain::neg(width, value));
        Ok(())
    }

    pub(super) fn end(&mut self, swap: Swap, bits: u8, dst: u8) -> Result<(), Rejection> {
        self.check_readable(dst)?;
        self.check_number(dst)?;
        self.check_writable(dst)?;
        if swap == Swap::ToLe && bits == 64 && self.state.reg(dst).is_scalar() {
            // Nothing changes, not even the link.
            return Ok(());
        }
        let swap = match swap {
            Swap::ToLe => domain::Swap::Le,
            Swap::ToBe => domain::Swap::Be,
            Swap::Unconditional => domain::Swap::Bswap,
        };
        self.unary(dst, |value| domain::end(swap, u32::from(bits), value));
        Ok(())
    }

    /// A pointer would become a number.
    fn check_number(&self, dst: u8) -> Result<(), Rejection> {
        if !self.leaks(dst) {
            return Ok(());
        }
        let message = format!("R{dst} pointer arithmetic prohibited");
        Err(super::denied(Why::PointerArithmetic, message).facts("a number", self.type_of(dst)))
    }

    fn unary(&mut self, dst: u8, change: impl Fn(&Scalar) -> Scalar) {
        let reg = *self.state.reg(dst);
        let mut result = self.unknown();
        if reg.is_scalar() {
            result.val = change(&reg.val);
        }
        *self.state.reg_mut(dst) = result;
    }

    pub(super) fn mov(
        &mut self,
        width: Width,
        dst: u8,
        src: Source,
        sign_extend: Option<Size>,
    ) -> Result<(), Rejection> {
        self.check_source(src)?;
        self.check_writable(dst)?;
        let Source::Reg(src) = src else {
            let Source::Imm(imm) = src else { return Ok(()) };
            let value = match width {
                Width::W64 => i64::from(imm).cast_unsigned(),
                Width::W32 => u64::from(imm.cast_unsigned()),
            };
            *self.state.reg_mut(dst) = self.constant(value);
            return Ok(());
        };
        let source = *self.state.reg(src);
        if !source.is_scalar() {
            return self.mov_pointer(width, dst, src, sign_extend);
        }
        let keeps = match (sign_extend, width) {
            (None, Width::W64) => true,
            (None, Width::W32) => fits_unsigned(&source.val, 4),
            // Only where the sign bit is surely clear, though negative values could fit too.
            (Some(size), _) => source.val.umax < 1 << (size.bits() - 1),
        };
        if keeps {
            self.link_for_copy(src);
        }
        let mut result = *self.state.reg(src);
        if !keeps {
            result.unlink();
        }
        result.val = match (sign_extend, width) {
            (None, Width::W64) => result.val,
            (None, Width::W32) => domain::zero_extend(&result.val, 4),
            (Some(size), width) => domain::movsx(&result.val, size.bits(), width),
        };
        *self.state.reg_mut(dst) = result;
        Ok(())
    }

    fn mov_pointer(
        &mut self,
        width: Width,
        dst: u8,
        src: u8,
        sign_extend: Option<Size>,
    ) -> Result<(), Rejection> {
        if width == Width::W64 && sign_extend.is_none() {
            *self.state.reg_mut(dst) = *self.state.reg(src);
            return Ok(());
        }
        if self.leaks(src) {
            let message = match sign_extend {
                Some(_) => format!("R{src} sign-extension part of pointer"),
                None => format!("R{src} partial copy of pointer"),
            };
            return Err(super::denied(Why::PointerLeak, message));
        }
        let mut result = self.unknown();
        if width == Width::W32 {
            result.val = Scalar::unknown_of_width(4);
        }
        *self.state.reg_mut(dst) = result;
        Ok(())
    }

    /// Gives a register a class of equal scalars before it is copied. A register with a distance
    /// to its class starts a new one.
    pub(crate) fn link_for_copy(&mut self, reg: u8) {
        let id = self.last_id + 1;
        let current = self.state.reg(reg);
        if !needs_link(current) {
            return;
        }
        let reg = self.state.reg_mut(reg);
        if link(reg, id) {
            self.last_id = id;
        }
    }
}

/// True when copying the scalar would change its link.
pub(crate) fn needs_link(reg: &Reg) -> bool {
    reg.is_scalar() && (reg.id & ADD_CONST != 0 || (reg.id == 0 && reg.val.is_const().is_none()))
}

/// Starts a class of equal scalars; false when `id` was not needed.
pub(crate) fn link(reg: &mut Reg, id: u32) -> bool {
    if reg.id & ADD_CONST != 0 {
        reg.unlink();
    }
    if reg.id == 0 && reg.val.is_const().is_none() {
        reg.id = id;
        return true;
    }
    false
}

fn check_operand(width: Width, op: AluOp, src: Source) -> Result<(), Rejection> {
    let Source::Imm(imm) = src else { return Ok(()) };
    match op {
        AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod if imm == 0 => {
            Err(Rejection::new(Why::DivisionByZero, "div by zero")
                .facts("a divisor other than 0", "the constant 0"))
        }
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh if imm < 0 || imm.cast_unsigned() >= width.bits() => {
            Err(Rejection::new(Why::InvalidShift, format!("invalid shift {imm}"))
                .facts(format!("an amount from 0 to {}", width.bits() - 1), imm.to_string()))
        }
        _ => Ok(()),
    }
}

/// Adding a constant to a linked scalar keeps the link, once, with a distance (verifier.md, 3.6).
fn link_delta(target: &mut Reg, before: &Reg, width: Width, op: AluOp, src: &Reg) {
    let delta = src.val.is_const().and_then(|value| {
        let value = match width {
            Width::W64 => i32::try_from(value.cast_signed()).ok()?,
            Width::W32 => (value as u32).cast_signed(),
        };
        match op {
            AluOp::Add => Some(value),
            AluOp::Sub => value.checked_neg(),
            _ => None,
        }
    });
    let fits = width == Width::W64 || fits_unsigned(&before.val, 4);
    match delta {
        Some(delta) if before.id != 0 && before.id & ADD_CONST == 0 && fits => {
            // Also a distance of 0 has a width, and uses up the one distance that a link may have.
            target.id = before.id | if width == Width::W64 { ADD_CONST64 } else { ADD_CONST32 };
            target.off = delta;
        }
        _ => target.unlink(),
    }
}
