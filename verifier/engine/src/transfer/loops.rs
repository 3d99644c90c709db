//! `may_goto` (verifier.md, 5.5): the jump of a loop that ends some time, whatever the program does.

use probity_platform::Rejection;

use crate::explore::walk::{Next, Observer, Walk};

impl<O: Observer> Walk<'_, O> {
    /// The path goes on where the loop is left; another round waits, with what the rounds changed
    /// forgotten.
    pub(super) fn may_goto(&mut self, off: i16) -> Result<Next, Rejection> {
        if off != 0 {
            let function = self.state.frame().subprog;
            self.extra_stack[function] = self.platform.limits.may_goto_stack;
        }
        let (pc, previous) = (self.pc, self.visit_before_parent());
        self.push_branch(pc + 1, Some(pc))?.may_gotos += 1;
        self.widen_branch(previous);
        Ok(Next::Go(self.target(i64::from(off))))
    }
}
