//! A map of the kernel that stays open: what is in it is read and written as user space does.

use std::{fs, io, os::fd::AsFd};

use probity_program::MapDef;

use super::sys::{self, MapCreate, MapFd};

/// The error number of the kernel.
pub type Number = i32;

/// A map that is closed when it is dropped.
#[derive(Debug)]
pub struct LiveMap {
    map: MapFd,
    key_size: usize,
    value_size: usize,
}

/// How many processors the kernel keeps values for.
///
/// # Panics
///
/// When the kernel does not say.
#[must_use]
pub fn processors() -> usize {
    let possible = fs::read_to_string("/sys/devices/system/cpu/possible").expect("a list of processors");
    let last = possible.trim_end().rsplit([',', '-']).next().and_then(|last| last.parse::<usize>().ok());
    last.expect("a number") + 1
}

impl LiveMap {
    /// Creates a map; `value_size` is what user space sees, of all processors where each has its own.
    ///
    /// # Errors
    ///
    /// What the kernel answers.
    pub fn create(map: &MapDef, value_size: usize, inner: Option<&LiveMap>) -> io::Result<LiveMap> {
        let inner = inner.map(|inner| inner.map.fd.as_fd());
        let request = MapCreate { inner, ..MapCreate::of(map) };
        Ok(LiveMap { map: sys::map_create(&request)?, key_size: map.key_size as usize, value_size })
    }

    /// The descriptor's number, for instructions and for maps of maps.
    #[must_use]
    pub fn raw_fd(&self) -> i32 {
        self.map.raw_fd()
    }

    /// Reads an element, and deletes it with `takes`; of filters, asks for `value`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn get(&self, key: &[u8], value: &[u8], takes: bool) -> Result<Vec<u8>, Number> {
        let mut bytes = vec![0; self.value_size];
        let len = value.len().min(bytes.len());
        bytes[..len].copy_from_slice(&value[..len]);
        let key = self.checked(key)?;
        sys::map_lookup(&self.map, key, &mut bytes, takes).map(|()| bytes).map_err(number)
    }

    /// Writes an element.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<(), Number> {
        if value.len() != self.value_size {
            return Err(libc::EINVAL);
        }
        sys::map_update(&self.map, self.checked(key)?, value, flags).map_err(number)
    }

    /// Deletes an element.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn delete(&self, key: &[u8]) -> Result<(), Number> {
        sys::map_delete(&self.map, self.checked(key)?).map_err(number)
    }

    /// All keys, in the kernel's order.
    ///
    /// # Errors
    ///
    /// The kernel's, where keys can't be walked.
    pub fn keys(&self) -> Result<Vec<Vec<u8>>, Number> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut next = vec![0; self.key_size];
            let last = keys.last().map_or(&[][..], Vec::as_slice);
            match sys::map_next_key(&self.map, last, &mut next) {
                Ok(()) => keys.push(next),
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(keys),
                Err(error) => return Err(number(error)),
            }
        }
    }

    /// Takes user space the right to write.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn freeze(&self) -> Result<(), Number> {
        sys::map_freeze(self.map.fd.as_fd()).map_err(number)
    }

    /// The kernel reads as many bytes as the map's keys have.
    fn checked<'k>(&self, key: &'k [u8]) -> Result<&'k [u8], Number> {
        if key.len() == self.key_size { Ok(key) } else { Err(libc::EINVAL) }
    }
}

fn number(error: io::Error) -> Number {
    error.raw_os_error().unwrap_or(0)
}
