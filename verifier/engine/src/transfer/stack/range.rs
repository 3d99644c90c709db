//! Ranges of the stack that helpers read or write, and reads at variable offsets.

use probity_platform::{Code as Why, Rejection, Switches};

use super::place;
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::stack::SLOT;
use crate::state::{Reg, Tag};
use crate::transfer::denied;

impl<O: Observer> Walk<'_, O> {
    /// A whole range of the stack is read or written: by a helper, or at a variable offset. With
    /// `raw`, constant ranges need not be initialised; the range is then noted there, to be
    /// written once the call is done.
    #[expect(clippy::too_many_arguments, reason = "the parts of one access")]
    pub(in crate::transfer) fn check_stack_memory(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        zero_allowed: bool,
        write: bool,
        raw: Option<&mut Option<(u8, u32)>>,
    ) -> Result<(), Rejection> {
        if size == 0 && !zero_allowed {
            return Err(denied(Why::ArgumentSize, "invalid zero-sized read"));
        }
        self.check_stack_bounds(regno, reg, off, i64::from(size), write)?;
        let known = reg.val.is_const();
        let (low, high) = match known {
            Some(var) => (off + var.cast_signed(), off + var.cast_signed()),
            None => (off + reg.val.smin, off + reg.val.smax),
        };
        if known.is_some()
            && let Some(raw) = raw
        {
            let stack = &self.state.frames[reg.frame()].stack;
            let view = (low..low + i64::from(size)).find(|&at| self.is_view_slot(stack.slot(place(at).0)));
            if let Some(at) = view {
                let message = format!("potential write to dynptr at off={at} disallowed");
                return Err(denied(Why::StackObject, message)
                    .facts("bytes that belong to no object", "they belong to one"));
            }
            // What the callable leaves out, on an error for example, would be stale.
            let stale = (low..low + i64::from(size)).any(|at| {
                let (slot, byte) = place(at);
                stack.slot(slot).tags[byte] == Tag::Invalid
            });
            self.facts.uninit_stack |= stale;
            *raw = Some((regno, size));
            return Ok(());
        }
        let (frame, instance) = (reg.frame(), self.state.frame().instance);
        let policy = self.policy;
        let covers = self.profile.switches.contains(Switches::SPILL_COVERS_SLOT);
        let (mut read, mut next) = (0, low);
        while next < high + i64::from(size) {
            let at = next;
            let (slot, byte) = place(at);
            let value = self.state.frames[frame].stack.slot(slot);
            read |= 1 << slot;
            // Written bytes of unknown value stay what they are, whatever is done: all of the slot
            // at once.
            next += if byte == SLOT - 1 && value.tags == [Tag::Misc; SLOT] { SLOT as i64 } else { 1 };
            let spilled = value.is_spill() && (value.reg.is_scalar() || policy.pointer_leaks);
            match value.tags[byte] {
                Tag::Misc => {}
                Tag::Zero => self.clobber_byte(frame, slot, byte, write),
                Tag::Invalid if policy.uninit_stack => {
                    self.facts.uninit_stack = true;
                    self.clobber_byte(frame, slot, byte, write);
                }
                Tag::Spill | Tag::Invalid if spilled && (value.tags[byte] == Tag::Spill || covers) => {
                    self.facts.uninit_stack |= value.tags[byte] == Tag::Invalid;
                    if write {
                        let unknown = self.unknown();
                        let slot = self.slot_mut(frame, slot);
                        slot.reg = unknown;
                        slot.scrub_all();
                    }
                }
                _ => {
                    let message = match known {
                        Some(_) => {
                            format!("invalid read from stack R{regno} off {low}+{} size {size}", at - low)
                        }
                        None => format!(
                            "invalid read from stack R{regno} var_off {}+{} size {size}",
                            print::tnum(reg.val.tnum),
                            at - low
                        ),
                    };
                    return Err(denied(Why::UninitializedStack, message)
                        .facts("every byte was written before", format!("byte {} was not", at - low)));
                }
            }
        }
        if read != 0 {
            self.liveness.read(instance, frame, self.pc, read);
        }
        Ok(())
    }

    fn clobber_byte(&mut self, frame: usize, slot: usize, byte: usize, write: bool) {
        if write {
            self.slot_mut(frame, slot).tags[byte] = Tag::Misc;
        }
    }
}
