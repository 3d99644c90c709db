//! What a run reports.

use probity_platform::{Rejection, Site};

use crate::verified::Verified;

/// Counts of a run. They agree with the ones that the kernel prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instructions processed, over all paths.
    pub processed: u64,
    /// Instructions of the jump classes among them.
    pub jumps: u64,
    /// The most remembered states that one lookup went through.
    pub max_states_per_insn: u64,
    /// States remembered.
    pub total_states: u64,
    /// The most of them alive at once.
    pub peak_states: u64,
}

/// The answer about a program.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is safe on every path. The proof is what lets it run.
    Accepted(Verified),
    /// It is not proved safe.
    Rejected(Finding),
    /// It uses something that this version does not model; the message names it.
    Unsupported(Finding),
}

/// A rejection with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The instruction, None when it is about the program as a whole.
    pub pc: Option<usize>,
    /// The data.
    pub rejection: Rejection,
}

impl Finding {
    /// The last line of the message: what the kernel's log ends with.
    #[must_use]
    pub fn last_line(&self) -> &str {
        self.rejection.message.lines().next_back().unwrap_or_default()
    }

    /// The line of the spec that demands it, when one does.
    #[must_use]
    pub fn site(&self) -> Option<Site> {
        (self.rejection.site != Site::NONE).then_some(self.rejection.site)
    }
}

/// All that a run gives.
#[derive(Clone, Debug)]
pub struct Report {
    /// The answer.
    pub verdict: Verdict,
    /// The counts.
    pub stats: Stats,
    /// By function, in the order of their first instructions: bytes of stack that it uses. Of an
    /// accepted program, only the functions that a path enters.
    pub stack_depth: Vec<u32>,
}

impl Report {
    /// The finding of a program that was not accepted.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match &self.verdict {
            Verdict::Accepted(_) => None,
            Verdict::Rejected(finding) | Verdict::Unsupported(finding) => Some(finding),
        }
    }

    /// True when the program was accepted.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self.verdict, Verdict::Accepted(_))
    }
}
