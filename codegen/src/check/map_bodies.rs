//! That map types are what their bodies take them for.

use probity_platform::map_body::MapDemand;
use probity_platform::map_type::Step;
use probity_platform::{MapTraits, NullCheckYields, SizeRange};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::MapType;
use crate::resolve::cx::Cx;
use crate::resolve::items::Collected;
use crate::syntax::ast::MapClauseKind;

/// Reports map types whose body takes something else for granted than they say.
pub(crate) fn map_bodies(cx: &mut Cx<'_>, all: &Collected<'_>, rows: &[MapType]) {
    for (map, _) in &all.map_types {
        let Some(row) = rows.iter().find(|row| row.name == map.name.name) else { continue };
        let word = map.clauses.iter().find_map(|clause| match &clause.kind {
            MapClauseKind::Body(word) => Some(word),
            _ => None,
        });
        let Some(word) = word else { continue };
        for (text, help) in lacks(row, &word.name) {
            let found = Diagnostic::new(Code::BodyContract, word.span, text);
            cx.report(found.with(map.name.span, "the map type").help(help));
        }
    }
}

/// What is wrong with a map type, and what to write.
fn lacks(row: &MapType, word: &str) -> Vec<(String, String)> {
    let Some(body) = row.body else { return Vec::new() };
    let demands = body.demands();
    let mut found = Vec::new();
    let mut lacks = |wrong: bool, text: String, help: &str| {
        if wrong {
            found.push((text, help.to_owned()));
        }
    };
    let least = |ranges: &[SizeRange], least: u64| ranges.iter().all(|range| range.low >= least);
    for demand in demands {
        match *demand {
            MapDemand::Key(size) => {
                let size = u64::from(size);
                let other = !row.key.iter().all(|range| range.low == size && range.high == size);
                let text = format!("the keys of `{word}` have {size} bytes");
                lacks(other, text, &format!("write `key {size};`"));
            }
            MapDemand::KeyAtLeast(size) => {
                let text = format!("the keys of `{word}` have {size} bytes or more");
                lacks(!least(&row.key, size.into()), text, &format!("write `key {size}..=MOST;`"));
            }
            MapDemand::Values => {
                let none = row.value.iter().any(|(_, sizes)| !least(sizes, 1));
                let text = format!("the values of `{word}` have a byte at least");
                lacks(none, text, "write `value 1..=MOST;`");
            }
            MapDemand::PowerOfTwo => {
                let whole = |range: &SizeRange| {
                    let one = range.low == range.high && range.low.is_power_of_two();
                    range.low >= 8 && (range.step == Step::PowersOfTwo || one)
                };
                let text = format!("the capacities of `{word}` are powers of two, and 8 at least");
                let other = !row.max_entries.iter().all(whole);
                lacks(other, text, "write `max_entries 4096..=MOST power_of_two;`");
            }
            MapDemand::OfMaps => {
                let missing = !row.traits.contains(MapTraits::OF_MAPS)
                    || row.null_check_yields != NullCheckYields::InnerMap;
                let text = format!("the values of `{word}` are maps");
                lacks(missing, text, "write `of_maps;` and `null_check yields inner_map;`");
            }
            MapDemand::MayBeIndexed | MapDemand::MayBeWalked | MapDemand::MayTakeValues => {}
        }
    }
    let empty = row.max_entries.iter().any(|range| range.contains(0));
    lacks(empty, format!("`{word}` has one element at least"), "leave 0 out of `max_entries`");
    let maps = demands.contains(&MapDemand::OfMaps);
    if !maps {
        let other =
            row.traits.contains(MapTraits::OF_MAPS) || row.null_check_yields != NullCheckYields::Value;
        let text = format!("`{word}` gives pointers to values, and the map type something else");
        lacks(other, text, "leave out `of_maps` and `null_check`, or the body");
    }
    for (bit, may, name, text) in [
        (MapTraits::INDEXED, MapDemand::MayBeIndexed, "indexed", "does not have an element for every key"),
        (MapTraits::FOR_EACH, MapDemand::MayBeWalked, "for_each", "has no elements that can be walked"),
        (
            MapTraits::VALUE_IN,
            MapDemand::MayTakeValues,
            "value_in",
            "writes values where it is asked for one",
        ),
    ] {
        let wrong = row.traits.contains(bit) && !demands.contains(&may);
        lacks(wrong, format!("`{word}` {text}"), &format!("leave `{name};` out"));
    }
    found
}
