//! What guards are asked about.

use probity_platform::{GuardEnv, Profile, ProgType};
use probity_program::{Program, flags};

/// The environment of a program of a type on a target.
pub(crate) fn guard_env<'a>(
    program: &'a Program,
    prog_type: &ProgType,
    profile: &'a Profile,
) -> GuardEnv<'a> {
    GuardEnv {
        profile,
        prog_type: program.prog_type,
        attach: prog_type.attach_type(program.attach_type),
        sleepable: program.flags & flags::SLEEPABLE != 0,
        target: &program.target,
    }
}
