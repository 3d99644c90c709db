//! Hash tables of programs and user space.
//!
//! | module | subject |
//! |---|---|
//! | [`seed`] | what keys hash to |
//! | [`node`] | elements |
//! | [`table`] | buckets |
//! | [`clock`] | which element gives way when it is full |
//! | [`raw`] | lookups for machine code |

mod clock;
mod node;
pub(crate) mod raw;
mod seed;
mod table;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use crossbeam_epoch::{Guard, pin};

use self::clock::Clock;
pub(crate) use self::node::Node;
use self::node::Shape;
pub(crate) use self::seed::Seed;
use self::table::{Locked, Table};
use super::flags::When;
use super::memory::{Copied, Pinned};
use super::value::{New, Special};
use super::{Map, locked};
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// How many locks the buckets of a table share.
const LOCKS: u32 = 64;

/// A hash table.
#[derive(Debug)]
pub(crate) struct Hash {
    table: Table,
    max_entries: u32,
    count: AtomicU32,
    locks: Locks,
    /// Whether run slots have values of their own.
    per_slot: bool,
    pub(super) special: Special,
}

/// What writers hold.
#[derive(Debug)]
enum Locks {
    /// By bucket, some share one.
    Striped(Box<[Mutex<()>]>),
    /// All of it, for tables where elements give way: who does is one decision.
    Clock(Mutex<Clock>),
}

/// How a table is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashOptions {
    pub(crate) key_size: u32,
    pub(crate) value_size: u32,
    pub(crate) max_entries: u32,
    /// The number of run slots, where they have values of their own.
    pub(crate) slots: Option<u32>,
    /// Whether elements give way when it is full.
    pub(crate) gives_way: bool,
    /// Whether values are maps.
    pub(crate) of_maps: bool,
    pub(crate) fixed_seed: bool,
}

impl Hash {
    /// None without memory.
    pub(crate) fn new(options: &HashOptions) -> Option<Hash> {
        let slots = options.slots.unwrap_or(1) as usize;
        let value_size = if options.of_maps { 8 } else { options.value_size as usize };
        let shape = Shape::new(options.key_size as usize, value_size, slots, options.of_maps)?;
        let seed = if options.fixed_seed { Seed::fixed() } else { Seed::random() };
        let table = Table::new(options.max_entries, seed, shape)?;
        let locks = if options.gives_way {
            Locks::Clock(Mutex::new(Clock::new(options.max_entries)))
        } else {
            Locks::Striped((0..LOCKS.min(table.buckets())).map(|_| Mutex::new(())).collect())
        };
        let (max_entries, per_slot) = (options.max_entries, options.slots.is_some());
        Some(Hash {
            table,
            max_entries,
            count: AtomicU32::new(0),
            locks,
            per_slot,
            special: Special::default(),
        })
    }

    /// How many elements there are.
    pub(crate) fn len(&self) -> u32 {
        self.count.load(Relaxed)
    }

    fn find<'p>(&self, key: GuestBytes<'_>, pinned: Pinned<'p>) -> Option<&'p Node> {
        self.table.lookup(key, pinned)
    }

    /// The address of a value, for a program; 0 when there is none.
    pub(crate) fn address(&self, key: GuestBytes<'_>, slot: u32, pinned: Pinned<'_>) -> u64 {
        if self.per_slot && slot as usize >= self.table.shape.slots {
            return 0;
        }
        let Some(node) = self.find(key, pinned) else { return 0 };
        if matches!(self.locks, Locks::Clock(_)) {
            clock::used(node);
        }
        let shape = &self.table.shape;
        if shape.holds_maps() {
            return shape.held_address(node);
        }
        shape.address(node, if self.per_slot { slot as usize } else { 0 })
    }

    /// The values of a key, those of all slots filled up: a copy, for user space.
    pub(crate) fn values(&self, key: GuestBytes<'_>) -> Option<Vec<u8>> {
        let guard = pin();
        self.find(key, Pinned::by(&guard)).map(|node| self.copied(node))
    }

