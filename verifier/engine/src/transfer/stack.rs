//! Loads and stores of the stack (verifier.md, 2.3 and section 4).

use std::rc::Rc;

use probity_platform::rejection::EINVAL;
use probity_platform::{Behaviour, Code as Why, Rejection};

use super::alu::{link, needs_link};
use super::denied;
use super::memory::{Access, MAX_VAR_OFF, Stored};
use crate::domain;
use crate::explore::history::Linked;
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::stack::SLOT;
use crate::state::{Reg, Slot, Tag};

/// Where on a stack a byte lies: the slot, and the index of its tag.
fn place(off: i64) -> (usize, usize) {
    let below = (-off - 1) as usize;
    (below / SLOT, below % SLOT)
}

impl<O: Observer> Walk<'_, O> {
    pub(super) fn access_stack(
        &mut self,
        regno: u8,
        off: i64,
        size: u32,
        access: Access,
        sign_extend: bool,
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
            Access::Read(dst) => self.read_fixed(reg.frame(), off, size, dst, sign_extend),
        }
    }

    /// The access lies on the stack; makes room for it. `off` includes the fixed offset.
    pub(super) fn check_stack_bounds(
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
        let may_be_new = write || self.platform.policy.uninit_stack;
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
            let rejection = denied(Why::StackOutOfBounds, message).facts(
                format!("an access between -{limit} and 0 from the frame pointer"),
                format!("{low} to {end}"),
            );
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
        &mut self.state.frame_at_mut(frame).stack.slots_mut()[slot]
    }

    fn write_fixed(&mut self, frame: usize, off: i64, size: u32, stored: Stored) -> Result<(), Rejection> {
        let (slot, first) = place(off);
        let leaks_allowed = self.platform.policy.pointer_leaks;
        let old = *self.state.frames[frame].stack.slot(slot);
        if !leaks_allowed && old.is_spill() && !old.reg.is_scalar() && size != 8 {
            let message = "attempt to corrupt spilled pointer on stack";
            return Err(denied(Why::PartialPointer, message));
        }
        if size == 8 {
            self.liveness.write(frame, 1 << slot);
        }
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
            self.note(Some((frame as u8, slot as u8)), Linked::NONE);
            return Ok(());
        }
        let zero = self.stores_zero(stored);
        if zero && let Stored::Reg(reg) = stored {
            // A tag that says 0 can't be followed back.
            self.mark_precise(reg)?;
        }
        let tag = if zero { Tag::Zero } else { Tag::Misc };
        let slot = self.slot_mut(frame, slot);
        slot.scrub();
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
        let leaks_allowed = self.platform.policy.pointer_leaks;
        let slot = self.slot_mut(frame, slot);
        slot.reg = reg;
        let spilled = SLOT - size as usize;
        for (index, tag) in slot.tags.iter_mut().enumerate() {
            *tag = match *tag {
                _ if index >= spilled => Tag::Spill,
                Tag::Zero => Tag::Zero,
                Tag::Invalid if leaks_allowed => Tag::Invalid,
                _ => Tag::Misc,
            };
        }
    }

    fn write_variable(&mut self, reg: &Reg, off: i64, size: u32, stored: Stored) -> Result<(), Rejection> {
        let zero = self.stores_zero(stored);
        let mut zero_kept = false;
        let frame = reg.frame();
        let (low, high) = (off + reg.val.smin, off + reg.val.smax + i64::from(size));
        for at in low..high {
            let (slot, byte) = place(at);
            let old = *self.state.frames[frame].stack.slot(slot);
            let tag = old.tags[byte];
            if !self.platform.policy.pointer_leaks && !matches!(tag, Tag::Misc | Tag::Zero) {
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

    fn read_fixed(
        &mut self,
        frame: usize,
        off: i64,
        size: u32,
        dst: Option<u8>,
        sign_extend: bool,
    ) -> Result<(), Rejection> {
        let (slot, first) = place(off);
        self.liveness.read(self.state.frame().instance, frame, self.pc, 1 << slot);
        let value = *self.state.frames[frame].stack.slot(slot);
        let noted = if value.is_spill() {
            self.fill(frame, slot, &value, off, size, dst, sign_extend)?
        } else {
            self.check_initialized(&value, off, first, size)?;
            if let Some(dst) = dst {
                let zero = (0..size as usize).all(|index| value.tags[first - index] == Tag::Zero);
                *self.state.reg_mut(dst) = if zero { self.constant(0) } else { self.unknown() };
            }
            false
        };
        if noted {
            self.note(Some((frame as u8, slot as u8)), Linked::NONE);
        }
        Ok(())
    }

    fn check_initialized(&self, slot: &Slot, off: i64, first: usize, size: u32) -> Result<(), Rejection> {
        for index in 0..size as usize {
            let tag = slot.tags[first - index];
            if tag == Tag::Invalid && !self.platform.policy.uninit_stack {
                let message = format!("invalid read from stack off {off}+{index} size {size}");
                return Err(denied(Why::UninitializedStack, message)
                    .facts("every byte was written before", format!("byte {index} was not")));
            }
        }
        Ok(())
    }

    /// Loads from a slot that holds a register; true when the register is what is loaded.
    #[expect(clippy::too_many_arguments, reason = "the parts of one access")]
    fn fill(
        &mut self,
        frame: usize,
        slot: usize,
        value: &Slot,
        off: i64,
        size: u32,
        dst: Option<u8>,
        _sign_extend: bool,
    ) -> Result<bool, Rejection> {
        let spilled = value.tags.iter().rev().take_while(|&&tag| tag == Tag::Spill).count() as u32;
        if size == 8 && spilled == 8 {
            if let Some(dst) = dst {
                let reg = self.link_slot(frame, slot);
                *self.state.reg_mut(dst) = reg;
            } else if !self.platform.policy.pointer_leaks && !value.reg.is_scalar() {
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
            if *tag == Tag::Invalid && !self.platform.policy.uninit_stack {
                let message = format!("invalid read from stack off {off}+{index} size {size}");
                return Err(denied(Why::UninitializedStack, message));
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

    fn read_variable(&mut self, regno: u8, reg: &Reg, off: i64, size: u32, dst: u8) -> Result<(), Rejection> {
        self.check_stack_memory(regno, reg, off, size, false, false, None)?;
        let (low, high) = (off + reg.val.smin, off + reg.val.smax + i64::from(size));
        let stack = &self.state.frames[reg.frame()].stack;
        let zero = (low..high).all(|at| {
            let (slot, byte) = place(at);
            stack.slot(slot).tags[byte] == Tag::Zero
        });
        *self.state.reg_mut(dst) = if zero { self.constant(0) } else { self.unknown() };
        Ok(())
    }

    /// A whole range of the stack is read or written: by a helper, or at a variable offset. With
    /// `raw`, constant ranges need not be initialised; the range is then noted there, to be
    /// written once the call is done.
    #[expect(clippy::too_many_arguments, reason = "the parts of one access")]
    pub(super) fn check_stack_memory(
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
            *raw = Some((regno, size));
            return Ok(());
        }
        let (frame, instance) = (reg.frame(), self.state.frame().instance);
        let policy = self.platform.policy;
        for at in low..high + i64::from(size) {
            let (slot, byte) = place(at);
            let value = *self.state.frames[frame].stack.slot(slot);
            let spilled = value.is_spill() && (value.reg.is_scalar() || policy.pointer_leaks);
            match value.tags[byte] {
                Tag::Misc => {}
                Tag::Zero => self.clobber_byte(frame, slot, byte, write),
                Tag::Invalid if policy.uninit_stack => self.clobber_byte(frame, slot, byte, write),
                Tag::Spill | Tag::Invalid if spilled => {
                    if write {
                        let unknown = self.unknown();
                        let slot = self.slot_mut(frame, slot);
                        slot.reg = unknown;
                        slot.scrub();
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
            self.liveness.read(instance, frame, self.pc, 1 << slot);
        }
        Ok(())
    }

    fn clobber_byte(&mut self, frame: usize, slot: usize, byte: usize, write: bool) {
        if write {
            self.slot_mut(frame, slot).tags[byte] = Tag::Misc;
        }
    }

    /// A helper wrote a constant range: nothing is known of it any more.
    pub(super) fn write_unknown(&mut self, regno: u8, size: u32) -> Result<(), Rejection> {
        for index in 0..size {
            self.access(regno, index.cast_signed(), 1, Access::Write(Stored::Unknown), false, false)?;
        }
        Ok(())
    }

    /// The four-byte constant at a stack address, when its slot says one, and the slot.
    pub(super) fn stack_constant(&self, reg: &Reg, size: u32) -> Option<(u64, usize, usize, bool)> {
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

    /// Frees the stack of a frame that is left.
    pub(super) fn drop_frame(&mut self) -> Option<Rc<crate::state::Frame>> {
        self.state.frames.pop()
    }
}
