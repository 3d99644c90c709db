//! The Linux platform: what `spec/linux` compiles to. [`PLATFORM`] holds the tables; the modules
//! hold the numbers of helpers, map types, program types and attach types by name.
//!
//! Nothing here is written by hand: edit the files in `spec/linux`, and cargo makes it again.

include!(concat!(env!("OUT_DIR"), "/linux.rs"));
