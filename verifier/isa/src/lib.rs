//! BPF instructions (RFC 9669): encode, decode, disassemble, assemble.
//!
//! | module | subject |
//! |---|---|
//! | [`op`] | the closed lists of operators, widths and sizes |
//! | [`opcode`] | the numbers in an instruction, under their Linux names |
//! | [`insn`] | one 64-bit slot, nothing judged |
//! | [`instruction`] | what an instruction means |
//! | [`mod@decode`] | slots to instructions, refusing what Linux refuses |
//! | [`encode`] | instructions to slots |
//! | [`signs`] | how operators are written |
//! | [`names`] | the names of functions, which only a platform knows |
//! | [`disasm`] | slots to text, as Linux's verifier log has them |

pub mod assemble;
pub mod decode;
pub mod disasm;
pub mod encode;
pub mod insn;
pub mod instruction;
pub mod names;
pub mod op;
pub mod opcode;
pub mod signs;

pub use assemble::{AssembleError, Problem, assemble};
pub use decode::{DecodeError, decode};
pub use disasm::{Disasm, disassemble};
pub use insn::{Insn, PartialInsn};
pub use instruction::{Instruction, Source, Swap};
pub use names::Names;
pub use op::{AluOp, AtomicOp, JumpOp, Size, Width};
