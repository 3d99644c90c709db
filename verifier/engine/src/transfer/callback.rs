//! Functions of the program that callables call: during the call, or later (verifier.md, 5.5).

use std::rc::Rc;

use probity_platform::rejection::ENOTSUPP;
use probity_platform::{
    Behaviour, Callback, CallbackCall, CallbackFlags, CallbackValue, Code as Why, MapTraits, Rejection,
    Subject,
};

use super::effects::Call;
use crate::explore::walk::{Next, Observer, Walk};
use crate::state::reg::{CALLED_LATER, WALKED};
use crate::state::{Frame, Reg, State};

/// Bytes of stack in which an inlined loop keeps what it needs: three registers.
const INLINED_LOOP: u32 = 24;

/// A call that calls back a bounded number of times, over all paths: the kernel makes a loop of it
/// when it always calls the same function, without flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundedCall {
    function: usize,
    fits: bool,
}

impl<O: Observer> Walk<'_, O> {
    /// A callable calls back: a path into the function waits, and this one goes on as if there were
    /// no round left. At its exit the function comes back to the call.
    pub(super) fn call_back(
        &mut self,
        call: &Call,
        back: &CallbackCall,
        times: Option<u64>,
    ) -> Result<(), Rejection> {
        let callback = &self.platform.callbacks[usize::from(back.callback)];
        let func = call.args[usize::from(back.func)];
        if func.behaviour != Some(Behaviour::Func) {
            return Err(crate::unsupported(format!("{} without a function", callback.name)).at(back.site));
        }
        let function = func.data as usize;
        if callback.flags.contains(CallbackFlags::ASYNC) {
            return self.call_later(call, back, callback, function);
        }
        if let Some(times) = times {
            self.note_bounded(call, function);
            if u64::from(self.state.frame().called_back) >= times {
                self.state.frame_mut().called_back = 0;
                self.observer.rounds_done(self.state.current(), call.callable.name);
                return Ok(());
            }
        }
        let frames = self.state.frames.len();
        if frames >= self.platform.limits.frames as usize {
            let message = format!("the call stack of {} frames is too deep", frames + 1);
            return Err(Rejection::new(Why::CallDepth, message)
                .facts(format!("at most {frames} frames"), format!("{} frames", frames + 1)));
        }
        let pc = self.pc;
        let instance = self.liveness.call_back(self.code, self.state.frame().instance, pc, function);
        let mut callee = self.empty_frame(pc, function, instance, frames);
        self.set_entry(&mut callee, call, back, frames)?;
        callee.callback = Some(callback);
        callee.entries = self.state.frame().entries;
        self.entered[function] = true;
        self.observer.framed();
        let start = self.code.functions[function].start;
        let branch = self.push_branch(start, Some(pc))?;
        branch.frame_mut().called_back += 1;
        branch.called_back += 1;
        branch.frames.push(Rc::new(callee));
        self.state.frame_mut().called_back = 0;
        Ok(())
    }

    /// Another path begins where the function that is called later does: it holds nothing.
    fn call_later(
        &mut self,
        call: &Call,
        back: &CallbackCall,
        callback: &'static Callback,
        function: usize,
    ) -> Result<(), Rejection> {
        let instance = self.liveness.root(self.code, function);
        let mut frame = self.empty_frame(Frame::NO_CALL, function, instance, 0);
        self.check_later(call, back)?;
        self.set_entry(&mut frame, call, back, 0)?;
        frame.callback = Some(callback);
        frame.entries = self.state.frame().entries + 1;
        self.entered[function] = true;
        self.called_later[function] = true;
        self.observer.framed();
        let start = self.code.functions[function].start;
        if self.state.speculative {
            return Err(crate::unsupported("a function that is called later, on a speculated path"));
        }
        let state = State::beginning(frame, start);
        self.push_apart(state, start)
    }

    /// What is passed on to a function that is called later must be there then.
    fn check_later(&self, call: &Call, back: &CallbackCall) -> Result<(), Rejection> {
        for &(_, value) in back.entry {
            let CallbackValue::Caller(arg) = value else { continue };
            let reg = &call.args[usize::from(arg)];
            if reg.is_pointer() && reg.behaviour != Some(Behaviour::Map) {
                let name = crate::print::reg_type_name(self.platform, reg);
                return Err(crate::unsupported(format!("{name} for a function that is called later")));
            }
        }
        Ok(())
    }

    /// What the registers of a function hold that is called back, in the frame with this number.
    fn set_entry(
        &mut self,
        frame: &mut Frame,
        call: &Call,
        back: &CallbackCall,
        number: usize,
    ) -> Result<(), Rejection> {
        for &(reg, value) in back.entry {
            frame.regs[usize::from(reg)] = match value {
                CallbackValue::Caller(arg) => call.args[usize::from(arg)],
                CallbackValue::Type { ty, subject, of } => {
                    let behaviour = self.platform.kind(ty.kind).behaviour;
                    let of = of.map(|arg| call.args[usize::from(arg)]);
                    let data = match (behaviour, subject, of) {
                        (Behaviour::Scalar, ..) => {
                            frame.regs[usize::from(reg)] = self.unknown();
                            continue;
                        }
                        (Behaviour::Map | Behaviour::MapKey | Behaviour::MapValue, _, Some(of)) => {
                            self.check_walked(&of, back)?;
                            of.data
                        }
                        (Behaviour::Object, Subject::Object(_), _) => super::typed::object_data(subject),
                        (Behaviour::StackObject, ..) => {
                            self.last_id += 1;
                            let given = Reg::pointer(behaviour, ty);
                            let ref_id = self.given_ends(number);
                            frame.regs[usize::from(reg)] = Reg { id: self.last_id, ref_id, ..given };
                            continue;
                        }
                        _ => {
                            let name = crate::print::type_name(self.platform, ty);
                            return Err(crate::unsupported(format!("{name} as an argument of a callback")));
                        }
                    };
                    let mut given = Reg { data, ..Reg::pointer(behaviour, ty) };
                    given.data2 = match of {
                        Some(of) if of.data2 != 0 => self.given_map(&of, behaviour, number),
                        _ => 0,
                    };
                    if matches!(behaviour, Behaviour::Object | Behaviour::MapKey) {
                        given.ref_id = self.given_ends(number);
                    }
                    // Each null check is about one of them.
                    if given.maybe_null() {
                        given.id = self.new_id();
                    }
                    given
                }
            };
        }
        Ok(())
    }

    /// Which inner map a function is called for. Linux knows it no more: what is there to tell maps
    /// apart is 0, but where a walk hands on the map itself. Values that are walked are of no map that
    /// can be named, so that they never pass for those of another.
    fn given_map(&self, of: &Reg, behaviour: Behaviour, number: usize) -> u32 {
        match behaviour {
            _ if number == 0 => CALLED_LATER,
            Behaviour::Map => of.data2,
            _ => WALKED,
        }
    }

    /// The elements of a map can be walked.
    fn check_walked(&self, map: &Reg, back: &CallbackCall) -> Result<(), Rejection> {
        let row = self.code.map_types[map.map()];
        if map.behaviour != Some(Behaviour::Map)
            || row.is_none_or(|row| row.traits.contains(MapTraits::FOR_EACH))
        {
            return Ok(());
        }
        Err(Rejection::new(Why::MapType, "callback function not allowed for map")
            .errno(ENOTSUPP)
            .facts("a map whose elements can be walked", self.program.maps[map.map()].name.clone())
            .at(back.site))
    }

    /// Notes what decides whether a bounded call becomes a loop.
    fn note_bounded(&mut self, call: &Call, function: usize) {
        let flags = call.callable.args.len() - 1;
        let plain = call.args[flags].is_null_scalar();
        let pc = self.pc;
        let noted = self.bounded.entry(pc).or_insert(BoundedCall { function, fits: true });
        noted.fits &= plain && noted.function == function;
    }

    /// Stack that loops in the place of bounded calls need, by function.
    pub(crate) fn add_inlined_loops(&mut self) {
        let mut with_loops = vec![false; self.code.functions.len()];
        for (&pc, call) in &self.bounded {
            with_loops[self.code.insns[pc].function as usize] |= call.fits;
        }
        for (extra, with_loop) in self.extra_stack.iter_mut().zip(with_loops) {
            *extra += if with_loop { INLINED_LOOP } else { 0 };
        }
    }

    /// A function that was called back ends: the call comes again.
    pub(super) fn return_to_call(&mut self, callback: &'static Callback) -> Result<Next, Rejection> {
        let value = *self.state.reg(0);
        if value.behaviour == Some(Behaviour::Stack) {
            return Err(super::subprog::stack_escapes(self.type_of(0)));
        }
        if !value.is_scalar() {
            return Err(super::denied(Why::ExitRange, "R0 not a scalar value")
                .facts("a number in r0", self.type_of(0))
                .at(callback.site));
        }
        self.mark_precise(0)?;
        if let Some(range) = callback.returns {
            self.check_range(&value, range, "At callback return", callback.site)?;
        }
        let callsite = self.state.frame().callsite;
        self.leave_frame(callsite);
        let previous = self.previous_visit(callsite, self.state.depth);
        self.widen_path(previous);
        Ok(Next::Go(callsite))
    }
}
