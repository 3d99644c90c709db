//! x86-64 machine code from verified eBPF programs.
//!
//! [`compile`] makes [`NativeCode`] of an [`Executable`](probity_vm::Executable), which only a verified
//! program becomes; [`NativeCode::install`] gives it to the executable, which from then on runs it.
//!
//! | module | subject |
//! |---|---|
//! | [`encode`] | an assembler for the part of x86-64 that compilers of eBPF need |
//! | [`memory`] | memory that is written first and executed then, never both |
//! | `mapping` | pages near the runtime's own code |
//! | `abi` | where BPF registers are, what machine code knows of a run, how it is entered and left |
//! | `scan` | what a compiler wants to know of a function before it begins |
//! | `divide` | multiplications that divide by constants |
//! | `tier1` | the compiler of one pass |
//! | [`opt`] | the optimising compiler |
//! | `native` | finished code, and how its functions are called back |
//! | `listing` | code beside the instructions that it was made of |

mod abi;
mod divide;
pub mod encode;
mod error;
mod listing;
#[cfg_attr(not(unix), path = "no_mapping.rs")]
mod mapping;
pub mod memory;
mod native;
pub mod opt;
mod options;
mod scan;
mod tier1;

pub use error::JitError;
pub use native::NativeCode;
pub use options::{Features, Options};
pub use tier1::compile;
