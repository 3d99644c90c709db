//! Loads from the stack (verifier.md, 2.3).

use probity_platform::{Behaviour, Code as Why, Rejection};

use super::place;
use crate::domain;
use crate::explore::walk::{Observer, Walk};
use crate::state::stack::SLOT;
use crate::state::{Reg, Slot, Tag};
use crate::transfer::alu::{link, needs_link};
use crate::transfer::denied;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn read_fixed(
        &mut self,
        frame: usize,
        off: i64,
        size: u32,
        dst: Option<u8>,
    ) -> Result<(), Rejection> {
        let (slot, first) = place(off);
        self.liveness.read(self.state.frame().instance, frame, self.pc, 1 << slot);
        self.observer.slots(frame, 1 << slot);
        let value = *self.state.frames[frame].stack.slot(slot);
        let noted = if value.is_spill() {
            self.fill(frame, slot, &value, off, size, dst)?
        } else {
            self.check_initialized(&value, off, first, size)?;
            if let Some(dst) = dst {
                let zero = (0..size as usize).all(|index| value.tags[first - index] == Tag::Zero);
                *self.state.reg_mut(dst) = if zero { self.constant(0) } else { self.unknown() };
            }
            false
        };
        if noted {
            self.note_slot(frame, slot);
        }
        Ok(())
    }

    fn check_initialized(&mut self, slot: &Slot, off: i64, first: usize, size: u32) -> Result<(), Rejection> {
        for index in 0..size as usize {
            let tag = slot.tags[first - index];
            if tag == Tag::Invalid {
                self.read_uninit(off, index, size)?;
            }
            if tag == Tag::Object {
                let message = format!("invalid read from stack off {off}+{index} size {size}");
                return Err(denied(Why::StackObject, message).facts(
                    "bytes that are the program's own",
                    format!("byte {index} belongs to an object in the stack"),
                ));
            }
        }
        Ok(())
    }

    /// A byte that was never written is read.
    fn read_uninit(&mut self, off: i64, index: usize, size: u32) -> Result<(), Rejection> {
        if self.policy.uninit_stack {
            self.facts.uninit_stack = true;
            return Ok(());
        }
        let message = format!("invalid read from stack off {off}+{index} size {size}");
        Err(denied(Why::UninitializedStack, message)
            .facts("every byte was written before", format!("byte {index} was not")))
    }

    /// Loads from a slot that holds a register; true when the register is what is loaded.
    fn fill(
        &mut self,
        frame: usize,
        slot: usize,
        value: &Slot,
        off: i64,
        size: u32,
        dst: Option<u8>,
    ) -> Result<bool, Rejection> {
        let spilled = value.tags.iter().rev().take_while(|&&tag| tag == Tag::Spill).count() as u32;
        if size == 8 && spilled == 8 {
            if let Some(dst) = dst {
                // As it is: it was linked when it was spilled, or it is what became of a pointer.
                *self.state.reg_mut(dst) = value.reg;
            } else if !self.policy.pointer_leaks && !value.reg.is_scalar() {
                let message = format!("leaking pointer from stack off {off}");
                return Err(denied(Why::PointerLeak, message));
            }
            return Ok(true);
        }
        if !value.reg.is_scalar() {
            return Err(denied(Why::PartialPointer, "invalid size of register fill")
                .facts("a spilled pointer is loaded with all 8 bytes", format!("{size} bytes")));
        }
        let Some(dst) = dst else { return Ok(true) };
        if size <= spilled && off % SLOT as i64 == 0 {
            let fits = domain::fits_unsigned(&value.reg.val, size);
            let mut reg =
                if size == 4 && spilled == 4 && fits { self.link_slot(frame, slot) } else { value.reg };
            if !fits {
                reg.id = 0;
            }
            *self.state.reg_mut(dst) = reg;
            return Ok(true);
        }
        let (_, first) = place(off);
        let tags: Vec<Tag> = (0..size as usize).map(|index| value.tags[first - index]).collect();
        for (index, tag) in tags.iter().enumerate() {
            if *tag == Tag::Invalid {
                self.read_uninit(off, index, size)?;
            }
        }
        let spilled_zero = tags.iter().all(|&tag| tag == Tag::Spill) && value.reg.is_null_scalar();
        let zero = spilled_zero || tags.iter().all(|&tag| tag == Tag::Zero);
        *self.state.reg_mut(dst) = if zero { self.constant(0) } else { self.unknown() };
        Ok(spilled_zero)
    }

    /// The register in a slot, linked so that a copy learns with it.
    fn link_slot(&mut self, frame: usize, slot: usize) -> Reg {
        let id = self.last_id + 1;
        let current = self.state.frames[frame].stack.slot(slot).reg;
        if !needs_link(&current) {
            return current;
        }
        let reg = &mut self.slot_mut(frame, slot).reg;
        let used = link(reg, id);
        let reg = *reg;
        if used {
            self.last_id = id;
        }
        reg
    }

    pub(super) fn read_variable(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        dst: u8,
    ) -> Result<(), Rejection> {
        self.check_stack_memory(regno, reg, off, size, false, false, None)?;
        let (low, high) = (off + reg.val.smin, off + reg.val.smax + i64::from(size));
        let stack = &self.state.frames[reg.frame()].stack;
        let observer = &mut *self.observer;
        let zero = (low..high).all(|at| {
            let (slot, byte) = place(at);
            observer.slots(reg.frame(), 1 << slot);
            stack.slot(slot).tags[byte] == Tag::Zero
        });
        *self.state.reg_mut(dst) = if zero { self.constant(0) } else { self.unknown() };
        Ok(())
    }

    /// The four-byte constant at a stack address, when its slot says one, and the slot.
    pub(in crate::transfer) fn stack_constant(
        &self,
        reg: &Reg,
        size: u32,
    ) -> Option<(u64, usize, usize, bool)> {
        if reg.behaviour != Some(Behaviour::Stack) {
            return None;
        }
        let off = i64::from(reg.off) + reg.val.is_const()?.cast_signed();
        if off >= 0 {
            return None;
        }
        let (slot, first) = place(off);
        let value = self.state.frames[reg.frame()].stack.slots().get(slot)?;
        let first_byte = first.checked_sub(size as usize - 1)?;
        let bytes = &value.tags[first_byte..=first];
        if bytes.iter().all(|&tag| tag == Tag::Zero) {
            return Some((0, reg.frame(), slot, false));
        }
        let spilled = value.tags.iter().filter(|&&tag| tag == Tag::Spill).count();
        let bottom = off % SLOT as i64 == 0;
        if value.is_spill() && bottom && spilled == size as usize {
            return value.reg.constant().map(|constant| (constant, reg.frame(), slot, true));
        }
        None
    }
}
