//! Tries: values by the longest prefix of a key. A key is the length of its prefix in bits, a number
//! of 4 bytes, and then bytes, whose highest bits come first.
//!
//! Readers take no lock; writers have one. A prefix never changes but for its children: what
//! replaces it gets copies of them.
#![allow(unsafe_code)]

mod node;

use std::sync::Mutex;

use crossbeam_epoch::pin;
use probity_isa::Size;

use self::node::{Link, Made, Prefix, Shape};
use super::flags::When;
use super::locked;
use super::memory::{Copied, Pinned};
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// Bytes of a key's length.
const LEN_BYTES: usize = 4;

/// A trie.
#[derive(Debug)]
pub(crate) struct Trie {
    root: Link,
    shape: Shape,
    max_entries: u32,
    count: Mutex<u32>,
}

/// A key in two parts.
#[derive(Clone, Copy)]
struct Key<'k> {
    len: u32,
    bytes: GuestBytes<'k>,
}

impl Trie {
    /// None without memory.
    pub(crate) fn new(key_size: u32, value_size: u32, max_entries: u32) -> Option<Trie> {
        let bytes = (key_size as usize).checked_sub(LEN_BYTES)?;
        let shape = Shape::new(bytes, value_size as usize)?;
        Some(Trie { root: Link::default(), shape, max_entries, count: Mutex::new(0) })
    }

    pub(crate) fn len(&self) -> u32 {
        *locked(&self.count)
    }

