//! Where fields lie: of views, of objects and of plain structs.

use crate::Diagnostic;
use crate::check;
use crate::code::Code;
use crate::syntax::ast::{self, Ident};

use super::cx::Cx;

/// The most bytes of what has no size of its own: 32 bits of them, in whole words.
pub(super) const LARGEST: u64 = u32::MAX as u64 / 8 * 8;

/// A name of a field and where it lies.
pub(super) struct Placed<'a> {
    /// What is said of it and of the names beside it.
    pub(super) field: &'a ast::Field,
    pub(super) name: &'a Ident,
    pub(super) offset: u32,
    /// The whole size.
    pub(super) size: u32,
    /// The size of an element.
    pub(super) element: u32,
}

impl Placed<'_> {
    /// The first byte behind it.
    pub(super) fn end(&self) -> u32 {
        self.offset.saturating_add(self.size)
    }
}

/// Puts fields one behind the other, each aligned to its element, or where `at` says; reports those
/// that do not fit, and leaves out what 32 bits do not hold.
pub(super) fn place<'a>(
    cx: &mut Cx<'_>,
    owner: &Ident,
    size: Option<u32>,
    list: &'a [ast::Field],
) -> Vec<Placed<'a>> {
    let mut placed: Vec<Placed<'a>> = Vec::new();
    let mut places: Vec<check::Place<'_>> = Vec::new();
    let mut next: u64 = 0;
    for field in list {
        let element = field.ty.element.value.bytes();
        let count = field.ty.count.as_ref().map_or(1, |count| count.value);
        if count == 0 {
            cx.report(Diagnostic::new(Code::EmptyRange, field.ty.span, "an array without elements"));
        }
        let whole = element.saturating_mul(count);
        for (index, name) in field.names.iter().enumerate() {
            if let Some(first) = places.iter().find(|place| place.name.name == name.name) {
                let text = format!("field `{}` is declared twice", name.name);
                let found = Diagnostic::new(Code::DuplicateName, name.span, text)
                    .with(first.name.span, "declared first here");
                cx.report(found);
            }
            let offset = match (&field.at, index) {
                (Some(at), 0) => at.value,
                _ => next.checked_next_multiple_of(element).unwrap_or(u64::MAX),
            };
            next = offset.saturating_add(whole);
            places.push(check::Place { name, offset, size: whole, element });
            if let (Ok(offset), Ok(size), Ok(element)) =
                (u32::try_from(offset), u32::try_from(whole), u32::try_from(element))
            {
                placed.push(Placed { field, name, offset, size, element });
            }
        }
    }
    check::layout(cx, &places, size.map_or(LARGEST, u64::from), owner.span);
    placed
}
