//! What the engine said, beside what the kernel said.

use std::time::Duration;

use probity_engine::{Report, Verdict};
use probity_platform::Code;
use serde::{Serialize, Serializer};

use super::{
    records::{Case, Expected, File},
    target::NotLoaded,
};

/// Longer than this no program may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// An answer of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is safe.
    Accept,
    /// It is not proved safe.
    Reject,
    /// It uses something that is not modelled, or could not be loaded.
    Unsupported,
    /// The loader or the engine panicked.
    Crash,
}

/// What came of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Where the case is recorded.
    pub file: File,
    /// The object, or the source file of a table test.
    pub object: String,
    /// The program's name there.
    pub program: String,
    /// What the kernel said.
    pub kernel: Expected,
    /// Our answer.
    pub answer: Answer,
    /// The code of a rejection.
    pub code: Option<&'static str>,
    /// Its error number, 0 for accepted programs.
    pub errno: i32,
    /// Our message: of a rejection its last line, else the reason.
    pub message: String,
    /// The reason of `unsupported`, with nothing in it that is about one program alone.
    pub reason: String,
    /// The instruction of a rejection.
    pub pc: Option<usize>,
    /// The source line of that instruction.
    pub source: Option<String>,
    /// Instructions processed.
    pub processed: u64,
    /// States remembered.
    pub total_states: u64,
    /// The most of them alive at once.
    pub peak_states: u64,
    /// The most remembered states that one lookup went through.
    pub max_states_per_insn: u64,
    /// Stack by function: `8+16`.
    pub stack_depth: String,
    /// How long loading and verifying took, in microseconds.
    #[serde(rename = "time_us", serialize_with = "micros")]
    pub time: Duration,
}

fn micros<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

impl Outcome {
    fn empty(case: &Case, answer: Answer, message: String, reason: String) -> Outcome {
        Outcome {
            file: case.file,
            object: case.object.clone(),
            program: case.program.clone(),
            kernel: case.expected.clone(),
            answer,
            code: None,
            errno: 0,
            message,
            reason,
            pc: None,
            source: None,
            processed: 0,
            total_states: 0,
            peak_states: 0,
            max_states_per_insn: 0,
            stack_depth: String::new(),
            time: Duration::ZERO,
        }
    }

    pub(super) fn crashed(case: &Case, panic: String) -> Outcome {
        Outcome::empty(case, Answer::Crash, panic, "crash".into())
    }

    pub(super) fn not_loaded(case: &Case, error: NotLoaded) -> Outcome {
        Outcome::empty(case, Answer::Unsupported, error.message, error.reason)
    }

    pub(super) fn reported(case: &Case, program: &probity_program::Program, report: &Report) -> Outcome {
        let answer = match report.verdict {
            Verdict::Accepted(_) => Answer::Accept,
            Verdict::Rejected(_) => Answer::Reject,
            Verdict::Unsupported(_) => Answer::Unsupported,
        };
        let mut outcome = Outcome::empty(case, answer, String::new(), String::new());
        if let Some(finding) = report.finding() {
            outcome.message = finding.last_line().trim_end().to_owned();
            outcome.pc = finding.pc;
            if finding.rejection.code == Code::Unsupported {
                outcome.reason = outcome.message.clone();
            } else {
                outcome.code = Some(finding.rejection.code.as_str());
                outcome.errno = finding.rejection.errno;
            }
            let line = finding.pc.and_then(|pc| program.line(pc));
            outcome.source = line.map(|line| format!("{}:{}: {}", line.file, line.line, line.text.trim()));
        }
        let depths: Vec<String> = report.stack_depth.iter().map(u32::to_string).collect();
        outcome.processed = report.stats.processed;
        outcome.total_states = report.stats.total_states;
        outcome.peak_states = report.stats.peak_states;
        outcome.max_states_per_insn = report.stats.max_states_per_insn;
        outcome.stack_depth = depths.join("+");
        outcome
    }

    /// True when the answer is a verdict.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        matches!(self.answer, Answer::Accept | Answer::Reject)
    }

    /// True when the answer is the kernel's verdict.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.answer == if self.kernel.accepted { Answer::Accept } else { Answer::Reject }
    }

    /// True when the kernel rejects what we accept.
    #[must_use]
    pub fn is_false_accept(&self) -> bool {
        self.answer == Answer::Accept && !self.kernel.accepted
    }

    /// True when the kernel accepts what we reject.
    #[must_use]
    pub fn is_false_reject(&self) -> bool {
        self.answer == Answer::Reject && self.kernel.accepted
    }

    /// True when both accept.
    #[must_use]
    pub fn both_accept(&self) -> bool {
        self.answer == Answer::Accept && self.kernel.accepted
    }

    /// True when both reject.
    #[must_use]
    pub fn both_reject(&self) -> bool {
        self.answer == Answer::Reject && !self.kernel.accepted
    }

    /// True when the message is the last line of the kernel's log.
    #[must_use]
    pub fn message_equal(&self) -> bool {
        self.message == self.kernel.message.trim_end()
    }

    /// True when the three counts of states that were recorded are equal.
    #[must_use]
    pub fn states_equal(&self) -> bool {
        let kernel = &self.kernel;
        self.total_states == kernel.total_states
            && self.peak_states == kernel.peak_states
            && kernel.max_states_per_insn.is_none_or(|max| max == self.max_states_per_insn)
    }

    /// True when it took longer than any program may.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.time > TIME_LIMIT
    }
}
