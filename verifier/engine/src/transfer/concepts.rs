//! Which of the platform's concepts the engine models.

use probity_platform::{Callable, Concepts, Rejection, Subject};

use crate::prepare::Code;

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
pub(super) fn check_modelled(callable: &Callable, code: &Code) -> Result<(), Rejection> {
    let unmodelled = |said| Err(crate::unsupported(format!("{} ({said})", callable.name)).at(callable.site));
    if let Some(said) = callable.concepts.difference(MODELLED).said() {
        return unmodelled(said);
    }
    let other = |subject| match subject {
        Subject::Field(field) => !code.modelled_fields[usize::from(field)],
        _ => false,
    };
    if callable.concepts.contains(Concepts::SPECIAL_FIELD)
        && callable.args.iter().any(|arg| other(arg.subject))
    {
        return unmodelled("works on a special field");
    }
    Ok(())
}
