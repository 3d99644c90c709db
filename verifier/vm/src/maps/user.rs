//! What user space does with maps: copies in and out, error numbers as the system calls give them.
//! Of maps whose run slots have values of their own, a value is those of all slots, one after the
//! other, each filled up to a multiple of 8 bytes.

use super::array::index_of;
use super::memory::{Copied, Pinned};
use super::value::New;
use super::{Kind, Map, flags};
use crate::errno::Errno;

impl Map {
    /// The size of a value as user space sees it.
    #[must_use]
    pub fn user_value_size(&self) -> usize {
        let size = self.definition.value_size as usize;
        if self.is_per_slot() { size.next_multiple_of(8) * self.slots as usize } else { size }
    }

    pub(super) fn user_writes(&self) -> Result<(), Errno> {
        let refused = self.definition.frozen || self.definition.flags & flags::RDONLY != 0;
        if refused { Err(Errno::EPERM) } else { Ok(()) }
    }

    fn user_reads(&self) -> Result<(), Errno> {
        if self.definition.flags & flags::WRONLY != 0 { Err(Errno::EPERM) } else { Ok(()) }
    }

    fn key(&self, key: &[u8]) -> Result<Copied, Errno> {
        if key.len() == self.definition.key_size as usize { Ok(Copied::of(key)) } else { Err(Errno::EINVAL) }
    }

    fn copied(&self, value: &[u8]) -> Result<Copied, Errno> {
        if value.len() == self.user_value_size() { Ok(Copied::of(value)) } else { Err(Errno::EINVAL) }
    }

    /// A copy of the value under a key.
    ///
    /// # Errors
    ///
    /// `ENOENT` when there is none, `EPERM` when user space may not read, `EINVAL` for a key of the
    /// wrong size, `EOPNOTSUPP` and `ENOTSUPP` where values can't be looked up by key.
    pub fn get(&self, key: &[u8]) -> Result<Vec<u8>, Errno> {
        self.get_with(key, flags::ANY)
    }

    /// As [`Map::get`]; with [`flags::LOCK`], under the lock that is in the value. Where a value has a
    /// lock or a timer, user space sees zeros.
    ///
    /// # Errors
    ///
    /// As [`Map::get`], and `EINVAL` for other flags and for values that have no lock.
    pub fn get_with(&self, key: &[u8], flags: u64) -> Result<Vec<u8>, Errno> {
        self.user_reads()?;
        let special = self.special();
        let locks = flags & flags::LOCK != 0;
        if flags & !flags::LOCK != 0 || (locks && special.lock.is_none()) {
            return Err(Errno::EINVAL);
        }
        let key = self.key(key)?;
        let key = key.bytes();
        if special.is_some() {
            let guard = crossbeam_epoch::pin();
            let value = self.shared_value(key, Pinned::by(&guard)).ok_or(Errno::ENOENT)?;
            return Ok(special.read(value, locks));
        }
        let found = match &self.kind {
            Kind::Array(array) if self.is_per_slot() => array.values(index_of(key)),
            Kind::Array(array) => array.value(index_of(key), 0).map(|value| value.to_vec()),
            Kind::Hash(hash) if self.template.is_none() => hash.values(key),
            Kind::Trie(trie) => trie.value(key),
            Kind::Queue(_) => return self.peek(),
            Kind::Ring(_) | Kind::UserRing(_) => return Err(Errno::ENOTSUPP),
            Kind::Hash(_) | Kind::Maps(_) | Kind::Bloom(_) | Kind::Programs(_) => {
                return Err(Errno::EOPNOTSUPP);
            }
        };
        found.ok_or(Errno::ENOENT)
    }

    /// A copy of the value under a key, when there is one and user space may read it.
    #[must_use]
    pub fn lookup(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.get(key).ok()
    }

    /// Copies of the values that the run slots have under a key.
    #[must_use]
    pub fn lookup_percpu(&self, key: &[u8]) -> Option<Vec<Vec<u8>>> {
        let size = self.definition.value_size as usize;
        let all = self.get(key).ok().filter(|_| self.is_per_slot())?;
        Some(all.chunks(size.next_multiple_of(8)).map(|value| value[..size].to_vec()).collect())
    }

