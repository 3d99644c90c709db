//! Plain structs: layouts of integers.

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{Struct, StructField};
use crate::source::Span;
use crate::syntax::ast::{self, Ident};

use super::cx::Cx;
use super::items::Collected;
use super::placement;
use super::scope::Scope;

/// All plain structs.
pub(super) fn structs(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Vec<Struct> {
    if let Some((row, _)) = all.structs.get(usize::from(u16::MAX)) {
        let found = Diagnostic::new(Code::OutOfRange, row.name.span, "more structs than 65535");
        cx.report(found);
    }
    all.structs
        .iter()
        .map(|(row, item)| {
            one_name(cx, all, scope, &row.name);
            one(cx, row, &item.doc)
        })
        .collect()
}

fn one(cx: &mut Cx<'_>, row: &ast::Struct, doc: &ast::Doc) -> Struct {
    let said = row.size.as_ref().map(|size| {
        if size.value == 0 {
            cx.report(Diagnostic::new(Code::OutOfRange, size.span, "a size is a positive number"));
        }
        cx.narrow::<u32>(size.value, size.span, "the size").unwrap_or(0)
    });
    if row.fields.is_empty() {
        let text = format!("struct `{}` has no fields", row.name.name);
        cx.report(Diagnostic::new(Code::MissingClause, row.name.span, text));
    }
    for field in row.fields.iter().filter(|field| !field.is_plain()) {
        not_plain(cx, field, &row.name);
    }
    let mut placed = placement::place(cx, &row.name, said, &row.fields);
    placed.sort_by_key(|field| field.offset);
    let end = placed.iter().map(placement::Placed::end).max().unwrap_or(0);
    let align = placed.iter().map(|field| field.element).max().unwrap_or(1);
    // What is too large for that is reported with its fields.
    let size = said.unwrap_or_else(|| end.checked_next_multiple_of(align).unwrap_or(0));
    let fields = placed.iter().map(|field| StructField {
        name: field.name.name.clone(),
        docs: field.field.doc.text(),
        offset: field.offset,
        size: field.size,
        element: field.element,
    });
    Struct {
        name: row.name.name.clone(),
        docs: doc.text(),
        size,
        fields: fields.collect(),
        site: cx.site(row.name.span),
    }
}

/// Reports what only fields of views may say.
fn not_plain(cx: &mut Cx<'_>, field: &ast::Field, owner: &Ident) {
    let (place, text) = match (&field.host, field.access.as_slice()) {
        (Some(host), _) => (host.span, "the host has a plain struct as programs have it"),
        (None, [rule]) => (rule.span, "a plain struct has no rules of access"),
        (None, rules) => {
            let first = rules.first().map_or(field.ty.span, |rule| rule.span);
            (rules.last().map_or(first, |last| first.to(last.span)), "a plain struct has no rules of access")
        }
    };
    let found = Diagnostic::new(Code::NotPlain, place, text).with(owner.span, "the struct");
    cx.report(found.help("what programs may do with single fields is said in a `view`"));
}

/// Reports another declaration that is a struct of the same name in C.
fn one_name(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope, name: &Ident) {
    let tables = [
        ("view", &scope.views),
        ("object", &scope.objects),
        ("stack object", &scope.stack_objects),
        ("special field", &scope.special_fields),
    ];
    let declared = tables.iter().find_map(|(what, table)| Some((*what, table.span(&name.name)?)));
    // An object of BTF is the struct that it names there.
    let of_btf = || {
        let names = all.objects.iter().filter_map(|(object, _)| object.btf.as_ref()?.name.as_ref());
        names.into_iter().find(|btf| btf.name == name.name).map(|btf| ("object", btf.span))
    };
    let Some((what, first)): Option<(&str, Span)> = declared.or_else(of_btf) else { return };
    let text = format!("struct `{}` and {what} `{}` would be one struct in C", name.name, name.name);
    cx.report(Diagnostic::new(Code::DuplicateName, name.span, text).with(first, format!("the {what}")));
}
