//! Stores to the stack (verifier.md, 2.3).

use probity_platform::rejection::EINVAL;
use probity_platform::{Behaviour, Code as Why, Rejection};

use super::place;
use crate::domain;
use crate::explore::walk::{Observer, Walk};
use crate::state::stack::SLOT;
use crate::state::{Reg, Tag};
use crate::transfer::denied;
use crate::transfer::memory::Stored;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn write_fixed(
        &mut self,
        frame: usize,
        off: i64,
        size: u32,
        stored: Stored,
    ) -> Result<(), Rejection> {
        let (slot, first) = place(off);
        self.destroy_view(frame, slot)?;
        let leaks_allowed = self.policy.pointer_leaks;
        let old = self.state.frames[frame].stack.slot(slot);
        if self.policy.speculation {
            let written = |tag: &Tag| matches!(tag, Tag::Misc | Tag::Zero);
            let pointer = matches!(stored, Stored::Reg(reg) if self.state.reg(reg).is_pointer());
            if pointer || !old.tags[..size as usize].iter().all(written) {
                self.speculation.stop_after(self.pc);
            }
        }
        if !leaks_allowed && old.is_spill() && !old.reg.is_scalar() && size != 8 {
            return Err(corrupts_pointer());
        }
        if size == 8 {
            self.liveness.write(frame, 1 << slot);
        }
        self.observer.slots(frame, 1 << slot);
        let aligned = off % SLOT as i64 == 0;
        let spilled = match stored {
            Stored::Reg(reg) if self.state.reg(reg).is_scalar() => {
                if aligned {
                    Some(self.scalar_to_spill(reg, size))
                } else {
                    None
                }
            }
            Stored::Reg(reg) => Some(self.pointer_to_spill(reg, frame, size)?),
            Stored::Imm(imm) if aligned => Some(self.constant(i64::from(imm).cast_unsigned())),
            Stored::Imm(_) | Stored::Unknown => None,
        };
        if let Some(reg) = spilled {
            self.spill(frame, slot, reg, size);
            self.note_slot(frame, slot);
            return Ok(());
        }
        let zero = self.stores_zero(stored);
        if zero && let Stored::Reg(reg) = stored {
            // A tag that says 0 can't be followed back.
            self.mark_precise(reg)?;
        }
        let tag = if zero { Tag::Zero } else { Tag::Misc };
        let slot = self.slot_mut(frame, slot);
        slot.scrub_all();
        slot.reg = Reg::NOT_INIT;
        for index in 0..size as usize {
            slot.tags[first - index] = tag;
        }
        Ok(())
    }

    fn stores_zero(&self, stored: Stored) -> bool {
        match stored {
            Stored::Reg(reg) => self.state.reg(reg).is_null_scalar(),
            Stored::Imm(imm) => imm == 0,
            Stored::Unknown => false,
        }
    }

    /// The scalar to put in a slot: linked to the register, unless the store cuts it.
    fn scalar_to_spill(&mut self, regno: u8, size: u32) -> Reg {
        let fits = domain::fits_unsigned(&self.state.reg(regno).val, size);
        if fits {
            self.link_for_copy(regno);
        }
        let mut reg = *self.state.reg(regno);
        if !fits {
            reg.id = 0;
        }
        reg
    }

    fn pointer_to_spill(&self, regno: u8, frame: usize, size: u32) -> Result<Reg, Rejection> {
        let reg = *self.state.reg(regno);
        if size != 8 {
            return Err(denied(Why::PartialPointer, "invalid size of register spill")
                .facts("a pointer is stored with all 8 bytes", format!("{size} bytes")));
        }
        if reg.behaviour == Some(Behaviour::Stack) && frame != self.state.current() {
            let message = "cannot spill pointers to stack into stack frame of the caller";
            return Err(Rejection::new(Why::StackEscape, message).facts(
                "nothing in a caller's frame points into a callee's",
                format!("r{regno} points into frame {}", reg.frame()),
            ));
        }
        Ok(reg)
    }

    fn spill(&mut self, frame: usize, slot: usize, reg: Reg, size: u32) {
        let slot = self.slot_mut(frame, slot);
        slot.reg = reg;
        let spilled = SLOT - size as usize;
        for (index, tag) in slot.tags.iter_mut().enumerate() {
            *tag = match *tag {
                _ if index >= spilled => Tag::Spill,
                Tag::Zero => Tag::Zero,
                Tag::Invalid => Tag::Invalid,
                _ => Tag::Misc,
            };
        }
    }

    pub(super) fn write_variable(
        &mut self,
        reg: &Reg,
        off: i64,
        size: u32,
        stored: Stored,
    ) -> Result<(), Rejection> {
        let zero = self.stores_zero(stored);
        let mut zero_kept = false;
        let frame = reg.frame();
        let (low, high) = (off + reg.val.smin, off + reg.val.smax + i64::from(size));
        for at in low..high {
            let (slot, byte) = place(at);
            self.destroy_view(frame, slot)?;
            self.observer.slots(frame, 1 << slot);
            let old = *self.state.frames[frame].stack.slot(slot);
            let tag = old.tags[byte];
            if !self.policy.pointer_leaks && !matches!(tag, Tag::Misc | Tag::Zero) {
                let message = format!(
                    "spilled ptr in range of var-offset stack write; insn {}, ptr off: {at}",
                    self.pc
                );
                return Err(denied(Why::PartialPointer, message).errno(EINVAL));
            }
            if zero && tag == Tag::Spill && old.is_scalar_spill() && old.reg.is_null_scalar() {
                zero_kept = true;
                continue;
            }
            let keeps_zero = zero && tag == Tag::Zero;
            zero_kept |= keeps_zero;
            let slot = self.slot_mut(frame, slot);
            slot.scrub();
            slot.reg = Reg::NOT_INIT;
            slot.tags[byte] = if keeps_zero { Tag::Zero } else { Tag::Misc };
        }
        if zero_kept && let Stored::Reg(reg) = stored {
            self.mark_precise(reg)?;
        }
        Ok(())
    }

    /// A helper wrote a constant range, which was found to lie on the stack: nothing is known of it
    /// any more.
    pub(in crate::transfer) fn write_unknown(&mut self, regno: u8, size: u32) -> Result<(), Rejection> {
        let reg = *self.state.reg(regno);
        let Some(var) = reg.val.is_const() else { return Ok(()) };
        let (frame, low) = (reg.frame(), i64::from(reg.off) + var.cast_signed());
        let leaks_allowed = self.policy.pointer_leaks;
        let mut at = low;
        while at < low + i64::from(size) {
            let (index, first) = place(at);
            let bytes = (low + i64::from(size) - at).min(first as i64 + 1);
            let slot = self.slot_mut(frame, index);
            if !leaks_allowed && slot.is_spill() && !slot.reg.is_scalar() {
                return Err(corrupts_pointer());
            }
            slot.scrub_all();
            slot.reg = Reg::NOT_INIT;
            slot.tags[first + 1 - bytes as usize..=first].fill(Tag::Misc);
            self.observer.slots(frame, 1 << index);
            at += bytes;
        }
        Ok(())
    }
}

fn corrupts_pointer() -> Rejection {
    denied(Why::PartialPointer, "attempt to corrupt spilled pointer on stack")
}
