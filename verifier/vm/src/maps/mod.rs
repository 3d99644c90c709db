//! Maps.
//!
//! Values stay where they are: what programs get is addresses. What was replaced or deleted is freed
//! after the last run that could see it; see `memory::Pinned`.
//!
//! | module | subject |
//! |---|---|
//! | `create` | making maps |
//! | `access` | what programs do with them |
//! | `user` | what user space does with them |
//! | `array`, `hash`, `trie`, `queue`, `bloom`, `ring`, `user_ring` | the kinds |
//! | `programs` | arrays of programs |
//! | `nested` | maps of maps |
//! | `consumer` | ring buffers from user space |
//! | `held` | arrays of things that are counted |
//! | `special` | what values hold beyond bytes |
//! | `memory`, `value`, `flags`, `error` | what they are made of |

mod access;
mod array;
mod bloom;
mod consumer;
mod create;
mod error;
pub mod flags;
mod hash;
mod held;
mod memory;
mod nested;
mod programs;
mod queue;
pub(crate) mod ring;
mod special;
mod trie;
mod user;
pub(crate) mod user_ring;
mod value;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use probity_platform::{MapBody, MapType};
use probity_program::MapDef;

pub use array::ArrayLayout;
pub use consumer::{RingConsumer, RingProducer};
pub use error::MapError;
pub(crate) use memory::{Copied, Pinned};
pub use programs::{Engine, ProgArrayError};
pub(crate) use special::Special;

/// A map: shared between programs, threads and user space.
#[derive(Debug)]
pub struct Map {
    definition: MapDef,
    map_type: &'static MapType,
    body: MapBody,
    /// The template of the maps in it.
    template: Option<MapDef>,
    slots: u32,
    pub(crate) kind: Kind,
    /// The map itself, for those that outlive a run.
    this: Weak<Map>,
    /// What values hold beyond bytes: known when a program with types is linked.
    special: OnceLock<Special>,
    /// The same of the maps in it. Whoever puts one in holds the lock.
    inner_special: Mutex<Option<Special>>,
}

/// The content.
#[derive(Debug)]
pub(crate) enum Kind {
    Array(array::Array),
    Hash(hash::Hash),
    Trie(trie::Trie),
    Queue(queue::Queue),
    Bloom(bloom::Bloom),
    Ring(Box<ring::Ring>),
    UserRing(Box<user_ring::UserRing>),
    Programs(programs::Programs),
    Maps(held::Held<Map>),
}

impl Map {
    /// What it was made from.
    #[must_use]
    pub fn definition(&self) -> &MapDef {
        &self.definition
    }

    /// The platform's type.
    #[must_use]
    pub fn map_type(&self) -> &'static MapType {
        self.map_type
    }

    /// How it is kept.
    #[must_use]
    pub fn body(&self) -> MapBody {
        self.body
    }

    /// The number of run slots that it has values for, where each has its own.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Whether only runs of its slots may use it: it has values for these, or maps that may.
    pub(crate) fn serves_slots(&self) -> bool {
        self.is_per_slot() || self.template.is_some()
    }

    /// Whether run slots have values of their own.
    #[must_use]
    pub fn is_per_slot(&self) -> bool {
        matches!(self.body, MapBody::PercpuArray | MapBody::PercpuHash | MapBody::LruPercpuHash)
    }
}

/// Takes a lock. Nobody panics with one; if somebody did, what it guards is whole all the same.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
