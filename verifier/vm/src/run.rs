//! One run: the state that interpreter, machine code and bodies of callables share.

use crate::checked::Watch;
use crate::fault::RunError;
use crate::guest::{GuestBytes, Lock};
use crate::host::{Held, LentHost};
use crate::interpreter::regions::{Bounds, Region};
use crate::lent::Lent;
use crate::packet::Packet;
use crate::runtime::Worker;
use crate::unit::Unit;

/// What a callable's raw function gives back: in `rax` and `rdx` on x86-64.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Returned {
    /// r0.
    pub value: u64,
    /// Not 0: the run is over, and `Run::failure` says why.
    pub leave: u64,
}

impl Returned {
    /// The run goes on.
    #[inline(always)]
    #[must_use]
    pub const fn value(value: u64) -> Returned {
        Returned { value, leave: 0 }
    }

    /// The run is over.
    #[must_use]
    pub const fn leave() -> Returned {
        Returned { value: 0, leave: 1 }
    }
}

/// The raw function of a callable: r1 to r5 and the run.
///
/// # Safety
///
/// Arguments are those of a call that was verified, or checked, and the run is the one that is on. If it is a
/// function of a host, the host that is lent for the run is of its type, or nobody is lent.
pub type RawFn = unsafe extern "C" fn(u64, u64, u64, u64, u64, *mut Run<'static>) -> Returned;

/// The run is over; why is noted in `Run::failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left;

/// How the engine that is on calls a function of the program: the value that the program has for it,
/// and r1 to r5.
pub type CallBack = fn(&mut Run<'_>, u64, [u64; 5]) -> Result<u64, Left>;

/// How many iterations `may_goto` allows, as Linux does.
pub const MAX_LOOPS: u64 = 8 << 20;

/// How many tail calls a run may make.
pub const MAX_TAIL_CALLS: u32 = 33;

/// A run. The first fields are read and written by machine code, at the offsets in [`layout`]. All are
/// the crate's own: whoever could write them could take any memory for the program's.
#[repr(C)]
pub struct Run<'r> {
    /// What is left to run: taken at back edges and calls by code that counts, and by calls back. A run
    /// without a limit has `i64::MAX`; below 0 it is over.
    pub(crate) fuel: i64,
    /// What is left for `may_goto`.
    pub(crate) loops: u64,
    /// The stack pointer at the entry of machine code, for its one exit.
    exit_sp: u64,
    /// Tail calls made.
    pub(crate) tail_calls: u32,
    /// The run slot: the number of the "processor".
    pub(crate) slot: u32,
    /// The address of the context, the host's own struct.
    pub(crate) context: u64,
    /// What machine code keeps during a run.
    scratch: [u64; 4],
    /// Where random numbers are.
    pub(crate) random: u64,
    /// Why the run is over, when it is.
    pub(crate) failure: Option<RunError>,
    /// How functions of the program are called back.
    pub(crate) call_back: Option<CallBack>,
    /// Frames of the interpreter's stack that are in use.
    pub(crate) frames_used: u32,
    /// Not 0 while a function of the program runs for a callable.
    pub(crate) nested: u32,
    /// The program that is on; a tail call changes it.
    pub(crate) unit: &'r Unit,
    /// Programs whose machine code made tail calls: a function of theirs may be on again since.
    pub(crate) passed: Vec<&'r Unit>,
    /// The packet, where the program is called with one.
    pub(crate) packet: Lent<Packet>,
    /// What belongs to the thread.
    pub(crate) worker: &'r mut Worker,
    /// The host, where there is one.
    pub(crate) host: LentHost,
    /// What the host gave the program, and what it made for it.
    pub(crate) held: Held,
    /// Who watches, in the checked interpreter.
    pub(crate) watch: Option<&'r mut (dyn Watch + 'r)>,
    /// What the checked interpreter gave the program and finds nowhere else: values that may be
    /// deleted since, elements that a function is called with.
    pub(crate) kept: Vec<Bounds>,
    /// Records of ring buffers that were reserved and neither handed on nor given up.
    pub(crate) records: Vec<u64>,
    /// Locks that it holds.
    pub(crate) locks: Vec<Lock>,
    /// The timer that has run down and that the run is for; 0 for none.
    pub(crate) timer: u64,
}

/// Where machine code finds the fields of a [`Run`] that it reads and writes, in bytes.
pub mod layout {
    use std::mem::offset_of;

    use super::Run;

