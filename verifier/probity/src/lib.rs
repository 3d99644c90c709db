//! eBPF verification from one spec: the library. (The facade is being written.)

/// The vocabulary that emitted code refers to.
pub mod rt {
    pub use probity_platform::*;
}

/// Takes in the platform that a build script compiled: `include_platform!("firewall")` brings
/// `PLATFORM` and the modules of numbers that `probity_codegen::compile` wrote to `OUT_DIR`.
#[macro_export]
macro_rules! include_platform {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
    };
}
