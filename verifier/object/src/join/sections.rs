//! Where each object's parts go: sections of the same name, one behind the other.

use std::collections::HashMap;

use super::{Input, JoinError};
use crate::{elf::Section, limits};

/// Sections that all objects must agree on, and that are there once.
const ONCE: [&str; 2] = ["license", "version"];
/// The largest alignment.
const ALIGN: u64 = 4096;

/// Where a part is in the joined sections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) section: usize,
    pub(super) offset: u64,
}

/// The joined sections.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) bytes: Vec<u8>,
    /// The first is no section, as in a file.
    pub(super) sections: Vec<Section>,
    /// By object and section.
    places: Vec<Vec<Option<Place>>>,
}

/// What is known of a joined section while parts come in.
struct Open {
    section: Section,
    data: Vec<u8>,
    /// The object that had it first.
    first: usize,
}

impl Layout {
    pub(super) fn new(inputs: &[Input<'_>]) -> Result<Layout, JoinError> {
        let mut open: Vec<Open> = Vec::new();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        let mut places = Vec::new();
        let mut left = limits::JOINED as u64;
        for (index, input) in inputs.iter().enumerate() {
            let elf = &input.tables.elf;
            let mut own = vec![None; elf.sections.len()];
            for (number, section) in elf.sections.iter().enumerate() {
                if !section.is_loaded || section.name.is_empty() {
                    continue;
                }
                let data = elf.data(number);
                let known = *by_name.entry(&section.name).or_insert_with(|| {
                    open.push(Open {
                        section: Section {
                            relocs: Vec::new(),
                            size: 0,
                            range: 0..0,
                            align: 1,
                            ..section.clone()
                        },
                        data: Vec::new(),
                        first: index,
                    });
                    open.len() - 1
                });
                let to = &mut open[known];
                let differs = |reason: &str| JoinError::Mismatch {
                    what: format!("section {}", section.name),
                    first: inputs[to.first].name.to_owned(),
                    second: input.name.to_owned(),
                    reason: reason.to_owned(),
                };
                if ONCE.contains(&section.name.as_str()) && !to.data.is_empty() {
                    if to.data != data {
                        let text = |bytes: &[u8]| {
                            String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(bytes)).into_owned()
                        };
                        return Err(differs(&format!("`{}` and `{}`", text(&to.data), text(data))));
                    }
                    continue;
                }
                if to.section.is_code != section.is_code || to.section.is_zero != section.is_zero {
                    return Err(differs(
                        "it holds instructions, data or nothing in one, and not in the other",
                    ));
                }
                let align = section.align.max(if section.is_code { 8 } else { 1 });
                if !align.is_power_of_two() || align > ALIGN {
                    return Err(differs(&format!("an alignment of {align}")));
                }
                let limit = || JoinError::Limit { what: "sections", max: limits::JOINED };
                // As libbpf has it (measured): at the strictest alignment of all parts so far.
                to.section.align = to.section.align.max(align);
                let offset = to.section.size.checked_next_multiple_of(to.section.align).ok_or_else(limit)?;
                let end = offset.checked_add(section.size).ok_or_else(limit)?;
                if !section.is_zero {
                    left = left.checked_sub(end - to.section.size).ok_or_else(limit)?;
                    to.data.resize(usize::try_from(offset).map_err(|_| limit())?, 0);
                    to.data.extend_from_slice(data);
                }
                to.section.size = end;
                own[number] = Some(Place { section: known + 1, offset });
            }
            places.push(own);
        }
        let mut layout = Layout { bytes: Vec::new(), sections: vec![nothing()], places };
        for Open { mut section, data, .. } in open {
            let start = layout.bytes.len();
            layout.bytes.extend_from_slice(&data);
            section.range = start..layout.bytes.len();
            layout.sections.push(section);
        }
        Ok(layout)
    }

    /// Where a section of an object is; `None` when it is not taken over.
    pub(super) fn place(&self, input: usize, section: usize) -> Option<Place> {
        *self.places.get(input)?.get(section)?
    }
}

fn nothing() -> Section {
    Section {
        name: String::new(),
        range: 0..0,
        size: 0,
        align: 0,
        is_loaded: false,
        is_zero: true,
        is_code: false,
        relocs: Vec::new(),
    }
}
