//! Struct views: layouts, rules of access, and what program types change about them.

use probity_platform::{HostField, SizeMask};

use crate::Diagnostic;
use crate::check;
use crate::code::Code;
use crate::model::{Access, Field, Guard, View};
use crate::source::Span;
use crate::syntax::ast::{self, AccessMode, CtxRule, CtxRuleKind, Ident};

use super::cx::Cx;
use super::guards::guard;
use super::items::Collected;
use super::kinds::reg_type;
use super::placement;
use super::scope::Scope;

/// A field and what overlays need to know of it.
#[derive(Clone)]
struct Built {
    field: Field,
    element: u32,
    /// The size of an element in the host's struct; None when it has no such field.
    host: Option<u32>,
}

/// All views: the declared ones first, by index, then overlays.
pub(super) struct Views {
    declared: Vec<(View, Vec<Built>)>,
    /// Of objects whose layout the spec has: (object, view).
    objects: Vec<(usize, u16)>,
    overlays: Vec<View>,
}

impl Views {
    /// The layout of an object.
    pub(super) fn of_object(&self, object: usize) -> Option<u16> {
        self.objects.iter().find(|(at, _)| *at == object).map(|(_, view)| *view)
    }

    /// The rows of the table.
    pub(super) fn into_rows(self) -> Vec<View> {
        self.declared.into_iter().map(|(view, _)| view).chain(self.overlays).collect()
    }
}

