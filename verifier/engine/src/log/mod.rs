//! The log of a run in the form of the kernel's verifier log: what tools and people that read such
//! logs expect. It is written by an observer of an ordinary walk, so it can't differ from the
//! verdict, and nobody pays for it who does not ask for it. (Grammar: the measured one of the
//! design's probes, section 10.)
//!
//! | module | subject |
//! |---|---|
//! | [`buffer`] | the text, its bound, and taking back |
//! | [`writer`] | the trace: instructions, states, branches, calls |
//! | [`precision`] | how values are followed back |
//! | [`stack_liveness`] | which stack slots are found to be read still |
//! | [`header`] | functions and live registers |
//! | [`prototype`] | the entry function's prototype |
//! | `loops` | entering and leaving loops |
//! | [`operands`] | the registers that an instruction reads or writes |

pub mod buffer;
pub mod header;
mod loops;
pub mod operands;
pub mod precision;
pub mod prototype;
pub mod stack_liveness;
pub mod writer;

use probity_platform::{Platform, Profile};
use probity_program::Program;

use crate::report::Report;
use crate::verify::verify_observed;
use writer::Writer;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The path that leads to the error, and nothing of an accepted program.
    pub path: bool,
    /// All paths, and what was found out on the way. Stronger than `path`.
    pub all: bool,
    /// The stack of each function.
    pub stats: bool,
}

impl Level {
    /// From the kernel's number: a sum of 1, the path to the error; 2, everything; and 4,
    /// statistics. None for another number and for 0.
    #[must_use]
    pub fn from_number(level: u32) -> Option<Level> {
        let bit = |bit: u32| level & bit != 0;
        (level != 0 && level < 8).then(|| Level { path: bit(1), all: bit(2), stats: bit(4) })
    }
}

/// What a log may be.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions {
    /// How much is logged.
    pub level: Level,
    /// The most bytes that are kept. Of a longer log the end is kept, where the reason stands.
    pub limit: usize,
}

impl LogOptions {
    /// So many bytes are kept unless another limit is set.
    pub const LIMIT: usize = 64 << 20;

    /// A level, with the usual limit.
    #[must_use]
    pub fn new(level: Level) -> LogOptions {
        LogOptions { level, limit: LogOptions::LIMIT }
    }
}

/// As [`crate::verify()`], with a log in the form of the kernel's. The line about the time is
/// missing, since the engine reads no clock; where the kernel prints an address, the name of what
/// is there stands.
#[must_use]
pub fn verify_with_log(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    options: &LogOptions,
) -> (Report, String) {
    let mut writer = Writer::new(program, platform, profile, options);
    let report = verify_observed(program, platform, profile, &mut writer);
    let log = writer.finish(&report);
    (report, log)
}
