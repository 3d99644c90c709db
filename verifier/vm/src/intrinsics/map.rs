//! Maps.

use super::{Args, Body};
use crate::errno::status;
use crate::guest::GuestBytes;
use crate::maps::{Map, Pinned};
use crate::run::{Left, Run};

fn key<'m>(args: Args<'m>, map: &Map) -> GuestBytes<'m> {
    args.memory(1, map.definition().key_size as usize)
}

fn value<'m>(args: Args<'m>, index: usize, map: &Map) -> GuestBytes<'m> {
    args.memory(index, map.definition().value_size as usize)
}

/// `(map, key)`: an address, or 0.
pub(super) struct Lookup;

impl Body for Lookup {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(map.lookup_address(key(args, map), run.slot, Pinned::by_run(run)))
    }
}

/// `(map, key, processor)`: an address, or 0.
pub(super) struct LookupPercpu;

impl Body for LookupPercpu {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(map.lookup_address_of_slot(key(args, map), args.number(2) as u32, Pinned::by_run(run)))
    }
}

/// `(map, key, value, flags)`.
pub(super) struct Update;

impl Body for Update {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(status(map.update_by_program(key(args, map), value(args, 2, map), args.number(3), run.slot)))
    }
}

/// `(map, key)`.
pub(super) struct Delete;

impl Body for Delete {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(status(map.delete_by_program(key(args, map))))
    }
}

/// `(map, value, flags)`.
pub(super) struct Push;

impl Body for Push {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(status(map.push_by_program(value(args, 1, map), args.number(2))))
    }
}

/// `(map, value)`.
pub(super) struct Pop;

impl Body for Pop {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(status(map.pop_by_program(value(args, 1, map))))
    }
}

/// `(map, value)`.
pub(super) struct Peek;

impl Body for Peek {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(0);
        Ok(status(map.look(value(args, 1, map))))
    }
}

/// `(map, function, context, flags)`: how many were visited.
pub(super) struct ForEach;

impl Body for ForEach {
    const MAY_LEAVE: bool = true;

    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        args.map(0).for_each(run, args.number(1), args.number(2), args.number(3))
    }
}
