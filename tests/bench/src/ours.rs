//! Our own contenders. There is none yet: they come with the interpreter and the JIT.
//!
//! A contender is a struct with three methods:
//!
//! * [`Contender::role`] is [`OurInterpreter`](crate::Role::OurInterpreter), or
//!   [`OurJit`](crate::Role::OurJit) of its tier; the targets find it by that.
//! * [`Contender::prepare`] takes [`Subject::verified`](crate::Subject::verified) and
//!   [`Subject::program`](crate::Subject::program), creates the maps, compiles, and gives a
//!   [`Runnable`](crate::Runnable) with a [`Packet::boxed`](crate::Packet::boxed) of its own, whose
//!   `time` is [`timed`](crate::contender::timed) around the call. An XDP context is what it runs on;
//!   [`Subject::pointers`](crate::Subject::pointers) is the same for a machine without contexts, but
//!   there is no proof for it.
//! * [`Contender::compile`] says how long compiling takes: from the verified program to executable
//!   memory. Of an interpreter there is nothing to say.
//!
//! The feature `peers` is not needed for ours: they belong to a plain build.

use crate::Contender;

/// Our contenders: the interpreter, then the tiers of the JIT.
#[must_use]
pub fn contenders() -> Vec<Box<dyn Contender>> {
    Vec::new()
}
