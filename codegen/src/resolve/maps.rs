//! Map types.

use probity_platform::{MapBody, MapTraits, NullCheckYields, SizeRange, Step};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::MapType;
use crate::source::Span;
use crate::syntax::ast::{
    self, Ident, MapClause, MapClauseKind, MapFlagKind, NullCheck, Range, SizeStep, Spanned, VersionLit,
};

use super::cx::{Cx, once};
use super::helpers::{Index, versions};
use super::items::Collected;
use super::kinds::reg_type;
use super::names::{MAP_TRAITS, of, words};
use super::scope::Scope;

/// The flags that `map_flags` names, with the numbers of their bits.
pub(super) fn bits<'a>(
    all: &'a Collected<'_>,
) -> impl Iterator<Item = (&'a Ident, &'a Spanned<u64>)> + Clone {
    all.map_flags.iter().flat_map(|flags| &flags.entries).filter_map(|entry| match &entry.kind {
        MapFlagKind::Bit(name, number) => Some((name, number)),
        MapFlagKind::Exclusive(_) => None,
    })
}

/// The flags by bit, and the masks of those that exclude each other on all map types.
pub(super) fn map_flags(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    scope: &Scope,
) -> (Vec<(String, u32, String)>, Vec<u32>) {
    let (mut rows, mut exclusive) = (Vec::new(), Vec::new());
    for entry in all.map_flags.iter().flat_map(|flags| &flags.entries) {
        match &entry.kind {
            MapFlagKind::Bit(_, number) if number.value > 31 => {
                let text = format!("flags have 32 bits, and bit {} is none of them", number.value);
                cx.report(Diagnostic::new(Code::OutOfRange, number.span, text));
            }
            MapFlagKind::Bit(name, number) => {
                rows.push((name.name.clone(), 1 << number.value, entry.doc.text()));
            }
            MapFlagKind::Exclusive(names) => {
                exclusive.extend(exclusion(cx, scope, names, entry.span));
            }
        }
    }
    rows.sort_by_key(|(_, mask, _)| *mask);
    (rows, exclusive)
}

/// The masks of named flags; unknown ones and those named twice are reported and left out.
fn masks<'a>(cx: &mut Cx<'_>, scope: &Scope, names: &'a [Ident]) -> Vec<(&'a Ident, u32)> {
    let mut known: Vec<(&Ident, u32)> = Vec::new();
    for name in names {
        let Some(bit) = scope.map_flags.find(cx, name) else { continue };
        if let Some((first, _)) = known.iter().find(|(first, _)| first.name == name.name) {
            let first = first.span;
            cx.repeated(&name.name, name.span, first);
            continue;
        }
        // Bits beyond have a report of their own.
        known.extend(u32::try_from(bit).ok().and_then(|bit| 1_u32.checked_shl(bit)).map(|mask| (name, mask)));
    }
    known
}

fn exclusion(cx: &mut Cx<'_>, scope: &Scope, names: &[Ident], span: Span) -> Option<u32> {
    if names.len() < 2 {
        let text = "one flag alone excludes nothing";
        cx.report(Diagnostic::new(Code::BadExpression, span, text).help("name two flags or more"));
        return None;
    }
    Some(masks(cx, scope, names).iter().fold(0, |all, (_, mask)| all | mask))
}

