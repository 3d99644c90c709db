//! Loads and stores: dispatch on the pointer, alignment, regions (verifier.md, section 4).

use probity_isa::{Size, Source};
use probity_platform::{Behaviour, Code as Why, PacketAccess, Rejection, TypeFlags};
use probity_program::flags;

use super::denied;
use crate::domain::{self, Scalar, Tnum};
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::Reg;
use crate::unsupported;

/// What an access does, and with which value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It loads into a register, or nowhere.
    Read(Option<u8>),
    /// It stores a register, a constant, or something unknown.
    Write(Stored),
}

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A register.
    Reg(u8),
    /// The immediate of the instruction.
    Imm(i32),
    /// Something unknown: a helper writes.
    Unknown,
}

impl Access {
    pub(crate) fn is_write(self) -> bool {
        matches!(self, Access::Write(_))
    }
}

/// An unbounded or hugely offset access begins here.
pub(crate) const MAX_VAR_OFF: u64 = 1 << 29;
/// What the network stack leaves in front of an Ethernet header so that IP is aligned.
const NET_IP_ALIGN: u64 = 2;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn load(
        &mut self,
        size: Size,
        sign_extend: bool,
        dst: u8,
        src: u8,
        off: i16,
    ) -> Result<(), Rejection> {
        self.check_readable(src)?;
        self.check_writable(dst)?;
        let base = *self.state.reg(src);
        self.access(src, i32::from(off), size.bytes(), Access::Read(Some(dst)), sign_extend, false)?;
        self.same_pointer_type(&base)
    }

    pub(super) fn store(&mut self, size: Size, dst: u8, off: i16, src: Source) -> Result<(), Rejection> {
        self.check_source(src)?;
        self.check_readable(dst)?;
        let base = *self.state.reg(dst);
        let stored = match src {
            Source::Reg(reg) => Stored::Reg(reg),
            Source::Imm(imm) => Stored::Imm(imm),
        };
        self.access(dst, i32::from(off), size.bytes(), Access::Write(stored), false, false)?;
        self.same_pointer_type(&base)
    }

    /// Accesses `size` bytes at `off` from a register.
    pub(crate) fn access(
        &mut self,
        regno: u8,
        off: i32,
        size: u32,
        access: Access,
        sign_extend: bool,
        aligned: bool,
    ) -> Result<(), Rejection> {
        let reg = *self.state.reg(regno);
        self.check_alignment(&reg, off, size, aligned)?;
        let full = i64::from(off) + i64::from(reg.off);
        if reg.maybe_null() {
            return Err(self.no_memory(regno));
        }
        match reg.behaviour {
            Some(Behaviour::MapValue) => self.access_map_value(regno, &reg, full, size, access)?,
            Some(Behaviour::MapKey) => {
                if access.is_write() {
                    return Err(denied(Why::ReadOnly, format!("write to change key R{regno} not allowed")));
                }
                let key_size = self.program.maps[reg.map()].key_size;
                self.check_region(regno, &reg, full, size, key_size, false)?;
                self.loaded(access);
            }
            Some(Behaviour::Region) => {
                if access.is_write() && reg.flags.contains(TypeFlags::MEM_RDONLY) {
                    return Err(self.cannot_write(regno));
                }
                self.check_leak(regno, access, "mem")?;
                self.check_region(regno, &reg, full, size, reg.region_size(), false)?;
                self.loaded(access);
            }
            Some(Behaviour::Context) => self.access_context(regno, &reg, off, size, access)?,
            Some(Behaviour::Stack) => {
                self.access_stack(regno, full, size, access, sign_extend)?;
            }
            Some(Behaviour::Packet) => {
                if access.is_write() && !self.prog_type.packet.contains(PacketAccess::WRITE) {
                    return Err(denied(Why::ReadOnly, "cannot write into packet")
                        .facts("a program type that may write packets", self.prog_type.name));
                }
                self.check_leak(regno, access, "packet")?;
                self.check_packet(regno, &reg, full, size, false)?;
                self.loaded(access);
            }
            Some(Behaviour::View) => self.access_view(regno, &reg, full, size, access)?,
            Some(Behaviour::Object | Behaviour::StackObject | Behaviour::Arena) => {
                return Err(unsupported(format!("access through {}", self.type_of(regno))));
            }
            Some(Behaviour::Map) => return Err(unsupported("access to a map's own fields")),
            None | Some(Behaviour::Scalar | Behaviour::PacketEnd | Behaviour::Handle | Behaviour::Func) => {
                return Err(self.no_memory(regno));
            }
        }
        if let Access::Read(Some(dst)) = access
            && size < 8
            && self.state.reg(dst).is_scalar()
        {
            let reg = self.state.reg_mut(dst);
            reg.val = if sign_extend {
                domain::sign_extend(&reg.val, size)
            } else {
                domain::zero_extend(&reg.val, size)
            };
        }
        Ok(())
    }

    fn no_memory(&self, regno: u8) -> Rejection {
        let name = self.type_of(regno);
        let why = if self.state.reg(regno).maybe_null() { Why::MaybeNull } else { Why::InvalidMemAccess };
        let needed = if why == Why::MaybeNull {
            format!("r{regno} was compared with 0 on this path")
        } else {
            format!("r{regno} points to memory")
        };
        denied(why, format!("R{regno} invalid mem access '{name}'"))
            .facts(needed, format!("r{regno} is {name}"))
    }

    pub(super) fn cannot_write(&self, regno: u8) -> Rejection {
        denied(Why::ReadOnly, format!("R{regno} cannot write into {}", self.type_of(regno)))
    }

    fn check_leak(&self, regno: u8, access: Access, into: &str) -> Result<(), Rejection> {
        match access {
            Access::Write(Stored::Reg(value)) if self.leaks(value) => {
                let _ = regno;
                Err(denied(Why::PointerLeak, format!("R{value} leaks addr into {into}")))
            }
            _ => Ok(()),
        }
    }

    /// A load yields something unknown.
    pub(super) fn loaded(&mut self, access: Access) {
        if let Access::Read(Some(dst)) = access {
            *self.state.reg_mut(dst) = self.unknown();
        }
    }

    fn access_map_value(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        access: Access,
    ) -> Result<(), Rejection> {
        self.check_leak(regno, access, "map")?;
        self.check_map_permission(reg, off, size, access.is_write())?;
        let value_size = self.program.maps[reg.map()].value_size;
        self.check_region(regno, reg, off, size, value_size, false)?;
        self.loaded(access);
        if let Access::Read(Some(dst)) = access
            && let Some(value) = self.frozen_value(reg, off, size)
        {
            *self.state.reg_mut(dst) = self.constant(value);
        }
        Ok(())
    }

    /// The contents of a map that nobody can change are known.
    fn frozen_value(&self, reg: &Reg, off: i64, size: u32) -> Option<u64> {
        let map = &self.program.maps[reg.map()];
        if !map.frozen || map.flags & flags::MAP_RDONLY_PROG == 0 {
            return None;
        }
        let at = usize::try_from(off.checked_add(reg.val.is_const()?.cast_signed())?).ok()?;
        let bytes = map.contents.as_ref()?.get(at..at + size as usize)?;
        Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// A map may be closed to programs' reads or writes.
    pub(super) fn check_map_permission(
        &self,
        reg: &Reg,
        off: i64,
        size: u32,
        write: bool,
    ) -> Result<(), Rejection> {
        let map = &self.program.maps[reg.map()];
        let (closed, what) = if write {
            (flags::MAP_RDONLY_PROG, "write into")
        } else {
            (flags::MAP_WRONLY_PROG, "read from")
        };
        if map.flags & closed == 0 {
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
        if off >= 0 && size_fits && off + i64::from(size) <= i64::from(region) {
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
        let needed = format!(
            "the packet was compared with its end and has {} bytes behind the pointer that r{regno} derives from",
            off + i64::from(size)
        );
        let known = match reg.range() {
            range if range < 0 => "on this path the pointer is at or behind the end".to_owned(),
            0 => "no comparison proves any byte".to_owned(),
            range => format!("a comparison proves {range} bytes"),
        };
        if reg.val.smin < 0 {
            return Err(negative(regno).facts(needed, known));
        }
        let outside = format!("R{regno} offset is outside of the packet");
        if reg.range() < 0 {
            return Err(Rejection::new(Why::PacketOutOfBounds, outside)
                .errno(probity_platform::rejection::EINVAL)
                .facts(needed, known));
        }
        self.check_fixed(regno, reg, off, size, reg.range().cast_unsigned(), zero_allowed).map_err(
            |mut rejection| {
                rejection.code = Why::PacketOutOfBounds;
                follow(rejection, outside).facts(needed, known)
            },
        )
    }

    /// The access is aligned, where it must be.
    pub(super) fn check_alignment(
        &self,
        reg: &Reg,
        off: i32,
        size: u32,
        always: bool,
    ) -> Result<(), Rejection> {
        let strict = self.strict_alignment || always || reg.behaviour == Some(Behaviour::Stack);
        if !strict || size == 1 || matches!(reg.behaviour, None | Some(Behaviour::Scalar | Behaviour::Arena))
        {
            return Ok(());
        }
        let packet = reg.behaviour == Some(Behaviour::Packet);
        let base = if packet { NET_IP_ALIGN } else { 0 };
        let fixed = i64::from(reg.off) + i64::from(off);
        let at = reg.val.tnum.add(Tnum::constant(fixed.cast_unsigned().wrapping_add(base)));
        if (at.value | at.mask) & (u64::from(size) - 1) == 0 {
            return Ok(());
        }
        let var = print::tnum(reg.val.tnum);
        let message = if packet {
            format!("misaligned packet access off {base}+{var}+{}+{off} size {size}", reg.off)
        } else {
            let what = match reg.behaviour {
                Some(Behaviour::Stack) => "stack ",
                Some(Behaviour::MapValue) => "value ",
                Some(Behaviour::MapKey) => "key ",
                Some(Behaviour::Context) => "context ",
                Some(Behaviour::View) => "sock ",
                _ => "",
            };
            format!("misaligned {what}access off {var}+{}+{off} size {size}", reg.off)
        };
        Err(denied(Why::Misaligned, message)
            .facts(format!("an offset that is a multiple of {size}"), format!("offset {var} plus {fixed}")))
    }

    /// Where the kernel rewrites an access by the pointer's type, one instruction must not meet
    /// two of them.
    pub(super) fn same_pointer_type(&mut self, reg: &Reg) -> Result<(), Rejection> {
        let Some(behaviour) = reg.behaviour else { return Ok(()) };
        let rewritten = |behaviour| {
            matches!(behaviour, Behaviour::Context | Behaviour::View | Behaviour::Object | Behaviour::Arena)
        };
        let now = (behaviour, reg.kind);
        match self.pointer_seen[self.pc] {
            None => self.pointer_seen[self.pc] = Some(now),
            Some(seen) if seen != now && (rewritten(seen.0) || rewritten(behaviour)) => {
                return Err(Rejection::new(
                    Why::MixedPointers,
                    "same insn cannot be used with different pointers",
                ));
            }
            Some(_) => {}
        }
        Ok(())
    }
}

pub(super) fn negative(regno: u8) -> Rejection {
    denied(
        Why::NegativeOffset,
        format!("R{regno} min value is negative, either use unsigned index or do a if (index >=0) check."),
    )
}

/// The kernel often says a thing in two lines.
fn follow(mut rejection: Rejection, line: String) -> Rejection {
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
