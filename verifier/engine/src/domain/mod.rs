//! The scalar domain: which values a register may hold.
//!
//! **Lattice.** A [`Scalar`] is a product of five: known bits ([`Tnum`]) and an unsigned and a signed
//! interval each for all 64 and for the low 32 bits. Its order is the order of the parts
//! ([`Scalar::within`]), its top is [`Scalar::UNKNOWN`]. There is no bottom: an impossible state is
//! found by [`decide`] beforehand or by [`Scalar::is_consistent`] afterwards.
//!
//! **Meaning.** γ(s) is the set of 64-bit values that all five parts hold ([`Scalar::contains`]).
//! Every function here is sound: for members of its inputs, the concrete result is a member of its
//! output. Different products may have the same γ; pruning and printing tell them apart, so a
//! function is specified by the ten numbers it gives and not by γ alone. Those are the numbers of
//! Linux 6.18.44, checked against vectors measured there.
//!
//! **Sync.** After a transfer function has treated the parts on their own, [`Scalar::sync`] lets them
//! learn from each other. It is not a fixpoint.
//!
//! **Imprecise on purpose**, because Linux is: division and remainder, shifts by an unknown amount and
//! byte swaps (intervals) forget; ends of intervals are not rounded to known bits; equal registers
//! are taken as independent; and more, see each function.
//!
//! | module | subject |
//! |---|---|
//! | [`tnum`] | known bits |
//! | [`scalar`] | the product |
//! | [`sync`] | deduction between the parts |
//! | [`alu`](mod@alu) | arithmetic |
//! | [`cast`] | truncation, extension, byte order |
//! | [`branch`] | conditional jumps |
//! | [`link`] | registers that differ by a constant |

mod interval;

pub mod alu;
pub mod branch;
pub mod cast;
pub mod link;
pub mod scalar;
pub mod sync;
pub mod tnum;

#[cfg(test)]
mod tests;

pub use alu::{alu, alu_in, fork, neg, pointer_add, pointer_sub};
pub use branch::{Refined, contradiction, decide, refine, refine_left, refine_same};
pub use cast::{Swap, end, fits_signed, fits_unsigned, movsx, sign_extend, zero_extend, zero_extend_in};
pub use link::{Delta, offset_by, propagate};
pub use scalar::Scalar;
pub use tnum::Tnum;
