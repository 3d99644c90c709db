//! The state of the machine on one path.

use std::rc::Rc;

use smallvec::SmallVec;

use super::{Frame, References, Reg, Slot};
use crate::explore::{checkpoint::CheckpointId, history::HistoryHead};

/// The state on a path. Cloning shares frames until they are written.
#[derive(Clone, Debug)]
pub struct State {
    /// The frames, the running one last.
    pub frames: SmallVec<[Rc<Frame>; 4]>,
    /// What is held.
    pub references: References,
    /// The instruction at which the state stands.
    pub pc: usize,
    /// Of a remembered state: the instruction before it on the path.
    pub last_pc: Option<usize>,
    /// The instruction at which the path since `parent` began.
    pub first_pc: usize,
    /// How many states were remembered on the path before.
    pub depth: u32,
    /// How often the path went on at a `may_goto`.
    pub may_gotos: u32,
    /// How often the path entered a function that is called back.
    pub called_back: u32,
    /// The latest checkpoint on the path.
    pub parent: Option<CheckpointId>,
    /// What was recorded since `parent`.
    pub history: HistoryHead,
}

impl State {
    /// A path that begins at an instruction, in a frame, and holds nothing.
    #[must_use]
    pub fn beginning(frame: Frame, pc: usize) -> State {
        State {
            frames: smallvec::smallvec![Rc::new(frame)],
            references: References::default(),
            pc,
            last_pc: None,
            first_pc: pc,
            depth: 0,
            may_gotos: 0,
            called_back: 0,
            parent: None,
            history: HistoryHead::EMPTY,
        }
    }

    /// The number of the running frame.
    #[inline]
    #[must_use]
    pub fn current(&self) -> usize {
        self.frames.len() - 1
    }

    /// The running frame.
    #[inline]
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    /// The running frame, to be written.
    #[inline]
    pub fn frame_mut(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        Rc::make_mut(&mut self.frames[last])
    }

    /// A frame, to be written.
    #[inline]
    pub fn frame_at_mut(&mut self, index: usize) -> &mut Frame {
        Rc::make_mut(&mut self.frames[index])
    }

    /// A register of the running frame.
    #[inline]
    #[must_use]
    pub fn reg(&self, index: u8) -> &Reg {
        &self.frame().regs[usize::from(index)]
    }

    /// A register of the running frame, to be written.
    #[inline]
    pub fn reg_mut(&mut self, index: u8) -> &mut Reg {
        &mut self.frame_mut().regs[usize::from(index)]
    }

    /// The call sites that lead to the running frame, outermost first.
    pub fn callsites(&self) -> impl Iterator<Item = usize> + '_ {
        self.frames[1..].iter().map(|frame| frame.callsite)
    }

    /// Does something with every slot of a stack object.
    pub fn for_each_object_slot(&mut self, mut change: impl FnMut(&mut Slot)) {
        for frame in &mut self.frames {
            for index in 0..frame.stack.len() {
                if frame.stack.slot(index).is_object() {
                    change(Rc::make_mut(frame).stack.slot_mut(index));
                }
            }
        }
    }

    /// Does something with every register and every spilled register of every frame. `select`
    /// says which are meant, so that frames without any stay shared.
    pub fn for_each_reg(&mut self, select: impl Fn(&Reg) -> bool, mut change: impl FnMut(&mut Reg)) {
        for frame in &mut self.frames {
            if frame.regs.iter().any(&select) {
                for reg in &mut Rc::make_mut(frame).regs {
                    if select(reg) {
                        change(reg);
                    }
                }
            }
            for index in 0..frame.stack.len() {
                let slot = frame.stack.slot(index);
                if slot.is_spill() && select(&slot.reg) {
                    change(&mut Rc::make_mut(frame).stack.slot_mut(index).reg);
                }
            }
        }
    }
}
