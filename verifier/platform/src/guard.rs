//! Conditions under which a row or a clause holds.

use crate::{Profile, Version};

/// A condition on the target and the program, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Holds.
    Always,
    /// The target's version is this one or later.
    Since(Version),
    /// The target's version is earlier than this one.
    Until(Version),
    /// The program's attach type is one of these numbers.
    Attach(&'static [u32]),
    /// The program's type is one of these numbers.
    ProgType(&'static [u32]),
    /// The program may sleep.
    Sleepable,
    /// The loader has this capability.
    Cap(&'static str),
    /// The target was built with this configuration option.
    Config(&'static str),
    /// The target's architecture.
    Arch(&'static str),
    /// What the program is attached to, a function or hook of the target, is one of these.
    Target(&'static [&'static str]),
    /// The condition does not hold.
    Not(&'static Guard),
    /// All hold.
    All(&'static [Guard]),
    /// At least one holds.
    Any(&'static [Guard]),
}

/// What a guard is asked about.
#[derive(Clone, Copy, Debug)]
pub struct GuardEnv<'a> {
    /// The target.
    pub profile: &'a Profile,
    /// The number of the program's type.
    pub prog_type: u32,
    /// The number of its expected attach type.
    pub attach: u32,
    /// Whether it may sleep.
    pub sleepable: bool,
    /// The function or hook of the target that it attaches to; empty when it has none.
    pub target: &'a str,
}

impl Guard {
    /// True when the condition holds in `env`.
    #[must_use]
    pub fn holds(&self, env: &GuardEnv<'_>) -> bool {
        match *self {
            Guard::Always => true,
            Guard::Since(version) => env.profile.version >= version,
            Guard::Until(version) => env.profile.version < version,
            Guard::Attach(list) => list.contains(&env.attach),
            Guard::ProgType(list) => list.contains(&env.prog_type),
            Guard::Sleepable => env.sleepable,
            Guard::Cap(name) => env.profile.caps.iter().any(|cap| cap == name),
            Guard::Config(name) => env.profile.has_config(name),
            Guard::Arch(name) => env.profile.arch == name,
            Guard::Target(list) => list.contains(&env.target),
            Guard::Not(guard) => !guard.holds(env),
            Guard::All(list) => list.iter().all(|guard| guard.holds(env)),
            Guard::Any(list) => list.iter().any(|guard| guard.holds(env)),
        }
    }
}
