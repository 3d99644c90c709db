//! That an access lies in its region, wherever the variable part of its pointer puts it.

use probity_platform::{Behaviour, Code as Why, MapTraits, Rejection};
use probity_program::flags;

use super::denied;
use crate::domain::Scalar;
use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;

/// An unbounded or hugely offset access begins here.
pub(crate) const MAX_VAR_OFF: u64 = 1 << 29;

impl<O: Observer> Walk<'_, O> {
    /// A map may be closed to programs' reads or writes.
    pub(super) fn check_map_permission(
        &self,
        reg: &Reg,
        off: i64,
        size: u32,
        write: bool,
    ) -> Result<(), Rejection> {
        let map = &self.program.maps[reg.map()];
        let read_only =
            self.code.map_types[reg.map()].is_some_and(|row| row.traits.contains(MapTraits::READ_ONLY));
        let (closed, what) = if write {
            (flags::MAP_RDONLY_PROG, "write into")
        } else {
            (flags::MAP_WRONLY_PROG, "read from")
        };
        if map.flags & closed == 0 && !(write && read_only) {
            return Ok(());
        }
        let message = format!("{what} map forbidden, value_size={} off={off} size={size}", map.value_size);
        Err(denied(Why::ReadOnly, message))
    }

    /// The access lies in a region of `region` bytes, wherever the variable part puts it.
    pub(super) fn check_region(
        &self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        region: u32,
        zero_allowed: bool,
    ) -> Result<(), Rejection> {
        let known = || format!("{size} bytes at offset {} of {region}", print_range(off, &reg.val));
        let needed = || format!("every byte of the access lies in the {region} bytes");
        if reg.val.smin < 0 && off.checked_add(reg.val.smin).is_none_or(|low| low < 0) {
            return Err(negative(regno).facts(needed(), known()));
        }
        let low = off.saturating_add(reg.val.smin);
        self.check_fixed(regno, reg, low, size, region, zero_allowed).map_err(|rejection| {
            follow(rejection, format!("R{regno} min value is outside of the allowed memory range"))
                .facts(needed(), known())
        })?;
        if reg.val.umax >= MAX_VAR_OFF {
            let message =
                format!("R{regno} unbounded memory access, make sure to bounds check any such access");
            return Err(denied(Why::UnboundedAccess, message).facts(needed(), known()));
        }
        let high = off.saturating_add(reg.val.umax.cast_signed());
        self.check_fixed(regno, reg, high, size, region, zero_allowed).map_err(|rejection| {
            follow(rejection, format!("R{regno} max value is outside of the allowed memory range"))
                .facts(needed(), known())
        })
    }

    fn check_fixed(
        &self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        region: u32,
        zero_allowed: bool,
    ) -> Result<(), Rejection> {
        let size_fits = size > 0 || zero_allowed;
        if off >= 0 && size_fits && off.saturating_add(i64::from(size)) <= i64::from(region) {
            return Ok(());
        }
        // The kernel prints 32 bits of the offset.
        let off = off as i32;
        let message = match reg.behaviour {
            Some(Behaviour::MapKey) => {
                format!("invalid access to map key, key_size={region} off={off} size={size}")
            }
            Some(Behaviour::MapValue) => {
                format!("invalid access to map value, value_size={region} off={off} size={size}")
            }
            Some(Behaviour::Packet) => format!(
                "invalid access to packet, off={off} size={size}, R{regno}(id={},off={off},r={region})",
                reg.id
            ),
            _ => format!("invalid access to memory, mem_size={region} off={off} size={size}"),
        };
        Err(denied(Why::OutOfBounds, message))
    }

    /// The access lies in what a comparison with the packet's end proved.
    pub(super) fn check_packet(
        &self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        zero_allowed: bool,
    ) -> Result<(), Rejection> {
        let facts = |rejection: Rejection| {
            let end = off + i64::from(size);
            let known = match reg.range() {
                range if range < 0 => "on this path the pointer is at or behind the end".to_owned(),
                0 => "no comparison proves any byte".to_owned(),
                range => format!("a comparison proves {range} bytes"),
            };
            rejection
                .facts(format!("a comparison with the packet's end proves {end} bytes for r{regno}"), known)
        };
        if reg.val.smin < 0 {
            return Err(facts(negative(regno)));
        }
        let outside = || format!("R{regno} offset is outside of the packet");
        if reg.range() < 0 {
            let rejection = Rejection::new(Why::PacketOutOfBounds, outside());
            return Err(facts(rejection.errno(probity_platform::rejection::EINVAL)));
        }
        let range = reg.range().cast_unsigned();
        self.check_fixed(regno, reg, off, size, range, zero_allowed).map_err(|mut rejection| {
            rejection.code = Why::PacketOutOfBounds;
            facts(follow(rejection, outside()))
        })
    }
}

pub(super) fn negative(regno: u8) -> Rejection {
    denied(
        Why::NegativeOffset,
        format!("R{regno} min value is negative, either use unsigned index or do a if (index >=0) check."),
    )
}

/// The kernel often says a thing in two lines.
pub(super) fn follow(mut rejection: Rejection, line: String) -> Rejection {
    rejection.message.push('\n');
    rejection.message.push_str(&line);
    rejection
}

fn print_range(off: i64, value: &Scalar) -> String {
    match value.is_const() {
        Some(known) => off.saturating_add(known.cast_signed()).to_string(),
        None if value.smin < 0 => {
            format!("{} to {}", off.saturating_add(value.smin), off.saturating_add(value.smax))
        }
        None => format!(
            "{} to {}",
            i128::from(off) + i128::from(value.umin),
            i128::from(off) + i128::from(value.umax)
        ),
    }
}