    /// A key whose length is one of this trie.
    fn key<'k>(&self, key: GuestBytes<'k>) -> Option<Key<'k>> {
        let len = key.get(0, Size::W)? as u32;
        let bytes = key.slice(LEN_BYTES, self.shape.bytes)?;
        (len as usize <= 8 * self.shape.bytes).then_some(Key { len, bytes })
    }

    /// How many bits a prefix and a key have in common, no more than either has.
    fn common(&self, node: &Prefix, key: Key<'_>) -> u32 {
        let most = node.len.min(key.len);
        let bits = self.shape.bits(node);
        let mut done = 0;
        while done < most {
            let at = (done / 8) as usize;
            let byte = |bytes: GuestBytes<'_>| bytes.get(at, Size::B).unwrap_or(0) as u8;
            let differ = byte(bits) ^ byte(key.bytes);
            if differ != 0 {
                return most.min(done + differ.leading_zeros());
            }
            done += 8;
        }
        most
    }

    fn longest<'p>(&self, key: GuestBytes<'_>, pinned: Pinned<'p>) -> Option<&'p Prefix> {
        let key = self.key(key)?;
        let mut found = None;
        let mut at = self.root.get(pinned);
        while let Some(node) = at {
            if self.common(node, key) < node.len {
                break;
            }
            if node.has_value {
                found = Some(node);
            }
            if node.len == key.len {
                break;
            }
            at = node.children[bit(key.bytes, node.len)].get(pinned);
        }
        found
    }

    /// The address of the value of the longest prefix; 0 when there is none.
    pub(crate) fn address(&self, key: GuestBytes<'_>, pinned: Pinned<'_>) -> u64 {
        self.longest(key, pinned).map_or(0, |node| self.shape.value(node).address())
    }

    /// A copy of it.
    pub(crate) fn value(&self, key: GuestBytes<'_>) -> Option<Vec<u8>> {
        let guard = pin();
        self.longest(key, Pinned::by(&guard)).map(|node| self.shape.value(node).to_vec())
    }

    pub(crate) fn update(&self, key: GuestBytes<'_>, value: GuestBytes<'_>, flags: u64) -> Result<(), Errno> {
        let when = When::from_flags(flags)?;
        // The key may be memory that others write: it is read once.
        let key = Copied::of_guest(key);
        let key = self.key(key.bytes()).ok_or(Errno::EINVAL)?;
        let guard = pin();
        let pinned = Pinned::by(&guard);
        let mut count = locked(&self.count);
        let (place, at) = self.walk(key, pinned);
        let exact = at.filter(|(node, common)| *common == node.len && node.len == key.len);
        let there = exact.is_some_and(|(node, _)| node.has_value);
        when.check(there)?;
        if !there && *count >= self.max_entries {
            return Err(Errno::ENOSPC);
        }
        let made = self.shape.make(key.bytes, key.len, Some(value)).ok_or(Errno::ENOMEM)?;
        match at {
            None => place.put(made),
            Some((node, _)) if exact.is_some() => self.replace(place, node, made, &guard),
            Some((node, common)) => {
                let its = bit(self.shape.bits(node), common);
                if common == key.len {
                    made.prefix().children[its].same_as(place);
                    place.put(made);
                } else {
                    let joint = self.shape.make(key.bytes, common, None).ok_or(Errno::ENOMEM)?;
                    joint.prefix().children[its].same_as(place);
                    joint.prefix().children[1 - its].put(made);
                    place.put(joint);
                }
            }
        }
        *count += u32::from(!there);
        Ok(())
    }

    /// The place where a key is or belongs, and what is there, with how many bits they share.
    fn walk<'p>(&'p self, key: Key<'_>, pinned: Pinned<'p>) -> (&'p Link, Option<(&'p Prefix, u32)>) {
        let mut place = &self.root;
        loop {
            let Some(node) = place.get(pinned) else { return (place, None) };
            let common = self.common(node, key);
            if common < node.len || node.len == key.len {
                return (place, Some((node, common)));
            }
            place = &node.children[bit(key.bytes, node.len)];
        }
    }

    /// Puts a prefix in the place of another of the same bits.
    fn replace(&self, place: &Link, old: &Prefix, made: Made, guard: &crossbeam_epoch::Guard) {
        for (new, old) in made.prefix().children.iter().zip(&old.children) {
            new.same_as(old);
        }
        let retired = place.retiring(self.shape);
        place.put(made);
        // SAFETY: nothing in the trie points to it since just now, and writers have a lock.
        unsafe { retired.retire(guard) };
    }

    pub(crate) fn delete(&self, key: GuestBytes<'_>) -> Result<(), Errno> {
        let key = Copied::of_guest(key);
        let key = self.key(key.bytes()).ok_or(Errno::EINVAL)?;
        let guard = pin();
        let pinned = Pinned::by(&guard);
        let mut count = locked(&self.count);
        let (mut above, mut place) = (None, &self.root);
        let node = loop {
            let node = place.get(pinned).ok_or(Errno::ENOENT)?;
            if self.common(node, key) < node.len {
                return Err(Errno::ENOENT);
            }
            if node.len == key.len {
                break node;
            }
            above = Some((place, node));
            place = &node.children[bit(key.bytes, node.len)];
        };
        if !node.has_value {
            return Err(Errno::ENOENT);
        }
        let below = node.children.each_ref().map(|child| child.get(pinned).is_some());
        if below == [true, true] {
            let made = self.shape.make(self.shape.bits(node), node.len, None).ok_or(Errno::ENOMEM)?;
            self.replace(place, node, made, &guard);
            *count -= 1;
            return Ok(());
        }
        let retired = place.retiring(self.shape);
        place.same_as(&node.children[usize::from(below[1])]);
        // SAFETY: nothing in the trie points to it since just now, and writers have a lock.
        unsafe { retired.retire(&guard) };
        if let Some((place, joint)) = above.filter(|(_, joint)| !joint.has_value && below == [false, false]) {
            // It joined two, of which one is left.
            let left = joint.children.iter().position(|child| child.get(pinned).is_some());
            let retired = place.retiring(self.shape);
            place.same_as(&joint.children[left.unwrap_or(0)]);
            // SAFETY: as above.
            unsafe { retired.retire(&guard) };
        }
        *count -= 1;
        Ok(())
    }

    /// Calls with each prefix that has a value, longer ones before those that they begin with.
    fn visit(&self, mut each: impl FnMut(&Prefix)) {
        let guard = pin();
        let pinned = Pinned::by(&guard);
        let mut todo: Vec<(&Prefix, bool)> =
            self.root.get(pinned).map(|node| (node, false)).into_iter().collect();
        while let Some((node, children_done)) = todo.pop() {
            if !children_done {
                todo.push((node, true));
                todo.extend(node.children.iter().rev().filter_map(|child| Some((child.get(pinned)?, false))));
            } else if node.has_value {
                each(node);
            }
        }
    }

    /// All keys with their values.
    pub(crate) fn pairs(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut pairs = Vec::new();
        self.visit(|node| {
            let mut key = node.len.to_ne_bytes().to_vec();
            key.extend(self.shape.bits(node).to_vec());
            pairs.push((key, self.shape.value(node).to_vec()));
        });
        pairs
    }

    /// The value that contains an address: its start.
    pub(crate) fn containing(&self, address: u64) -> Option<u64> {
        let mut found = None;
        self.visit(|node| {
            let start = self.shape.value(node).address();
            if address.wrapping_sub(start) < self.shape.value_size as u64 {
                found = Some(start);
            }
        });
        found
    }
}

impl Drop for Trie {
    fn drop(&mut self) {
        // SAFETY: nobody else has the trie; programs that may have addresses of values hold the map,
        // or are pinned since before its holder let it go.
        unsafe { self.root.free(self.shape) };
    }
}

/// A bit, the highest first.
fn bit(bytes: GuestBytes<'_>, index: u32) -> usize {
    let byte = bytes.get((index / 8) as usize, Size::B).unwrap_or(0);
    (byte >> (7 - index % 8) & 1) as usize
}
