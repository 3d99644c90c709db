//! Paths that a processor takes before it knows better, on platforms whose policy follows them.
//!
//! Such a path is walked as others are. What it may not do is no reason to refuse the program: the
//! instruction gets a barrier, which a speculating processor does not pass.

use probity_platform::rejection::{EACCES, EINVAL, EPERM};
use probity_platform::{Code as Why, Rejection};
use rustc_hash::{FxHashMap, FxHashSet};

use super::walk::{Next, Observer, Walk};

/// How a pointer is moved by a register, as it is masked: of one instruction always the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Masking {
    /// The number is negative.
    pub(crate) negative: bool,
    /// The number is known.
    pub(crate) known: bool,
    /// The pointer is the left operand.
    pub(crate) pointer_first: bool,
    /// How far the pointer moves at most.
    pub(crate) limit: u32,
}

/// What is known of the instructions as far as speculation goes.
#[derive(Debug, Default)]
pub(crate) struct Speculation {
    /// Instructions with a barrier before them.
    barred: FxHashSet<usize>,
    /// Stores with a barrier behind them.
    stored: FxHashSet<usize>,
    /// By instruction that moves a pointer.
    masked: FxHashMap<usize, Masking>,
    /// A pointer is moved by a number that is not known.
    pub(crate) strict_numbers: bool,
}

impl Speculation {
    /// True when no speculated path runs the instruction.
    pub(crate) fn stops_before(&self, pc: usize) -> bool {
        self.barred.contains(&pc)
    }

    /// A store that a processor might pass a load over: no speculated path goes on behind it.
    pub(crate) fn stop_after(&mut self, pc: usize) {
        self.stored.insert(pc);
    }

    /// Notes how a pointer is moved; false when another path moves it in another way.
    pub(crate) fn mask(&mut self, pc: usize, masking: Masking) -> bool {
        *self.masked.entry(pc).or_insert(masking) == masking
    }

    fn bar(&mut self, pc: usize) {
        self.barred.insert(pc);
        self.masked.remove(&pc);
    }
}

impl<O: Observer> Walk<'_, O> {
    /// What came of the instruction that just ran: a speculated path ends where it may not go on.
    pub(super) fn end_speculation(&mut self, next: Result<Next, Rejection>) -> Result<Next, Rejection> {
        if !self.state.speculative {
            return next;
        }
        match next {
            Err(rejection) if stops(&rejection) => {
                self.speculation.bar(self.pc);
                Ok(Next::EndOfPath)
            }
            Ok(_) if self.speculation.stored.contains(&self.pc) => Ok(Next::EndOfPath),
            next => next,
        }
    }
}

/// A barrier is enough for what an instruction may not do; it does not help where there are too many.
fn stops(rejection: &Rejection) -> bool {
    rejection.code != Why::Unsupported && matches!(rejection.errno, EPERM | EACCES | EINVAL)
}
