//! Programs executed on numbers in the checked interpreter, beside what the engine says of them.
//!
//! | module | subject |
//! |---|---|
//! | [`record`] | the abstract states of all paths, as an observer notes them |
//! | [`check`] | that a concrete state is a member of an abstract one |
//! | [`references`] | that a machine holds what an abstract state says is held |
//! | [`monitor`] | a run that is held against a record |
//! | [`watched`] | runs on random inputs, each held against the record |
//! | [`inputs`] | random packets, contexts and contents of maps |

pub mod check;
pub mod inputs;
pub mod monitor;
pub mod record;
pub mod references;
pub mod watched;
