//! How a host's functions see calls; see [`probity_platform::HostCall`].

use probity_platform::{HostArg, HostBound, HostRet};

/// Whether a host can have a function for a callable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostBinding {
    /// No host has.
    #[default]
    None,
    /// The bindings can't express it; why.
    Unsupported(String),
    /// It has one.
    Call(HostCall),
}

/// A call of a host's function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// What the function is given.
    pub args: Vec<HostArg>,
    /// What it gives back.
    pub ret: HostRet,
    /// Ranges of the returned number.
    pub returns: Vec<(HostBound, HostBound)>,
    /// The callable that ends what it returns.
    pub until: Option<u16>,
    /// It ends what another returned.
    pub ends_lifetimes: bool,
    /// The callable that gives back what it leaves with the program.
    pub given_back_by: Option<u16>,
}

impl HostBinding {
    /// The call, where a host has a function for it.
    #[must_use]
    pub fn call(&self) -> Option<&HostCall> {
        match self {
            HostBinding::Call(call) => Some(call),
            _ => None,
        }
    }
}
