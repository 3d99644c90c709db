//! Random programs for the differential tests, from a seed. There are four sorts.
//!
//! **Programs of arithmetic** ([`generate`]): a program takes unknown numbers from a map, the context
//! and helpers, computes with them on many paths, and ends with a use (an address in a map value or on the stack) that is allowed only for
//! some values: the verdict depends on what a verifier knows of the number. About half of them are
//! accepted.
//!
//! **Structured programs** ([`generate_structured`]): the same, and between those statements whole
//! idioms of everything else, each sometimes with a mistake: maps, packets, helpers, references,
//! functions that get pointers, loops, atomics, tail calls, in thirteen types of program.
//!
//! **Mixed programs** ([`generate_mixed`]): packets, maps, references and functions at once.
//!
//! **Nested programs** ([`generate_nested`]): functions that callables call, and what is held around such
//! calls.
//!
//! The same seed gives the same program.
//!
//! | module | subject |
//! |---|---|
//! | [`program`] | whole programs |
//! | [`scalars`] | numbers: where they come from, arithmetic, spills |
//! | [`flow`] | branches, guards, loops, calls |
//! | [`sink`] | the uses that decide the verdict |
//! | [`mod@mixed`] | programs of packets, maps, references, functions |
//! | [`mod@nested`] | programs of functions that callables call, iterators, locks, global functions |
//! | [`code`] | instructions with labels, and registers |
//! | [`kind`] | the types of program |
//! | [`structured`] | whole structured programs, and the choice of an idiom |
//! | [`world`] | what a structured program has at hand: maps, pointers that it keeps |
//! | [`map_uses`] | lookups, updates, accesses of values |
//! | [`packets`] | checks and accesses of packets, and what moves them |
//! | [`helpers`] | calls of helpers by a table of their arguments |
//! | [`owned`] | what is acquired and released: ring buffer records, sockets |
//! | [`pointers`] | pointers to the stack, functions that get pointers, tail calls |
//! | [`rounds`] | loops, nested, with counters in registers and on the stack |
//! | [`rng`] | random numbers |
//! | [`mod@shrink`] | makes a program smaller while something holds |

pub mod code;
pub mod flow;
pub mod helpers;
pub mod kind;
pub mod map_uses;
pub mod mixed;
pub mod nested;
pub mod owned;
pub mod packets;
pub mod pointers;
pub mod program;
pub mod rng;
pub mod rounds;
pub mod scalars;
pub mod shrink;
pub mod sink;
pub mod structured;
pub mod world;

pub use mixed::generate_mixed;
pub use nested::generate_nested;
pub use program::{VALUE_SIZE, generate};
pub use rng::Rng;
pub use shrink::shrink;
pub use structured::generate_structured;