    /// Sets the value under a key; `flags` are [`flags::ANY`], [`flags::NOEXIST`], [`flags::EXIST`],
    /// and [`flags::LOCK`] for values that have a lock. A lock or a timer in it is not written, and
    /// the timer ends unless a hash table's value is written under its lock.
    ///
    /// # Errors
    ///
    /// `EEXIST` and `ENOENT` as the flags say, `E2BIG` when the map is full or the index too large
    /// (`ENOSPC` for tries), `EPERM` when user space may not write, `EINVAL` for flags and sizes that
    /// don't fit, `ENOMEM`.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), Errno> {
        self.user_writes()?;
        let (key, value) = (self.key(key)?, self.copied(value)?);
        let (key, value) = (key.bytes(), value.bytes());
        if flags & flags::LOCK != 0 && self.special().lock.is_none() {
            return Err(Errno::EINVAL);
        }
        match &self.kind {
            Kind::Array(array) => array.update(key, New::All(value), flags, self.special()),
            Kind::Hash(hash) if self.template.is_none() => {
                hash.update(key, New::All(value), flags, self.special())
            }
            Kind::Trie(trie) => trie.update(key, value, flags),
            Kind::Queue(_) | Kind::Bloom(_) => self.put(value, flags),
            Kind::Ring(_) | Kind::UserRing(_) => Err(Errno::ENOTSUPP),
            Kind::Hash(_) | Kind::Maps(_) | Kind::Programs(_) => Err(Errno::EINVAL),
        }
    }

    /// Sets the values that the run slots have under a key.
    ///
    /// # Errors
    ///
    /// As [`Map::update`]; `EINVAL` also where slots have no values of their own.
    pub fn update_percpu(&self, key: &[u8], values: &[Vec<u8>], flags: u64) -> Result<(), Errno> {
        let size = self.definition.value_size as usize;
        let fit = self.is_per_slot() && values.iter().all(|value| value.len() == size);
        if !fit {
            return Err(Errno::EINVAL);
        }
        let mut all = Vec::with_capacity(self.user_value_size());
        for value in values {
            all.extend_from_slice(value);
            all.resize(all.len().next_multiple_of(8), 0);
        }
        self.update(key, &all, flags)
    }

    /// Deletes what is under a key: a value, a map, a program.
    ///
    /// # Errors
    ///
    /// `ENOENT` when there is nothing, `EINVAL` where elements can't be deleted, `EPERM` when user
    /// space may not write.
    pub fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        self.user_writes()?;
        let key = self.key(key)?;
        let key = key.bytes();
        match &self.kind {
            Kind::Hash(hash) => hash.delete(key, false).map(drop),
            Kind::Trie(trie) => trie.delete(key),
            Kind::Maps(held) => match held.swap(index_of(key), None) {
                None => Err(Errno::E2BIG),
                Some(true) => Ok(()),
                Some(false) => Err(Errno::ENOENT),
            },
            Kind::Programs(_) => self.delete_program(index_of(key)),
            Kind::Array(_) | Kind::Queue(_) => Err(Errno::EINVAL),
            Kind::Bloom(_) => Err(Errno::EOPNOTSUPP),
            Kind::Ring(_) | Kind::UserRing(_) => Err(Errno::ENOTSUPP),
        }
    }

    /// Deletes an element and gives its value; of queues and stacks, whose keys are empty, the next.
    ///
    /// # Errors
    ///
    /// As [`Map::get`] and [`Map::delete`]; `ENOTSUPP` where there is no such thing.
    pub fn lookup_and_delete(&self, key: &[u8]) -> Result<Vec<u8>, Errno> {
        self.user_reads()?;
        self.user_writes()?;
        let key = self.key(key)?;
        match &self.kind {
            Kind::Hash(hash) if self.template.is_none() => {
                let mut value = hash.delete(key.bytes(), true)?;
                self.special().hide(&mut value);
                Ok(value)
            }
            Kind::Queue(_) => self.pop(),
            _ => Err(Errno::ENOTSUPP),
        }
    }

    /// All keys, as they are at some time while this runs; in the map's order.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.pairs().into_iter().map(|(key, _)| key).collect()
    }

    /// All keys with copies of their values. Of a map that others write to, each is as it was at some
    /// time. None of maps whose values can't be looked up by key.
    #[must_use]
    pub fn pairs(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        if self.user_reads().is_err() {
            return Vec::new();
        }
        match &self.kind {
            Kind::Array(array) => {
                let pair = |index: u32| {
                    let key = index.to_ne_bytes().to_vec();
                    let value = self.get(&key).ok()?;
                    Some((key, value))
                };
                (0..array.max_entries()).filter_map(pair).collect()
            }
            Kind::Hash(hash) if self.template.is_none() => {
                let mut pairs = hash.pairs();
                pairs.iter_mut().for_each(|(_, value)| self.special().hide(value));
                pairs
            }
            Kind::Trie(trie) => trie.pairs(),
            _ => Vec::new(),
        }
    }

    /// How many elements there are: of arrays, all places; of queues and stacks, values; None where
    /// nobody knows.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match &self.kind {
            Kind::Array(array) => Some(array.max_entries() as usize),
            Kind::Hash(hash) => Some(hash.len() as usize),
            Kind::Trie(trie) => Some(trie.len() as usize),
            Kind::Queue(queue) => Some(queue.len()),
            _ => None,
        }
    }

    /// Sets many values.
    ///
    /// # Errors
    ///
    /// The first error, with how many were set before it.
    pub fn update_batch(&self, pairs: &[(Vec<u8>, Vec<u8>)], flags: u64) -> Result<(), (usize, Errno)> {
        for (done, (key, value)) in pairs.iter().enumerate() {
            self.update(key, value, flags).map_err(|errno| (done, errno))?;
        }
        Ok(())
    }

    /// Deletes many elements.
    ///
    /// # Errors
    ///
    /// The first error, with how many were deleted before it.
    pub fn delete_batch(&self, keys: &[Vec<u8>]) -> Result<(), (usize, Errno)> {
        for (done, key) in keys.iter().enumerate() {
            self.delete(key).map_err(|errno| (done, errno))?;
        }
        Ok(())
    }

    /// Deletes all elements and gives them.
    pub fn drain(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let taken = |key: Vec<u8>| self.lookup_and_delete(&key).ok().map(|value| (key, value));
        self.keys().into_iter().filter_map(taken).collect()
    }

    /// Puts a value into a queue, a stack or a filter; with [`flags::EXIST`] the oldest gives way.
    ///
    /// # Errors
    ///
    /// `E2BIG` when it is full; else as [`Map::update`].
    pub fn push(&self, value: &[u8], flags: u64) -> Result<(), Errno> {
        self.user_writes()?;
        self.put(self.copied(value)?.bytes(), flags)
    }

    /// Takes the next value out of a queue or a stack.
    ///
    /// # Errors
    ///
    /// `ENOENT` when it is empty, `EOPNOTSUPP` when the map is neither.
    pub fn pop(&self) -> Result<Vec<u8>, Errno> {
        self.user_reads()?;
        self.user_writes()?;
        let Kind::Queue(queue) = &self.kind else { return Err(Errno::EOPNOTSUPP) };
        let value = Copied::zeros(self.definition.value_size as usize);
        queue.pop(value.bytes())?;
        Ok(value.bytes().to_vec())
    }

    /// A copy of the next value of a queue or a stack, which stays.
    ///
    /// # Errors
    ///
    /// `ENOENT` when it is empty, `EOPNOTSUPP` when the map is neither.
    pub fn peek(&self) -> Result<Vec<u8>, Errno> {
        self.user_reads()?;
        let Kind::Queue(queue) = &self.kind else { return Err(Errno::EOPNOTSUPP) };
        let value = Copied::zeros(self.definition.value_size as usize);
        queue.peek(value.bytes())?;
        Ok(value.bytes().to_vec())
    }

    /// Whether a filter may have a value.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` when the map is no filter, `EINVAL` for a value of another size.
    pub fn may_contain(&self, value: &[u8]) -> Result<bool, Errno> {
        self.user_reads()?;
        let Kind::Bloom(bloom) = &self.kind else { return Err(Errno::EOPNOTSUPP) };
        Ok(bloom.peek(self.copied(value)?.bytes()).is_ok())
    }
}
