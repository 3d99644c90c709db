//! Creates the maps of a program.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use probity_program::MapDef;

use super::{
    OracleError,
    sys::{self, MapCreate, MapFd},
};

const PERF_EVENT_ARRAY: u32 = 4;
const RINGBUF: u32 = 27;
const USER_RINGBUF: u32 = 31;

/// Creates all of them, in order, filled and frozen as they are defined.
pub(super) fn create_all(maps: &[MapDef], btf: Option<BorrowedFd<'_>>) -> Result<Vec<MapFd>, OracleError> {
    let one = |(index, map)| create(maps, map, btf, true).map_err(|error| OracleError::Map { index, error });
    maps.iter().enumerate().map(one).collect()
}

/// Creates the first of the maps in the very shape and with the types that it is defined with.
pub(super) fn create_exactly(maps: &[MapDef], btf: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let Some(map) = maps.first() else { return Err(io::ErrorKind::InvalidInput.into()) };
    let btf = btf.filter(|_| map.btf_value != 0).map(|btf| (btf, map.btf_key, map.btf_value));
    sys::map_create(&MapCreate { btf, ..MapCreate::of(map) }).map(drop)
}

/// Creates one map. A map of maps gets a template of its own, which ends with this call; templates
/// have no templates in turn.
fn create(maps: &[MapDef], map: &MapDef, btf: Option<BorrowedFd<'_>>, outer: bool) -> io::Result<MapFd> {
    let inner = match map.inner.and_then(|index| maps.get(index)) {
        Some(inner) if outer => Some(create(maps, inner, btf, false)?),
        _ => None,
    };
    let btf = btf.filter(|_| map.btf_value != 0).map(|btf| (btf, map.btf_key, map.btf_value));
    let inner = inner.as_ref().map(|inner| inner.fd.as_fd());
    let mut request = MapCreate { max_entries: capacity(map), inner, btf, ..MapCreate::of(map) };
    // Many types take no BTF. Those of special fields (locks, timers, kptrs) need it: without it
    // the program is refused then.
    let created = sys::map_create(&request)
        .or_else(|error| request.btf.take().map_or(Err(error), |_| sys::map_create(&request)))?;
    if let Some(contents) = map.contents.as_deref().filter(|bytes| !bytes.is_empty()) {
        sys::array_write(&created, contents)?;
    }
    if map.frozen {
        sys::map_freeze(created.fd.as_fd())?;
    }
    Ok(created)
}

/// The capacity; where the definition leaves it to a loader, the least that the kernel takes.
fn capacity(map: &MapDef) -> u32 {
    match (map.max_entries, map.map_type) {
        (0, RINGBUF | USER_RINGBUF) => 4096,
        (0, PERF_EVENT_ARRAY) => {
            std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1))
        }
        // Local storages have none.
        (0, 24 | 28 | 29 | 32) => 0,
        (0, _) if map.key_size != 0 => 1,
        (entries, _) => entries,
    }
}
