//! Programs executed on numbers, beside what the engine says of them.
//!
//! | module | subject |
//! |---|---|
//! | [`memory`] | regions of bytes at made-up addresses |
//! | [`machine`] | an interpreter for the programs that tests generate |
//! | [`record`] | the abstract states of all paths, as an observer notes them |
//! | [`check`] | that a concrete state is a member of an abstract one |

pub mod check;
pub mod machine;
pub mod memory;
pub mod record;
