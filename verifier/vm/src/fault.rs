//! Why a run ends early.

use std::any::Any;

use probity_isa::Size;
use thiserror::Error;

/// Something that a verifier must exclude, found by the checked interpreter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// An access of memory that is not the program's.
    #[error("{verb} of {size} bytes at {address:#x}: {what}")]
    Access {
        /// "read" or "write".
        verb: &'static str,
        /// How many bytes.
        size: u64,
        /// Where.
        address: u64,
        /// What is there.
        what: &'static str,
    },
    /// A register is read that was never written.
    #[error("r{0} was never written")]
    Register(u8),
    /// A register that does not exist, or that may not be written.
    #[error("r{0} can't be used so")]
    NoRegister(u8),
    /// A slot that is no instruction.
    #[error("no instruction: {0}")]
    Instruction(String),
    /// A jump or a fall out of the function.
    #[error("the program goes on at {0}, where nothing is")]
    OutOfProgram(i64),
    /// A call of something that is not there, or not offered.
    #[error("call of {0}, which this program may not call or the runtime does not have")]
    Call(String),
    /// An argument that is not what the callable takes.
    #[error("argument {index} of {callable}: {what}")]
    Argument {
        /// The callable.
        callable: &'static str,
        /// From 1.
        index: usize,
        /// What is wrong.
        what: String,
    },
    /// Too many call frames.
    #[error("more than {0} call frames")]
    Frames(u32),
    /// Bytes of the stack are read that were never written.
    #[error("stack bytes at r10{offset:+} ({} bytes) were never written", .size.bytes())]
    Uninitialized {
        /// From the frame's end.
        offset: i64,
        /// How many bytes.
        size: Size,
    },
    /// Something that the checked interpreter does not do.
    #[error("unsupported: {0}")]
    Unsupported(String),
}

/// Why a run ended early. Nothing of what the program changed until then is taken back, except what
/// it held: that is released.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// The checked interpreter stopped it.
    #[error("at instruction {pc}: {fault}")]
    Fault {
        /// The slot.
        pc: usize,
        /// Why.
        fault: Fault,
    },
    /// It used its fuel up.
    #[error("out of fuel")]
    Fuel,
    /// A function of the host panicked.
    #[error("the host's {callable} panicked: {message}")]
    Panic {
        /// Which.
        callable: &'static str,
        /// What it said.
        message: String,
    },
    /// A function of the host ended the run.
    #[error("the host's {callable} ended the run: {message}")]
    Host {
        /// Which.
        callable: &'static str,
        /// What it said.
        message: String,
    },
    /// It calls functions of a host, and was given none, or one of another type than it was linked for.
    #[error("the program calls functions of its host: give the run the host that it was linked for")]
    NoHost,
    /// A mistake of the runtime or of whoever called it.
    #[error("internal: {0}")]
    Internal(&'static str),
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
