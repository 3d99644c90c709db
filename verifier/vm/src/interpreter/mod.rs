//! The interpreter: one step function for both modes.
//!
//! | module | subject |
//! |---|---|
//! | `decode` | instructions as the step function wants them |
//! | `arithmetic` | what operators compute |
//! | `memory` | what a mode does about memory; the mode of verified programs |
//! | `checked` | the mode that takes anything |
//! | `regions` | which memory a run may reach |
//! | `step` | the step function |
//! | `machine` | frames, calls, the loop |

pub mod arithmetic;
pub(crate) mod checked;
pub(crate) mod decode;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod regions;
pub(crate) mod step;

pub(crate) use decode::Decoded;
