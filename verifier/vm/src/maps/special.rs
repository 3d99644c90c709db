//! What values hold beyond bytes, as far as the runtime has a use for it: a lock, a timer. Neither is
//! copied: user space sees zeros there, and who writes a value leaves the lock as it is. A timer ends
//! with the value that it was in, and when a value of an array is written anew.
//!
//! The types of a program say where they stand. A map is made without types, so that it learns of them
//! when the first program that has some for it is linked.

use std::ops::Range;
use std::sync::Weak;

use probity_engine::prepare::special_fields;
use probity_platform::{Intrinsic, Platform, Subject};
use probity_program::{MapDef, Program};

use super::array::index_of;
use super::memory::Pinned;
use super::{Kind, Map, locked};
use crate::guest::GuestBytes;

/// Bytes of a lock.
const LOCK: usize = 4;
/// Bytes of a timer.
const TIMER: usize = 16;

/// Where they are in a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Special {
    pub(crate) lock: Option<usize>,
    pub(crate) timer: Option<usize>,
}

/// The special field that an intrinsic works on.
fn field_of(platform: &Platform, intrinsic: Intrinsic) -> Option<u16> {
    let mut rows = platform.callables.iter().chain(platform.kfuncs);
    let row = rows.find(|row| row.body == Some(intrinsic))?;
    row.args.iter().find_map(|arg| match arg.subject {
        Subject::Field(field) => Some(field),
        _ => None,
    })
}

impl Special {
    /// What a program's types say of a map; None when it has no types for it.
    pub(crate) fn of(platform: &'static Platform, program: &Program, map: &MapDef) -> Option<Special> {
        let btf = program.btf.as_deref().filter(|_| map.btf_value != 0)?;
        let fields = special_fields::in_value(btf, platform, map.btf_value);
        let at = |intrinsic, size: usize, align: usize| {
            let index = field_of(platform, intrinsic)?;
            let field = fields.iter().find(|field| field.index == index)?;
            let offset = field.offset as usize;
            let fits = offset.is_multiple_of(align)
                && offset + size <= map.value_size as usize
                && field.row.size as usize == size
                && field.row.maps.contains(&map.map_type);
            fits.then_some(offset)
        };
        let (lock, timer) = (at(Intrinsic::SpinLock, LOCK, 4), at(Intrinsic::TimerInit, TIMER, 8));
        Some(Special { lock, timer })
    }

    /// Whether there is something.
    pub(crate) fn is_some(self) -> bool {
        self != Special::default()
    }

    /// Where it is, ascending.
    fn holes(self) -> [Range<usize>; 2] {
        let hole = |at: Option<usize>, len| at.map_or(0..0, |at| at..at + len);
        let (lock, timer) = (hole(self.lock, LOCK), hole(self.timer, TIMER));
        if lock.start <= timer.start { [lock, timer] } else { [timer, lock] }
    }

    /// Copies a value around it; under the lock in `to` when that is wanted and there is one.
    pub(crate) fn write(self, to: GuestBytes<'_>, from: GuestBytes<'_>, locks: bool) {
        self.under(to, locks, || {
            let mut at = 0;
            let [first, second] = self.holes();
            let end = to.len();
            for (until, next) in [(first.start, first.end), (second.start, second.end), (end, end)] {
                let len = until.saturating_sub(at);
                if let (Some(to), Some(from)) = (to.slice(at, len), from.slice(at, len)) {
                    to.copy_from(&from);
                }
                at = at.max(next);
            }
        });
    }

    /// A copy of a value, with zeros there; under its lock when that is wanted and there is one.
    pub(crate) fn read(self, value: GuestBytes<'_>, locks: bool) -> Vec<u8> {
        let mut copy = self.under(value, locks, || value.to_vec());
        self.hide(&mut copy);
        copy
    }

    /// Takes the timer out of a value.
    pub(crate) fn free(self, value: GuestBytes<'_>) {
        if let Some(timer) = self.timer.and_then(|at| value.slice(at, TIMER)) {
            timer.fill(0);
        }
    }

