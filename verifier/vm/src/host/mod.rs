//! Functions of a host that programs call, with types.
//!
//! Codegen emits a trait with a method for each callable that a host does, and for each method a type
//! that is a [`HostFunction`]: it takes the arguments apart, calls the method, and gives back what it
//! returned. [`Bindings`] are these for one host. That a binding is made for its callable is looked at
//! when a program is linked ([`probity_platform::HostCall`] against the types), so that nothing of it
//! needs `unsafe`.
//!
//! | module | subject |
//! |---|---|
//! | [`plain`] | integers and structs of them |
//! | [`memory`] | memory that a call is about: bytes, structs, the context |
//! | [`object`] | objects that programs hold pointers to |
//! | [`arguments`] | what functions are given |
//! | [`result`] | what they give back |
//! | [`callback`] | functions of the program |
//! | [`stacked`] | objects in the program's stack |
//! | [`scope`] | the run, as functions see it |
//! | [`bindings`] | a host's functions for a platform |
//! | `shape` | that a function is made for its callable |
//! | `call` | from a call to the function |
//! | `typed_map` | maps of structs, for hosts |
//! | `lend` | the host during a run |
//! | `give_back` | what a run leaves behind |
//! | `held` | what a run holds of the host's |

pub mod arguments;
pub mod bindings;
mod call;
pub mod callback;
mod give_back;
mod held;
mod lend;
pub mod memory;
pub mod object;
pub mod plain;
pub mod result;
pub mod scope;
mod shape;
pub mod stacked;
mod typed_map;

pub use arguments::{Argument, Arguments, Copied, Number};
pub use bindings::{Bindings, HostFunction, Linked};
pub use callback::{Callback, Caller, Entries, Entry, Given, Stop};
pub use memory::{Blank, Bytes, BytesMut, Fixed, FixedMut, Place};
pub use object::{Guest, Handle, Shared, SharedBytes};
pub use plain::{ContextStruct, Field, Integer, Plain};
pub use result::{Always, Made, Memory, Returns};
pub use scope::{ContextOf, HostRun};
pub use shape::{EntryShape, Misfit, RetShape, Shape};
pub use stacked::{Ended, Used};

pub use crate::errno::Errno;
pub use crate::maps::Map;

pub(crate) use give_back::give_back;
pub(crate) use held::{Held, object_at, region_at};
pub(crate) use lend::LentHost;
