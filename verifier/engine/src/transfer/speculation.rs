//! What a processor may do before it knows better: take the other side of a branch, move a pointer
//! by a number that it has only guessed. Checked on platforms whose policy follows speculation.

use probity_isa::{AluOp, Source};
use probity_platform::{Behaviour, Code as Why, Rejection};

use super::denied;
use super::region::follow;
use crate::domain::Scalar;
use crate::explore::speculation::Masking;
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::Reg;

/// A move of a pointer by a register that has begun: how it is masked, and where the pointer was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    masking: Masking,
    /// The mask keeps the pointer from going down.
    down: bool,
    /// How far the pointer was from where it may not pass.
    before: u32,
}

impl<O: Observer> Walk<'_, O> {
    /// The side that a decided branch does not take, as a processor may that has not compared yet.
    pub(super) fn speculate_branch(&mut self, other: usize, dst: u8, src: Source) -> Result<(), Rejection> {
        let unknown = self.unknown();
        let pc = self.pc;
        let branch = self.push_branch(other, Some(pc))?;
        branch.speculative = true;
        *branch.reg_mut(dst) = unknown;
        if let Source::Reg(reg) = src {
            *branch.reg_mut(reg) = unknown;
        }
        Ok(())
    }

    /// A pointer is about to be moved by a number. By a register, only what can be masked may: then
    /// a path is followed on which the mask made the number 0.
    pub(super) fn speculate_move(
        &mut self,
        op: AluOp,
        dst: u8,
        src: Source,
        pointer: &Reg,
        number: &Scalar,
    ) -> Result<Option<Window>, Rejection> {
        let Source::Reg(src) = src else { return Ok(None) };
        if self.speculation.stops_before(self.pc) {
            return Ok(None);
        }
        let pointer_first = self.state.reg(dst).is_pointer();
        let known = number.is_const().is_some();
        let mut window = None;
        if !self.state.speculative {
            let negative = number.smin < 0;
            if !known && negative != (number.smax < 0) {
                let number = if pointer_first { src } else { dst };
                return Err(prohibited(format!("R{number} has unknown scalar with mixed signed bounds")));
            }
            let down = (op == AluOp::Add) == negative;
            let Some((before, most)) = self.distance(pointer, down) else {
                let pointer = if pointer_first { dst } else { src };
                return Err(prohibited(format!("R{pointer} has pointer with unsupported alu operation")));
            };
            if before >= most {
                return Err(beyond(op, dst));
            }
            let masking = Masking { negative, known, pointer_first, limit: 0 };
            self.speculation.strict_numbers |= !known;
            window = Some(Window { masking, down, before });
        }
        if !known {
            let pc = self.pc;
            let branch = self.push_branch(pc + 1, Some(pc)).map_err(|rejection| {
                let line = prohibited(format!("R{dst} could not be pushed for speculative verification"));
                follow(rejection, line.message)
            })?;
            branch.speculative = true;
            *branch.reg_mut(dst) = *pointer;
        }
        Ok(window)
    }

    /// The pointer was moved: how far decides how it is masked, on every path in the same way.
    pub(super) fn narrow_window(
        &mut self,
        window: Window,
        op: AluOp,
        dst: u8,
        moved: &Reg,
    ) -> Result<(), Rejection> {
        let Some((after, most)) = self.distance(moved, window.down) else { return Ok(()) };
        if after >= most {
            return Err(beyond(op, dst));
        }
        let limit = window.before.wrapping_sub(after).cast_signed().unsigned_abs();
        if self.speculation.mask(self.pc, Masking { limit, ..window.masking }) {
            return Ok(());
        }
        let verb = verb(op);
        Err(prohibited(format!("R{dst} tried to {verb} from different maps, paths or scalars")).facts(
            "every path moves the pointer by the same number, or by one with the same bounds",
            "another path moves it in another way",
        ))
    }

    /// How far a pointer is from where it may not pass, and the least distance that is too much.
    fn distance(&self, pointer: &Reg, down: bool) -> Option<(u32, u32)> {
        match pointer.behaviour? {
            Behaviour::Stack => {
                let at = i64::from(pointer.off).wrapping_add(pointer.val.tnum.value.cast_signed());
                Some((at.wrapping_neg() as u32, self.platform.limits.stack + u32::from(down)))
            }
            Behaviour::MapValue => {
                let variable = if down { pointer.val.smin } else { pointer.val.umax.cast_signed() };
                let at = variable.wrapping_add(i64::from(pointer.off));
                Some((at as u32, self.program.maps[pointer.map()].value_size))
            }
            _ => None,
        }
    }

    /// A pointer that was moved still points into its memory: what is behind it may be read before it
    /// is known that the access is not reached.
    pub(super) fn check_moved(&mut self, dst: u8, pointer: &Reg) -> Result<(), Rejection> {
        match pointer.behaviour {
            Some(Behaviour::Stack) => {
                let at = i64::from(pointer.off).wrapping_add(pointer.val.tnum.value.cast_signed());
                let limit = i64::from(self.platform.limits.stack);
                if pointer.val.is_const().is_none() {
                    let var = print::tnum(pointer.val.tnum);
                    return Err(denied(
                        Why::PointerArithmetic,
                        format!("R{dst} variable stack access prohibited for !root, var_off={var} off={at}"),
                    )
                    .facts("a known place on the stack", "a place that is not known"));
                }
                if at >= 0 || at < -limit {
                    let what = "stack pointer arithmetic goes out of range, prohibited for !root";
                    return Err(denied(Why::PointerArithmetic, format!("R{dst} {what}; off={at}")).facts(
                        format!("a place between -{limit} and -1 from the frame pointer"),
                        at.to_string(),
                    ));
                }
                Ok(())
            }
            Some(Behaviour::MapValue) => {
                let size = self.program.maps[pointer.map()].value_size;
                let off = i64::from(pointer.off);
                let inside = self.check_region(dst, pointer, off, 1, size, false);
                inside.and_then(|()| self.check_beside_fields(pointer, off, 1)).map_err(|rejection| {
                    let what = "pointer arithmetic of map value goes out of range, prohibited for !root";
                    follow(rejection, format!("R{dst} {what}"))
                })
            }
            _ => Ok(()),
        }
    }
}

fn verb(op: AluOp) -> &'static str {
    if op == AluOp::Add { "add" } else { "sub" }
}

fn beyond(op: AluOp, dst: u8) -> Rejection {
    let verb = verb(op);
    prohibited(format!("R{dst} tried to {verb} beyond pointer bounds"))
}

fn prohibited(what: String) -> Rejection {
    denied(Why::PointerArithmetic, format!("{what}, pointer arithmetic with it prohibited for !root"))
        .facts("a move that can be masked, the same on every path", "a move that can't")
}