/// What the clauses of a map type say.
#[derive(Default)]
struct Said<'a> {
    since: Option<(&'a VersionLit, Span)>,
    until: Option<(&'a VersionLit, Span)>,
    key: Option<(Vec<SizeRange>, Span)>,
    value: Vec<(u32, Vec<SizeRange>, Span)>,
    element: Option<(Option<SizeRange>, Span)>,
    max_entries: Option<(Vec<SizeRange>, Span)>,
    extra: Option<(Option<SizeRange>, Span)>,
    flags: Option<(Vec<(&'a Ident, u32)>, Span)>,
    requires: Option<(Vec<(&'a Ident, u32)>, Span)>,
    exclusive: Vec<u32>,
    /// Flags that other clauses speak of; the type must take them.
    mentioned: Vec<&'a Ident>,
    traits: MapTraits,
    seen: Vec<&'a Ident>,
    callers: Option<(Vec<u16>, Span)>,
    yields: Option<(Option<NullCheckYields>, Span)>,
    unsupported: Option<(String, Span)>,
    body: Option<(Option<MapBody>, Span)>,
    unsupported_with: Vec<(u16, String)>,
}

/// All map types, ascending by number.
pub(super) fn map_types(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    scope: &Scope,
    index: &Index,
    exclusive: &[u32],
) -> Vec<MapType> {
    let mut rows = Vec::new();
    for (map, item) in &all.map_types {
        let mut said = Said::default();
        for clause in &map.clauses {
            read(cx, scope, index, clause, &mut said);
        }
        for (what, missing) in [("key", said.key.is_none()), ("value", said.value.is_empty())] {
            if missing {
                let text = format!("map type `{}` does not say the size of its {what}s", map.name.name);
                let found = Diagnostic::new(Code::MissingClause, map.name.span, text);
                cx.report(found.help(format!("write `{what} 4;` or `{what} 1..=8;`")));
            }
        }
        let flags = flags(cx, &mut said);
        let taken = flags.iter().fold(0, |all, (_, mask, _)| all | mask);
        let everywhere = exclusive.iter().copied().filter(|mask| taken & mask == *mask);
        let mut excluded: Vec<u32> = everywhere.chain(said.exclusive).collect();
        excluded.sort_unstable();
        excluded.dedup();
        // Those that demand most come first.
        said.value.sort_by_key(|(with, ..)| (std::cmp::Reverse(with.count_ones()), *with));
        said.unsupported_with.sort();
        let guard = versions(cx, said.since.map(|(at, _)| at), said.until.map(|(at, _)| at));
        let any = |high| SizeRange { low: 0, high, step: Step::One };
        let least_one = SizeRange { low: 1, high: u64::from(u32::MAX), step: Step::One };
        rows.push(MapType {
            name: map.name.name.clone(),
            docs: item.doc.text(),
            number: cx.narrow(map.number.value, map.number.span, "the number").unwrap_or(0),
            guard,
            key: said.key.map(|(sizes, _)| sizes).unwrap_or_default(),
            value: said.value.into_iter().map(|(with, sizes, _)| (with, sizes)).collect(),
            element: said.element.and_then(|(range, _)| range).unwrap_or(any(u64::MAX)),
            max_entries: said.max_entries.map_or_else(|| vec![least_one], |(counts, _)| counts),
            extra: said.extra.and_then(|(range, _)| range).unwrap_or(any(0)),
            flags,
            exclusive: excluded,
            traits: said.traits,
            callers: said.callers.map(|(list, _)| list),
            null_check_yields: said.yields.and_then(|(what, _)| what).unwrap_or(NullCheckYields::Value),
            unsupported: said.unsupported.map(|(why, _)| why),
            body: said.body.and_then(|(body, _)| body),
            unsupported_with: said.unsupported_with,
            site: cx.site(map.name.span),
        });
    }
    rows.sort_by_key(|row| row.number);
    rows
}

fn read<'a>(cx: &mut Cx<'_>, scope: &Scope, index: &Index, clause: &'a MapClause, said: &mut Said<'a>) {
    const WORD: u64 = u32::MAX as u64;
    let span = clause.span;
    match &clause.kind {
        MapClauseKind::Since(at) => once(cx, &mut said.since, at, at.span, "since"),
        MapClauseKind::Until(at) => once(cx, &mut said.until, at, at.span, "until"),
        MapClauseKind::Key(list) => {
            let sizes = sizes(cx, list);
            once(cx, &mut said.key, sizes, span, "key");
        }
        MapClauseKind::Value { sizes: list, with } => {
            let sizes = sizes(cx, list);
            let flags = masks(cx, scope, with).iter().fold(0, |all, (_, mask)| all | mask);
            said.mentioned.extend(with);
            match said.value.iter().find(|(known, ..)| *known == flags) {
                Some((.., first)) => {
                    let first = *first;
                    cx.repeated("value", span, first);
                }
                None => said.value.push((flags, sizes, span)),
            }
        }
        MapClauseKind::Element(range) => {
            let sizes = bounds(cx, range, 2 * WORD);
            let sizes = sizes.map(|(low, high)| SizeRange { low, high, step: Step::One });
            once(cx, &mut said.element, sizes, span, "element");
        }
        MapClauseKind::MaxEntries(list) => {
            let counts = sizes(cx, list);
            once(cx, &mut said.max_entries, counts, span, "max_entries");
        }
        MapClauseKind::Extra(range) => {
            let range = size_range(cx, range, u64::MAX);
            once(cx, &mut said.extra, range, span, "extra");
        }
        MapClauseKind::Flags(names) => {
            let flags = masks(cx, scope, names);
            once(cx, &mut said.flags, flags, span, "flags");
        }
        MapClauseKind::Requires(names) => {
            let flags = masks(cx, scope, names);
            once(cx, &mut said.requires, flags, span, "requires");
        }
        MapClauseKind::Exclusive(names) => {
            said.exclusive.extend(exclusion(cx, scope, names, span));
            said.mentioned.extend(names);
        }
        MapClauseKind::UsedBy(names) => {
            let list = users(cx, scope, index, names);
            once(cx, &mut said.callers, list, span, "used_by");
        }
        MapClauseKind::NullCheck(check) => {
            let what = match check {
                NullCheck::InnerMap(_) => Some(NullCheckYields::InnerMap),
                NullCheck::Type(ty) => reg_type(cx, scope, ty).map(NullCheckYields::Type),
            };
            once(cx, &mut said.yields, what, span, "null_check");
        }
        MapClauseKind::Unsupported { why, helpers } if helpers.is_empty() => {
            once(cx, &mut said.unsupported, why.value.clone(), span, "unsupported");
        }
        MapClauseKind::Unsupported { why, helpers } => {
            for helper in users(cx, scope, index, helpers) {
                if said.unsupported_with.iter().any(|(known, _)| *known == helper) {
                    let text = "the map type says of a helper twice that it is unsupported";
                    cx.report(Diagnostic::new(Code::RepeatedClause, span, text));
                    continue;
                }
                said.unsupported_with.push((helper, why.value.clone()));
            }
        }
        MapClauseKind::Body(word) => {
            let body = MapBody::ALL.iter().find(|(name, _)| *name == word.name).map(|(_, body)| *body);
            if body.is_none() {
                let names = MapBody::ALL.iter().map(|(name, _)| *name);
                let found = Diagnostic::unknown(Code::UnknownIntrinsic, "body", &word.name, word.span, names);
                cx.report(found);
            }
            once(cx, &mut said.body, body, span, "body");
        }
        MapClauseKind::Trait(word) => {
            if let Some(first) = said.seen.iter().find(|first| first.name == word.name) {
                let first = first.span;
                cx.repeated(&word.name, word.span, first);
            }
            said.seen.push(word);
            match of(MAP_TRAITS, &word.name) {
                Some(bit) => said.traits |= bit,
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

/// The flags that a type takes, by bit, and which it requires. Flags that other clauses speak of
/// must be among them.
fn flags(cx: &mut Cx<'_>, said: &mut Said<'_>) -> Vec<(String, u32, bool)> {
    let allowed = said.flags.take().map(|(list, _)| list).unwrap_or_default();
    let required = said.requires.take().map(|(list, _)| list).unwrap_or_default();
    let mut rows: Vec<(String, u32, bool)> = Vec::new();
    for (name, mask) in &required {
        if let Some((first, _)) = allowed.iter().find(|(first, _)| first.name == name.name) {
            cx.repeated(&name.name, name.span, first.span);
        }
        rows.push((name.name.clone(), *mask, true));
    }
    rows.extend(allowed.iter().map(|(name, mask)| (name.name.clone(), *mask, false)));
    for name in &said.mentioned {
        if !rows.iter().any(|(known, ..)| *known == name.name) {
            let text = format!("the map type does not take `{}`", name.name);
            cx.report(Diagnostic::new(Code::MisplacedItem, name.span, text).help("name it in `flags`"));
        }
    }
    rows.sort_by_key(|(_, mask, _)| *mask);
    rows
}

fn sizes(cx: &mut Cx<'_>, list: &[ast::SizeRange]) -> Vec<SizeRange> {
    list.iter().filter_map(|range| size_range(cx, range, u64::from(u32::MAX))).collect()
}

fn size_range(cx: &mut Cx<'_>, range: &ast::SizeRange, most: u64) -> Option<SizeRange> {
    let (low, high) = bounds(cx, &range.range, most)?;
    let (step, first) = match range.step {
        None => (Step::One, Some(low)),
        Some(SizeStep::MultiplesOf(step)) if step.value == 0 => {
            cx.report(Diagnostic::new(Code::OutOfRange, step.span, "a step is a positive number"));
            return None;
        }
        Some(SizeStep::MultiplesOf(step)) => {
            (Step::MultiplesOf(step.value), low.checked_next_multiple_of(step.value))
        }
        Some(SizeStep::PowersOfTwo) => (Step::PowersOfTwo, low.checked_next_power_of_two()),
    };
    if low <= high && first.is_none_or(|first| first > high) {
        let text = format!("no such number is at least {low} and at most {high}");
        cx.report(Diagnostic::new(Code::EmptyRange, range.span, text));
    }
    Some(SizeRange { low, high, step })
}

fn bounds(cx: &mut Cx<'_>, range: &Range, most: u64) -> Option<(u64, u64)> {
    let mut bound = |expr: &ast::Expr| match expr.constant().map(u64::try_from) {
        Some(Ok(size)) if size <= most => Some(size),
        Some(_) => {
            let text = format!("a size is at most {most} and has no sign");
            cx.report(Diagnostic::new(Code::OutOfRange, expr.span, text));
            None
        }
        None => {
            cx.report(Diagnostic::new(Code::BadExpression, expr.span, "a size is a number"));
            None
        }
    };
    let (low, high) = (bound(&range.lo), bound(range.hi()));
    let (low, high) = (low?, high?);
    cx.ordered(&low, &high, range.span);
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
