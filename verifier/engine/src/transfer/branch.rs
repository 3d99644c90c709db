//! Conditional jumps: decided or taken both ways, and what each side learns (verifier.md, 3.4 to
//! 3.8).

use probity_isa::{JumpOp, Source, Width};
use probity_platform::{Behaviour, Code as Why, Rejection};
use probity_program::flags;

use super::denied;
use crate::domain::{self, Scalar};
use crate::explore::history::Linked;
use crate::explore::walk::{Next, Observer, Walk};
use crate::state::{Reg, State};
use crate::unsupported;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn jump(
        &mut self,
        width: Width,
        op: JumpOp,
        dst: u8,
        src: Source,
        off: i16,
    ) -> Result<Next, Rejection> {
        self.check_readable(dst)?;
        self.check_source(src)?;
        if let Source::Reg(reg) = src {
            let packets =
                self.is_packet_bound(self.state.reg(dst)) && self.is_packet_bound(self.state.reg(reg));
            if !packets && self.leaks(reg) {
                return Err(comparison_prohibited(reg));
            }
        }
        let target = self.target(i64::from(off));
        if let Some(taken) = self.decide(width, op, dst, src) {
            if self.state.reg(dst).is_scalar() {
                self.mark_precise(dst)?;
            }
            if let Source::Reg(reg) = src
                && self.state.reg(reg).is_scalar()
            {
                self.mark_precise(reg)?;
            }
            if self.policy.speculation {
                self.speculate_branch(if taken { self.pc + 1 } else { target }, dst, src)?;
            }
            self.observer.jumped(self.pc, &self.state);
            return Ok(Next::Go(if taken { target } else { self.pc + 1 }));
        }
        let linked = self.collect_linked(dst, src);
        if linked.len() > 1 {
            self.note_linked(linked);
        }
        let pc = self.pc;
        self.push_branch(target, Some(pc))?;
        let numbers = match src {
            Source::Reg(reg) => self.state.reg(reg).is_scalar(),
            Source::Imm(_) => true,
        };
        if numbers && self.state.reg(dst).is_scalar() {
            self.refine_scalars(width, op, dst, src, &linked)?;
        } else {
            let (left, right) = (*self.state.reg(dst), self.operand(src));
            self.refine_pointers(width, op, dst, src, &left, &right)?;
        }
        self.observer.jumped(self.pc, &self.state);
        Ok(Next::Go(self.pc + 1))
    }

    /// The outcome, when it is certain.
    fn decide(&self, width: Width, op: JumpOp, dst: u8, src: Source) -> Option<bool> {
        let left = self.state.reg(dst);
        let right = match src {
            Source::Reg(reg) => self.state.reg(reg),
            Source::Imm(imm) => {
                let right = domain::Scalar::constant(i64::from(imm).cast_unsigned());
                return match left.is_pointer() {
                    false => domain::decide(op, width, &left.val, &right),
                    true if imm == 0 => self.decide_null(op, left),
                    true => None,
                };
            }
        };
        match (left.is_pointer(), right.is_pointer()) {
            (false, false) => domain::decide(op, width, &left.val, &right.val),
            (true, true) if width == Width::W64 => self.decide_packets(op, left, right),
            (true, false) if is_zero(width, right) => self.decide_null(op, left),
            (false, true) if is_zero(width, left) => self.decide_null(op, right),
            _ => None,
        }
    }

    fn refine_scalars(
        &mut self,
        width: Width,
        op: JumpOp,
        dst: u8,
        src: Source,
        linked: &Linked,
    ) -> Result<(), Rejection> {
        let strict = self.program.flags & flags::TEST_REG_INVARIANTS != 0;
        let right = match src {
            Source::Imm(imm) if !strict => {
                let right = domain::Scalar::constant(i64::from(imm).cast_unsigned());
                let learn = |state: &mut State, taken| {
                    domain::refine_left(op, width, &mut state.reg_mut(dst).val, &right, taken);
                    super::links::propagate(state, dst, linked);
                };
                if let Some(branch) = self.last_branch() {
                    learn(branch, true);
                }
                learn(&mut self.state, false);
                return Ok(());
            }
            Source::Imm(imm) => domain::Scalar::constant(i64::from(imm).cast_unsigned()),
            Source::Reg(reg) => self.state.reg(reg).val,
        };
        let left = self.state.reg(dst).val;
        let same = src == Source::Reg(dst);
        let refine = |taken| {
            if same {
                domain::refine_same(op, width, &left, taken)
            } else {
                domain::refine(op, width, &left, &right, taken)
            }
        };
        let (taken, fallthrough) = (refine(true), refine(false));
        if strict {
            for side in [true, false] {
                if let Some(found) = domain::contradiction(op, width, &left, &right, same, side) {
                    return Err(contradictory(side, found));
                }
            }
        }
        if let Some(branch) = self.last_branch() {
            learn(branch, dst, src, &taken, linked);
        }
        learn(&mut self.state, dst, src, &fallthrough, linked);
        Ok(())
    }

    fn refine_pointers(
        &mut self,
        width: Width,
        op: JumpOp,
        dst: u8,
        src: Source,
        left: &Reg,
        right: &Reg,
    ) -> Result<(), Rejection> {
        let equality = match op {
            JumpOp::Jeq => Some(true),
            JumpOp::Jne => Some(false),
            _ => None,
        };
        if let (Some(equal_taken), Width::W64) = (equality, width) {
            if src == Source::Imm(0) && left.maybe_null() {
                let id = left.id;
                self.resolve_null(id, !equal_taken);
                return Ok(());
            }
            if left.is_pointer() && right.is_pointer() && left.maybe_null() != right.maybe_null() {
                let object = Some(Behaviour::Object);
                if left.behaviour != object && right.behaviour != object {
                    // On the equal side, what may be null equals what is not.
                    let id = if left.maybe_null() { left.id } else { right.id };
                    self.lift_null(id, equal_taken);
                }
            }
        }
        if width == Width::W64
            && let Source::Reg(reg) = src
            && self.compare_packets(op, dst, reg, left, right)
        {
            return Ok(());
        }
        if self.leaks(dst) {
            return Err(comparison_prohibited(dst));
        }
        Ok(())
    }
}

