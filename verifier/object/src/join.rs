//! Several objects linked statically into one.
//!
//! Sections of the same name are joined, each object's part at a place that fits its alignment. A
//! symbol that one object declares is found in another that defines it: a definition that is not
//! weak wins over weak ones, the first of several weak ones wins, two that are not weak are an
//! error. Static symbols stay what they are. Types are merged, and source lines, CO-RE relocations
//! and function records go with their instructions.
//!
//! | module | subject |
//! |---|---|
//! | `sections` | where each object's parts go |
//! | `symbols` | which definition a name stands for |
//! | `types` | the types of all objects as one |

mod sections;
mod symbols;
mod types;

use probity_program::btf::BtfError;

use self::{sections::Layout, symbols::Symbols};
use crate::{
    Object, ObjectError,
    elf::{Elf, Reloc},
    object::Tables,
};

/// Why objects cannot be linked into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// One of them can't be read.
    #[error("{object}: {error}")]
    Object {
        /// Its name.
        object: String,
        /// Why not.
        error: ObjectError,
    },
    /// Two objects define the same.
    #[error(
        "{symbol} is defined twice: in section {first_section} of {first}, and in section {second_section} of {second}: \
         make one of them static or __weak"
    )]
    Duplicate {
        /// What they define.
        symbol: String,
        /// The first object.
        first: String,
        /// Where it has it.
        first_section: String,
        /// The other object.
        second: String,
        /// Where it has it.
        second_section: String,
    },
    /// Two objects say different things of the same.
    #[error("{what} is in {first} and in {second}, and differs: {reason}: make them alike")]
    Mismatch {
        /// What it is.
        what: String,
        /// The first object.
        first: String,
        /// The other object.
        second: String,
        /// What differs.
        reason: String,
    },
    /// The objects together are too large.
    #[error("{what}: there are more than {max} bytes of the objects together: link fewer")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many are accepted.
        max: usize,
    },
    /// What comes out is no object.
    #[error("the objects as one: {0}")]
    Joined(#[from] ObjectError),
}

impl From<BtfError> for JoinError {
    fn from(error: BtfError) -> JoinError {
        JoinError::Joined(ObjectError::Btf(error))
    }
}

/// An object that is linked with others.
struct Input<'a> {
    name: &'a str,
    tables: Tables,
}

impl Input<'_> {
    fn section_of(&self, symbol: usize) -> &str {
        let elf = &self.tables.elf;
        let section = elf.symbols.get(symbol).and_then(|symbol| symbol.section);
        section.map_or("none", |section| elf.section_name(section))
    }
}

pub(crate) fn join(objects: &[(&str, &[u8])]) -> Result<Object, JoinError> {
    let mut inputs = Vec::with_capacity(objects.len());
    for (name, bytes) in objects {
        let error = |error| JoinError::Object { object: (*name).to_owned(), error };
        inputs.push(Input { name, tables: Tables::parse(bytes).map_err(error)? });
    }
    let mut layout = Layout::new(&inputs)?;
    let symbols = Symbols::resolve(&inputs, &layout)?;
    let (btf, ext) = types::merge(&inputs, &layout, &symbols)?;
    for (index, input) in inputs.iter().enumerate() {
        for (section, from) in input.tables.elf.sections.iter().enumerate() {
            let Some(place) = layout.place(index, section) else { continue };
            let relocs = from.relocs.iter().map(|reloc| Reloc {
                offset: reloc.offset.saturating_add(place.offset),
                symbol: symbols.number(index, reloc.symbol),
                addend: reloc.addend,
            });
            layout.sections[place.section].relocs.extend(relocs);
        }
    }
    for section in &mut layout.sections {
        section.relocs.sort_by_key(|reloc| reloc.offset);
    }
    let elf = Elf::new(layout.bytes, layout.sections, symbols.list);
    Ok(Object::assemble(elf, btf, ext)?)
}
