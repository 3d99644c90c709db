//! The abstract machine: registers, stack slots, frames, and the state made of them.

pub mod ends;
pub mod frame;
pub mod machine;
pub mod object;
pub mod refs;
pub mod reg;
pub mod stack;

pub use ends::{End, Ends};
pub use frame::Frame;
pub use machine::State;
pub use refs::{Held, Lock, Reference, References};
pub use reg::{ADD_CONST, ADD_CONST32, ADD_CONST64, Reg};
pub use stack::{Slot, Stack, Tag};
