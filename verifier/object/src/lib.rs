//! From an ELF object to programs.
//!
//! [`Object::parse`] reads the tables of an object once; [`Object::program`] links one program:
//! its instructions, the subprograms that it reaches, the maps, kernel functions and variables
//! that it names, its functions and source lines. Nothing here talks to a kernel, and no name of
//! a section, program type or map type of a platform is known here: [`LoadOptions`] brings them.
//!
//! Any bytes are safe to give: offsets and counts are checked, nothing recurses over the input,
//! and [`limits`] bound time and memory.
//!
//! | module | subject |
//! |---|---|
//! | [`object`] | the object: its programs, maps, licence |
//! | [`options`] | what a loader is told of the platform |
//! | [`error`] | why an object or a program cannot be loaded |
//! | [`limits`] | how much of everything is accepted |
//! | `elf` | sections, symbols and relocations |
//! | `btf_ext` | function, line and CO-RE records |
//! | [`join`] | several objects linked into one |
//! | [`config`] | the text of a kernel's configuration |
//! | `functions` | where the functions are in the code sections |
//! | `externs` | what the object expects from the kernel |
//! | `kconfig` | values of the kernel's configuration |
//! | [`maps`] | map definitions: `.maps`, `maps`, global data |
//! | `link` | the order of subprograms |
//! | `info` | functions and source lines |
//! | `relocate` | instructions that refer to something |
//! | `core_relo` | relocations against the target's types |
//! | `struct_ops` | tables of functions that a kernel calls |

mod btf_ext;
pub mod config;
mod core_relo;
mod elf;
pub mod error;
mod externs;
mod functions;
mod info;
pub mod join;
mod kconfig;
pub mod limits;
mod link;
pub mod maps;
pub mod object;
pub mod options;
mod relocate;
mod struct_ops;

pub use error::{ObjectError, ProgramError};
pub use join::JoinError;
pub use maps::ObjectMap;
pub use object::{Entry, Object};
pub use options::{GlobalData, LoadOptions, SectionType, Sections};
pub use struct_ops::StructOps;
