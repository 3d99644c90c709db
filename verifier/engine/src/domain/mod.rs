//! The scalar domain.

mod interval;

pub mod alu;
pub mod branch;
pub mod cast;
pub mod link;
pub mod scalar;
pub mod sync;
pub mod tnum;

pub use alu::{alu, fork, neg, pointer_add, pointer_sub};
pub use branch::{Refined, decide, refine};
pub use cast::{Swap, end, movsx, sign_extend, zero_extend};
pub use link::{offset_by, propagate};
pub use scalar::Scalar;
pub use tnum::Tnum;
