//! Following wanted values one instruction back (verifier.md, 2.6).

use probity_isa::{AtomicOp, Instruction, Source};

use super::history::{Linked, Place};

/// r1 to r5.
const ARGUMENTS: u16 = 0b11_1110;
const MAX_FRAMES: usize = 16;

/// Which registers and slots of which frames are wanted.
#[derive(Clone, Debug)]
pub struct Wants {
    /// The frame that the walk back is in.
    pub frame: usize,
    /// By frame: registers, as bits.
    pub regs: [u16; MAX_FRAMES],
    /// By frame: stack slots, as bits.
    pub slots: [u64; MAX_FRAMES],
}

/// Where the path went from an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// To the instruction behind it.
    Next,
    /// To the instruction behind a call of a function.
    Return,
    /// From a call into the function that it calls back, or from that one's exit to the call.
    CalledBack,
    /// Elsewhere.
    Jump,
}

/// The value can't be followed further.
pub struct Lost;

impl Wants {
    /// Nothing wanted, in a frame.
    #[must_use]
    pub fn none(frame: usize) -> Wants {
        Wants { frame, regs: [0; MAX_FRAMES], slots: [0; MAX_FRAMES] }
    }

    /// One register of a frame.
    #[must_use]
    pub fn reg(frame: usize, reg: u8) -> Wants {
        let mut wants = Wants::none(frame);
        wants.regs[frame] = 1 << reg;
        wants
    }

