//! A corpus: a folder of programs with a real kernel's verdicts, run through the engine.
//!
//! Such a folder has one or more of these, each beside the objects that it names:
//!
//! | file | programs |
//! |---|---|
//! | `raw.jsonl` | table tests, as raw instructions ([`crate::raw`]) |
//! | `selftests.jsonl` | those of the objects in `selftests/` |
//! | `realworld.jsonl` | those of the objects in `realworld/` |
//! | `vmlinux-*.btf` | the types of the kernel that gave the verdicts, for CO-RE |
//! | `config-*.txt` | its configuration, for `.kconfig` externs |
//!
//! | module | subject |
//! |---|---|
//! | [`records`] | what was recorded: cases and what the kernel said of them |
//! | [`target`] | the platform as the loader and the engine need it |
//! | [`mod@run`] | every case through the engine, in parallel |
//! | [`outcome`] | what the engine said, beside what the kernel said |
//! | [`totals`] | the counts |
//! | [`logs`] | our logs beside those of the running kernel |

pub mod logs;
pub mod outcome;
pub mod records;
pub mod run;
pub mod target;
pub mod totals;

pub use outcome::{Answer, Outcome};
pub use records::{Case, Expected, File};
pub use run::{Corpus, run};
pub use totals::Totals;
