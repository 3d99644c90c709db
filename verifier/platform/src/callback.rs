//! Callbacks: functions of the program that callables call.

use bitflags::bitflags;

use crate::{RegType, Site, Subject};

bitflags! {
    /// Facts about a callback.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct CallbackFlags: u32 {
        /// It runs after the call that names it, on its own: it holds nothing of what the caller
        /// holds. Without: it runs during the call.
        const ASYNC = 1 << 0;
        /// It may sleep.
        const SLEEPABLE = 1 << 1;
    }
}

/// What a register of a callback holds at entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackValue {
    /// What this argument of the call held; arguments count from 0.
    Caller(u8),
    /// A value of this type.
    Type {
        /// The type.
        ty: RegType,
        /// The object that a pointer points to.
        subject: Subject,
        /// The argument whose map it belongs to: a map, or a special field of a map's value.
        of: Option<u8>,
    },
}

/// A callback's signature.
#[derive(Clone, Copy, Debug)]
pub struct Callback {
    /// Its name in the spec, `loop_body`.
    pub name: &'static str,
    /// Facts about it.
    pub flags: CallbackFlags,
    /// The least and the greatest value that it may return; None allows any.
    pub returns: Option<(i64, i64)>,
    /// Names of callables that it may not call.
    pub forbids: &'static [&'static str],
    /// Where it is declared.
    pub site: Site,
}

/// One call of a callback, as a driver tells the engine.
#[derive(Clone, Copy, Debug)]
pub struct CallbackCall {
    /// Index into [`crate::Platform::callbacks`].
    pub callback: u16,
    /// The argument that is the function.
    pub func: u8,
    /// What registers hold at entry: (register, value). All others are not initialised.
    pub entry: &'static [(u8, CallbackValue)],
    /// Where the clause stands.
    pub site: Site,
}