/// One side of a branch between numbers: its operands, and what is linked to them.
fn learn(state: &mut State, dst: u8, src: Source, refined: &domain::Refined, linked: &Linked) {
    state.reg_mut(dst).val = refined.dst;
    if let Source::Reg(reg) = src {
        if reg != dst {
            state.reg_mut(reg).val = refined.src;
        }
        super::links::propagate(state, reg, linked);
    }
    super::links::propagate(state, dst, linked);
}

/// Any number whose bits of this width are 0. The kernel takes a pointer for different from it at
/// both widths.
fn is_zero(width: Width, number: &Reg) -> bool {
    match width {
        Width::W64 => number.is_null_scalar(),
        Width::W32 => number.val.tnum.low().is_const() && number.val.tnum.low().value == 0,
    }
}

/// A side of a branch on which no value of an operand is left, found too late.
fn contradictory(taken: bool, (is_src, value): (bool, Scalar)) -> Rejection {
    let Scalar { umin, umax, smin, smax, u32_min, u32_max, s32_min, s32_max, tnum } = value;
    if umin <= umax && smin <= smax && u32_min <= u32_max && s32_min <= s32_max {
        // Measured only for intervals that are empty.
        return unsupported("bounds that contradict known bits under BPF_F_TEST_REG_INVARIANTS");
    }
    let place = format!("{taken}_reg{}", if is_src { 2 } else { 1 });
    let message = format!(
        "verifier bug: REG INVARIANTS VIOLATION ({place}): range bounds violation \
         u64=[{umin:#x}, {umax:#x}] s64=[{smin:#x}, {smax:#x}] u32=[{u32_min:#x}, {u32_max:#x}] \
         s32=[{s32_min:#x}, {s32_max:#x}] var_off=({:#x}, {:#x})",
        tnum.value, tnum.mask
    );
    Rejection::new(Why::ContradictoryBounds, message)
        .facts("each side of a branch leaves values for its operands, or is not taken", "an empty interval")
}

fn comparison_prohibited(reg: u8) -> Rejection {
    denied(Why::PointerComparison, format!("R{reg} pointer comparison prohibited"))
        .facts("numbers, or packet pointers and their end", "a pointer, whose value must stay secret")
}
