//! What is verified and run: programs, maps and BTF. No file formats but BTF's.
//!
//! | module | subject |
//! |---|---|
//! | [`program`] | instructions with the maps, functions and lines they refer to |
//! | [`flags`] | flags of programs and maps |
//! | [`map`] | map definitions |
//! | [`btf`] | BTF types: model and parser |

pub mod btf;
pub mod flags;
pub mod map;
pub mod program;

pub use btf::Btf;
pub use map::MapDef;
pub use program::{FuncInfo, LineInfo, Linkage, Program};
