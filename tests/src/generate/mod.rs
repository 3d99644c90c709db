//! Random programs for the differential test, from a seed.
//!
//! There are two kinds. Those of [`mod@mixed`] use everything at once. The others are of arithmetic
//! and branches: a program takes unknown numbers from a map, the context and helpers, computes with
//! them on many paths, and ends with a use (an address in a map value or on the stack) that is
//! allowed only for some values: the verdict depends on what a verifier knows of the number. About
//! half of them are accepted. The same seed gives the same program.
//!
//! | module | subject |
//! |---|---|
//! | [`program`] | whole programs |
//! | [`scalars`] | numbers: where they come from, arithmetic, spills |
//! | [`flow`] | branches, guards, loops, calls |
//! | [`sink`] | the uses that decide the verdict |
//! | [`mod@mixed`] | programs of packets, maps, references, functions |
//! | [`code`] | instructions with labels, and registers |
//! | [`rng`] | random numbers |
//! | [`mod@shrink`] | makes a program smaller while something holds |

pub mod code;
pub mod flow;
pub mod mixed;
pub mod program;
pub mod rng;
pub mod scalars;
pub mod shrink;
pub mod sink;

pub use mixed::generate_mixed;
pub use program::{VALUE_SIZE, generate};
pub use rng::Rng;
pub use shrink::shrink;