    fn copied(&self, node: &Node) -> Vec<u8> {
        let shape = &self.table.shape;
        let mut all = Vec::with_capacity(shape.stride * shape.slots);
        for slot in 0..shape.slots {
            all.extend(shape.value(node, slot).to_vec());
            if self.per_slot {
                all.resize((slot + 1) * shape.stride, 0);
            }
        }
        all
    }

    /// The map under a key.
    pub(crate) fn map(&self, key: GuestBytes<'_>) -> Option<Arc<Map>> {
        let guard = pin();
        self.find(key, Pinned::by(&guard)).and_then(|node| self.table.shape.held(node))
    }

    /// The maps that are the values.
    pub(crate) fn maps<'p>(&self, pinned: Pinned<'p>) -> impl Iterator<Item = &'p Map> {
        let nodes = (0..self.table.buckets()).flat_map(move |bucket| {
            std::iter::successors(self.table.first(bucket, pinned), move |node| self.table.next(node, pinned))
        });
        nodes.filter_map(|node| self.table.shape.held_by(node))
    }

    pub(crate) fn update(&self, key: GuestBytes<'_>, new: New<'_>, flags: u64) -> Result<(), Errno> {
        self.set(key, &Setting::Bytes(new), flags)
    }

    pub(crate) fn update_map(&self, key: GuestBytes<'_>, map: Arc<Map>, flags: u64) -> Result<(), Errno> {
        self.set(key, &Setting::Map(map), flags)
    }

    fn set(&self, key: GuestBytes<'_>, new: &Setting<'_>, flags: u64) -> Result<(), Errno> {
        let when = When::from_flags(flags)?;
        // The key may be memory that others write: it is read once.
        let key = Copied::of_guest(key);
        let key = key.bytes();
        let hash = self.table.seed.bytes(key);
        let guard = pin();
        let writer = self.lock(hash);
        let old = self.table.find(hash, key, Pinned::by(&guard));
        when.check(old.is_some())?;
        if let Some(old) = old.filter(|_| self.per_slot) {
            self.fill(old, new);
            if matches!(writer, Writer::Clock(_)) {
                clock::used(old);
            }
            return Ok(());
        }
        let made = self.table.shape.make(hash, key).ok_or(Errno::ENOMEM)?;
        match new {
            Setting::Bytes(_) => self.fill(made.node(), new),
            Setting::Map(map) => self.table.shape.hold(&made, Arc::clone(map)),
        }
        let locked = Locked { bucket: self.table.bucket_of(hash) };
        match (old, writer) {
            (Some(old), Writer::Striped(_lock)) => {
                self.table.take(locked, old, Some(made), &guard);
            }
            (Some(old), Writer::Clock(mut clock)) => {
                clock.put(clock::place(old), made.node(), true);
                self.table.take(locked, old, Some(made), &guard);
            }
            (None, Writer::Striped(_lock)) => {
                let room = |count| (count < self.max_entries).then_some(count + 1);
                self.count.fetch_update(Relaxed, Relaxed, room).map_err(|_| Errno::E2BIG)?;
                self.table.insert(locked, made);
            }
            (None, Writer::Clock(mut clock)) => {
                let place = self.make_way(&mut clock, &guard).ok_or(Errno::ENOMEM)?;
                clock.put(place, made.node(), false);
                self.count.fetch_add(1, Relaxed);
                self.table.insert(locked, made);
            }
        }
        Ok(())
    }

    /// Writes the values of an element.
    fn fill(&self, node: &Node, new: &Setting<'_>) {
        let Setting::Bytes(new) = new else { return };
        let shape = &self.table.shape;
        let slots = match *new {
            New::Of(slot, _) if self.per_slot => slot as usize..slot as usize + 1,
            _ => 0..shape.slots,
        };
        for slot in slots {
            let new = new.part(slot as u32, shape.stride, shape.value_size);
            self.special.copy(shape.value(node, slot), new);
        }
    }

    /// A free place; when there is none, somebody gives way.
    #[allow(unsafe_code)]
    fn make_way(&self, clock: &mut Clock, guard: &Guard) -> Option<u32> {
        if let Some(place) = clock.free() {
            return Some(place);
        }
        let pinned = Pinned::by(guard);
        // SAFETY: the clock, whose lock is that of the whole table, has the addresses of the elements
        // that are in it.
        let node = |address| unsafe { table::node_at(address, pinned) };
        let (address, hash) = clock.victim(node)?;
        let victim = node(address);
        let place = clock::place(victim);
        let bucket = self.table.bucket_of(hash);
        self.table.take(Locked { bucket }, victim, None, guard);
        self.count.fetch_sub(1, Relaxed);
        Some(place)
    }

    /// Deletes an element; gives its values when they are wanted.
    pub(crate) fn delete(&self, key: GuestBytes<'_>, wanted: bool) -> Result<Vec<u8>, Errno> {
        let hash = self.table.seed.bytes(key);
        let guard = pin();
        let writer = self.lock(hash);
        let old = self.table.find(hash, key, Pinned::by(&guard)).ok_or(Errno::ENOENT)?;
        let bucket = self.table.bucket_of(hash);
        let place = clock::place(old);
        self.table.take(Locked { bucket }, old, None, &guard);
        self.count.fetch_sub(1, Relaxed);
        if let Writer::Clock(mut clock) = writer {
            clock.release(place);
        }
        Ok(if wanted { self.copied(old) } else { Vec::new() })
    }

    fn lock(&self, hash: u32) -> Writer<'_> {
        match &self.locks {
            // A power of two of locks, and at most one for each bucket: all elements of a bucket have
            // the same.
            Locks::Striped(locks) => Writer::Striped(locked(&locks[hash as usize & (locks.len() - 1)])),
            Locks::Clock(clock) => Writer::Clock(locked(clock)),
        }
    }

    /// Calls with the key and the address of a slot's value, bucket by bucket, until it says no.
    pub(crate) fn visit<E>(
        &self,
        slot: u32,
        pinned: Pinned<'_>,
        mut each: impl FnMut(GuestBytes<'_>, u64) -> Result<bool, E>,
    ) -> Result<(), E> {
        let slot = if self.per_slot { slot as usize } else { 0 };
        for bucket in 0..self.table.buckets() {
            let mut at = self.table.first(bucket, pinned);
            while let Some(node) = at {
                // Before the call, in which the element may be deleted.
                at = self.table.next(node, pinned);
                if !each(self.table.shape.key(node), self.table.shape.address(node, slot))? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All keys with their values.
    pub(crate) fn pairs(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let guard = pin();
        let pinned = Pinned::by(&guard);
        let mut pairs = Vec::new();
        for bucket in 0..self.table.buckets() {
            let mut at = self.table.first(bucket, pinned);
            while let Some(node) = at {
                pairs.push((self.table.shape.key(node).to_vec(), self.copied(node)));
                at = self.table.next(node, pinned);
            }
        }
        pairs
    }

    /// The key or value that contains an address: where it starts, its length, whether it is a value.
    pub(crate) fn containing(&self, address: u64) -> Option<(u64, usize, bool)> {
        let guard = pin();
        let shape = &self.table.shape;
        let mut found = None;
        let _ = self.visit::<()>(0, Pinned::by(&guard), |key, value| {
            let parts = std::iter::once((key.address(), key.len(), false)).chain(
                (0..shape.slots).map(|slot| (value + (slot * shape.stride) as u64, shape.value_size, true)),
            );
            let mut parts = parts.filter(|&(start, len, _)| address.wrapping_sub(start) < len as u64);
            found = parts.next();
            Ok(found.is_none())
        });
        found
    }
}

/// What an update puts in.
enum Setting<'s> {
    Bytes(New<'s>),
    Map(Arc<Map>),
}

/// A lock that is held.
enum Writer<'h> {
    Striped(#[allow(dead_code, reason = "held until it is dropped")] MutexGuard<'h, ()>),
    Clock(MutexGuard<'h, Clock>),
}
