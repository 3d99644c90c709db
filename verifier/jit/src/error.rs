//! Why there is no machine code.

use std::io;

use probity_vm::maps::ProgArrayError;
use thiserror::Error;

use crate::encode::UnboundLabel;

/// Why there is no machine code. The program runs in the interpreter all the same.
#[derive(Debug, Error)]
pub enum JitError {
    /// There is no compiler for this machine.
    #[error("no machine code on {arch} {os}: only on x86-64 with Unix; the interpreter runs everywhere")]
    Target {
        /// The processor's architecture.
        arch: &'static str,
        /// The operating system.
        os: &'static str,
    },
    /// The system gave no memory that can be executed.
    #[error("no memory for machine code: {0}")]
    Memory(#[from] io::Error),
    /// A call of a function that the program does not have.
    #[error("internal: at instruction {pc} a function at {target} is meant, where none is")]
    NoFunction {
        /// The slot of the call.
        pc: usize,
        /// The function's slot.
        target: u32,
    },
    /// An array of programs is for others.
    #[error(transparent)]
    ProgArray(#[from] ProgArrayError),
    /// The executable has code, which stays.
    #[error("there is machine code of this program already")]
    HasCode,
    /// A mistake of the compiler.
    #[error("internal: {0}")]
    Label(#[from] UnboundLabel),
}
