//! Why a program is not accepted, as a text for whoever wrote it.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use probity_engine::{Explanation, Finding, explain, verify};
use probity_platform::{Code, Platform, Profile};
use probity_program::Program;

/// Why a program is not accepted. As data: [`Refusal::finding`] and [`Refusal::explanation`]. As text
/// ([`Display`](fmt::Display)): what is wrong, the line of the source, what its registers hold, where the
/// failing value comes from, what to change. Control characters of the object are left out of the text.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The program.
    pub program: String,
    /// True when this version does not model what the program uses: it was not judged then.
    pub unsupported: bool,
    /// The place and the reason.
    pub finding: Finding,
    /// The same at length.
    pub explanation: Explanation,
    /// Where the instruction is in the source, when the object says it.
    pub place: Option<Place>,
    /// The same of each step of the explanation's history.
    pub steps: Vec<Option<Place>>,
}

/// A line of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the compiler was given it.
    pub file: Arc<str>,
    /// The line's number, from 1.
    pub line: u32,
    /// Its text.
    pub text: Arc<str>,
}

impl Refusal {
    /// Why a program is not accepted; None when it is.
    #[must_use]
    pub fn of(program: &Program, platform: &'static Platform, profile: &Profile) -> Option<Refusal> {
        let finding = verify(program, platform, profile).finding()?.clone();
        let explanation = explain(program, platform, profile, &finding);
        let place = |pc: usize| {
            let line = program.line(pc)?;
            Some(Place { file: line.file.clone(), line: line.line, text: line.text.clone() })
        };
        Some(Refusal {
            program: program.name.clone(),
            unsupported: finding.rejection.code == Code::Unsupported,
            place: finding.pc.and_then(place),
            steps: explanation.history.iter().map(|step| place(step.pc)).collect(),
            finding,
            explanation,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Clean(&self.file), self.line)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejection = &self.finding.rejection;
        let (word, code) = match self.unsupported {
            true => ("unsupported", String::new()),
            false => ("rejected", format!(" [{}]", rejection.code.as_str())),
        };
        let summary = self.explanation.summary;
        write!(f, "{} is {word}{code}: {summary}", Clean(&self.program))?;
        if let Some(place) = &self.place {
            write!(f, "\n  at {place}: {}", Clean(place.text.trim()))?;
        }
        for line in rejection.message.lines() {
            write!(f, "\n  verifier: {}", Clean(line))?;
        }
        for register in &self.explanation.registers {
            write!(f, "\n  {} is {}", register.name, Clean(&register.holds))?;
        }
        for (name, fact) in [("needed", &rejection.needed), ("known", &rejection.known)] {
            if !fact.is_empty() {
                write!(f, "\n  {name}: {}", Clean(fact))?;
            }
        }
        for (at, (step, place)) in self.explanation.history.iter().zip(&self.steps).enumerate() {
            write!(f, "\n  {}. {}", at + 1, Clean(&step.text))?;
            match place {
                Some(place) => write!(f, "\n     at {place}: {}", Clean(place.text.trim()))?,
                None => write!(f, "\n     at instruction {}", step.pc)?,
            }
        }
        if self.explanation.left_out > 0 {
            write!(f, "\n  {} more steps behind the first", self.explanation.left_out)?;
        }
        if let Some(suggestion) = &self.explanation.suggestion {
            write!(f, "\n  help: {}", Clean(suggestion))?;
        }
        Ok(())
    }
}

/// Text of an object without what a terminal would obey.
struct Clean<'a>(&'a str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shown = |c: &char| !c.is_control() && !('\u{202a}'..='\u{2069}').contains(c);
        self.0
            .chars()
            .map(|c| if c == '\t' { ' ' } else { c })
            .filter(is_shown)
            .try_for_each(|c| f.write_char(c))
    }
}
