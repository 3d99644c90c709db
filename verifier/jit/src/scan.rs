//! What a compiler wants to know of a program before it begins: where jumps go to, which registers a
//! function writes, whether it calls.

use probity_vm::{Function, Op};

/// What is known of a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(u8);

impl Mark {
    const TARGET: u8 = 1;
    const LOOP: u8 = 2;

    /// A jump goes here.
    pub(crate) fn is_target(self) -> bool {
        self.0 & Mark::TARGET != 0
    }

    /// A jump goes here from behind.
    pub(crate) fn is_loop(self) -> bool {
        self.0 & Mark::LOOP != 0
    }
}

/// What is known of a function.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scanned {
    /// The registers that are written, by bit.
    pub(crate) written: u16,
    /// r10 is used.
    pub(crate) uses_stack: bool,
    /// Something is called.
    pub(crate) calls: bool,
    /// There are tail calls.
    pub(crate) tail_calls: bool,
    /// There is a `may_goto`.
    pub(crate) may_goto: bool,
}

impl Scanned {
    /// Looks at a function; `function_used` gets the first slots of those whose value is taken.
    pub(crate) fn new(
        ops: &[Op],
        function: &Function,
        marks: &mut [Mark],
        mut function_used: impl FnMut(usize, u32),
    ) -> Scanned {
        let mut scanned = Scanned::default();
        for pc in function.start as usize..function.end as usize {
            let Some(op) = ops.get(pc) else { break };
            scanned.written |= op.writes();
            scanned.uses_stack |= op.reads() & 1 << 10 != 0;
            match *op {
                Op::Ja { target } | Op::Jump { target, .. } | Op::MayGoto { target } => {
                    if let Some(mark) = marks.get_mut(target as usize) {
                        mark.0 |= Mark::TARGET | if target as usize <= pc { Mark::LOOP } else { 0 };
                    }
                }
                _ => {}
            }
            scanned.may_goto |= matches!(op, Op::MayGoto { .. });
            match *op {
                Op::Func { target, .. } => function_used(pc, target),
                Op::TailCall { .. } => (scanned.calls, scanned.tail_calls) = (true, true),
                Op::Call { .. } | Op::CallSubprog { .. } | Op::LoadPacket { .. } => scanned.calls = true,
                _ => {}
            }
        }
        scanned
    }
}
