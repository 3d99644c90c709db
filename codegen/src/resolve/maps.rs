//! Map types.

use probity_platform::{MapTraits, NullCheckYields};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::{MapType, SpecialField};
use crate::source::Span;
use crate::syntax::ast::{Ident, MapClauseKind, NullCheck, Range};

use super::helpers::{Index, versions};
use super::items::Collected;
use super::kinds::reg_type;
use super::names::{MAP_TRAITS, SPECIAL_FORMS, of, words};
use super::scope::Scope;
use super::{Cx, once};

/// All map types, ascending by number.
pub(super) fn map_types(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope, index: &Index) -> Vec<MapType> {
    let mut rows = Vec::new();
    for (map, item) in &all.map_types {
        let (mut since, mut until, mut key, mut value) = (None, None, None, None);
        let mut traits = MapTraits::empty();
        let mut callers = None;
        let mut yields = None;
        let mut seen: Vec<&Ident> = Vec::new();
        for clause in &map.clauses {
            let span = clause.span;
            match &clause.kind {
                MapClauseKind::Since(at) => once(cx, &mut since, at, at.span, "since"),
                MapClauseKind::Until(at) => once(cx, &mut until, at, at.span, "until"),
                MapClauseKind::Key(range) => {
                    let sizes = size_range(cx, range);
                    once(cx, &mut key, sizes, span, "key");
                }
                MapClauseKind::Value(range) => {
                    let sizes = size_range(cx, range);
                    once(cx, &mut value, sizes, span, "value");
                }
                MapClauseKind::UsedBy(names) => {
                    let list = users(cx, scope, index, names);
                    once(cx, &mut callers, list, span, "used_by");
                }
                MapClauseKind::NullCheck(check) => {
                    let what = match check {
                        NullCheck::InnerMap(_) => Some(NullCheckYields::InnerMap),
                        NullCheck::Type(ty) => reg_type(cx, scope, ty).map(NullCheckYields::Type),
                    };
                    once(cx, &mut yields, what, span, "null_check");
                }
                MapClauseKind::Trait(word) => {
                    if let Some(first) = seen.iter().find(|first| first.name == word.name) {
                        let first = first.span;
                        cx.repeated(&word.name, word.span, first);
                    }
                    seen.push(word);
                    match of(MAP_TRAITS, &word.name) {
                        Some(bit) => traits |= bit,
                        None => cx.report(Diagnostic::unknown(
                            Code::UnknownKeyword,
                            "trait",
                            &word.name,
                            word.span,
                            words(MAP_TRAITS),
                        )),
                    }
                }
            }
        }
        let key = required(cx, &map.name, key, "key");
        let value = required(cx, &map.name, value, "value");
        let guard = versions(cx, since.map(|(at, _)| at), until.map(|(at, _)| at));
        rows.push(MapType {
            name: map.name.name.clone(),
            docs: item.doc.text(),
            number: cx.narrow(map.number.value, map.number.span, "the number").unwrap_or(0),
            guard,
            key,
            value,
            traits,
            callers: callers.map(|(list, _)| list),
            null_check_yields: yields.and_then(|(what, _)| what).unwrap_or(NullCheckYields::Value),
            site: cx.site(map.name.span),
        });
    }
    rows.sort_by_key(|row| row.number);
    rows
}

fn required(
    cx: &mut Cx<'_>,
    name: &Ident,
    sizes: Option<(Option<(u32, u32)>, Span)>,
    what: &str,
) -> (u32, u32) {
    if sizes.is_none() {
        let text = format!("map type `{}` does not say the size of its {what}s", name.name);
        cx.report(
            Diagnostic::new(Code::MissingClause, name.span, text)
                .help(format!("write `{what} 4;` or `{what} 1..=8;`")),
        );
    }
    sizes.and_then(|(sizes, _)| sizes).unwrap_or((0, 0))
}

fn size_range(cx: &mut Cx<'_>, range: &Range) -> Option<(u32, u32)> {
    let mut bound = |expr: &crate::syntax::ast::Expr| match expr.constant().map(u32::try_from) {
        Some(Ok(size)) => Some(size),
        Some(Err(_)) => {
            cx.report(Diagnostic::new(Code::OutOfRange, expr.span, "a size has 32 bits and no sign"));
            None
        }
        None => {
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, "a size is a number"));
            None
        }
    };
    let (low, high) = (bound(&range.lo), bound(range.hi()));
    let (low, high) = (low?, high?);
    if low > high {
        let text = format!("nothing is at least {low} and at most {high}");
        cx.report(Diagnostic::new(Code::EmptyRange, range.span, text));
    }
    Some((low, high))
}

fn users(cx: &mut Cx<'_>, scope: &Scope, index: &Index, names: &[Ident]) -> Vec<u16> {
    let mut list: Vec<u16> = Vec::new();
    for name in names {
        if scope.helpers.find(cx, name).is_none() {
            continue;
        }
        list.extend(index.iter().filter(|((known, _), _)| *known == name.name).map(|(_, at)| *at));
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// The number of the map type of global data.
pub(super) fn global_data(cx: &mut Cx<'_>, all: &Collected<'_>, scope: &Scope) -> Option<u32> {
    let (name, _) = all.global_data.first()?;
    scope.map_types.find(cx, name).and_then(|number| u32::try_from(number).ok())
}

/// Types inside map values that are special, as they stand.
pub(super) fn special_fields(cx: &mut Cx<'_>, all: &Collected<'_>) -> Vec<SpecialField> {
    let mut rows: Vec<(SpecialField, Span)> = Vec::new();
    for (field, item) in &all.special_fields {
        let (name, form) = (&field.name, &field.form);
        let Some(value) = of(SPECIAL_FORMS, &form.name) else {
            let known = words(SPECIAL_FORMS);
            cx.report(Diagnostic::unknown(Code::UnknownBehaviour, "form", &form.name, form.span, known));
            continue;
        };
        let same = |row: &&(SpecialField, Span)| row.0.form == value && row.0.name == name.name;
        if let Some((_, first)) = rows.iter().find(same) {
            let text = format!("special {} `{}` is declared twice", form.name, name.name);
            let found = Diagnostic::new(Code::DuplicateName, name.span, text)
                .label("declared again here")
                .with(*first, "declared first here");
            cx.report(found);
            continue;
        }
        let (docs, site) = (item.doc.text(), cx.site(name.span));
        rows.push((SpecialField { name: name.name.clone(), docs, form: value, site }, name.span));
    }
    rows.into_iter().map(|(row, _)| row).collect()
}
