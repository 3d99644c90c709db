//! What an object says that its maps hold from the start: programs for tail calls, inner maps.
//!
//! Programs are put in their places when the first of an instance is run, or machine code is made of
//! it: only then it is known how they run, and all programs of an array run alike.

use std::sync::{Arc, Mutex, PoisonError};

use probity_platform::MapBody;
use probity_vm::{Executable, Map, maps::ProgArrayError};

use crate::instance::{Instance, LoadError};

/// A program that waits for its place.
#[derive(Debug)]
pub(crate) struct Entry {
    array: Arc<Map>,
    index: u32,
    pub(crate) program: Executable,
}

/// All that wait, shared by the programs of an instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<Vec<Entry>>>);

impl Waiting {
    /// Takes all entries.
    #[cfg(feature = "jit")]
    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts all programs in their places, as they are.
    pub(crate) fn settle(&self) -> Result<(), ProgArrayError> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.drain(..).try_for_each(|entry| entry.put())
    }
}

impl Entry {
    /// Puts it in its place.
    pub(crate) fn put(&self) -> Result<(), ProgArrayError> {
        self.array.set_program(self.index, &self.program)
    }
}

/// How programs of an instance run, as far as arrays of programs have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Verified,
    Checked,
}

impl Instance<'_> {
    /// Fills the maps that were made and are not filled yet, and those that this makes.
    pub(crate) fn fill(&self, mode: Mode) -> Result<(), LoadError> {
        while let Some((name, map)) = self.next_unfilled() {
            let Some(described) = self.object().maps().iter().find(|map| map.def.name == name) else {
                continue;
            };
            for (index, content) in &described.slots {
                if map.body() == MapBody::ProgArray {
                    self.enter(&map, *index, content, mode)?;
                } else {
                    self.nest(&map, *index, content)?;
                }
            }
        }
        Ok(())
    }

    fn enter(&self, array: &Arc<Map>, index: u32, program: &str, mode: Mode) -> Result<(), LoadError> {
        let linked = self.program(program)?;
        match mode {
            Mode::Verified => {
                let program = linked.executable()?.1;
                let entry = Entry { array: Arc::clone(array), index, program };
                self.waiting().0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            }
            Mode::Checked => array.set_checked_program(index, &linked.bare()?)?,
        }
        Ok(())
    }

    fn nest(&self, outer: &Map, index: u32, inner: &str) -> Result<(), LoadError> {
        let described = self.object().maps().iter().find(|map| map.def.name == *inner);
        let Some(described) = described else { return Ok(()) };
        let inner = self.shared(&described.def, None)?;
        outer.set_map(&index.to_le_bytes(), &inner, 0).map_err(|errno| LoadError::Slot {
            map: outer.definition().name.clone(),
            index,
            content: described.def.name.clone(),
            errno: errno.0,
        })
    }
}
