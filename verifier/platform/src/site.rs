//! Places in spec files.

/// Where in a spec a row or a clause stands, so that a rejection can point to the line that
/// demands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Site {
    /// Index into [`crate::Platform::sources`].
    pub file: u16,
    /// The line, from 1. 0 means that the fact has no place in a spec.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Site {
    /// No place.
    pub const NONE: Site = Site { file: 0, line: 0, column: 0 };

    /// The place as numbers.
    #[must_use]
    pub const fn new(file: u16, line: u32, column: u32) -> Site {
        Site { file, line, column }
    }
}
