//! What holds Probity to its word: the parts that its tests share.
//!
//! | module | subject |
//! |---|---|
//! | [`bodies`] | one call of one helper as a program |
//! | [`concrete`] | programs executed on numbers, beside what the engine says |
//! | [`conformance`] | vectors of ISA conformance, and their assembler |
//! | [`corpus`] | folders of programs with a kernel's verdicts, run through the engine |
//! | [`kernel`] | the running kernel as an oracle |
//! | [`fuzz`] | damaged objects from a seed |
//! | [`generate`] | random programs from a seed, and their shrinker |
//! | [`inputs`] | what test runs call programs with |
//! | [`native`] | machine code, where there is a compiler |
//! | [`plain`] | small maps and calls with plain arguments |
//! | [`probes`] | small programs with a kernel's verdicts, messages and counts |
//! | [`proof`] | the scalar domain as terms for a solver |
//! | [`raw`] | the corpus of raw programs with a kernel's verdicts |
//! | [`runs`] | accepted programs of a corpus, run beside the kernel's r0 |
//! | [`spec_fuzz`] | damaged specs from a seed |
//! | [`special`] | programs on values with timers and locks |
//! | [`speed`] | measuring the engine beside the kernel |
//! | [`types`] | BTF in the making |

pub mod bodies;
pub mod concrete;
pub mod conformance;
pub mod corpus;
pub mod fuzz;
pub mod generate;
pub mod inputs;
pub mod kernel;
pub mod native;
pub mod plain;
pub mod probes;
pub mod proof;
pub mod raw;
pub mod runs;
pub mod spec_fuzz;
pub mod special;
pub mod speed;
pub mod types;
