//! What runs programs, and what is asked of it.

use std::{fmt, hint::black_box, time::Duration};

use probity_tests::kernel::thread_time;
use serde::{Serialize, Serializer};

use crate::Subject;

/// Who a contender is: the targets compare by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Native code, which all others are measured by.
    Native,
    /// The running kernel's JIT.
    KernelJit,
    /// rbpf's own JIT.
    RbpfJit,
    /// rbpf's Cranelift back end.
    RbpfCranelift,
    /// rbpf's interpreter.
    RbpfInterpreter,
    /// Our interpreter of verified programs.
    OurInterpreter,
    /// A tier of our JIT, from 1.
    OurJit(u8),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Native => f.pad("native"),
            Role::KernelJit => f.pad("kernel"),
            Role::RbpfJit => f.pad("rbpf jit"),
            Role::RbpfCranelift => f.pad("rbpf clif"),
            Role::RbpfInterpreter => f.pad("rbpf int"),
            Role::OurInterpreter => f.pad("our int"),
            Role::OurJit(tier) => f.pad(&format!("our jit {tier}")),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A way to run programs.
pub trait Contender {
    /// Who it is.
    fn role(&self) -> Role;

    /// Makes everything ready to run a program, on a [`Packet`](crate::Packet) of its own; None when
    /// it can't run such programs at all.
    ///
    /// # Errors
    ///
    /// When it should, and does not.
    fn prepare<'a>(&self, subject: &'a Subject<'_>) -> Result<Option<Box<dyn Runnable + 'a>>, Failure>;

    /// Compiles the program once more and says how long that took: from verified instructions in
    /// memory to code that could run. None when nothing is compiled, or nobody could say.
    fn compile(&self, subject: &Subject<'_>) -> Option<Compilation> {
        let _ = subject;
        None
    }
}

/// A program that is ready.
pub trait Runnable {
    /// Runs it once: the low half of r0.
    ///
    /// # Errors
    ///
    /// When it did not come to its end.
    fn run(&mut self) -> Result<u32, Failure>;

    /// Runs it so many times, one behind the other: the time of all of them. [`timed`] around the
    /// plainest call there is.
    ///
    /// # Errors
    ///
    /// When it did not come to its end.
    fn time(&mut self, runs: u32) -> Result<Duration, Failure>;
}

/// What compiling took.
#[derive(Clone, Copy, Debug)]
pub struct Compilation {
    /// The time.
    pub time: Duration,
    /// How many instructions were compiled; one of 16 bytes counts twice.
    pub insns: usize,
}

/// The time of so many calls: of the processor, so that what else the machine does counts little.
/// The kernel's test runs leave out what others get, too.
///
/// # Errors
///
/// The first that there is.
pub fn timed<T>(runs: u32, mut call: impl FnMut() -> Result<T, Failure>) -> Result<Duration, Failure> {
    let start = thread_time();
    for _ in 0..runs {
        black_box(call()?);
    }
    Ok(thread_time().saturating_sub(start))
}

/// Why something could not be measured.
#[derive(Clone, Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure with its reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Failure {
        Failure(reason.into())
    }

    /// The same, with the name of what it is about.
    #[must_use]
    pub fn of(self, name: impl fmt::Display) -> Failure {
        Failure(format!("{name}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
