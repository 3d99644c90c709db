//! Calls of functions, and exit (verifier.md, 5.3 and 5.7).

use std::rc::Rc;

use probity_platform::{Behaviour, Code as Why, Rejection, Site};

use super::call::clobber;
use crate::explore::walk::{Next, Observer, Walk};
use crate::unsupported;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn call_subprog(&mut self, target: usize) -> Result<Next, Rejection> {
        let Some(function) = self.code.function_at(target) else {
            return Err(Rejection::new(Why::InvalidCall, "call to invalid destination"));
        };
        if self.code.functions[function].global {
            let name = &self.code.functions[function].name;
            return Err(unsupported(format!("global function {name}")));
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
        callee.regs[1..6].copy_from_slice(&self.state.frame().regs[1..6]);
        clobber(self.state.frame_mut());
        self.state.frames.push(Rc::new(callee));
        self.observer.called(&self.state);
        Ok(Next::Go(target))
    }

    pub(super) fn exit(&mut self) -> Result<Next, Rejection> {
        if self.state.current() > 0 {
            return self.return_to_caller();
        }
        self.check_no_references("BPF_EXIT instruction in main prog", Site::NONE)?;
        self.check_readable(0)?;
        if self.leaks(0) {
            let message = "R0 leaks addr as return value";
            return Err(super::denied(Why::PointerLeak, message).facts("a number", self.type_of(0)));
        }
        self.check_exit_range()?;
        Ok(Next::EndOfPath)
    }

    pub(super) fn return_to_caller(&mut self) -> Result<Next, Rejection> {
        let value = *self.state.reg(0);
        if value.behaviour == Some(Behaviour::Stack) {
            let message = "cannot return stack pointer to the caller";
            return Err(Rejection::new(Why::StackEscape, message)
                .facts("r0 does not point into the frame that ends", self.type_of(0)));
        }
        let instance = self.state.frame().instance;
        self.liveness.commit();
        self.liveness.update(self.code, instance, self.observer);
        self.observer.leaving(self.pc, &self.state);
        let callsite = self.state.frame().callsite;
        self.state.frames.pop();
        *self.state.reg_mut(0) = value;
        self.observer.returned(callsite + 1, &self.state);
        Ok(Next::Go(callsite + 1))
    }

    fn check_exit_range(&mut self) -> Result<(), Rejection> {
        let env = self.guard_env();
        let row = self.prog_type.exit.iter().find(|row| row.guard.holds(&env));
        let Some((row, (low, high))) = row.and_then(|row| row.range.map(|range| (row, range))) else {
            return Ok(());
        };
        let value = *self.state.reg(0);
        if !value.is_scalar() {
            let message =
                format!("At program exit the register R0 is not a known value ({})", self.type_of(0));
            return Err(Rejection::new(Why::ExitRange, message).at(row.site));
        }
        self.mark_precise(0)?;
        if value.val.smin >= low && value.val.smax <= high {
            return Ok(());
        }
        let mut message = "At program exit the register R0 has".to_owned();
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
            .at(row.site))
    }
}
