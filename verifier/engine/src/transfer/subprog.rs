//! Calls of functions, and exit (verifier.md, 5.3 and 5.7).

use std::rc::Rc;

use probity_platform::{Behaviour, Code as Why, Rejection, Site};

use super::call::clobber;
use crate::explore::walk::{Next, Observer, Walk};
use crate::state::Reg;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn call_subprog(&mut self, target: usize) -> Result<Next, Rejection> {
        let Some(function) = self.code.function_at(target) else {
            return Err(Rejection::new(Why::InvalidCall, "call to invalid destination"));
        };
        if self.code.functions[function].global {
            return self.call_global(function);
        }
        let frames = self.state.frames.len();
        if frames >= self.platform.limits.frames as usize {
            let message = format!("the call stack of {} frames is too deep", frames + 1);
            return Err(Rejection::new(Why::CallDepth, message)
                .facts(format!("at most {frames} frames"), format!("{} frames", frames + 1)));
        }
        self.entered[function] = true;
        let caller = self.state.frame().instance;
        let instance = self.liveness.call(self.code, caller, self.pc, function);
        let mut callee = self.empty_frame(self.pc, function, instance, frames);
        callee.entries = self.state.frame().entries;
        callee.regs[1..6].copy_from_slice(&self.state.frame().regs[1..6]);
        clobber(self.state.frame_mut());
        self.state.frames.push(Rc::new(callee));
        self.observer.called(&self.state);
        Ok(Next::Go(target))
    }

    pub(super) fn exit(&mut self) -> Result<Next, Rejection> {
        let callback = self.state.frame().callback;
        if self.state.current() > 0 {
            return match callback {
                Some(callback) => self.return_to_call(callback),
                None => self.return_to_caller(),
            };
        }
        self.check_no_references("BPF_EXIT instruction in main prog", Site::NONE)?;
        self.check_readable(0)?;
        if self.leaks(0) {
            let message = "R0 leaks addr as return value";
            return Err(super::denied(Why::PointerLeak, message).facts("a number", self.type_of(0)));
        }
        match callback {
            Some(callback) => {
                self.check_exit_in(callback.returns, "At async callback return", callback.site)?;
            }
            None if self.root != 0 => self.check_global_exit()?,
            None => self.check_exit_range()?,
        }
        Ok(Next::EndOfPath)
    }

    pub(super) fn return_to_caller(&mut self) -> Result<Next, Rejection> {
        let value = *self.state.reg(0);
        if value.behaviour == Some(Behaviour::Stack) {
            return Err(stack_escapes(self.type_of(0)));
        }
        let next = self.state.frame().callsite + 1;
        self.observed_leave();
        self.state.frames.pop();
        *self.state.reg_mut(0) = value;
        self.observer.returned(next, &self.state);
        Ok(Next::Go(next))
    }

    /// Leaves the running frame; its caller goes on at `next`.
    pub(super) fn leave_frame(&mut self, next: usize) {
        self.observed_leave();
        self.state.frames.pop();
        self.observer.returned(next, &self.state);
    }

    fn observed_leave(&mut self) {
        let instance = self.state.frame().instance;
        self.end_with_frame(self.state.current());
        self.liveness.commit();
        self.liveness.update(self.code, instance, self.observer);
        self.observer.leaving(self.pc, &self.state);
    }

    fn check_exit_range(&mut self) -> Result<(), Rejection> {
        let env = self.guard_env();
        let row = self.prog_type.exit.iter().find(|row| row.guard.holds(&env));
        let Some(row) = row else { return Ok(()) };
        self.check_exit_in(row.range, "At program exit", row.site)
    }

    fn check_exit_in(&mut self, range: Option<(i64, i64)>, place: &str, site: Site) -> Result<(), Rejection> {
        let Some(range) = range else { return Ok(()) };
        let value = *self.state.reg(0);
        if !value.is_scalar() {
            let message = format!("{place} the register R0 is not a known value ({})", self.type_of(0));
            return Err(Rejection::new(Why::ExitRange, message).at(site));
        }
        self.mark_precise(0)?;
        self.check_range(&value, range, place, site)
    }

    /// What r0 holds lies in a range.
    pub(super) fn check_range(
        &self,
        value: &Reg,
        (low, high): (i64, i64),
        place: &str,
        site: Site,
    ) -> Result<(), Rejection> {
        if value.val.smin >= low && value.val.smax <= high {
            return Ok(());
        }
        let mut message = format!("{place} the register R0 has");
        let (smin, smax) = (value.val.smin, value.val.smax);
        if smin == i64::MIN && smax == i64::MAX {
            message.push_str(" unknown scalar value");
        } else {
            if smin > i64::MIN {
                message.push_str(&format!(" smin={smin}"));
            }
            if smax < i64::MAX {
                message.push_str(&format!(" smax={smax}"));
            }
        }
        message.push_str(&format!(" should have been in [{low}, {high}]"));
        Err(Rejection::new(Why::ExitRange, message)
            .facts(format!("an exit value from {low} to {high}"), format!("{smin} to {smax}"))
            .at(site))
    }
}

/// A function returns an address in its own frame.
pub(super) fn stack_escapes(known: String) -> Rejection {
    let message = "cannot return stack pointer to the caller";
    Rejection::new(Why::StackEscape, message).facts("r0 does not point into the frame that ends", known)
}