    /// What is left to run, 8 bytes with a sign: taken at back edges and calls.
    pub const FUEL: usize = offset_of!(Run<'static>, fuel);
    /// What is left for `may_goto`, 8 bytes.
    pub const LOOPS: usize = offset_of!(Run<'static>, loops);
    /// The stack pointer at the entry of machine code, 8 bytes.
    pub const EXIT_SP: usize = offset_of!(Run<'static>, exit_sp);
    /// The run slot, 4 bytes.
    pub const SLOT: usize = offset_of!(Run<'static>, slot);
    /// The program that is on, 8 bytes: the address of its [`Unit`](crate::Unit).
    pub const UNIT: usize = offset_of!(Run<'static>, unit);
    /// What machine code keeps during a run, 32 bytes.
    pub const SCRATCH: usize = offset_of!(Run<'static>, scratch);
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("slot", &self.slot)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl<'r> Run<'r> {
    /// A random number of 32 bits (xorshift64).
    #[inline(always)]
    pub(crate) fn random(&mut self) -> u32 {
        let mut x = self.random;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random = x;
        x as u32
    }

    /// A run that has not begun.
    pub(crate) fn new(unit: &'r Unit, worker: &'r mut Worker, context: u64) -> Run<'r> {
        Run {
            fuel: i64::MAX,
            loops: MAX_LOOPS,
            exit_sp: 0,
            tail_calls: 0,
            slot: worker.slot(),
            context,
            scratch: [0; 4],
            random: u64::from(worker.random()) << 32 | u64::from(worker.random()) | 1,
            failure: None,
            call_back: None,
            frames_used: 0,
            nested: 0,
            unit,
            passed: Vec::new(),
            packet: Lent::nothing(),
            worker,
            host: LentHost::NOBODY,
            held: Held::default(),
            watch: None,
            kept: Vec::new(),
            records: Vec::new(),
            locks: Vec::new(),
            timer: 0,
        }
    }

    /// The program that a function is of, by its value, where it is one of this run.
    pub(crate) fn unit_of(&self, function: u64) -> Option<&'r Unit> {
        let passed = self.passed.iter().rev().copied();
        std::iter::once(self.unit).chain(passed).find(|unit| unit.has_function(function))
    }

    /// The address of the context, the host's own struct.
    #[must_use]
    pub fn context(&self) -> u64 {
        self.context
    }

    /// True while a function of the program runs for a callable.
    #[must_use]
    pub fn is_nested(&self) -> bool {
        self.nested != 0
    }

    /// True when it is over before its end.
    #[must_use]
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The program that is on.
    #[must_use]
    pub fn unit(&self) -> &'r Unit {
        self.unit
    }

    /// From now on another program is on. The host is lent to it when it is of the type that the program
    /// was linked for, or is none of its business.
    #[inline(always)]
    pub(crate) fn go_on(&mut self, unit: &'r Unit) {
        self.unit = unit;
        if unit.lacks_host(self.host) {
            self.host = LentHost::NOBODY;
        }
    }

    /// Ends the run.
    pub fn leave(&mut self, why: RunError) -> Left {
        self.failure.get_or_insert(why);
        Left
    }

    /// The packet, where the program is called with one.
    pub fn packet(&mut self) -> Option<&mut Packet> {
        self.packet.get()
    }

    /// Writes the packet's bounds into the context.
    pub(crate) fn show_packet(&mut self) {
        if let Some(packet) = self.packet.get() {
            self.unit.packet_fields.show(packet, self.context);
        }
    }

    /// Notes memory that the program was given, for the checked interpreter.
    pub(crate) fn keep(&mut self, start: u64, len: u64, writable: bool) {
        if self.unit.checked() && self.kept.iter().all(|kept| kept.start != start) {
            self.kept.push(Bounds { region: Region::MapValue(None), start, len, writable });
        }
    }

    /// Takes back what begins at an address.
    pub(crate) fn forget(&mut self, start: u64) {
        self.kept.retain(|kept| kept.start != start);
    }

    /// Gives back what the run still holds, which began with a program.
    pub(crate) fn give_back(&mut self, entered: &Unit) {
        if !self.records.is_empty() {
            crate::intrinsics::ringbuf::give_back(self);
        }
        if !self.locks.is_empty() {
            self.locks.drain(..).for_each(Lock::give);
        }
        if !self.held.is_empty() {
            crate::host::give_back(self, entered);
            if let Some(packet) = self.packet.get() {
                packet.forget_old();
            }
        }
    }

    /// As [`Run::call_back`], with memory of the runtime's own that one of the arguments points to.
    pub(crate) fn call_back_with(
        &mut self,
        function: u64,
        shown: GuestBytes<'_>,
        args: [u64; 5],
    ) -> Result<u64, Left> {
        self.keep(shown.address(), shown.len() as u64, false);
        let result = self.call_back(function, args);
        self.forget(shown.address());
        result
    }

    /// Calls a function of the program by the value that the program has for it.
    ///
    /// # Errors
    ///
    /// When the run ended in it.
    pub fn call_back(&mut self, function: u64, args: [u64; 5]) -> Result<u64, Left> {
        let Some(call_back) = self.call_back else {
            return Err(self.leave(RunError::Internal("functions of the program can't be called here")));
        };
        self.fuel -= 1;
        if self.fuel < 0 {
            return Err(self.leave(RunError::Fuel));
        }
        self.nested += 1;
        let unit = self.unit;
        let result = call_back(self, function, args);
        // A tail call may have left another on.
        self.unit = unit;
        self.nested -= 1;
        result
    }
}
