//! The scalar domain as terms over bit vectors, so that a solver can be asked about it.
//!
//! A [`term::Term`] is evaluated here, on numbers, and printed as SMT-LIB for a solver: one and the
//! same formula. The model ([`model`]) is the domain's operators written as such terms, for words of
//! any even width. `tests/domain_proofs.rs` ties it to the engine (both give the same ten numbers for many
//! inputs), has the solver prove it at 64 and 32 bits, and counts through all of it at few bits.
//!
//! | module | subject |
//! |---|---|
//! | [`term`] | terms over bit vectors, and their evaluation |
//! | [`solver`] | terms as SMT-LIB, and the solver's answer |
//! | [`model`] | what a scalar is; known bits and intervals |
//! | [`model_sync`] | the deductions between its parts |
//! | [`model_alu`] | arithmetic, extension, byte order |
//! | [`model_branch`] | decisions and refinements |
//! | [`samples`] | abstract values with some of their members |

pub mod model;
pub mod model_alu;
pub mod model_branch;
pub mod model_sync;
pub mod samples;
pub mod solver;
pub mod term;
