//! The inline front doors of the spec language: a platform in the midst of Rust.
//!
//! [`spec!`] takes a platform as tokens, so that each finding points at the exact token;
//! [`platform!`] takes the path of a spec file or folder. Both stand where items stand and give what
//! codegen emits: `PLATFORM`, modules with its tables, and constants for its numbers. Put each into
//! a module of its own.
//!
//! Emitted code names the vocabulary `::probity::rt`; [`spec!`] with `#![root = "PATH"]` before the
//! platform and [`platform!`] with `, root = "PATH"` behind the path take another.

mod expand;
mod report;

use proc_macro::TokenStream;

/// Compiles a platform that is written between the braces.
///
/// The language is that of spec files. Warnings appear as uses of deprecated constants.
#[proc_macro]
pub fn spec(input: TokenStream) -> TokenStream {
    expand::inline(input.into()).into()
}

/// Compiles the platform in a file or folder; the path is relative to the package's folder.
///
/// The package is built again when one of the files changes; not when a file is added to the
/// folder, which only `build.rs` can watch.
#[proc_macro]
pub fn platform(input: TokenStream) -> TokenStream {
    expand::file(input.into()).into()
}
