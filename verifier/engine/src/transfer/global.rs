//! Calls of global functions, and their own verification (verifier.md, 5.4).

use probity_platform::rejection::EINVAL;
use probity_platform::{Behaviour, Code as Why, RegType, Rejection, TypeFlags};

use super::call::clobber;
use super::effects::Call;
use crate::explore::walk::{Next, Observer, Walk};
use crate::prepare::global_functions::{self, GlobalArg};
use crate::state::{End, Frame, Reg, State};

impl<O: Observer> Walk<'_, O> {
    /// A global function is called: what it is given fits its prototype, and it does what any
    /// function of that prototype may do.
    pub(super) fn call_global(&mut self, function: usize) -> Result<Next, Rejection> {
        let name = self.code.functions[function].name.clone();
        let unmodelled = || crate::unsupported(format!("global function {name}"));
        let args = self.global_arguments(function).ok_or_else(unmodelled)?;
        if self.summaries.is_empty() {
            self.summaries = global_functions::summaries(self.code, self.platform, self.offered);
        }
        let summary = self.summaries[function].clone();
        let sleepless = !self.may_sleep()
            || !self.state.references.inside().is_empty()
            || self.state.references.flag().is_some();
        let locked = self.state.references.lock().is_some();
        if summary.unknown || locked || (summary.sleeps && sleepless) {
            return Err(unmodelled());
        }
        for (index, arg) in args.iter().enumerate() {
            self.check_global_argument(index, *arg, &summary.ends).map_err(|mut rejection| {
                if rejection.code != Why::Unsupported {
                    if !rejection.message.is_empty() {
                        rejection.message.push('\n');
                    }
                    rejection
                        .message
                        .push_str(&format!("Caller passes invalid args into func#{function} ('{name}')"));
                }
                rejection
            })?;
        }
        self.entered[function] = true;
        self.called_globals[function] = true;
        clobber(self.state.frame_mut());
        *self.state.reg_mut(0) = self.unknown();
        if summary.changes_packet {
            self.invalidate_packet();
        }
        self.end_with_calls(Some(&summary.ends));
        Ok(Next::Go(self.pc + 1))
    }

    fn global_arguments(&self, function: usize) -> Option<Vec<GlobalArg>> {
        global_functions::prototype(self.program, self.code, self.platform, self.prog_type, function)
    }

    fn check_global_argument(
        &mut self,
        index: usize,
        arg: GlobalArg,
        called: &[u16],
    ) -> Result<(), Rejection> {
        let regno = super::args::register(index);
        let reg = *self.state.reg(regno);
        if self.ends.any(reg.ref_id, |end| matches!(end, End::Call(at) if called.contains(&at))) {
            let message = format!("R{regno} is made invalid by what the function calls");
            return Err(Rejection::new(Why::ArgumentType, message)
                .errno(EINVAL)
                .facts("a pointer that is good while the function runs", self.type_of(regno)));
        }
        match arg {
            GlobalArg::Scalar if reg.is_scalar() => Ok(()),
            GlobalArg::Scalar => Err(Rejection::new(Why::ArgumentType, format!("R{regno} is not a scalar"))
                .errno(EINVAL)
                .facts("a number", self.type_of(regno))),
            GlobalArg::Context if reg.behaviour != Some(Behaviour::Context) => {
                Err(Rejection::new(Why::ArgumentType, format!("arg#{index} expects pointer to ctx"))
                    .errno(EINVAL)
                    .facts("the context", self.type_of(regno)))
            }
            GlobalArg::Context if reg.off == 0 && reg.val.is_const() == Some(0) => Ok(()),
            GlobalArg::Context => Err(crate::unsupported("a modified context for a global function")),
            GlobalArg::Memory { .. } if reg.is_null_scalar() => Ok(()),
            GlobalArg::Memory { .. } if reg.maybe_null() || reg.behaviour == Some(Behaviour::Object) => {
                Err(crate::unsupported("memory that may be null for a global function"))
            }
            GlobalArg::Memory { size, .. } => {
                let Some(row) = self.platform.callables.first() else { return Ok(()) };
                let mut call = Call::new(row);
                for write in [false, true] {
                    self.check_helper_memory(&mut call, regno, size, write, false, false)
                        .map_err(|rejection| rejection.errno(EINVAL))?;
                }
                Ok(())
            }
        }
    }

    /// The next global function that was called and is not verified yet.
    pub(crate) fn next_global(&mut self) -> Option<usize> {
        let mut functions = (0..self.called_globals.len()).cycle().skip(self.last_global + 1);
        let next = functions
            .by_ref()
            .take(self.called_globals.len())
            .find(|&function| self.called_globals[function] && !self.verified_globals[function])?;
        self.verified_globals[next] = true;
        self.last_global = next;
        Some(next)
    }

    /// Begins at a global function, given what its prototype says.
    pub(crate) fn enter_global(&mut self, function: usize) -> Result<(), Rejection> {
        let args = self.global_arguments(function);
        let args = args.ok_or_else(|| crate::unsupported(self.code.functions[function].name.clone()))?;
        let instance = self.liveness.root(self.code, function);
        let mut frame = self.empty_frame(Frame::NO_CALL, function, instance, 0);
        for (index, arg) in args.into_iter().enumerate() {
            frame.regs[index + 1] = self.global_value(arg);
        }
        self.observer.verifies(function);
        let start = self.code.functions[function].start;
        self.checkpoints.restart(self.code.insns.len());
        self.loops = crate::explore::loops::Loops::default();
        self.root = function;
        self.pc = start;
        self.prev_pc = None;
        self.state = State::beginning(frame, start);
        Ok(())
    }

    fn global_value(&mut self, arg: GlobalArg) -> Reg {
        match arg {
            GlobalArg::Scalar => self.unknown(),
            GlobalArg::Context => {
                let context = self.prog_type.entry.iter().find_map(|&(_, ty)| {
                    let behaviour = self.platform.kind(ty.kind).behaviour;
                    (behaviour == Behaviour::Context).then(|| Reg::pointer(behaviour, ty))
                });
                Reg { data: u32::from(self.prog_type.ctx), ..context.unwrap_or_else(Reg::unknown) }
            }
            GlobalArg::Memory { size, nullable } => {
                let Some(kind) = self.platform.kind_of(Behaviour::Region) else { return self.unknown() };
                let flags = if nullable { TypeFlags::PTR_MAYBE_NULL } else { TypeFlags::empty() };
                let id = self.new_id();
                Reg { data: size, id, ..Reg::pointer(Behaviour::Region, RegType { kind, flags }) }
            }
        }
    }

    /// A global function returns a number.
    pub(super) fn check_global_exit(&self) -> Result<(), Rejection> {
        if self.state.reg(0).is_scalar() {
            return Ok(());
        }
        let message =
            format!("At subprogram exit the register R0 is not a scalar value ({})", self.type_of(0));
        Err(Rejection::new(Why::ExitRange, message).errno(EINVAL).facts("a number", self.type_of(0)))
    }
}
