//! Small programs with what Linux 6.18.44 said of them: verdict, errno, message, counts.
//!
//! `../shared/probes` has them as they were measured, one JSON record a line. Those that the engine
//! judges are kept in `tests/data/probes`, as text that a person can read and that needs nothing
//! else.
//!
//! | module | subject |
//! |---|---|
//! | [`record`] | the JSON records |

//! | [`text`] | the condensed form: read and written |
//! | [`condense`] | records into files by subject |
//! | [`compare`] | the engine's answer beside the kernel's |
//! | `maps` | the maps that the records name |

pub mod compare;
pub mod condense;
mod maps;
pub mod record;
pub mod text;

use std::collections::BTreeMap;

use probity_program::Program;

pub use compare::{Answer, answer};

/// What the kernel said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The error's number, 0 for an accepted program.
    pub errno: i32,
    /// The lines of the reason, without the trace before them, where it was recorded. At most the
    /// last two of them were.
    pub message: Option<Vec<String>>,
    /// What was counted, where it was recorded.
    pub counts: Option<Counts>,
    /// Stack by function, `8+16`, where it was recorded.
    pub stack_depth: Option<String>,
}

/// The counts of the log's last line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instructions processed.
    pub processed: u64,
    /// The most remembered states that one lookup went through, where it was recorded.
    pub max_states_per_insn: Option<u64>,
    /// States remembered.
    pub total_states: u64,
    /// The most of them alive at once.
    pub peak_states: u64,
}

/// One program and what the kernel said of it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name: `subject/case`.
    pub name: String,
    /// The names of its maps, in the order of [`Program::maps`].
    pub maps: Vec<String>,
    /// The program.
    pub program: Program,
    /// The BTF's bytes in hex; empty when there is none.
    pub btf: String,
    /// What the kernel said.
    pub expected: Expected,
}

/// Gives records of one name different names, `#2` and so on.
fn number(probes: &mut [Probe]) {
    let mut seen = BTreeMap::<String, usize>::new();
    for probe in probes {
        let count = seen.entry(probe.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            probe.name = format!("{} #{count}", probe.name);
        }
    }
}
