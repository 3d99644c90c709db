//! Maps of maps: which maps go in, and how user space puts them in.

use std::sync::Arc;

use probity_platform::MapBody;
use probity_program::MapDef;

use super::array::index_of;
use super::flags::{self, When};
use super::memory::{Copied, Pinned};
use super::{Kind, Map, locked};
use crate::errno::Errno;

impl Map {
    /// Whether a map may be put into one with this template: as far as programs can tell, they are
    /// the same.
    fn is_like(&self, template: &MapDef) -> bool {
        let own = self.definition();
        // What user space may do is no matter of programs.
        let user = flags::RDONLY | flags::WRONLY;
        let same = own.map_type == template.map_type
            && own.key_size == template.key_size
            && own.value_size == template.value_size
            && own.flags & !user == template.flags & !user;
        // Programs may have the capacity of the template's arrays in their code, unless it says that it
        // may be another.
        let fixed = self.body() == MapBody::Array && own.flags & flags::INNER_MAP == 0;
        same && (!fixed || own.max_entries == template.max_entries)
    }

    /// Puts a map into a map of maps.
    ///
    /// # Errors
    ///
    /// `EINVAL` when it is no map of maps, the key has the wrong size, or `inner` is not like the
    /// template; what updates give else.
    pub fn set_map(&self, key: &[u8], inner: &Arc<Map>, flags: u64) -> Result<(), Errno> {
        self.user_writes()?;
        let template = self.template.as_ref().ok_or(Errno::EINVAL)?;
        if key.len() != self.definition().key_size as usize || std::ptr::eq(self, &raw const **inner) {
            return Err(Errno::EINVAL);
        }
        let key = Copied::of(key);
        let special = locked(&self.inner_special);
        let fits = inner.is_like(template) && inner.slots() >= self.slots();
        let like = || if fits && inner.learn(*special) { Ok(()) } else { Err(Errno::EINVAL) };
        match &self.kind {
            Kind::Maps(held) => {
                if flags != flags::ANY {
                    return Err(Errno::EINVAL);
                }
                let index = index_of(key.bytes());
                if index >= held.len() {
                    return Err(Errno::E2BIG);
                }
                like()?;
                held.swap(index, Some(Arc::clone(inner)));
                Ok(())
            }
            Kind::Hash(hash) => {
                like()?;
                When::from_flags(flags)?;
                hash.update_map(key.bytes(), Arc::clone(inner), flags)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// The map under a key of a map of maps.
    #[must_use]
    pub fn map_at(&self, key: &[u8]) -> Option<Arc<Map>> {
        if key.len() != self.definition().key_size as usize {
            return None;
        }
        let key = Copied::of(key);
        match &self.kind {
            Kind::Maps(held) => held.get_arc(index_of(key.bytes())),
            Kind::Hash(hash) => hash.map(key.bytes()),
            _ => None,
        }
    }

    /// The inner map at an address, when it is in this one; for a run of a program that has this map,
    /// which is pinned for as long as it borrows it.
    #[allow(unsafe_code)]
    pub(crate) fn inner_at(&self, address: u64) -> Option<&Map> {
        // SAFETY: only runs call this: see above.
        let pinned = unsafe { Pinned::as_promised() };
        match &self.kind {
            Kind::Maps(held) => held.iter(pinned).find(|map| map.address() == address),
            Kind::Hash(hash) => hash.maps(pinned).find(|map| map.address() == address),
            _ => None,
        }
    }

    /// The maps in a map of maps, as it is just now.
    pub(super) fn inner_maps<'p>(&'p self, pinned: Pinned<'p>) -> Vec<&'p Map> {
        match &self.kind {
            Kind::Maps(held) => held.iter(pinned).collect(),
            Kind::Hash(hash) if self.template.is_some() => hash.maps(pinned).collect(),
            _ => Vec::new(),
        }
    }

    /// The template of the maps in a map of maps.
    #[must_use]
    pub fn template(&self) -> Option<&MapDef> {
        self.template.as_ref()
    }
}
