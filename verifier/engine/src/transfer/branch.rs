//! Conditional jumps: decided or taken both ways, and what each side learns (verifier.md, 3.4 to
//! 3.8).

use probity_isa::{JumpOp, Source, Width};
use probity_platform::{Behaviour, Code as Why, Rejection};
use probity_program::flags;

use super::denied;
use crate::domain;
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
        let left = *self.state.reg(dst);
        let right = match src {
            Source::Reg(reg) => {
                let packets = self.is_packet_bound(&left) && self.is_packet_bound(self.state.reg(reg));
                if !packets && self.leaks(reg) {
                    return Err(comparison_prohibited(reg));
                }
                *self.state.reg(reg)
            }
            Source::Imm(imm) => self.constant(i64::from(imm).cast_unsigned()),
        };
        let target = self.target(i64::from(off));
        if let Some(taken) = self.decide(width, op, &left, &right) {
            if left.is_scalar() {
                self.mark_precise(dst)?;
            }
            if let Source::Reg(reg) = src
                && right.is_scalar()
            {
                self.mark_precise(reg)?;
            }
            return Ok(Next::Go(if taken { target } else { self.pc + 1 }));
        }
        let linked = self.collect_linked(dst, src, &right);
        if linked.len() > 1 {
            self.note(None, linked);
        }
        let pc = self.pc;
        self.push_branch(target, Some(pc))?;
        if left.is_scalar() && right.is_scalar() {
            self.refine_scalars(width, op, dst, src, &linked)?;
        } else {
            self.refine_pointers(width, op, dst, src, &left, &right)?;
        }
        Ok(Next::Go(self.pc + 1))
    }

    /// The outcome, when it is certain.
    fn decide(&self, width: Width, op: JumpOp, left: &Reg, right: &Reg) -> Option<bool> {
        match (left.is_pointer(), right.is_pointer()) {
            (false, false) => domain::decide(op, width, &left.val, &right.val),
            (true, true) if width == Width::W64 => self.decide_packets(op, left, right),
            // In 32 bits too, as Linux does, although half of an address may be 0.
            (true, false) if right.is_null_scalar() => self.decide_null(op, left),
            (false, true) if left.is_null_scalar() => self.decide_null(op, right),
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
        let left = self.state.reg(dst).val;
        let same = src == Source::Reg(dst);
        let right = match src {
            Source::Reg(reg) => self.state.reg(reg).val,
            Source::Imm(imm) => domain::Scalar::constant(i64::from(imm).cast_unsigned()),
        };
        let refine = |taken| {
            if same {
                domain::refine_same(op, width, &left, taken)
            } else {
                domain::refine(op, width, &left, &right, taken)
            }
        };
        let (taken, fallthrough) = (refine(true), refine(false));
        let violated = |refined: &domain::Refined| refined.dst_violation || refined.src_violation;
        let strict = self.program.flags & flags::TEST_REG_INVARIANTS != 0;
        if strict && (violated(&taken) || violated(&fallthrough)) {
            return Err(unsupported("contradictory bounds under BPF_F_TEST_REG_INVARIANTS"));
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

fn comparison_prohibited(reg: u8) -> Rejection {
    denied(Why::PointerComparison, format!("R{reg} pointer comparison prohibited"))
        .facts("numbers, or packet pointers and their end", "a pointer, whose value must stay secret")
}
