//! What a loader adds to the definitions of maps before it creates them.

use probity_platform::{MapTraits, Platform, map_type::Step};
use probity_program::Program;

/// True for the numbers of the platform's types of maps of maps.
pub(crate) fn is_of_maps(platform: &Platform, map_type: u32) -> bool {
    platform.map_type(map_type).is_some_and(|row| row.traits.contains(MapTraits::OF_MAPS))
}

/// Gives maps without a capacity the least one that their type takes, and rounds capacities up where
/// the type takes powers of two only, as loaders do. What was made up is said, a line a map.
///
/// Where the capacity is 0, a program's own user space sets it before it loads: what is verified is
/// right for every capacity of at least this one, constant indexes aside.
pub(crate) fn complete(platform: &Platform, program: &mut Program) -> Vec<String> {
    let mut notes = Vec::new();
    for map in &mut program.maps {
        let Some(row) = platform.map_type(map.map_type) else { continue };
        let given = u64::from(map.max_entries);
        if row.max_entries.iter().any(|range| range.contains(given)) {
            continue;
        }
        let rounded = row
            .max_entries
            .iter()
            .filter(|range| range.step == Step::PowersOfTwo)
            .filter_map(|range| {
                Some(given.checked_next_power_of_two()?.max(range.low)).filter(|n| range.contains(*n))
            })
            .min();
        let least = || row.max_entries.iter().map(|range| range.low.max(1)).min();
        let Some(entries) = (if given == 0 { least() } else { rounded }) else { continue };
        let Ok(entries) = u32::try_from(entries) else { continue };
        map.max_entries = entries;
        if given == 0 {
            let name = &map.name;
            notes.push(format!("map {name} has no max_entries, which user space sets: taken as {entries}"));
        }
    }
    notes
}
