//! The host during a run.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::ptr::NonNull;

/// The host that whoever made a run has lent for it, with its type.
///
/// Functions of a host are called without a look at the type. So while code of a unit that needs a host is
/// on, what is lent is of the type that the unit was linked for, or is nobody: it is compared where a run
/// begins ([`Session::go`](crate::Session::go)), where another program takes over
/// ([`Run::go_on`](crate::Run::go_on)), where a function lends the host again ([`LentHost::again`]), and
/// where what is left over is given back (`held`).
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

    /// Lends a host again, for what a function of it calls: nobody, when it is of another type than the
    /// one that the function was called with.
    ///
    /// # Safety
    ///
    /// See [`LentHost::new`].
    #[inline(always)]
    pub(crate) unsafe fn again<H: 'static>(self, host: &mut H) -> LentHost {
        let id = TypeId::of::<H>();
        LentHost((self.type_id() == Some(id)).then(|| (NonNull::from(host).cast(), id)))
    }

    /// Its type.
    pub(crate) fn type_id(self) -> Option<TypeId> {
        self.0.map(|(_, id)| id)
    }

    /// The host, when there is one. Nobody has it while the caller does.
    ///
    /// # Safety
    ///
    /// It is of this type, or nobody, and there must be no other reference to it for `'h`.
    #[inline(always)]
    pub(crate) unsafe fn get<'h, H: 'static>(self) -> Option<&'h mut H> {
        let (host, id) = self.0?;
        debug_assert_eq!(id, TypeId::of::<H>());
        // SAFETY: it is what was lent, which is there as long as it is lent; that it is of that type and
        // reached from here only is the caller's.
        Some(unsafe { host.cast().as_mut() })
    }
}
