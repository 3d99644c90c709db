//! An assembler for the part of x86-64 that compilers of eBPF need.
//!
//! An [`Assembler`] takes one instruction a method call. Methods are named by the mnemonic where there
//! is one, and by the family where the operator is an operand ([`Assembler::alu`],
//! [`Assembler::shift_imm`]); `_imm` at the end means an immediate as the last operand, and
//! `impl Into<Rm>` takes a [`Reg`] or a [`Mem`]. Operands are in Intel's order, destination first.
//!
//! | module | subject |
//! |---|---|
//! | [`operand`] | registers, widths, memory operands, conditions |
//! | `instruction` | the bytes of one instruction: prefixes, ModRM, SIB |
//! | [`assembler`] | code under way: labels and where things are |
//! | [`layout`] | jumps in their short form where they reach, exact size, final bytes |
//! | `data` | moving data: mov, movzx, movsx, lea, push, cmov, bswap |
//! | [`arithmetic`] | add to cmp, test, multiplication, division |
//! | [`shift`] | shifts and rotations, those of BMI2 too |
//! | `atomic` | locked instructions |
//! | `control` | jumps, calls, padding |

pub mod arithmetic;
pub mod assembler;
mod atomic;
mod control;
mod data;
mod instruction;
pub mod layout;
pub mod operand;
pub mod shift;

pub use arithmetic::{Alu, Unary};
pub use assembler::{Assembler, Label, Labels};
pub use layout::{Image, UnboundLabel};
pub use operand::{Cond, Mem, Reg, Rm, Scale, Width};
pub use shift::{Shift, ShiftX};
