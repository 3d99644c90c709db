//! The host during a run.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::ptr::NonNull;

/// The host that whoever made a run has lent for it, with its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LentHost(Option<(NonNull<()>, TypeId)>);

impl LentHost {
    /// None.
    pub(crate) const NOBODY: LentHost = LentHost(None);

    /// Lends a host.
    ///
    /// # Safety
    ///
    /// What this returns must not be asked any more when the borrow of the host ends; until then the
    /// host is reached through it only.
    pub(crate) unsafe fn new(host: &mut dyn Any) -> LentHost {
        let id = (*host).type_id();
        LentHost(Some((NonNull::from(host).cast(), id)))
    }

    /// Lends a host again, for what a function of it calls.
    ///
    /// # Safety
    ///
    /// See [`LentHost::new`].
    #[inline(always)]
    pub(crate) unsafe fn again<H: 'static>(host: &mut H) -> LentHost {
        LentHost(Some((NonNull::from(host).cast(), TypeId::of::<H>())))
    }

    /// Its type.
    pub(crate) fn type_id(self) -> Option<TypeId> {
        self.0.map(|(_, id)| id)
    }

    /// The host, when it is of this type. Nobody has it while the caller does: it must be put back.
    ///
    /// # Safety
    ///
    /// There must be no other reference to the host for `'h`.
    #[inline(always)]
    pub(crate) unsafe fn get<'h, H: 'static>(self) -> Option<&'h mut H> {
        match self.0 {
            // SAFETY: it is what was lent, of that type, which is there as long as it is lent; that
            // it is reached from here only is the caller's.
            Some((host, id)) if id == TypeId::of::<H>() => Some(unsafe { host.cast().as_mut() }),
            _ => None,
        }
    }
}
