//! What guards are asked about.

use probity_platform::{GuardEnv, Profile};
use probity_program::{Program, flags};

/// The environment of a program on a target.
pub(crate) fn guard_env<'a>(program: &'a Program, profile: &'a Profile) -> GuardEnv<'a> {
    GuardEnv {
        profile,
        prog_type: program.prog_type,
        attach: program.attach_type,
        sleepable: program.flags & flags::SLEEPABLE != 0,
        target: "",
    }
}