    /// True when nothing is wanted.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regs[self.frame] == 0 && self.slots[self.frame] == 0 && self.only_here()
    }

    /// True when nothing is wanted of the callers of the frame that the walk back is in.
    #[inline]
    #[must_use]
    pub fn only_here(&self) -> bool {
        self.regs[..self.frame].iter().all(|&regs| regs == 0)
            && self.slots[..self.frame].iter().all(|&slots| slots == 0)
    }

    /// True when nothing is wanted but arguments of the outermost function.
    #[must_use]
    pub fn only_arguments(&self) -> bool {
        self.frame == 0 && self.regs[0] & !ARGUMENTS == 0 && self.slots[0] == 0
    }

    #[inline]
    fn has(&self, reg: u8) -> bool {
        self.regs[self.frame] >> reg & 1 != 0
    }

    fn set(&mut self, reg: u8) {
        // The frame pointer is a constant.
        if reg < 10 {
            self.regs[self.frame] |= 1 << reg;
        }
    }

    fn clear(&mut self, reg: u8) {
        self.regs[self.frame] &= !(1 << reg);
    }

    /// Of scalars that a branch refined together, all are wanted when one is.
    fn sync_linked(&mut self, linked: Option<&Linked>) {
        let Some(linked) = linked else { return };
        let wanted = linked.iter().any(|(frame, place)| match place {
            Place::Reg(reg) => self.regs[frame] >> reg & 1 != 0,
            Place::Slot(slot) => self.slots[frame] >> slot & 1 != 0,
        });
        if wanted {
            for (frame, place) in linked.iter() {
                match place {
                    Place::Reg(reg) => self.regs[frame] |= 1 << reg,
                    Place::Slot(slot) => self.slots[frame] |= 1 << slot,
                }
            }
        }
    }

    /// Undoes one executed instruction; `slot` is the frame and slot that it spilled to or filled
    /// from, `linked` what it refined together, `after` what was executed after it.
    ///
    /// # Errors
    /// [`Lost`] when the value can't be followed.
    pub fn step_back(
        &mut self,
        instruction: &Instruction,
        slot: Option<(u8, u8)>,
        linked: Option<&Linked>,
        after: After,
    ) -> Result<(), Lost> {
        self.sync_linked(linked);
        match *instruction {
            Instruction::Neg { .. } | Instruction::End { .. } => {}
            Instruction::Alu { dst, src, .. } => {
                if self.has(dst)
                    && let Source::Reg(src) = src
                {
                    self.set(src);
                }
            }
            Instruction::Mov { dst, src, .. } => {
                if self.has(dst) {
                    self.clear(dst);
                    if let Source::Reg(src) = src {
                        self.set(src);
                    }
                }
            }
            Instruction::AddrSpaceCast { dst, src, .. } => {
                if self.has(dst) {
                    self.clear(dst);
                    self.set(src);
                }
            }
            Instruction::Load { dst, .. } | Instruction::LoadAcquire { dst, .. } => self.fill(dst, slot),
            Instruction::Atomic { op: AtomicOp::Cmpxchg, dst, src, .. } => {
                if self.has(dst) {
                    return Err(Lost);
                }
                self.spill(Some(src), slot);
            }
            Instruction::Atomic { dst, src, .. } | Instruction::StoreRelease { dst, src, .. } => {
                if self.has(dst) {
                    return Err(Lost);
                }
                self.spill(Some(src), slot);
            }
            Instruction::Store { dst, src, .. } => {
                if self.has(dst) {
                    return Err(Lost);
                }
                self.spill(src.reg(), slot);
            }
            // A global function was not entered.
            Instruction::CallSubprog { .. } if after == After::Next => {
                self.clear(0);
                if self.regs[self.frame] & ARGUMENTS != 0 {
                    return Err(Lost);
                }
            }
            Instruction::CallSubprog { .. } => self.leave_callee(),
            Instruction::CallHelper { .. } | Instruction::CallKfunc { .. } if after == After::CalledBack => {
                self.leave_called_back();
            }
            Instruction::CallHelper { .. } | Instruction::CallKfunc { .. } => {
                self.clear(0);
                if self.regs[self.frame] & ARGUMENTS != 0 {
                    return Err(Lost);
                }
                if after != After::Next {
                    // Another program ran instead of the rest of the function.
                    self.enter_callee(false)?;
                }
            }
            Instruction::Exit => {
                if after == After::CalledBack {
                    // The call is to come again: its arguments are what they were.
                    self.regs[self.frame] &= !ARGUMENTS;
                }
                self.enter_callee(after == After::Return)?;
            }
            Instruction::Jump { dst, src: Source::Reg(src), .. } => {
                if self.has(dst) || self.has(src) {
                    self.set(dst);
                    self.set(src);
                }
            }
            Instruction::Jump { .. } | Instruction::Ja { .. } | Instruction::MayGoto { .. } => {}
            Instruction::LoadImm64 { dst, .. } => self.clear(dst),
            Instruction::LoadAbs { .. } | Instruction::LoadInd { .. } => {
                if self.has(0) {
                    self.clear(0);
                    return Err(Lost);
                }
            }
        }
        if matches!(instruction, Instruction::Jump { .. }) {
            self.sync_linked(linked);
        }
        Ok(())
    }

    fn fill(&mut self, dst: u8, slot: Option<(u8, u8)>) {
        if self.has(dst) {
            self.clear(dst);
            if let Some((frame, slot)) = slot {
                self.slots[usize::from(frame)] |= 1 << slot;
            }
        }
    }

    fn spill(&mut self, src: Option<u8>, slot: Option<(u8, u8)>) {
        let Some((frame, slot)) = slot else { return };
        let slots = &mut self.slots[usize::from(frame)];
        if *slots >> slot & 1 != 0 {
            *slots &= !(1 << slot);
            if let Some(src) = src {
                self.set(src);
            }
        }
    }

    /// From the first instruction of a function to its call: arguments become the caller's.
    fn leave_callee(&mut self) {
        if self.frame == 0 {
            return;
        }
        let arguments = self.regs[self.frame] & ARGUMENTS;
        self.regs[self.frame] = 0;
        self.slots[self.frame] = 0;
        self.frame -= 1;
        self.regs[self.frame] |= arguments;
    }

    /// From the first instruction of a function to what calls it back: its arguments are none of
    /// the caller's.
    fn leave_called_back(&mut self) {
        if self.frame == 0 {
            return;
        }
        self.regs[self.frame] = 0;
        self.slots[self.frame] = 0;
        self.frame -= 1;
    }

    /// From the instruction behind a call to the exit of the called function: r0 becomes its.
    fn enter_callee(&mut self, returns_to_call: bool) -> Result<(), Lost> {
        let wanted = returns_to_call && self.has(0);
        self.clear(0);
        if self.regs[self.frame] & ARGUMENTS != 0 || self.frame + 1 == MAX_FRAMES {
            return Err(Lost);
        }
        self.frame += 1;
        self.regs[self.frame] = u16::from(wanted);
        self.slots[self.frame] = 0;
        Ok(())
    }
}
