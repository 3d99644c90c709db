//! What a platform must hold to beyond names that resolve: arguments that hang together, fields
//! that lie side by side, helpers that somebody can reach.

mod arguments;
mod bodies;
mod classes;
mod concepts;
mod map_bodies;
mod reach;
mod references;
mod uses;
mod views;

pub(crate) use arguments::{never_null, relations};
pub(crate) use bodies::{Tables, bodies};
pub(crate) use classes::classes;
pub(crate) use concepts::{lifetimes, regions, stack_objects};
pub(crate) use map_bodies::map_bodies;
pub(crate) use reach::reach;
pub(crate) use references::references;
pub(crate) use views::{Place, layout, pointer_width};
