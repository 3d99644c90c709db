//! What holds Probity to its word: the parts that its tests share.
//!
//! | module | subject |
//! |---|---|
//! | [`corpus`] | folders of programs with a kernel's verdicts, run through the engine |
//! | [`kernel`] | the running kernel as an oracle |
//! | [`generate`] | random programs from a seed, and their shrinker |
//! | [`plain`] | small maps and calls with plain arguments |
//! | [`raw`] | the corpus of raw programs with a kernel's verdicts |

pub mod corpus;
pub mod generate;
pub mod kernel;
pub mod plain;
pub mod raw;
