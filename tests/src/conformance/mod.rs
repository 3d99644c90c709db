//! The vectors of ISA conformance: small programs in an assembler's text, with the memory that they
//! are given and the r0 that they end with.
//!
//! | module | subject |
//! |---|---|
//! | [`vector`] | their files |
//! | [`asm`] | the assembler's dialect |

pub mod asm;
pub mod vector;

pub use vector::{Expected, Vector};
