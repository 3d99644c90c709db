//! What a program may call.

use probity_platform::{Callable, Platform, Profile, ProgType};
use probity_program::Program;
use rustc_hash::FxHashMap;

use super::environment::guard_env;

/// What a program may call, resolved once.
#[derive(Debug)]
pub struct Offered {
    platform: &'static Platform,
    by_number: FxHashMap<i32, u16>,
}

impl Offered {
    /// Resolves the sets of a program type for one program and target.
    #[must_use]
    pub fn new(
        platform: &'static Platform,
        prog_type: &'static ProgType,
        program: &Program,
        profile: &Profile,
    ) -> Offered {
        let env = guard_env(program, prog_type, profile);
        let mut by_number = FxHashMap::default();
        for entry in prog_type.callables {
            let callable = &platform.callables[usize::from(entry.callable)];
            if entry.guard.holds(&env) && callable.guard.holds(&env) {
                by_number.entry(callable.number.cast_signed()).or_insert(entry.callable);
            }
        }
        Offered { platform, by_number }
    }

    /// The callable with a number, when the program may call it.
    #[must_use]
    pub fn callable(&self, number: i32) -> Option<&'static Callable> {
        self.index(number).map(|index| &self.platform.callables[usize::from(index)])
    }

    /// Its index in [`Platform::callables`].
    #[must_use]
    pub fn index(&self, number: i32) -> Option<u16> {
        self.by_number.get(&number).copied()
    }
}
