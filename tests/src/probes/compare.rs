//! The engine's answer beside the kernel's.

use probity_engine::{Report, Verdict};
use probity_linux::PLATFORM;

use super::{Counts, Expected, Probe};

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All that was recorded is equal.
    Equal,
    /// The engine does not model what it uses: the name of that.
    Unsupported(String),
    /// What differs.
    Different(String),
}

/// Runs the engine on a probe.
#[must_use]
pub fn answer(probe: &Probe) -> Answer {
    let report = probity_engine::verify(&probe.program, &PLATFORM, &PLATFORM.default_profile());
    if let Verdict::Unsupported(finding) = &report.verdict {
        let name = finding.last_line();
        return Answer::Unsupported(name.strip_prefix("unsupported: ").unwrap_or(name).to_owned());
    }
    let got = found(&report, &probe.expected);
    if got == probe.expected {
        return Answer::Equal;
    }
    Answer::Different(format!("{}\n  got    {got:?}\n  kernel {:?}", probe.name, probe.expected))
}

/// The answer with what the record of the kernel's answer has, and no more.
fn found(report: &Report, expected: &Expected) -> Expected {
    let finding = report.finding();
    let message = finding.map_or("", |finding| finding.rejection.message.as_str());
    let mut message: Vec<String> = message.lines().map(|line| line.trim_end().to_owned()).collect();
    // Two lines are all that a record keeps.
    if expected.message.as_ref().is_some_and(|lines| lines.len() == 2) && message.len() > 2 {
        message.drain(..message.len() - 2);
    }
    let stats = &report.stats;
    let counts = expected.counts.as_ref().map(|counts| Counts {
        processed: stats.processed,
        max_states_per_insn: counts.max_states_per_insn.map(|_| stats.max_states_per_insn),
        total_states: stats.total_states,
        peak_states: stats.peak_states,
    });
    let depths: Vec<String> = report.stack_depth.iter().map(u32::to_string).collect();
    Expected {
        errno: finding.map_or(0, |finding| finding.rejection.errno),
        message: expected.message.as_ref().map(|_| message),
        counts,
        stack_depth: expected.stack_depth.as_ref().map(|_| depths.join("+")),
    }
}
