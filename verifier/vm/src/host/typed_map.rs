//! Maps whose keys and values are structs of the spec, for hosts: copies in and out.

use super::memory::{Bytes, BytesMut};
use super::plain::Plain;
use crate::errno::Errno;
use crate::guest::GuestBytes;
use crate::maps::{Map, flags};

/// The bytes of a value.
fn bytes_of<T: Plain>(value: &T) -> Vec<u8> {
    let mut bytes = vec![0; T::SIZE];
    value.store(BytesMut(GuestBytes::of(&mut bytes)));
    bytes
}

impl Map {
    /// A copy of the value under a key; None when there is none, user space may not read it, or key or value
    /// are of other sizes than the map's. Of a map whose run slots have values of their own: that of the first.
    #[must_use]
    pub fn value<K: Plain, V: Plain>(&self, key: &K) -> Option<V> {
        if self.definition().value_size as usize != V::SIZE {
            return None;
        }
        let mut value = self.get(&bytes_of(key)).ok()?;
        Some(V::load(Bytes(GuestBytes::of(&mut value))))
    }

    /// Copies of the values that run slots have under a key, where each has its own; none when there are
    /// none, or key or value are of other sizes.
    #[must_use]
    pub fn values<K: Plain, V: Plain>(&self, key: &K) -> Vec<V> {
        let fits = self.definition().value_size as usize == V::SIZE;
        let all = self.lookup_percpu(&bytes_of(key)).filter(|_| fits).unwrap_or_default();
        all.into_iter().map(|mut value| V::load(Bytes(GuestBytes::of(&mut value)))).collect()
    }

    /// Sets the value under a key.
    ///
    /// # Errors
    ///
    /// As for [`Map::update`]: `EINVAL` when key or value are of other sizes than the map's.
    pub fn set_value<K: Plain, V: Plain>(&self, key: &K, value: &V) -> Result<(), Errno> {
        self.update(&bytes_of(key), &bytes_of(value), flags::ANY)
    }
}
