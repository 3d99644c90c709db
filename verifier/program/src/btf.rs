//! BTF types: model and parser.
//!
//! The bytes stay as they are; parsing checks every record once (bounds, names, references) and
//! keeps a table of offsets, and a [`Type`] is decoded when it is asked for. Nothing here recurses,
//! and walks over chains of types end after [`MAX_DEPTH`] steps, so hostile bytes cost linear time.
//!
//! | module | subject |
//! |---|---|
//! | [`error`] | what can be wrong with BTF bytes |
//! | [`merge`] | the types of several objects as one |
//! | `parse` | the header, and the check of all records |
//! | [`types`] | what a type is once decoded |
//! | `query` | names, sizes, modifiers, tags |

pub mod error;
pub mod merge;
mod parse;
mod query;
pub mod types;

#[cfg(test)]
mod tests;

use std::{fmt, sync::OnceLock};

pub use error::BtfError;
pub use query::essential_name;
pub use types::{
    Composite, DatasecVar, DeclTag, Enum, EnumValue, FuncProto, Int, Kind, Member, Param, Type, TypeId,
};

/// The longest chain of types (modifiers, typedefs, nested arrays) that is followed.
pub const MAX_DEPTH: usize = 32;

/// The longest string; a longer one counts as absent. Source lines can be long.
pub const MAX_STRING: usize = 1 << 16;

/// The longest name of a type or member; a longer one counts as absent. Kernels take 512 bytes.
pub const MAX_NAME: usize = 2048;

/// The types of an object or a kernel.
///
/// `Btf::default()` has no type but void.
#[derive(Clone, Default)]
pub struct Btf {
    /// The type section's bytes.
    types: Box<[u8]>,
    /// The string section's bytes.
    strings: Box<[u8]>,
    /// Where each type's record begins in `types`; the type with id 1 first.
    offsets: Box<[u32]>,
    /// Hash of the name without its flavour, and the id; ascending. Made on first use.
    names: OnceLock<Box<[(u32, u32)]>>,
    /// Target, component and id of each declaration tag; ascending. Made on first use.
    tags: OnceLock<Box<[(u32, i32, u32)]>>,
}

impl fmt::Debug for Btf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Btf").field("types", &self.len()).finish_non_exhaustive()
    }
}

impl PartialEq for Btf {
    fn eq(&self, other: &Btf) -> bool {
        self.types == other.types && self.strings == other.strings
    }
}

impl Eq for Btf {}
