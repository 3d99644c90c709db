//! Why a program is not accepted, for people: the C line with its neighbours, what is known, where the
//! value came from, what to change. As data, and as text.
//!
//! | module | subject |
//! |---|---|
//! | [`source`] | C lines |
//! | [`insn`] | instructions as text, with the names that a program knows |
//! | `render` | the text |

pub mod insn;
mod render;
pub mod source;

use std::fmt;

use probity_engine::{Explanation, Finding};
use probity_platform::{Platform, Site};
use probity_program::Program;

pub use render::clause_at;
pub use source::{Line, Lines, Source};

/// A register of the failing instruction.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Register {
    /// Its name.
    pub name: String,
    /// What it holds, in words.
    pub holds: String,
}

/// A step of a value's history.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Step {
    /// The instruction that did it.
    pub pc: usize,
    /// The instruction's text.
    pub insn: String,
    /// The C file, where it is known.
    pub file: Option<String>,
    /// The C line, where it is known.
    pub line: Option<u32>,
    /// A stable word.
    pub what: &'static str,
    /// What happened, in words.
    pub text: String,
    /// The C line, for the text.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub source: Option<Source>,
}

/// A place in the spec.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SpecPlace {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The clause that stands there, as far as its line goes.
    pub clause: Option<&'static str>,
    /// The text of the line, when it is known.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub text: Option<&'static str>,
}

impl SpecPlace {
    /// A place in a platform's spec, whose text is not at hand.
    #[must_use]
    pub fn of(platform: &Platform, site: Site) -> Option<SpecPlace> {
        let file = (*platform.sources.get(usize::from(site.file))?).to_owned();
        Some(SpecPlace { file, line: site.line, column: site.column, clause: None, text: None })
    }
}

/// Why a program is not accepted. Printing it gives the text.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Refusal {
    /// True when this version does not model what the program uses.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub unsupported: bool,
    /// The stable code.
    pub code: Option<&'static str>,
    /// The error number that loading gives.
    pub errno: Option<i32>,
    /// The kernel's words.
    pub message: Option<String>,
    /// The fact that would have made it safe.
    pub needed: Option<String>,
    /// What was known instead.
    pub known: Option<String>,
    /// The instruction.
    pub pc: Option<usize>,
    /// Its text.
    pub insn: Option<String>,
    /// Its C line.
    pub source: Option<Source>,
    /// The clause of the spec that demands it.
    pub spec: Option<SpecPlace>,
    /// Our own words for `message`.
    pub explanation: Option<&'static str>,
    /// The register or slot that failed.
    pub subject: Option<String>,
    /// What the instruction's registers hold.
    pub registers: Vec<Register>,
    /// Where the subject's value came from, oldest first.
    pub history: Vec<Step>,
    /// Steps of the history that are not there.
    pub history_left_out: usize,
    /// What to change.
    pub suggestion: Option<String>,
}

impl Refusal {
    /// What a finding says.
    #[must_use]
    pub fn of_finding(
        program: &Program,
        platform: &Platform,
        lines: &Lines<'_>,
        finding: &Finding,
    ) -> Refusal {
        let rejection = &finding.rejection;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Refusal {
            code: Some(rejection.code.as_str()),
            errno: Some(rejection.errno),
            message: Some(rejection.message.clone()),
            needed: some(&rejection.needed),
            known: some(&rejection.known),
            pc: finding.pc,
            insn: finding.pc.map(|pc| insn::text(program, platform, pc).0),
            source: finding.pc.and_then(|pc| lines.place(pc)),
            spec: finding.site().and_then(|site| SpecPlace::of(platform, site)),
            ..Refusal::default()
        }
    }

    /// Adds what an explanation says.
    pub fn explain(
        &mut self,
        program: &Program,
        platform: &Platform,
        lines: &Lines<'_>,
        explanation: Explanation,
    ) {
        let step = |step: probity_engine::explain::Step| {
            let source = lines.place(step.pc);
            Step {
                pc: step.pc,
                insn: insn::text(program, platform, step.pc).0,
                file: source.as_ref().map(|source| source.file.clone()),
                line: step.line,
                what: step.what.as_str(),
                text: step.text,
                source,
            }
        };
        self.explanation = Some(explanation.summary);
        self.subject = explanation.subject;
        let registers = explanation.registers.into_iter();
        self.registers =
            registers.map(|register| Register { name: register.name, holds: register.holds }).collect();
        self.history = explanation.history.into_iter().map(step).collect();
        self.history_left_out = explanation.left_out;
        self.suggestion = explanation.suggestion;
    }

    /// The text, with colours for a terminal.
    #[must_use]
    pub fn styled(&self) -> String {
        render::render(self, true)
    }
}

/// The text, without colours.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::render(self, false))
    }
}
