//! What is done once before the walk: decoding, functions, references, control flow, liveness.
//!
//! The phases run in the kernel's order (verifier.md, section 1), because the first one that fails
//! gives the message: functions, jumps, references, reachability.

pub mod backward;
pub mod code;
pub mod components;
pub mod control_flow;
mod environment;
pub mod functions;
pub mod global_functions;
pub mod live_registers;
pub mod neighbours;
pub mod offered;
pub mod references;
pub mod returns;
pub mod special_fields;

pub use backward::Undoes;
pub use code::{Code, Decoded, Function, Widens};
pub(crate) use environment::guard_env;
pub use neighbours::Neighbours;
pub use offered::Offered;
