//! What a platform must hold to beyond names that resolve: arguments that hang together, fields
//! that lie side by side, helpers that somebody can reach.

mod arguments;
mod concepts;
mod reach;
mod references;
mod views;

pub(crate) use arguments::{never_null, relations};
pub(crate) use concepts::{lifetimes, regions, stack_objects};
pub(crate) use reach::reach;
pub(crate) use references::references;
pub(crate) use views::{Place, layout, pointer_width};
