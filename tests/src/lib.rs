//! What holds Probity to its word: the parts that its tests share.
//!
//! | module | subject |
//! |---|---|
//! | [`corpus`] | folders of programs with a kernel's verdicts, run through the engine |
//! | [`kernel`] | the running kernel as an oracle |
//! | [`fuzz`] | damaged objects from a seed |
//! | [`generate`] | random programs from a seed, and their shrinker |
//! | [`probes`] | small programs with a kernel's verdicts, messages and counts |
//! | [`raw`] | the corpus of raw programs with a kernel's verdicts |
//! | [`speed`] | measuring the engine beside the kernel |

pub mod corpus;
pub mod fuzz;
pub mod generate;
pub mod kernel;
pub mod probes;
pub mod raw;
pub mod speed;
