//! What holds Probity to its word: the parts that its tests share.
//!
//! | module | subject |
//! |---|---|
//! | [`corpus`] | folders of programs with a kernel's verdicts, run through the engine |
//! | [`kernel`] | the running kernel as an oracle |
//! | [`fuzz`] | damaged objects from a seed |
//! | [`generate`] | random programs from a seed, and their shrinker |
//! | [`raw`] | the corpus of raw programs with a kernel's verdicts |
//! | [`spec_fuzz`] | damaged specs from a seed |

pub mod corpus;
pub mod fuzz;
pub mod generate;
pub mod kernel;
pub mod raw;
pub mod spec_fuzz;
