//! How fields lie in their struct.

use crate::Diagnostic;
use crate::code::Code;
use crate::resolve::cx::Cx;
use crate::source::Span;
use crate::syntax::ast::Ident;

/// Where a field lies.
pub(crate) struct Place<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) element: u64,
}

/// Reports fields that overlap, are not aligned, or reach beyond the struct.
pub(crate) fn layout(cx: &mut Cx<'_>, places: &[Place<'_>], size: u64, view: Span) {
    for place in places {
        let name = place.name;
        if place.offset % place.element != 0 {
            let text = format!(
                "field `{}` of {}-byte elements is at {}, which is no multiple of {}",
                name.name, place.element, place.offset, place.element
            );
            cx.report(Diagnostic::new(Code::MisalignedField, name.span, text));
        }
        let end = place.offset.saturating_add(place.size);
        if end > size {
            let text = format!("field `{}` ends at {end}, beyond the struct's {size} bytes", name.name);
            let found = Diagnostic::new(Code::FieldOverflow, name.span, text).with(view, "the struct");
            cx.report(found);
        }
    }
    let mut sorted: Vec<&Place<'_>> = places.iter().collect();
    sorted.sort_by_key(|place| place.offset);
    for pair in sorted.windows(2) {
        let [first, second] = pair else { continue };
        let end = first.offset.saturating_add(first.size);
        if end > second.offset {
            let text = format!(
                "field `{}` at {} overlaps `{}`, which ends at {end}",
                second.name.name, second.offset, first.name.name
            );
            let found = Diagnostic::new(Code::OverlappingFields, second.name.span, text)
                .with(first.name.span, "the other field");
            cx.report(found);
        }
    }
}

/// Reports a field that yields a pointer and is too narrow for one: 4 bytes are converted to the
/// host's pointer, 8 bytes are one.
pub(crate) fn pointer_width(cx: &mut Cx<'_>, element: u32, array: bool, yields: Span, ty: Span) {
    if element < 4 {
        let text = format!("a field of {element} bytes can't be converted to a pointer");
        let found = Diagnostic::new(Code::PointerTooNarrow, ty, text)
            .with(yields, "the pointer")
            .help("use u32 or u64");
        cx.report(found);
    } else if array {
        let found = Diagnostic::new(Code::BadAccess, ty, "an array can't yield a pointer")
            .with(yields, "the pointer");
        cx.report(found);
    }
}