/// All declared views.
pub(super) fn views(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Views {
    let mut declared = Vec::new();
    for (view, item) in &all.views {
        let size = cx.narrow::<u32>(view.size.value, view.size.span, "the size").unwrap_or(0);
        declared.push(one(cx, scope, &view.name, &item.doc, Some(size), &view.fields));
    }
    let mut objects = Vec::new();
    for (at, (object, item)) in all.objects.iter().enumerate() {
        if object.btf.is_some() {
            continue;
        }
        if object.fields.is_empty() {
            let text = format!("object `{}` has neither fields nor a struct of BTF", object.name.name);
            let found = Diagnostic::new(Code::MissingClause, object.name.span, text);
            cx.report(found.help("write its fields, or `btf` behind its name"));
        }
        objects.push((at, u16::try_from(declared.len()).unwrap_or(u16::MAX)));
        declared.push(one(cx, scope, &object.name, &item.doc, None, &object.fields));
    }
    Views { declared, objects, overlays: Vec::new() }
}

/// A view's row; without a size it is as large as its fields, in words of 8 bytes.
fn one(
    cx: &mut Cx<'_>,
    scope: &Scope,
    name: &Ident,
    doc: &ast::Doc,
    size: Option<u32>,
    list: &[ast::Field],
) -> (View, Vec<Built>) {
    let mut fields = fields(cx, scope, name, size, list);
    let end = fields.iter().map(|built| built.field.offset.saturating_add(built.field.size)).max();
    // What is too large for that is reported with its fields.
    let size = size.unwrap_or_else(|| end.unwrap_or(0).checked_next_multiple_of(8).unwrap_or(0));
    let host_size = host_layout(&mut fields, size).unwrap_or_else(|| {
        let text = "the host's struct has more than 32 bits of bytes";
        cx.report(Diagnostic::new(Code::OutOfRange, name.span, text));
        0
    });
    let row = View {
        name: name.name.clone(),
        docs: doc.text(),
        size,
        host_size,
        fields: finish(&fields),
        site: cx.site(name.span),
    };
    (row, fields)
}

/// Where the host's struct has each field, and how large it is: as programs see them while all have
/// the same width there, else one behind the other, aligned to their elements. None when it is too
/// large.
fn host_layout(fields: &mut [Built], size: u32) -> Option<u32> {
    let same = fields.iter().all(|built| built.host == Some(built.element));
    let mut next: u32 = 0;
    let mut align: u32 = 1;
    for built in fields {
        let host = &mut built.field.host;
        if same {
            *host = HostField { offset: built.field.offset, size: built.field.size };
            continue;
        }
        let Some(element) = built.host else { continue };
        let whole = (built.field.size / built.element.max(1)).checked_mul(element)?;
        next = next.checked_next_multiple_of(element)?;
        align = align.max(element);
        *host = HostField { offset: next, size: whole };
        next = next.checked_add(whole)?;
    }
    if same { Some(size) } else { next.checked_next_multiple_of(align) }
}

fn fields(
    cx: &mut Cx<'_>,
    scope: &Scope,
    view: &Ident,
    size: Option<u32>,
    list: &[ast::Field],
) -> Vec<Built> {
    let mut built: Vec<Built> = Vec::new();
    for placed in placement::place(cx, view, size, list) {
        let placement::Placed { field, name, offset, size, element } = placed;
        let access = accesses(cx, scope, field, size, element);
        let site = cx.site(name.span);
        let docs = field.doc.text();
        let nowhere = HostField { offset: 0, size: 0 };
        let name = name.name.clone();
        let row = Field { name, offset, size, element, docs, access, host: nowhere, site };
        built.push(Built { field: row, element, host: host(cx, field, element) });
    }
    built.sort_by_key(|built| built.field.offset);
    built
}

fn accesses(cx: &mut Cx<'_>, scope: &Scope, field: &ast::Field, whole: u32, element: u32) -> Vec<Access> {
    let mut rows = Vec::new();
    for access in &field.access {
        let condition = match &access.when {
            None => Guard::Always,
            Some(when) => guard(cx, scope, when).unwrap_or_default(),
        };
        let yields = access.yields.as_ref().map(|ty| (reg_type(cx, scope, ty), ty.span));
        let (mut read, mut write, mut none, mut unaligned) = (false, false, false, false);
        for mode in &access.modes {
            let slot = match mode.value {
                AccessMode::Read => &mut read,
                AccessMode::Write => &mut write,
                AccessMode::None => &mut none,
                AccessMode::Unaligned => &mut unaligned,
            };
            if *slot {
                let text = format!("`{}` is said twice", mode.value.name());
                cx.report(Diagnostic::new(Code::BadAccess, mode.span, text));
            }
            *slot = true;
        }
        if none && (read || write) {
            cx.report(Diagnostic::new(Code::BadAccess, access.span, "`none` together with another mode"));
        }
        if !write && !none {
            read = true;
        }
        let sizes = sizes(cx, &access.sizes, whole);
        let (ty, pointer) = match yields {
            None => (scope.scalar, false),
            Some((ty, span)) => {
                check::pointer_width(cx, element, field.ty.count.is_some(), span, field.ty.span);
                (ty.unwrap_or(scope.scalar), true)
            }
        };
        let (reads, writes) = match sizes {
            Some(mask) => (mask, mask),
            None if pointer => (SizeMask::of(element), SizeMask::of(element)),
            None => (up_to(element), SizeMask::of(element)),
        };
        let narrow = narrow(cx, access, reads | writes, whole, field.ty.count.is_some());
        let only = |allowed: bool, mask: SizeMask| if allowed && !none { mask } else { SizeMask::empty() };
        rows.push(Access {
            guard: condition,
            read: only(read, reads),
            write: only(write, writes),
            unaligned,
            narrow,
            yields: ty,
        });
    }
    rows
}

/// The size of an element in the host's struct: as the field says, a pointer's for one that yields a
/// pointer, else as programs see it.
fn host(cx: &mut Cx<'_>, field: &ast::Field, element: u32) -> Option<u32> {
    let pointer = field.access.iter().find_map(|access| access.yields.as_ref());
    match (field.host, pointer) {
        (None, Some(_)) => Some(8),
        (None, None) => Some(element),
        (Some(host), pointer) => {
            let bytes = host.ty.map(|ty| u32::try_from(ty.bytes()).unwrap_or(8));
            if let (Some(ty), Some(bytes)) = (pointer, bytes)
                && bytes < 8
            {
                let text = format!("a host's pointer has 8 bytes, not {bytes}");
                let found =
                    Diagnostic::new(Code::PointerTooNarrow, host.span, text).with(ty.span, "a pointer");
                cx.report(found);
            } else if bytes.is_some_and(|bytes| bytes < element) {
                let text = format!("programs read {element} bytes of it, the host has fewer");
                cx.report(Diagnostic::new(Code::PointerTooNarrow, host.span, text));
            }
            bytes
        }
    }
}

fn up_to(element: u32) -> SizeMask {
    [1, 2, 4, 8]
        .into_iter()
        .filter(|size| *size <= element)
        .fold(SizeMask::empty(), |mask, size| mask | SizeMask::of(size))
}

/// In how many of a field's first bytes accesses smaller than it may begin.
fn narrow(cx: &mut Cx<'_>, access: &ast::Access, sizes: SizeMask, whole: u32, array: bool) -> u32 {
    let Some(narrow) = &access.narrow else { return whole };
    if array {
        let text = "an array has elements and no beginning to read narrowly";
        cx.report(Diagnostic::new(Code::BadAccess, narrow.span, text));
        return whole;
    }
    let bytes = narrow.bytes.map_or(1, |bytes| bytes.value);
    let place = narrow.bytes.map_or(narrow.span, |bytes| bytes.span);
    let smaller = [1, 2, 4, 8].into_iter().any(|size| size < whole && sizes.contains(SizeMask::of(size)));
    match u32::try_from(bytes) {
        _ if !smaller => {
            let text = "no access smaller than the field is allowed";
            cx.report(Diagnostic::new(Code::BadAccess, narrow.span, text));
        }
        Ok(bytes) if bytes > 0 && bytes < whole => return bytes,
        Ok(0) => {
            let found = Diagnostic::new(Code::BadAccess, place, "nothing begins in 0 bytes");
            cx.report(found.help("without narrow accesses, give the field's `sizes`"));
        }
        _ => {
            let text = format!("the field has {whole} bytes: this forbids nothing");
            cx.report(Diagnostic::new(Code::BadAccess, place, text));
        }
    }
    whole
}

fn sizes(cx: &mut Cx<'_>, sizes: &[ast::Spanned<u64>], whole: u32) -> Option<SizeMask> {
    let mut mask = SizeMask::empty();
    for size in sizes {
        let one = u32::try_from(size.value).map_or(SizeMask::empty(), SizeMask::of);
        if one.is_empty() {
            let text = format!("accesses have 1, 2, 4 or 8 bytes, not {}", size.value);
            cx.report(Diagnostic::new(Code::BadAccess, size.span, text));
        } else if size.value > u64::from(whole) {
            let text = format!("the field has {whole} bytes; no access of {} fits", size.value);
            cx.report(Diagnostic::new(Code::BadAccess, size.span, text));
        }
        mask |= one;
    }
    (!sizes.is_empty()).then_some(mask)
}

/// Rows without those that say nothing.
fn finish(fields: &[Built]) -> Vec<Field> {
    fields
        .iter()
        .map(|built| {
            let mut field = built.field.clone();
            if field.access.iter().all(|row| row.read.is_empty() && row.write.is_empty()) {
                field.access.clear();
            }
            field
        })
        .collect()
}

/// The view of a context: the declared one, or an overlay of it where the program type has rules.
pub(super) fn context(
    cx: &mut Cx<'_>,
    scope: &Scope,
    views: &mut Views,
    name: &Ident,
    rules: &[CtxRule],
    span: Span,
) -> Option<u16> {
    let index = usize::try_from(scope.views.find(cx, name)?).ok()?;
    if rules.is_empty() {
        return u16::try_from(index).ok();
    }
    let (mut view, mut fields) = views.declared.get(index)?.clone();
    for rule in rules {
        let when = match &rule.when {
            None => Some(Guard::Always),
            Some(when) => guard(cx, scope, when),
        };
        for name in &rule.fields {
            let Some(built) = fields.iter_mut().find(|built| built.field.name == name.name) else {
                let (base, _) = &views.declared[index];
                let names = base.fields.iter().map(|field| field.name.as_str());
                let found = Diagnostic::unknown(Code::UnknownName, "field", &name.name, name.span, names);
                cx.report(found);
                continue;
            };
            if let Some(when) = when.clone() {
                apply(cx, scope, built, &rule.kind, when);
            }
        }
    }
    view.fields = finish(&fields);
    view.site = cx.site(span);
    let new = views.declared.len() + views.overlays.len();
    views.overlays.push(view);
    u16::try_from(new).ok()
}

fn apply(cx: &mut Cx<'_>, scope: &Scope, built: &mut Built, rule: &CtxRuleKind, when: Guard) {
    let mut rows = Vec::new();
    let mask = match rule {
        CtxRuleKind::Sizes(list) | CtxRuleKind::Write(list) => sizes(cx, list, built.field.size),
        _ => None,
    };
    for row in &built.field.access {
        let mut changed = row.clone();
        let pointer = row.yields != scope.scalar;
        match rule {
            CtxRuleKind::Deny => {
                changed.read = SizeMask::empty();
                changed.write = SizeMask::empty();
            }
            CtxRuleKind::Read => {
                changed.write = SizeMask::empty();
                if changed.read.is_empty() {
                    changed.read = if pointer { SizeMask::of(built.element) } else { up_to(built.element) };
                }
            }
            CtxRuleKind::Write(_) => changed.write |= mask.unwrap_or(SizeMask::of(built.element)),
            CtxRuleKind::Sizes(_) => {
                let mask = mask.unwrap_or_default();
                if !changed.read.is_empty() {
                    changed.read = mask;
                }
                if !changed.write.is_empty() {
                    changed.write = mask;
                }
            }
        }
        changed.guard = changed.guard.and(when.clone());
        rows.push(changed);
    }
    if when != Guard::Always {
        rows.append(&mut built.field.access);
    }
    built.field.access = rows;
}