    /// Puts zeros there, in a copy of a value.
    pub(crate) fn hide(self, copy: &mut [u8]) {
        for hole in self.holes() {
            if let Some(hole) = copy.get_mut(hole) {
                hole.fill(0);
            }
        }
    }

    fn under<T>(self, value: GuestBytes<'_>, locks: bool, mut act: impl FnMut() -> T) -> T {
        let lock = self.lock.filter(|_| locks);
        lock.and_then(|at| value.locked(at, &mut act)).unwrap_or_else(act)
    }
}

impl Map {
    /// What its values hold beyond bytes.
    #[inline]
    pub(crate) fn special(&self) -> Special {
        self.special.get().copied().unwrap_or_default()
    }

    /// The element whose value contains an address, of maps whose values can have timers: where the
    /// value starts, and a copy of the key.
    pub(crate) fn element_at(&self, address: u64) -> Option<(u64, Vec<u8>)> {
        match &self.kind {
            _ if self.is_per_slot() || self.template.is_some() => None,
            Kind::Array(array) => {
                let start = array.containing(address)?;
                Some((start, array.index_at(start)?.to_ne_bytes().to_vec()))
            }
            Kind::Hash(hash) => hash.element_at(address),
            _ => None,
        }
    }

    /// As [`Map::element_at`], at once.
    ///
    /// # Safety
    ///
    /// A value of this map starts at the address.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn element_of(&self, value: u64) -> Option<(u64, Vec<u8>)> {
        match &self.kind {
            Kind::Hash(hash) if !self.is_per_slot() && self.template.is_none() => {
                // SAFETY: the caller's.
                Some((value, unsafe { hash.key_of(value) }))
            }
            _ => self.element_at(value),
        }
    }

    /// The value under a key that all run slots share.
    pub(crate) fn shared_value<'p>(
        &'p self,
        key: GuestBytes<'_>,
        pinned: Pinned<'p>,
    ) -> Option<GuestBytes<'p>> {
        match &self.kind {
            _ if self.is_per_slot() || self.template.is_some() => None,
            Kind::Array(array) => array.value(index_of(key), 0),
            Kind::Hash(hash) => hash.shared_value(key, pinned),
            _ => None,
        }
    }

    /// The map itself, for those that outlive a run.
    pub(crate) fn this(&self) -> Weak<Map> {
        Weak::clone(&self.this)
    }

    /// Learns what the values of the maps in it hold, those that are put in later too; false when it, or
    /// one of them, has learnt something else before. Where a timer stands, programs have proved by the
    /// template's types, and bodies rely on.
    pub(crate) fn learn_inner(&self, special: Option<Special>) -> bool {
        let Some(special) = special else { return true };
        let mut known = locked(&self.inner_special);
        let guard = crossbeam_epoch::pin();
        let is_same = *known.get_or_insert(special) == special;
        is_same && self.inner_maps(Pinned::by(&guard)).iter().all(|map| map.learn(Some(special)))
    }

    /// Learns what its values hold; false when it has learnt something else before.
    pub(crate) fn learn(&self, special: Option<Special>) -> bool {
        special.is_none_or(|special| *self.special.get_or_init(|| special) == special)
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Copied;
    use super::Special;

    #[test]
    fn around_and_hidden() {
        let special = Special { lock: Some(28), timer: Some(8) };
        let (to, from) = (Copied::of(&[1; 40]), Copied::of(&[2; 40]));
        to.bytes().slice(28, 4).expect("inside").fill(0);
        special.write(to.bytes(), from.bytes(), true);
        let expected = [[2; 8].as_slice(), &[1; 16], &[2; 4], &[0; 4], &[2; 8]].concat();
        assert_eq!(to.bytes().to_vec(), expected);
        let hidden = [[2; 8].as_slice(), &[0; 16], &[2; 4], &[0; 4], &[2; 8]].concat();
        assert_eq!(special.read(to.bytes(), true), hidden);
    }

    #[test]
    fn nothing_is_a_plain_copy() {
        let (to, from) = (Copied::of(&[1; 12]), Copied::of(&[2; 12]));
        Special::default().write(to.bytes(), from.bytes(), true);
        assert_eq!(to.bytes().to_vec(), [2; 12]);
    }
}
