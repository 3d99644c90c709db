//! Map types and the flags that maps are created with.

use super::expr::{range, type_expr};
use super::{Entry, block, list, string, version};
use crate::syntax::ast::{
    MapClause, MapClauseKind, MapFlagEntry, MapFlagKind, MapFlags, MapType, NullCheck, SizeRange, SizeStep,
};

/// The text of the flags.
pub(super) fn map_flags(flags: &MapFlags) -> String {
    let entries: Vec<Entry> = flags.entries.iter().map(flag).collect();
    block("map_flags", &entries, false)
}

fn flag(entry: &MapFlagEntry) -> Entry {
    let text = match &entry.kind {
        MapFlagKind::Bit(name, number) => format!("{} = {};", name.name, number.value),
        MapFlagKind::Exclusive(names) => format!("exclusive {};", list(names)),
    };
    Entry::new(&entry.doc, text)
}

/// A map type's text.
pub(super) fn map_type(map: &MapType) -> String {
    let clauses: Vec<Entry> = map.clauses.iter().map(clause).collect();
    block(&format!("map_type {} = {}", map.name.name, map.number.value), &clauses, true)
}

fn clause(clause: &MapClause) -> Entry {
    let text = match &clause.kind {
        MapClauseKind::Since(at) => format!("since {};", version(*at)),
        MapClauseKind::Until(at) => format!("until {};", version(*at)),
        MapClauseKind::Key(sizes) => format!("key {};", size_list(sizes)),
        MapClauseKind::Value { sizes, with } if with.is_empty() => format!("value {};", size_list(sizes)),
        MapClauseKind::Value { sizes, with } => format!("value {} with {};", size_list(sizes), list(with)),
        MapClauseKind::Element(sizes) => format!("element {};", range(sizes)),
        MapClauseKind::MaxEntries(counts) => format!("max_entries {};", size_list(counts)),
        MapClauseKind::Extra(values) => format!("extra {};", size_range(values)),
        MapClauseKind::Flags(names) => format!("flags {};", list(names)),
        MapClauseKind::Requires(names) => format!("requires {};", list(names)),
        MapClauseKind::Exclusive(names) => format!("exclusive {};", list(names)),
        MapClauseKind::Unsupported { why, helpers } if helpers.is_empty() => {
            format!("unsupported {};", string(&why.value))
        }
        MapClauseKind::Unsupported { why, helpers } => {
            format!("unsupported {} in {{ {} }};", string(&why.value), list(helpers))
        }
        MapClauseKind::UsedBy(names) => format!("used_by {{ {} }}", list(names)),
        MapClauseKind::NullCheck(NullCheck::InnerMap(_)) => "null_check yields inner_map;".to_owned(),
        MapClauseKind::NullCheck(NullCheck::Type(ty)) => format!("null_check yields {};", type_expr(ty)),
        MapClauseKind::Body(name) => format!("body {};", name.name),
        MapClauseKind::Trait(name) => format!("{};", name.name),
    };
    Entry::new(&clause.doc, text)
}

fn size_list(sizes: &[SizeRange]) -> String {
    let sizes: Vec<String> = sizes.iter().map(size_range).collect();
    sizes.join(", ")
}

fn size_range(size: &SizeRange) -> String {
    let text = range(&size.range);
    match size.step {
        None => text,
        Some(SizeStep::MultiplesOf(step)) => format!("{text} step {}", step.value),
        Some(SizeStep::PowersOfTwo) => format!("{text} power_of_two"),
    }
}
