//! eBPF verification from one spec: what embedders depend on.
//!
//! [`check`] verifies every program of an object against a platform; [`Loader`] does the same with
//! settings: another profile, the types of the target kernel, program types by hand.
//!
//! ```no_run
//! let object = std::fs::read("prog.o")?;
//! for program in probity::check(&object, &probity::linux::PLATFORM)? {
//!     let accepted = program.verified().is_some();
//!     println!("{}: {}", program.entry.name, if accepted { "accepted" } else { "not accepted" });
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A platform of one's own is a spec file. In a build script,
//! `probity_codegen::compile("spec/firewall.bpfspec")`, and then [`include_platform!`]; or
//! [`platform!`] with the file's path, or [`spec!`] with the spec itself, and no build script.
//!
//! | module | subject |
//! |---|---|
//! | [`loader`] | object and platform brought together |
//! | `slots` | what an object says that its maps hold from the start |
//! | `maps` | what a loader adds to the definitions of maps |
//! | [`module`] | an object whose programs call functions of a host |
//! | [`instance`] | an object in a runtime: maps, programs ready to run |
//! | `report` | why a program is not accepted, for people; behind the feature `report` |
//! | [`sections`] | a platform's section table, for the loader of objects |
//! | [`object`] | ELF objects |
//! | [`program`] | programs, maps, BTF |
//! | [`isa`] | instructions |
//! | [`platform`](mod@platform) | what platforms are made of |
//! | [`engine`] | the abstract interpreter |
//! | [`vm`] | the runtime |
//! | [`host`] | what functions of a host are given and give back |
//! | `jit` | machine code, behind the feature `jit` |
//! | [`rt`] | what emitted code names |

pub mod instance;
pub mod loader;
mod maps;
pub mod module;
#[cfg(feature = "report")]
pub mod report;
pub mod sections;
mod slots;

pub use instance::{Instance, Linked, LoadError, Runnable};
pub use loader::{Checked, Loader, ProgramReport, check};
pub use module::{Module, Program, Unverified};
pub use sections::{PlatformSections, global_data};

pub use probity_engine as engine;
pub use probity_engine::{Explanation, Finding, Report, Stats, Verdict, Verified};
pub use probity_isa as isa;
#[cfg(feature = "jit")]
pub use probity_jit as jit;
pub use probity_macro::{platform, spec};
pub use probity_object as object;
pub use probity_platform as platform;
pub use probity_platform::{Platform, Profile, Version};
pub use probity_program as program;
pub use probity_vm as vm;
pub use probity_vm::host;

/// Linux: what `spec/linux` compiles to.
#[cfg(feature = "linux")]
pub use probity_linux as linux;

/// The vocabulary as the code that a spec compiles to names it.
pub mod rt {
    pub use crate::instance::LoadError;
    pub use crate::module::Module;
    pub use probity_platform::*;
    pub use probity_vm::Runtime;
    pub use probity_vm::host;
}

/// Takes in the platform that a build script compiled: a module of the platform's name, with
/// `PLATFORM` and the constants for its numbers.
///
/// ```ignore
/// // build.rs: fn main() { probity_codegen::compile("spec/firewall.bpfspec") }
/// probity::include_platform!(firewall);
/// let reports = probity::check(&object, &firewall::PLATFORM)?;
/// ```
#[macro_export]
macro_rules! include_platform {
    ($name:ident) => {
        #[doc = ::core::concat!("The platform `", ::core::stringify!($name), "`.")]
        pub mod $name {
            ::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/", ::core::stringify!($name), ".rs"));
        }
    };
}
