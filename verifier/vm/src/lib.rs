//! Runs eBPF programs: memory model, interpreter, maps, tail calls, and what helpers do.
//!
//! A [`Verified`](probity_engine::Verified) program becomes an [`Executable`], which runs without
//! checks; anything at all runs in the checked interpreter, which checks every access.
//!
//! | module | subject |
//! |---|---|
//! | [`runtime`] | what runs share: slots, clock, sink |
//! | [`executable`] | verified programs, ready to run |
//! | [`checked`] | programs that were not verified |
//! | [`session`] | a program bound to a worker, for many runs |
//! | [`link`] | from a program and its maps to a unit |
//! | `timers` | timers in values of maps |
//! | [`unit`](mod@unit) | a linked program |
//! | [`op`] | its instructions |
//! | [`run`] | one run: what interpreter, machine code and bodies share |
//! | [`interpreter`] | the interpreter, in two modes |
//! | `intrinsics` | what helpers do |
//! | [`host`] | functions of a host that programs call, with types |
//! | `known` | which addresses are the program's |
//! | [`maps`] | maps |
//! | [`native`] | what machine code calls |
//! | [`context`] | the host's struct behind the context |
//! | [`packet`] | packets |
//! | [`guest`] | memory that programs see |
//! | [`fault`] | why runs end early |
//! | [`errno`] | error numbers |

pub mod checked;
pub mod context;
pub mod errno;
pub mod executable;
pub mod fault;
pub mod guest;
pub mod host;
pub mod interpreter;
mod intrinsics;
mod known;
mod lent;
pub mod link;
pub mod maps;
pub mod native;
pub mod op;
pub mod packet;
pub mod run;
pub mod runtime;
pub mod session;
mod timers;
pub mod unit;

pub use checked::{CheckedProgram, Moment, Watch};
pub use context::Context;
pub use errno::Errno;
pub use executable::{Executable, Input};
pub use fault::{Fault, RunError};
pub use guest::GuestBytes;
pub use link::LinkError;
pub use maps::{ArrayLayout, Map, MapError, ProgArrayError, RingConsumer, RingProducer};
pub use op::{Function, Op};
pub use packet::Packet;
pub use run::{Left, RawFn, Returned, Run};
pub use runtime::{
    Clock, ClockKind, ManualClock, NoSink, NoSlot, Runtime, RuntimeOptions, Sink, SystemClock, Worker,
};
pub use session::Session;
pub use unit::{Native, Site, Target, Unit};
