//! A program and a worker brought together: what every run would prepare anew is prepared once.
#![allow(unsafe_code)]

use std::any::Any;

use crate::checked::Watch;
use crate::context::Context;
use crate::executable::Executable;
use crate::fault::RunError;
use crate::guest::GuestBytes;
use crate::host::LentHost;
use crate::interpreter::machine::Machine;
use crate::interpreter::memory::Raw;
use crate::interpreter::step::Stop;
use crate::packet::Packet;
use crate::run::{CallBack, Left, MAX_LOOPS, Run};
use crate::runtime::Worker;
use crate::unit::{Native, Unit};

/// A verified program bound to a worker, for many runs one after the other.
pub struct Session<'r> {
    run: Run<'r>,
    unit: &'r Unit,
    context: Place<'r>,
    args: [u64; 5],
    fuel: Option<u64>,
    interpreted: bool,
    /// The context was in other hands: its pointers must be cleared.
    touched: bool,
}

/// The context: the session's own, or one that it was given.
enum Place<'r> {
    Own(Context),
    Given(&'r mut Context),
}

impl Place<'_> {
    fn get(&mut self) -> &mut Context {
        match self {
            Place::Own(context) => context,
            Place::Given(context) => context,
        }
    }
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("unit", &self.unit).finish_non_exhaustive()
    }
}

