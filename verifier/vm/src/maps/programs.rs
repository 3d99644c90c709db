//! Arrays of programs, for tail calls.
//!
//! The first program that uses an array, or that is put into it, claims it: from then on all of them
//! are of its type, and run as it runs. An array whose entries use it keeps itself alive; clear it
//! when it is to go.

use std::sync::{Arc, Mutex};

use probity_platform::MapBody;
use thiserror::Error;

use super::held::Held;
use super::memory::Pinned;
use super::{Map, locked};
use crate::checked::CheckedProgram;
use crate::errno::Errno;
use crate::executable::Executable;
use crate::unit::Unit;

/// How programs of an array run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In the interpreter, with all checks.
    Checked,
    /// In the interpreter, verified.
    Interpreted,
    /// As machine code.
    Native,
}

impl Engine {
    fn describe(self) -> &'static str {
        match self {
            Engine::Checked => "programs of the checked interpreter",
            Engine::Interpreted => "programs without machine code",
            Engine::Native => "programs with machine code",
        }
    }
}

/// Why a program does not fit an array of programs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProgArrayError {
    /// The map is no array of programs.
    #[error("map {0} is no array of programs")]
    NoProgArray(String),
    /// There is no such index.
    #[error("map {name} has {len} places: there is none at {index}")]
    Index {
        /// The map.
        name: String,
        /// The index.
        index: u32,
        /// How many places there are.
        len: u32,
    },
    /// The map was made so that user space may not write.
    #[error("map {0} can't be written")]
    ReadOnly(String),
    /// Its programs are of another type.
    #[error("map {name} is claimed by programs of type {owner}; this one is {given}")]
    Type {
        /// The map.
        name: String,
        /// The type of its programs.
        owner: &'static str,
        /// This program's.
        given: &'static str,
    },
    /// Its programs run otherwise.
    #[error("map {name} is claimed by {}; this is one of the {}", .owner.describe(), .given.describe())]
    Engine {
        /// The map.
        name: String,
        /// How its programs run.
        owner: Engine,
        /// How this one does.
        given: Engine,
    },
}

/// Who claimed an array.
#[derive(Clone, Copy, Debug)]
struct Owner {
    /// The hash of their platform's spec.
    platform: u64,
    number: u32,
    name: &'static str,
    checked: bool,
    /// Whether entries have machine code: known when there is an entry, or machine code that calls.
    native: Option<bool>,
}

impl Owner {
    fn engine(self) -> Engine {
        match (self.checked, self.native) {
            (true, _) => Engine::Checked,
            (false, Some(true)) => Engine::Native,
            (false, _) => Engine::Interpreted,
        }
    }
}

/// The programs and their owner.
#[derive(Debug)]
pub(crate) struct Programs {
    held: Held<Unit>,
    owner: Mutex<Option<Owner>>,
}

impl Programs {
    /// None without memory.
    pub(crate) fn new(max_entries: u32) -> Option<Programs> {
        Some(Programs { held: Held::new(max_entries)?, owner: Mutex::new(None) })
    }

    /// The program at an index.
    #[inline(always)]
    pub(crate) fn get<'p>(&self, index: u32, pinned: Pinned<'p>) -> Option<&'p Unit> {
        self.held.get(index, pinned)
    }
}

impl Map {
    fn programs(&self) -> Result<&Programs, ProgArrayError> {
        match &self.kind {
            super::Kind::Programs(programs) => Ok(programs),
            _ => Err(ProgArrayError::NoProgArray(self.definition().name.clone())),
        }
    }

    /// Claims an array for programs of a type; `native` when it is known whether they have machine
    /// code. `checked` for those of the checked interpreter.
    pub(crate) fn claim(
        &self,
        prog_type: &'static probity_platform::ProgType,
        platform: &'static probity_platform::Platform,
        checked: bool,
        native: Option<bool>,
    ) -> Result<(), ProgArrayError> {
        let given = Owner {
            platform: platform.spec_hash,
            number: prog_type.number,
            name: prog_type.name,
            checked,
            native,
        };
        let mut claimed = locked(&self.programs()?.owner);
        let name = || self.definition().name.clone();
        let owner = claimed.get_or_insert(given);
        if (owner.platform, owner.number) != (given.platform, given.number) {
            return Err(ProgArrayError::Type { name: name(), owner: owner.name, given: given.name });
        }
        let differ = owner.native.zip(given.native).is_some_and(|(owner, given)| owner != given);
        if owner.checked != given.checked || differ {
            return Err(ProgArrayError::Engine {
                name: name(),
                owner: owner.engine(),
                given: given.engine(),
            });
        }
        owner.native = owner.native.or(native);
        Ok(())
    }

    /// Puts a program into an array of programs, in the place of one that may be there. Runs that are
    /// on see either.
    ///
    /// # Errors
    ///
    /// When it does not fit: see [`ProgArrayError`].
    pub fn set_program(&self, index: u32, program: &Executable) -> Result<(), ProgArrayError> {
        self.set_unit(index, &program.unit)
    }

    /// As [`Map::set_program`], for programs of the checked interpreter.
    ///
    /// # Errors
    ///
    /// When it does not fit: see [`ProgArrayError`].
    pub fn set_checked_program(&self, index: u32, program: &CheckedProgram) -> Result<(), ProgArrayError> {
        self.set_unit(index, &program.unit)
    }

    fn set_unit(&self, index: u32, unit: &Arc<Unit>) -> Result<(), ProgArrayError> {
        let programs = self.programs()?;
        self.may_set(index, programs)?;
        self.claim(unit.prog_type, unit.platform, unit.checked(), Some(unit.native().is_some()))?;
        programs.held.swap(index, Some(Arc::clone(unit)));
        Ok(())
    }

    fn may_set(&self, index: u32, programs: &Programs) -> Result<(), ProgArrayError> {
        if self.user_writes().is_err() {
            return Err(ProgArrayError::ReadOnly(self.definition().name.clone()));
        }
        let len = programs.held.len();
        if index >= len {
            return Err(ProgArrayError::Index { name: self.definition().name.clone(), index, len });
        }
        Ok(())
    }

    /// Empties a place of an array of programs; true when a program was there.
    ///
    /// # Errors
    ///
    /// When the map is none, has no such place, or can't be written.
    pub fn clear_program(&self, index: u32) -> Result<bool, ProgArrayError> {
        let programs = self.programs()?;
        self.may_set(index, programs)?;
        Ok(programs.held.swap(index, None).unwrap_or(false))
    }

    /// Whether there is a program at an index.
    #[must_use]
    pub fn has_program(&self, index: u32) -> bool {
        self.programs().is_ok_and(|programs| programs.held.get_arc(index).is_some())
    }

    /// What user space gets for deleting an entry.
    pub(super) fn delete_program(&self, index: u32) -> Result<(), Errno> {
        match self.clear_program(index) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Errno::ENOENT),
            Err(ProgArrayError::Index { .. }) => Err(Errno::E2BIG),
            Err(_) => Err(Errno::EPERM),
        }
    }
}

impl Unit {
    /// Claims the arrays of programs that it uses: to be called before it is run, or given machine
    /// code (`native` then is Some(true)).
    ///
    /// # Errors
    ///
    /// When programs that don't fit have claimed one.
    pub fn claim_prog_arrays(&self, native: Option<bool>) -> Result<(), ProgArrayError> {
        let mut arrays = self.maps.iter().filter(|map| map.body() == MapBody::ProgArray);
        arrays.try_for_each(|map| map.claim(self.prog_type, self.platform, self.checked(), native))
    }
}
