//! BPF instructions (RFC 9669): encode, decode, disassemble, assemble.
//!
//! | module | subject |
//! |---|---|
//! | [`op`] | the closed lists of operators, widths and sizes |

pub mod op;

pub use op::{AluOp, AtomicOp, JumpOp, Size, Width};
