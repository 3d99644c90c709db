//! The compiler of the spec language: `.bpfspec` files become tables and drivers.
//!
//! | module | pass |
//! |---|---|
//! | [`source`] | files, and places in them |
//! | [`syntax`] | text becomes items; each bad item reports its own errors |
//! | [`mod@print`] | items become text again, in one canonical form |
//! | [`resolve`] | preludes are taken in, names become numbers, sets become lists |
//! | `check` | what must hold beyond names: arguments, fields, reachability |
//! | [`model`] | the resolved platform as plain data |
//! | [`emit`] | a model becomes Rust, a C header, a reference page |
//! | [`mod@diff`] | what two platforms offer differently |
//! | [`mod@compile`] | all of it, for build scripts, macros and the command |
//! | [`layout`] | a macro's tokens become text whose bytes lead back to tokens |
//! | [`diagnostic`] | findings and how a report of them reads |
//! | [`code`] | the stable codes of findings |

mod check;
pub mod code;
pub mod compile;
pub mod diagnostic;
pub mod diff;
pub mod emit;
pub mod layout;
pub mod model;
pub mod print;
pub mod resolve;
pub mod source;
pub mod syntax;

pub use code::{Code, Severity};
pub use compile::{Built, Compiler, Options, build, compile};
pub use diagnostic::{Diagnostic, Label, Suggestion};
pub use source::{FileId, SourceFile, SourceMap, Span};
