//! Text out, exit codes.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Style};

/// How a command ended, as its exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Accepted,
    Rejected,
    Usage,
    Unreadable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Accepted => 0,
            Exit::Rejected => 1,
            Exit::Usage => 2,
            Exit::Unreadable => 3,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    text: String,
}

impl Failure {
    /// The command line is wrong.
    pub(crate) fn usage(text: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, text: text.into() }
    }

    /// Something can't be read, or not be written.
    pub(crate) fn unreadable(text: impl Into<String>) -> Failure {
        Failure { exit: Exit::Unreadable, text: text.into() }
    }

    /// How the command ends, and the text.
    pub(crate) fn into_parts(self) -> (Exit, String) {
        (self.exit, self.text)
    }

    /// Says it on stderr.
    pub(crate) fn report(self) -> ExitCode {
        complain(&self.text);
        self.exit.into()
    }
}

/// Prints one error line on stderr.
pub(crate) fn complain(text: &str) {
    // There is nobody left to tell when stderr is closed.
    let _ = writeln!(anstream::stderr(), "{}: {}", Painted("error", RED), clean(text));
}

/// Prints an error of several lines on stderr; they were cleaned one by one.
pub(crate) fn complain_lines(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}: {text}", Painted("error", RED));
}

/// Prints one line on stderr that is no error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}: {}", Painted("note", DIM), clean(text));
}

/// Prints text on stdout; colours are taken out where nobody sees them. A reader that has gone away
/// is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match done {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::unreadable(format!("can't write: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints values on stdout, a line of JSON each.
pub(crate) fn print_jsonl<T: serde::Serialize>(values: &[T]) -> Result<(), Failure> {
    let mut text = String::new();
    for value in values {
        let line = serde_json::to_string(value)
            .map_err(|error| Failure::unreadable(format!("can't write: {error}")))?;
        text.push_str(&line);
        text.push('\n');
    }
    print(&text)
}

/// Text from outside, made safe for a terminal: control characters stand as pictures.
pub(crate) fn clean(text: &str) -> String {
    annotate_snippets::normalize_untrusted_str(text)
}

pub(crate) const RED: Style = AnsiColor::BrightRed.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::BrightGreen.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::BrightYellow.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Text in a colour.
pub(crate) struct Painted<T>(pub(crate) T, pub(crate) Style);

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Painted(text, style) = self;
        write!(f, "{style}{text}{style:#}")
    }
}

/// `1 program`, `2 programs`.
pub(crate) fn count(number: u64, word: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {word}{ending}")
}
