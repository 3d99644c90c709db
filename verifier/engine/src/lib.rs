//! The abstract interpreter: from a program, a platform's tables and a profile to a report. It does
//! no I/O, reads no clock, and knows no helper, map type or program type by name.
//!
//! | module | subject |
//! |---|---|
//! | [`mod@verify`] | the entry |
//! | [`report`] | verdict, counts, findings |
//! | [`verified`] | the proof that lets a program run |
//! | [`facts`] | what the proof found out and a runtime uses |
//! | `demand` | the line of the spec for what policy and limits refuse |
//! | [`domain`] | what is known of a number |
//! | [`state`] | registers, stack, frames |
//! | [`prepare`] | decoding, functions, control flow, liveness of registers |
//! | [`transfer`] | what each instruction does to a state |
//! | [`explore`] | the walk over all paths: order, checkpoints, pruning, precision |
//! | [`mod@explain`] | why a program was rejected: the failing path run again, watched |
//! | [`stack_depth`] | the stack of call chains |
//! | [`log`] | the walk as the kernel's log shows it |
//! | [`mod@print`] | types and values as messages print them |

mod demand;
pub mod domain;
pub mod explain;
pub mod explore;
pub mod facts;
pub mod log;
pub mod prepare;
pub mod print;
pub mod report;
pub mod stack_depth;
pub mod state;
pub mod transfer;
pub mod verified;
pub mod verify;

pub use explain::{Explanation, explain};
pub use facts::{Facts, MapUse};
pub use log::{LogOptions, verify_with_log};
pub use report::{Finding, Report, Stats, Verdict};
pub use verified::Verified;
pub use verify::{verify, verify_observed};

use probity_platform::{Code, Rejection};

/// A rejection that says: this version does not model `name`.
pub(crate) fn unsupported(name: impl Into<String>) -> Rejection {
    Rejection::new(Code::Unsupported, name)
}
