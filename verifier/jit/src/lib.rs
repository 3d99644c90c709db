//! x86-64 machine code from verified eBPF programs.
//!
//! | module | subject |
//! |---|---|
//! | [`encode`] | an assembler for the part of x86-64 that compilers of eBPF need |
//! | [`memory`] | memory that is written first and executed then, never both |

pub mod encode;
pub mod memory;
