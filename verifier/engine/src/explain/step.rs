//! What a step of a history is.

use std::fmt;

/// What happened at a step. The words are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The program, or a function of it, began with the value.
    Entry,
    /// A constant was assigned.
    Constant,
    /// It was copied from another register.
    Copied,
    /// It was loaded from memory.
    Loaded,
    /// It was stored in a stack slot.
    Spilled,
    /// It was loaded back from a stack slot.
    Filled,
    /// Arithmetic changed it.
    Computed,
    /// A call returned it.
    Returned,
    /// It was passed to a function of the program.
    Passed,
    /// A comparison told something about it.
    Compared,
    /// A callee wrote it.
    Written,
    /// A call made it unusable.
    Lost,
    /// Something was acquired that must be released.
    Acquired,
    /// A branch that the path took.
    Branched,
    /// Nothing on the path wrote it.
    NeverWritten,
    /// An instruction that was processed very often.
    Repeated,
}

impl What {
    /// The word as reports print it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            What::Entry => "entry",
            What::Constant => "constant",
            What::Copied => "copied",
            What::Loaded => "loaded",
            What::Spilled => "spilled",
            What::Filled => "filled",
            What::Computed => "computed",
            What::Returned => "returned",
            What::Passed => "passed",
            What::Compared => "compared",
            What::Written => "written",
            What::Lost => "lost",
            What::Acquired => "acquired",
            What::Branched => "branched",
            What::NeverWritten => "never-written",
            What::Repeated => "repeated",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step in the life of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The instruction.
    pub pc: usize,
    /// Its line in the C source, when known.
    pub line: Option<u32>,
    /// What happened.
    pub what: What,
    /// The same in words.
    pub text: String,
}
