//! BTF types: model and parser.

/// The types of an object or a kernel.
#[derive(Clone, Debug, Default)]
pub struct Btf {}
