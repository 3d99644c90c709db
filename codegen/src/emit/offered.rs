//! Which program types offer a callable, and when.

use std::collections::BTreeSet;

use super::guard_text::either;
use crate::model::{Callable, Guard, Model, ProgType};

/// The helpers, each once: of overloads the base, which stands first.
pub(super) fn bases(model: &Model) -> impl Iterator<Item = &Callable> {
    let mut seen = BTreeSet::new();
    model.callables.iter().filter(move |row| seen.insert(row.number))
}

/// When a helper exists in one of its overloads.
pub(super) fn existence(model: &Model, helper: &Callable) -> Guard {
    either(model.callables.iter().filter(|row| row.number == helper.number).map(|row| row.guard.clone()))
}

/// When a program type offers the helper with a number; None when it never does.
pub(crate) fn offered(model: &Model, prog: &ProgType, number: u32) -> Option<Guard> {
    let mut rows = prog
        .callables
        .iter()
        .filter(|(at, _)| model.callables.get(usize::from(*at)).is_some_and(|row| row.number == number))
        .peekable();
    rows.peek()?;
    Some(either(rows.map(|(_, guard)| guard.clone())))
}

/// When a program type offers the kfunc with a name; None when it never does.
pub(crate) fn offered_kfunc(model: &Model, prog: &ProgType, name: &str) -> Option<Guard> {
    let named = |at: u16| model.kfuncs.get(usize::from(at)).is_some_and(|row| row.name == name);
    let mut rows = prog.kfuncs.iter().filter(|(at, _)| named(*at)).peekable();
    rows.peek()?;
    Some(either(rows.map(|(_, guard)| guard.clone())))
}
