//! Which of the platform's concepts the engine models.

use probity_platform::{Callable, Concepts, Rejection};

/// What the engine follows calls through. A callable that needs more is unsupported before its
/// arguments are looked at: nothing may be concluded from a part of what it does.
pub(crate) const MODELLED: Concepts = Concepts::LOCK
    .union(Concepts::SPECIAL_FIELD)
    .union(Concepts::REGION)
    .union(Concepts::STACK_OBJECT)
    .union(Concepts::OBJECT)
    .union(Concepts::CALLBACK)
    .union(Concepts::ASYNC_CALLBACK);

/// Refuses what the engine does not model.
pub(super) fn check_modelled(callable: &Callable) -> Result<(), Rejection> {
    match callable.concepts.difference(MODELLED).said() {
        // Special fields are modelled as far as they are locks.
        None if callable.concepts == Concepts::SPECIAL_FIELD => {
            Err(crate::unsupported(format!("{} (works on a special field)", callable.name)).at(callable.site))
        }
        None => Ok(()),
        Some(said) => Err(crate::unsupported(format!("{} ({said})", callable.name)).at(callable.site)),
    }
}
