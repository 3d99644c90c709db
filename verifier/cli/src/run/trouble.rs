//! Why a program did not run, or a run did not end: with its place and what to do.

use std::path::Path;

use probity::LoadError;
use probity::object::ProgramError;
use probity::program::Program;
use probity::report::{Source, insn};
use probity::vm::{LinkError, MapError, RunError};
use serde::Serialize;

use crate::output::{Exit, Failure, clean};
use crate::{PLATFORM, source};

/// What went wrong; the fields are those of a JSON line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trouble {
    #[serde(skip)]
    pub(super) exit: Exit,
    /// A stable word.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) pc: Option<usize>,
    pub(super) insn: Option<String>,
    pub(super) source: Option<Box<Source>>,
    /// What to do.
    pub(super) help: Option<String>,
}

impl Trouble {
    fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Trouble {
        Trouble { exit, code, message: message.into(), pc: None, insn: None, source: None, help: None }
    }

    /// The command line is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Trouble {
        Trouble::new(Exit::Usage, "usage", message)
    }

    /// A file can't be read, or says nothing that can be used.
    pub(super) fn unreadable(message: impl Into<String>) -> Trouble {
        Trouble::new(Exit::Unreadable, "unreadable", message)
    }

    /// Something that this version does not do.
    pub(super) fn unsupported(message: impl Into<String>) -> Trouble {
        Trouble::new(Exit::Unreadable, "unsupported", message)
    }

    /// Says what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Trouble {
        self.help = Some(help.into());
        self
    }

    /// Says where.
    fn at(mut self, program: &Program, object: &Path, pc: Option<usize>) -> Trouble {
        let Some(pc) = pc else { return self };
        self.pc = Some(pc);
        if pc < program.insns.len() {
            self.insn = Some(insn::text(program, PLATFORM, pc).0);
            self.source = source::lines(program, object).place(pc).map(Box::new);
        }
        self
    }

    /// A program that can't be linked.
    pub(super) fn of_program(error: &ProgramError) -> Trouble {
        let (code, help) = match error {
            ProgramError::UnknownSection { program, .. } => {
                ("unknown-section", Some(format!("give its type with --type {program}=TYPE")))
            }
            ProgramError::Unsupported { .. } => ("unsupported", None),
            _ => ("not-linked", None),
        };
        let mut trouble = Trouble::new(Exit::Unreadable, code, error.to_string());
        trouble.help = help;
        trouble
    }

    /// A program that is not accepted, or that the runtime can't run.
    pub(super) fn of_load(error: &LoadError, program: &Program, object: &Path) -> Trouble {
        match error {
            LoadError::Program(error) => Trouble::of_program(error),
            LoadError::NotVerified { unsupported, finding, .. } => {
                let (exit, verdict) = match unsupported {
                    true => (Exit::Unreadable, "unsupported, not judged"),
                    false => (Exit::Rejected, "not accepted"),
                };
                let message = format!(
                    "program {} is {verdict}: {}",
                    program.name,
                    finding.rejection.message.trim_end()
                );
                let explain = format!("probity check {} --program {}", object.display(), program.name);
                Trouble::new(exit, finding.rejection.code.as_str(), message)
                    .at(program, object, finding.pc)
                    .help(format!(
                        "`{explain}` explains it; --checked runs it all the same, with every access checked"
                    ))
            }
            LoadError::Link { error, .. } => {
                let pc = match error {
                    LinkError::NoBody { pc, .. } | LinkError::Instruction { pc, .. } => Some(*pc),
                    _ => None,
                };
                // The place stands on a line of its own.
                let text = error.to_string();
                let what =
                    pc.and_then(|pc| text.strip_prefix(&format!("at instruction {pc}: "))).unwrap_or(&text);
                Trouble::unsupported(format!("program {}: {what}", program.name)).at(program, object, pc)
            }
            LoadError::Map(error @ (MapError::Unsupported { .. } | MapError::UnknownType { .. })) => {
                Trouble::unsupported(error.to_string())
            }
            other => Trouble::unreadable(other.to_string()),
        }
    }

    /// A run that ended early.
    pub(super) fn of_run(error: &RunError, program: &Program, object: &Path) -> Trouble {
        let ended = |code, message: String| Trouble::new(Exit::Rejected, code, message);
        match error {
            RunError::Fault { pc, fault } => {
                ended("fault", format!("fault: {fault}")).at(program, object, Some(*pc))
            }
            RunError::Fuel => ended("out-of-fuel", "the run used its fuel up".into())
                .help("give more with --fuel, or none to let it run to its end"),
            other => ended("ended", other.to_string()),
        }
    }

    /// In words: the message, the place, what to do.
    pub(super) fn text(&self) -> String {
        let mut parts = vec![self.message.clone()];
        if let Some(pc) = self.pc {
            let insn = self.insn.as_deref().map(|insn| format!(": {insn}")).unwrap_or_default();
            parts.push(format!("at instruction {pc}{insn}"));
        }
        if let Some(source) = &self.source {
            parts.push(format!("{}:{}:{}: {}", source.file, source.line, source.column, source.text.trim()));
        }
        if let Some(help) = &self.help {
            parts.push(format!("help: {help}"));
        }
        let lines = parts.iter().flat_map(|part| part.lines()).map(clean);
        lines.collect::<Vec<_>>().join("\n  ")
    }

    /// What the command ends with when there is nothing else to say.
    pub(super) fn into_failure(self) -> Failure {
        let text = match &self.help {
            Some(help) => format!("{}: {help}", self.message),
            None => self.message,
        };
        match self.exit {
            Exit::Usage => Failure::usage(text),
            _ => Failure::unreadable(text),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        let (exit, text) = failure.into_parts();
        match exit {
            Exit::Usage => Trouble::usage(text),
            _ => Trouble::unreadable(text),
        }
    }
}

/// A program type's name, for messages.
pub(super) fn type_name(program: &Program) -> String {
    PLATFORM
        .prog_type(program.prog_type)
        .map_or_else(|| format!("type {}", program.prog_type), crate::args::short_name)
}
