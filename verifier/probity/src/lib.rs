//! eBPF verification from one spec: what embedders depend on.
//!
//! A program that other people extend with eBPF describes its platform in a spec: what programs are
//! called with, what they may call. [`platform!`] with the file's path, or [`spec!`] with the spec itself,
//! compiles it; with a build script it is `probity_codegen::compile("firewall.bpfspec")` and
//! [`include_platform!`]. That gives tables (`PLATFORM`), structs, and a trait `Host` for the functions
//! of the host.
//!
//! ```
//! mod firewall {
//!     probity::spec! {
//!         platform firewall;
//!         use core::{ scalars, memory, context };
//!
//!         /// What a filter is called with.
//!         view packet size 8 { length: u32; mark: u32 read write; }
//!
//!         /// Counts what a rule has caught.
//!         helper count = 1 { proto (rule: ARG_SCALAR) -> RET_VOID; where rule.umax < 4; }
//!
//!         prog_type filter = 1 { ctx packet; helpers all; returns 0..=1; section "filter"; }
//!     }
//! }
//!
//! struct Counters([u64; 4]);
//!
//! impl firewall::Host for Counters {
//!     fn count(&mut self, _run: &mut probity::host::HostRun<'_>, rule: u64) {
//!         // `where` has proved it to be less than 4.
//!         self.0[rule as usize] += 1;
//!     }
//! }
//!
//! fn filter(object: &[u8], packet: &mut firewall::Packet) -> Result<bool, probity::LoadError> {
//!     let filter = firewall::load(object)?;
//!     let verdict = filter.program("main")?.verify()?.run(packet, &mut Counters([0; 4]))?;
//!     Ok(verdict == 1)
//! }
//! # assert!(filter(b"no object", &mut firewall::Packet::default()).is_err());
//! ```
//!
//! `verifier/probity/TUTORIAL.md` leads there step by step, [`module`] has what comes behind `load`.
//!
//! To verify only, [`check`] takes every program of an object; [`Loader`] does the same with settings:
//! another profile, the types of the target kernel, program types by hand. With the feature `linux`,
//! which is on unless turned off, there is Linux as a platform.
//!
#![cfg_attr(feature = "linux", doc = "```no_run")]
#![cfg_attr(not(feature = "linux"), doc = "```ignore")]
//! let object = std::fs::read("prog.o")?;
//! for program in probity::check(&object, &probity::linux::PLATFORM)? {
//!     let accepted = program.verified().is_some();
//!     println!("{}: {}", program.entry.name, if accepted { "accepted" } else { "not accepted" });
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
pub use module::{Calls, Module, Program, Unverified};
#[cfg(feature = "report")]
pub use report::Refusal;
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
/// `PLATFORM`, the constants for its numbers, and the bindings of its host.
///
/// In `Cargo.toml`, `probity-codegen` stands under `[build-dependencies]`. In `build.rs`:
///
/// ```ignore
/// fn main() {
///     probity_codegen::compile("spec/firewall.bpfspec");
/// }
/// ```
///
/// and in the crate (what a build script made is not there in an example, so that these two are not
/// compiled here; `tests/tests/build_script.rs` builds a package with both):
///
/// ```ignore
/// probity::include_platform!(firewall);
///
/// let filter = firewall::load::<Counters>(&object)?;
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