impl<'r> Session<'r> {
    /// A session; with the context that is given, or one of zeros of its own.
    ///
    /// # Errors
    ///
    /// When the context is of another type of program, or a map of the program has no values for the
    /// worker's slot.
    pub(crate) fn begin(
        unit: &'r Unit,
        worker: &'r mut Worker,
        context: Option<&'r mut Context>,
        watch: Option<&'r mut (dyn Watch + 'r)>,
    ) -> Result<Session<'r>, RunError> {
        if worker.slot() >= unit.slots {
            return Err(RunError::Internal(
                "the worker's run slot is none that the program's maps have values for, and its proof a processor",
            ));
        }
        let mut context = context.map_or_else(|| Place::Own(Context::new(unit.view())), Place::Given);
        if !std::ptr::eq(context.get().view(), unit.view()) {
            return Err(RunError::Internal("a context of another program type"));
        }
        let (address, len) = (context.get().address(), context.get().len());
        let mut run = Run::new(unit, worker, address);
        run.watch = watch;
        let args = unit.entry_args(address, len);
        Ok(Session { run, unit, context, args, fuel: None, interpreted: false, touched: true })
    }

    /// The context that runs are called with.
    pub fn context(&mut self) -> &mut Context {
        self.touched = true;
        self.context.get()
    }

    /// How many back edges and calls each run may take; None: as many as it likes.
    pub fn fuel(&mut self, fuel: Option<u64>) {
        self.fuel = fuel;
    }

    /// Runs in the interpreter, also when there is machine code.
    pub fn interpreted(&mut self, interpreted: bool) {
        self.interpreted = interpreted;
    }

    /// Runs the program on a packet, or on none; gives r0.
    ///
    /// # Errors
    ///
    /// When the run ended early.
    #[inline]
    pub fn run(&mut self, packet: Option<&mut Packet>) -> Result<u64, RunError> {
        self.run_with(packet, None)
    }

    /// As [`Session::run`], with a host.
    ///
    /// # Errors
    ///
    /// When the run ended early.
    #[inline]
    pub fn run_with(
        &mut self,
        packet: Option<&mut Packet>,
        host: Option<&mut dyn Any>,
    ) -> Result<u64, RunError> {
        let Some(native) = self.native() else { return self.interpret(packet, host) };
        match packet {
            // Nothing but the packet is another than in the last run.
            Some(packet) if self.unit.is_plain && self.fuel.is_none() && !self.touched => {
                self.unit.packet_fields.show(packet, self.run.context);
                Ok(native.enter(&mut self.run, self.args))
            }
            packet => self.go(packet, host, |_, run, args| Ok(native.enter(run, args))),
        }
    }

    /// The machine code that runs.
    #[inline(always)]
    fn native(&self) -> Option<&'r Native> {
        let native = self.unit.native().filter(|_| !self.interpreted);
        native.filter(|native| native.counts || self.fuel.is_none())
    }

    /// One run in the interpreter.
    #[inline(never)]
    fn interpret(
        &mut self,
        packet: Option<&mut Packet>,
        host: Option<&mut dyn Any>,
    ) -> Result<u64, RunError> {
        let counts = self.fuel.is_some();
        self.go(packet, host, |unit, run, args| {
            let mut machine = Machine::new(unit, run, Raw)?;
            run.call_back = Some(call_back);
            if counts { machine.run::<true>(run, 0, args) } else { machine.run::<false>(run, 0, args) }
        })
    }

    /// One run of one function, in the engine that a value of it is for: because a timer has run down,
    /// in the value of a map that begins where r3 says and has `len` bytes.
    pub(crate) fn call(
        &mut self,
        timer: u64,
        engine: CallBack,
        function: u64,
        key: GuestBytes<'_>,
        len: u64,
        args: [u64; 5],
    ) -> Result<u64, RunError> {
        self.run.timer = timer;
        self.go(None, None, |_, run, _| {
            run.call_back = Some(engine);
            // It may be deleted meanwhile, or of a map that the program finds in another.
            run.keep(args[2], len, true);
            Ok(run.call_back_with(function, key, args)?)
        })
    }

    /// One run, in an engine.
    #[inline(always)]
    pub(crate) fn go(
        &mut self,
        packet: Option<&mut Packet>,
        host: Option<&mut dyn Any>,
        engine: impl FnOnce(&'r Unit, &mut Run<'r>, [u64; 5]) -> Result<u64, Stop>,
    ) -> Result<u64, RunError> {
        let (unit, run) = (self.unit, &mut self.run);
        let guard = unit.guarded.then(crossbeam_epoch::pin);
        run.fuel = self.fuel.map_or(i64::MAX, |fuel| i64::try_from(fuel).unwrap_or(i64::MAX));
        run.loops = MAX_LOOPS;
        run.tail_calls = 0;
        run.nested = 0;
        run.frames_used = 0;
        run.unit = unit;
        run.kept.clear();
        if self.touched || packet.is_none() {
            // Whoever had the context may have put another in its place.
            if !std::ptr::eq(self.context.get().view(), unit.view()) {
                return Err(RunError::Internal("a context of another program type"));
            }
            let (address, len) = (self.context.get().address(), self.context.get().len());
            run.context = address;
            self.args = unit.entry_args(address, len);
            crate::context::clear(address, &unit.pointers);
            self.touched = false;
        }
        // SAFETY: both are taken back below, before this function, which borrows them, returns; what
        // runs between reaches them through the run only, and a panic leaves no run that goes on.
        unsafe {
            run.packet.lend(packet);
            run.host = host.map_or(LentHost::NOBODY, |host| LentHost::new(host));
        }
        let result = match unit.lacks_host(run.host) {
            true => Err(run.leave(RunError::NoHost).into()),
            false => {
                run.show_packet();
                engine(unit, run, self.args)
            }
        };
        run.give_back(unit);
        run.host = LentHost::NOBODY;
        // They may be gone from now on.
        run.passed.clear();
        // SAFETY: nothing is lent any more.
        unsafe {
            run.packet.lend(None);
        }
        drop(guard);
        match result {
            Ok(value) if run.failure.is_none() => Ok(value),
            _ => Err(run.failure.take().unwrap_or(RunError::Internal("the run ended without a reason"))),
        }
    }
}

/// Calls a function of the program back, in the interpreter.
fn call_back(run: &mut Run<'_>, function: u64, args: [u64; 5]) -> Result<u64, Left> {
    let unit = run.unit;
    let Some(start) = unit.function_of(function) else {
        return Err(run.leave(RunError::Internal("no function of the program")));
    };
    let result = Machine::new(unit, run, Raw).and_then(|mut machine| machine.run::<true>(run, start, args));
    result.map_err(|_| Left)
}

impl Executable {
    /// Binds the program to a worker, for many runs. A context that is given must be of the program's
    /// type; without one there is one of zeros ([`Session::context`]).
    ///
    /// # Errors
    ///
    /// When the context is of another type of program, or a map of the program has no values for the
    /// worker's slot: it was made by a runtime with fewer.
    pub fn session<'r>(
        &'r self,
        worker: &'r mut Worker,
        context: Option<&'r mut Context>,
    ) -> Result<Session<'r>, RunError> {
        Session::begin(&self.unit, worker, context, None)
    }
}
