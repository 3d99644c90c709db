//! What holds Probity to its word: the parts that its tests share.
//!
//! | module | subject |
//! |---|---|
//! | [`corpus`] | folders of programs with a kernel's verdicts, run through the engine |
//! | [`kernel`] | the running kernel as an oracle |
//! | [`generate`] | random programs from a seed, and their shrinker |
//! | [`raw`] | the corpus of raw programs with a kernel's verdicts |
//! | [`speed`] | measuring the engine beside the kernel |

pub mod corpus;
pub mod generate;
pub mod kernel;
pub mod raw;
pub mod speed;
