//! The text of the Linux spec, to quote from.

use std::ops::Range;

use probity::platform::Site;
use serde::Serialize;

use crate::PLATFORM;

/// Name among the platform's sources, path in the project, text; ascending by name.
static FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/spec_text.rs"));

/// The spec files of the platform that is built in, without the prelude: name and text.
pub(crate) fn platform() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter(|(_, path, _)| path.starts_with("spec/linux/")).map(|(name, _, text)| (*name, *text))
}

/// A place in the spec.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SpecPlace {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The clause that stands there, as far as its line goes.
    pub(crate) clause: Option<&'static str>,
    /// The text of the line, when it is known.
    #[serde(skip)]
    pub(crate) text: Option<&'static str>,
}

/// The place with its text.
pub(crate) fn place(site: Site) -> Option<SpecPlace> {
    let name = *PLATFORM.sources.get(usize::from(site.file))?;
    let file = FILES.binary_search_by_key(&name, |(name, ..)| name).ok().map(|index| FILES[index]);
    let line = usize::try_from(site.line).ok()?.checked_sub(1)?;
    let text = file.and_then(|(.., text)| text.lines().nth(line));
    Some(SpecPlace {
        file: file.map_or(name, |(_, path, _)| path).to_owned(),
        line: site.line,
        column: site.column,
        clause: text.map(|text| &text[clause_at(text, site.column)]),
        text,
    })
}

/// The clause of a spec line at a column, in characters from 1.
pub(crate) fn clause_at(text: &str, column: u32) -> Range<usize> {
    let before = (column as usize).saturating_sub(1);
    let start = text.char_indices().nth(before).map_or(text.len(), |(at, _)| at);
    let rest = &text[start..];
    let mut depth = 0_i32;
    let end = rest.find(|c: char| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth -= 1;
            depth < 0
        }
        ';' | '{' => true,
        ',' => depth == 0,
        _ => false,
    });
    let clause = rest[..end.unwrap_or(rest.len())].trim_end();
    start..start + clause.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_of_the_platform_has_its_text() {
        for (index, name) in PLATFORM.sources.iter().enumerate() {
            let place = place(Site::new(u16::try_from(index).unwrap(), 1, 1)).unwrap();
            assert!(place.text.is_some(), "{name}");
            assert!(place.file.ends_with(name) && place.file.starts_with("spec/"), "{}", place.file);
        }
    }

    #[test]
    fn the_clause_at_a_column_ends_with_it() {
        let text = "    proto (map: A, key: B(1, 2)) -> C;";
        assert_eq!(&text[clause_at(text, 12)], "map: A");
        assert_eq!(&text[clause_at(text, 20)], "key: B(1, 2)");
        assert_eq!(&text[clause_at(text, 5)], "proto (map: A, key: B(1, 2)) -> C");
        assert_eq!(&text[clause_at(text, 1000)], "");
    }
}
