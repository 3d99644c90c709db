//! Which of the platform's concepts the engine models.

use probity_platform::{Callable, Concepts, Rejection};

/// What the engine follows calls through. A callable that needs more is unsupported before its
/// arguments are looked at: nothing may be concluded from a part of what it does.
const MODELLED: Concepts = Concepts::empty();

/// Refuses what the engine does not model.
pub(super) fn check_modelled(callable: &Callable) -> Result<(), Rejection> {
    match callable.concepts.difference(MODELLED).said() {
        None => Ok(()),
        Some(said) => Err(crate::unsupported(format!("{} ({said})", callable.name)).at(callable.site)),
    }
}
