//! Why a program was rejected, for the person who wrote it: what the registers held, where the
//! failing value came from, what to change. It is data, rendered at the edge, and it costs an
//! accepted program nothing: the failing path is found by running the same walk again, watched.
//!
//! | module | subject |
//! |---|---|
//! | `replay` | the failing path, and its states |
//! | `subject` | which register or slot failed, which registers take part |
//! | `history` | where a value came from, step by step |
//! | `undo` | one instruction of the path undone |
//! | [`step`] | what a step of a history is |
//! | [`mod@value`] | a register as a person reads it |
//! | `expression` | what C calls a value |
//! | [`advice`] | the table: by code, what is wrong and what to do |
//! | `facts` | what fills the blanks of the table |

use probity_platform::{Code, Platform, Profile};
use probity_program::Program;

use crate::report::Finding;

pub mod advice;
mod expression;
mod facts;
mod history;
mod replay;
pub mod step;
mod subject;
mod undo;
pub mod value;

pub use step::{Step, What};
pub use value::Values;

/// A register of the failing instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its name, `r2`.
    pub name: String,
    /// What it holds before the instruction, in words.
    pub holds: String,
}

/// What is told of a finding beyond its rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is wrong, as a C programmer would say it.
    pub summary: &'static str,
    /// The registers that the failing instruction uses, as they were before it. Empty when no path
    /// leads to the failure.
    pub registers: Vec<Register>,
    /// What failed, `r2` or `fp-16`, when it is one value.
    pub subject: Option<String>,
    /// Where that value came from, oldest step first.
    pub history: Vec<Step>,
    /// Steps of the history between the first and the others that are not told.
    pub left_out: usize,
    /// What to change, when there is something to say.
    pub suggestion: Option<String>,
}

/// Explains a finding of a program: verifies it again, for the same platform and profile, and
/// watches.
#[must_use]
pub fn explain(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    finding: &Finding,
) -> Explanation {
    let code = finding.rejection.code;
    let mut explanation = Explanation {
        summary: advice::summary(code),
        registers: Vec::new(),
        subject: None,
        history: Vec::new(),
        left_out: 0,
        suggestion: None,
    };
    if code == Code::Unsupported {
        return explanation;
    }
    let values = Values { platform, program };
    // A limit is about the work over all paths: its states say nothing.
    let counted = matches!(code, Code::TooComplex | Code::TooManyBranches);
    let path = finding.pc.map(|pc| replay::failing_path(program, platform, profile, pc, !counted));
    let mut facts = facts::Facts::new(values, profile, finding);
    if let Some(path) = &path {
        if counted {
            explanation.history = history::hottest(values, path);
            facts.see_hottest(&explanation.history);
        } else if let Some(failing) = path.failing() {
            explanation.registers = subject::registers(values, failing);
            let subject = subject::find(values, failing, &finding.rejection);
            explanation.subject = subject.as_ref().map(subject::Subject::name);
            let told = history::trace(values, path, subject.as_ref(), &finding.rejection);
            explanation.history = told.steps;
            explanation.left_out = told.left_out;
            facts.see(failing, subject.as_ref(), &explanation.history);
        }
    }
    explanation.suggestion = advice::suggest(code, &|name| facts.get(name));
    explanation
}
