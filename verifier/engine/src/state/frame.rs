//! A call frame.

use probity_platform::Callback;

use super::{Reg, Stack};
use crate::explore::stack_liveness::InstanceId;

/// The number of registers, the frame pointer included.
pub const REGS: usize = 11;

/// The frame pointer.
pub const FP: usize = 10;

/// A call frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The registers.
    pub regs: [Reg; REGS],
    /// The stack.
    pub stack: Stack,
    /// The call instruction that made the frame; [`Frame::NO_CALL`] for the entry's.
    pub callsite: usize,
    /// The function that it runs: an index into the program's functions.
    pub subprog: usize,
    /// Why it runs, when no call of a function made it.
    pub callback: Option<&'static Callback>,
    /// How often the call that runs has called back so far.
    pub called_back: u32,
    /// How many functions that are called later led here.
    pub entries: u32,
    /// Where the stack reads and writes of this chain of calls are noted.
    pub instance: InstanceId,
}

impl Frame {
    /// The call site of the entry frame.
    pub const NO_CALL: usize = usize::MAX;
}
