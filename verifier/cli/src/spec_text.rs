//! The text of the Linux spec, to quote from.

use probity::platform::Site;
use probity::report::{SpecPlace, clause_at};

use crate::PLATFORM;

/// Name among the platform's sources, path in the project, text; ascending by name.
static FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/spec_text.rs"));

/// The spec files of the platform that is built in, without the prelude: name and text.
pub(crate) fn platform() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter(|(_, path, _)| path.starts_with("spec/linux/")).map(|(name, _, text)| (*name, *text))
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
}
