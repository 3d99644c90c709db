//! The walk over all paths: order, checkpoints, pruning, precision.

pub mod backtrack;
pub mod checkpoint;
pub mod equal;
pub mod history;
pub mod ids;
pub(crate) mod loops;
pub mod precision;
pub mod prune;
pub(crate) mod speculation;
pub mod stack_liveness;
pub mod walk;

pub use walk::Walk;
