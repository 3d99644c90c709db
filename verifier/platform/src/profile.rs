//! The target that a run is made for.

use std::fmt;

use bitflags::bitflags;

/// A version of a platform, compared part by part: `6.18`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl Version {
    /// A version from its parts.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Version {
        Version { major, minor }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

bitflags! {
    /// Semantic switches: where targets differ in what the engine computes. The engine sees these
    /// and never a version number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Switches: u32 {
        /// A lookup in an array map with a constant key below its capacity is not null.
        const ARRAY_KEY_ELISION = 1 << 0;
        /// A call takes one argument at most that was acquired.
        const ONE_REFERENCE = 1 << 1;
        /// A number that is loaded from the stack with its sign extended stays linked to the one that
        /// was stored, as if it were the same. Unsound, as Linux is.
        const SIGNED_FILL_LINKS = 1 << 2;
        /// Whether an acquiring load may be of this memory is asked of the register once it is loaded.
        /// Unsound where that is the address's own, as Linux is.
        const LATE_ACQUIRE_CHECK = 1 << 3;
        /// To a callable, a slot whose upper bytes hold a number counts as written whole. Lets it read
        /// stale bytes, as on Linux.
        const SPILL_COVERS_SLOT = 1 << 4;
    }
}

/// The target: a version of the platform, an architecture, capabilities, configuration.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The platform's version.
    pub version: Version,
    /// The architecture, `x86_64`.
    pub arch: String,
    /// The capabilities that the loader has, `CAP_BPF`.
    pub caps: Vec<String>,
    /// Configuration options that are known to be off. Every other one is taken to be on.
    pub config_off: Vec<String>,
    /// The number of possible processors.
    pub nr_cpus: u32,
    /// The semantic switches.
    pub switches: Switches,
}

impl Profile {
    /// True unless the option is known to be off.
    #[must_use]
    pub fn has_config(&self, name: &str) -> bool {
        !self.config_off.iter().any(|off| off == name)
    }
}
