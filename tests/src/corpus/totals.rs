//! The counts of a run.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Serialize, Serializer};

use super::outcome::{Answer, Outcome};

/// How many of `of` something holds for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that it holds for.
    pub count: usize,
    /// All that were asked.
    pub of: usize,
}

impl Share {
    /// In percent; 100 of nothing.
    #[must_use]
    pub fn percent(self) -> f64 {
        if self.of == 0 { 100.0 } else { 100.0 * self.count as f64 / self.of as f64 }
    }

    pub(super) fn add(&mut self, holds: bool) {
        self.count += usize::from(holds);
        self.of += 1;
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5} of {:>5} {:>6.2} %", self.count, self.of, self.percent())
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.count, self.of).serialize(serializer)
    }
}

/// The counts of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// All programs.
    pub programs: usize,
    /// The kernel's verdict, over all programs.
    pub agree: Share,
    /// The kernel's verdict, over those with a verdict of ours.
    pub agree_supported: Share,
    /// Accepted by us, rejected by the kernel.
    pub false_accept: usize,
    /// Rejected by us, accepted by the kernel.
    pub false_reject: usize,
    /// Without a verdict of ours.
    pub unsupported: usize,
    /// Panics.
    pub crash: usize,
    /// Over the time limit.
    pub slow: usize,
    /// The same message, over those that both reject.
    pub message: Share,
    /// The same error number, over those that both reject.
    pub errno: Share,
    /// The same count of instructions, over those that both accept. So are the next four.
    pub processed: Share,
    /// The same count of states.
    pub total_states: Share,
    /// The same count of states alive at once.
    pub peak_states: Share,
    /// The same length of the longest lookup.
    pub max_states_per_insn: Share,
    /// The same stack.
    pub stack_depth: Share,
    /// Time of all programs, one after the other, in seconds.
    pub seconds: f64,
    /// The program that took longest, and how long.
    pub slowest: Option<(String, f64)>,
}

impl Totals {
    /// Counts.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Totals {
        let mut totals = Totals::default();
        let mut longest = Duration::ZERO;
        for outcome in outcomes {
            totals.add(outcome);
            if outcome.time > longest {
                longest = outcome.time;
                let name = format!("{} {}", outcome.object, outcome.program);
                totals.slowest = Some((name, longest.as_secs_f64()));
            }
        }
        totals
    }

    fn add(&mut self, outcome: &Outcome) {
        let kernel = &outcome.kernel;
        self.programs += 1;
        self.agree.add(outcome.agrees());
        if outcome.is_supported() {
            self.agree_supported.add(outcome.agrees());
        }
        self.false_accept += usize::from(outcome.is_false_accept());
        self.false_reject += usize::from(outcome.is_false_reject());
        self.unsupported += usize::from(outcome.answer == Answer::Unsupported);
        self.crash += usize::from(outcome.answer == Answer::Crash);
        self.slow += usize::from(outcome.is_slow());
        self.seconds += outcome.time.as_secs_f64();
        if outcome.both_reject() {
            self.message.add(outcome.message_equal());
            self.errno.add(outcome.errno == kernel.errno);
        }
        if outcome.both_accept() {
            self.processed.add(outcome.processed == kernel.processed);
            self.total_states.add(outcome.total_states == kernel.total_states);
            self.peak_states.add(outcome.peak_states == kernel.peak_states);
            if let Some(max) = kernel.max_states_per_insn {
                self.max_states_per_insn.add(outcome.max_states_per_insn == max);
            }
            if let Some(depth) = &kernel.stack_depth {
                self.stack_depth.add(outcome.stack_depth == *depth);
            }
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  programs              {:>5}", self.programs)?;
        writeln!(f, "  agree                 {}", self.agree)?;
        writeln!(f, "  agree, if supported   {}", self.agree_supported)?;
        writeln!(f, "  false accept          {:>5}", self.false_accept)?;
        writeln!(f, "  false reject          {:>5}", self.false_reject)?;
        writeln!(f, "  unsupported           {:>5}", self.unsupported)?;
        writeln!(f, "  crash                 {:>5}", self.crash)?;
        writeln!(f, "  over the time limit   {:>5}", self.slow)?;
        writeln!(f, "  message equal         {}   of those both reject", self.message)?;
        writeln!(f, "  errno equal           {}", self.errno)?;
        writeln!(f, "  processed equal       {}   of those both accept", self.processed)?;
        writeln!(f, "  total_states equal    {}", self.total_states)?;
        writeln!(f, "  peak_states equal     {}", self.peak_states)?;
        writeln!(f, "  max_states equal      {}", self.max_states_per_insn)?;
        writeln!(f, "  stack_depth equal     {}", self.stack_depth)?;
        writeln!(f, "  time                  {:>8.2} s", self.seconds)?;
        if let Some((name, seconds)) = &self.slowest {
            writeln!(f, "  slowest               {seconds:>8.2} s  {name}")?;
        }
        Ok(())
    }
}

/// The reasons of `unsupported`, the most frequent first: how many programs, and how many of them
/// the kernel accepts.
#[must_use]
pub fn reasons(outcomes: &[Outcome]) -> Vec<(&str, usize, usize)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.answer == Answer::Unsupported) {
        let count = counts.entry(&outcome.reason).or_default();
        count.0 += 1;
        count.1 += usize::from(outcome.kernel.accepted);
    }
    let mut reasons: Vec<_> =
        counts.into_iter().map(|(reason, (all, accepted))| (reason, all, accepted)).collect();
    reasons.sort_by_key(|&(_, all, _)| std::cmp::Reverse(all));
    reasons
}
