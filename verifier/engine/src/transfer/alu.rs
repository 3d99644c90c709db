//! Arithmetic on numbers, and moves (verifier.md, 3.1, 3.2, 3.6).

use probity_isa::{AluOp, Size, Source, Swap, Width};
use probity_platform::{Code as Why, Policy, Rejection};

use crate::domain::{self, Scalar, fits_unsigned};
use crate::explore::walk::{Observer, Walk};
use crate::state::{ADD_CONST, ADD_CONST32, ADD_CONST64, Reg};

impl<O: Observer> Walk<'_, O> {
    pub(super) fn alu(&mut self, width: Width, op: AluOp, dst: u8, src: Source) -> Result<(), Rejection> {
        self.check_source(src)?;
        self.check_readable(dst)?;
        check_operand(width, op, src)?;
        self.check_writable(dst)?;
        let target = self.state.reg(dst).is_scalar();
        let operand = match src {
            Source::Reg(reg) => self.state.reg(reg).is_scalar(),
            Source::Imm(_) => true,
        };
        match (target, operand) {
            (true, true) => {
                self.alu_scalars(width, op, dst, src)?;
                if src == Source::Reg(dst) {
                    // A number that is added to itself is no longer at a distance to others.
                    self.state.reg_mut(dst).unlink();
                }
                Ok(())
            }
            (false, false) => self.alu_pointers(op, dst),
            (true, false) => {
                self.mark_precise(dst)?;
                let (pointer, number) = (self.operand(src), *self.state.reg(dst));
                self.alu_pointer(width, op, dst, src, &pointer, &number)
            }
            (false, true) => {
                if let Source::Reg(reg) = src {
                    self.mark_precise(reg)?;
                }
                let (pointer, number) = (*self.state.reg(dst), self.operand(src));
                self.alu_pointer(width, op, dst, src, &pointer, &number)
            }
        }
    }

    /// The value of a source operand.
    pub(super) fn operand(&self, src: Source) -> Reg {
        match src {
            Source::Reg(reg) => *self.state.reg(reg),
            Source::Imm(imm) => self.constant(i64::from(imm).cast_unsigned()),
        }
    }

    /// A scalar with a known value.
    pub(crate) fn constant(&self, value: u64) -> Reg {
        Reg { kind: self.kinds.scalar, ..Reg::scalar(Scalar::constant(value)) }
    }

    fn alu_scalars(&mut self, width: Width, op: AluOp, dst: u8, src: Source) -> Result<(), Rejection> {
        if matches!(op, AluOp::And | AluOp::Or) {
            self.fork(width, op, dst, src)?;
        }
        let regs = &mut self.state.frame_mut().regs;
        let target = usize::from(dst);
        match src {
            Source::Imm(imm) => {
                let operand = Scalar::constant(i64::from(imm).cast_unsigned());
                compute(&mut regs[target], width, op, &operand);
            }
            Source::Reg(reg) => match regs.get_disjoint_mut([target, usize::from(reg)]) {
                Ok([target, operand]) => compute(target, width, op, &operand.val),
                Err(_) => {
                    let operand = regs[target].val;
                    compute(&mut regs[target], width, op, &operand);
                }
            },
        }
        Ok(())
    }

    /// The state splits where the result is one of two values.
    fn fork(&mut self, width: Width, op: AluOp, dst: u8, src: Source) -> Result<(), Rejection> {
        let operand = self.operand(src).val;
        let Some((here, later)) = domain::fork(op, width, &self.state.reg(dst).val, &operand) else {
            return Ok(());
        };
        let pc = self.pc;
        let set = |reg: &mut Reg, val| {
            reg.val = val;
            reg.unlink();
        };
        set(self.push_branch(pc, Some(pc))?.reg_mut(dst), later);
        set(self.state.reg_mut(dst), here);
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
        Err(super::denied(Why::PointerArithmetic, message)
            .facts("a number", self.type_of(dst))
            .at(self.platform.policy_site(Policy { pointer_leaks: true, ..Policy::default() })))
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
            let kind = self.kinds.scalar;
            self.state.reg_mut(dst).set_constant(kind, value);
            return Ok(());
        };
        let source = self.state.reg(src);
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
        let regs = &mut self.state.frame_mut().regs;
        let (from, to) = (usize::from(src), usize::from(dst));
        regs[to] = regs[from];
        let result = &mut regs[to];
        if !keeps {
            result.unlink();
        }
        match (sign_extend, width) {
            (None, Width::W64) => {}
            (None, Width::W32) => domain::zero_extend_in(&mut result.val, 4),
            (Some(size), width) => result.val = domain::movsx(&result.val, size.bits(), width),
        }
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
            let regs = &mut self.state.frame_mut().regs;
            regs[usize::from(dst)] = regs[usize::from(src)];
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

#[inline]
fn check_operand(width: Width, op: AluOp, src: Source) -> Result<(), Rejection> {
    let Source::Imm(imm) = src else { return Ok(()) };
    match op {
        AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod if imm == 0 => Err(division_by_zero()),
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh if imm < 0 || imm.cast_unsigned() >= width.bits() => {
            Err(invalid_shift(width, imm))
        }
        _ => Ok(()),
    }
}

#[cold]
fn division_by_zero() -> Rejection {
    Rejection::new(Why::DivisionByZero, "div by zero").facts("a divisor other than 0", "the constant 0")
}

#[cold]
fn invalid_shift(width: Width, imm: i32) -> Rejection {
    Rejection::new(Why::InvalidShift, format!("invalid shift {imm}"))
        .facts(format!("an amount from 0 to {}", width.bits() - 1), imm.to_string())
}

/// `target op= src`, with its link.
fn compute(target: &mut Reg, width: Width, op: AluOp, src: &Scalar) {
    link_delta(target, width, op, src);
    domain::alu_in(op, width, &mut target.val, src);
}

/// Adding a constant to a linked scalar keeps the link, once, with a distance (verifier.md, 3.6).
/// `target` is as it was before.
#[inline]
fn link_delta(target: &mut Reg, width: Width, op: AluOp, src: &Scalar) {
    let fits = |target: &Reg| width == Width::W64 || fits_unsigned(&target.val, 4);
    match delta(width, op, src) {
        Some(delta) if target.id != 0 && target.id & ADD_CONST == 0 && fits(target) => {
            // Also a distance of 0 has a width, and uses up the one distance that a link may have.
            target.id |= if width == Width::W64 { ADD_CONST64 } else { ADD_CONST32 };
            target.off = delta;
        }
        _ => target.unlink(),
    }
}

/// The constant that an operation adds, when it does nothing else.
#[inline]
fn delta(width: Width, op: AluOp, src: &Scalar) -> Option<i32> {
    let value = src.is_const()?;
    let value = match width {
        Width::W64 => i32::try_from(value.cast_signed()).ok()?,
        Width::W32 => (value as u32).cast_signed(),
    };
    match op {
        AluOp::Add => Some(value),
        AluOp::Sub => value.checked_neg(),
        _ => None,
    }
}
