//! Loads and stores of the stack (verifier.md, 2.3 and section 4).
//!
//! | module | subject |
//! |---|---|
//! | `write` | stores: spills, zeros, everything else |
//! | `read` | loads: fills, zeros, everything else |
//! | `range` | whole ranges that helpers read or write |

use probity_platform::rejection::EINVAL;
use probity_platform::{Code as Why, Rejection};

use super::denied;
use super::memory::Access;
use super::region::MAX_VAR_OFF;
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::stack::SLOT;
use crate::state::{Reg, Slot};

mod range;
mod read;
mod write;

/// Where on a stack a byte lies: the slot, and the index of its tag.
fn place(off: i64) -> (usize, usize) {
    let below = (-off - 1) as usize;
    (below / SLOT, below % SLOT)
}

impl<O: Observer> Walk<'_, O> {
    pub(in crate::transfer) fn access_stack(
        &mut self,
        regno: u8,
        off: i64,
        size: u32,
        access: Access,
    ) -> Result<(), Rejection> {
        let reg = *self.state.reg(regno);
        self.check_stack_bounds(regno, &reg, off, i64::from(size), access.is_write())?;
        let Some(var) = reg.val.is_const() else {
            return match access {
                Access::Write(stored) => self.write_variable(&reg, off, size, stored),
                Access::Read(Some(dst)) => self.read_variable(regno, &reg, off, size, dst),
                Access::Read(None) => {
                    let message = format!(
                        "variable offset stack pointer cannot be passed into helper function; var_off={} off={off} size={size}",
                        print::tnum(reg.val.tnum)
                    );
                    Err(denied(Why::StackOutOfBounds, message))
                }
            };
        };
        let off = off + var.cast_signed();
        match access {
            Access::Write(stored) => self.write_fixed(reg.frame(), off, size, stored),
            Access::Read(dst) => self.read_fixed(reg.frame(), off, size, dst),
        }
    }

    /// The access lies on the stack; makes room for it. `off` includes the fixed offset.
    pub(in crate::transfer) fn check_stack_bounds(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: i64,
        write: bool,
    ) -> Result<(), Rejection> {
        let what = if write { " write to" } else { " read from" };
        let limit = i64::from(self.platform.limits.stack);
        let (low, high) = match reg.val.is_const() {
            Some(var) => (off.saturating_add(var.cast_signed()), off.saturating_add(var.cast_signed())),
            None => {
                let bound = MAX_VAR_OFF.cast_signed();
                if reg.val.smax >= bound || reg.val.smin <= -bound {
                    let message = format!("invalid unbounded variable-offset{what} stack R{regno}");
                    return Err(denied(Why::UnboundedAccess, message).facts(
                        "an offset with a lower and an upper bound",
                        format!("{} to {}", reg.val.smin, reg.val.smax),
                    ));
                }
                (off + reg.val.smin, off + reg.val.smax)
            }
        };
        let end = high.saturating_add(size);
        let may_be_new = write || self.policy.uninit_stack;
        let lowest = if may_be_new { limit } else { self.touched(reg.frame()) };
        let start_fits = low >= -lowest && low < 0;
        if !start_fits || end > 0 {
            let message = match reg.val.is_const() {
                Some(_) => format!("invalid{what} stack R{regno} off={low} size={size}"),
                None => format!(
                    "invalid variable-offset{what} stack R{regno} var_off={} off={off} size={size}",
                    print::tnum(reg.val.tnum)
                ),
            };
            // Where stale bytes may not be read, the stack ends for a read where it was last written.
            let unwritten = low >= -limit && low < 0 && end <= 0;
            let rejection = if unwritten {
                denied(Why::UninitializedStack, message)
                    .facts("every byte was written before", format!("nothing below {} was", -lowest))
            } else {
                denied(Why::StackOutOfBounds, message).facts(
                    format!("an access between -{limit} and 0 from the frame pointer"),
                    format!("{low} to {end}"),
                )
            };
            return Err(if start_fits { rejection.errno(EINVAL) } else { rejection });
        }
        self.grow_stack(reg.frame(), -low);
        Ok(())
    }

    fn touched(&self, frame: usize) -> i64 {
        (self.state.frames[frame].stack.len() * SLOT) as i64
    }

    fn grow_stack(&mut self, frame: usize, bytes: i64) {
        let slots = (bytes as usize).div_ceil(SLOT);
        if self.state.frames[frame].stack.len() < slots {
            self.state.frame_at_mut(frame).stack.grow(slots);
        }
        let function = self.state.frames[frame].subprog;
        let depth = (slots * SLOT) as u32;
        self.stack_depth[function] = self.stack_depth[function].max(depth);
    }

    fn slot_mut(&mut self, frame: usize, slot: usize) -> &mut Slot {
        self.state.frame_at_mut(frame).stack.slot_mut(slot)
    }
}
