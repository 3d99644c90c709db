//! What a program may call.

use probity_platform::{Callable, Platform, Profile, ProgType, SetEntry};
use probity_program::Program;
use rustc_hash::FxHashMap;

use super::environment::guard_env;

/// What a program may call, resolved once.
#[derive(Debug)]
pub struct Offered {
    platform: &'static Platform,
    by_number: FxHashMap<i32, u16>,
    /// By index in the program's list of names.
    kfuncs: Vec<Option<OfferedKfunc>>,
}

/// A kfunc that a program names.
#[derive(Clone, Copy, Debug)]
pub struct OfferedKfunc {
    /// Its row.
    pub row: &'static Callable,
    /// True when programs of the type may call it.
    pub allowed: bool,
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
        let kfunc = |name: &String| {
            let row = platform.kfunc(name, &env).filter(|row| row.guard.holds(&env))?;
            let is = |entry: &&SetEntry| std::ptr::eq(&platform.kfuncs[usize::from(entry.callable)], row);
            let mut entries = prog_type.kfuncs.iter().filter(is);
            Some(OfferedKfunc { row, allowed: entries.any(|entry| entry.guard.holds(&env)) })
        };
        let kfuncs = program.kfuncs.iter().map(kfunc).collect();
        Offered { platform, by_number, kfuncs }
    }

    /// The callable with a number, when the program may call it.
    #[must_use]
    pub fn callable(&self, number: i32) -> Option<&'static Callable> {
        self.index(number).map(|index| &self.platform.callables[usize::from(index)])
    }

    /// The kfunc that a call with this index in the program's list of names is of; None when the
    /// target has none of the name.
    #[must_use]
    pub fn kfunc(&self, index: i32) -> Option<OfferedKfunc> {
        self.kfuncs.get(usize::try_from(index).ok()?).copied().flatten()
    }

    /// Its index in [`Platform::callables`].
    #[must_use]
    pub fn index(&self, number: i32) -> Option<u16> {
        self.by_number.get(&number).copied()
    }
}
