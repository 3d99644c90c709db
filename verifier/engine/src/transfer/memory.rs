//! Loads and stores: dispatch on the pointer, alignment, regions (verifier.md, section 4).

use probity_isa::{Size, Source};
use probity_platform::{Behaviour, Code as Why, PacketAccess, Rejection, Switches, TypeFlags};
use probity_program::flags;

use super::denied;
use crate::domain;
use crate::explore::walk::{Observer, Walk};
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
                self.check_leak(access, "mem")?;
                self.check_region(regno, &reg, full, size, reg.region_size(), false)?;
                self.loaded(access);
            }
            Some(Behaviour::Context) => self.access_context(regno, &reg, off, size, access, sign_extend)?,
            Some(Behaviour::Stack) => {
                self.access_stack(regno, full, size, access)?;
            }
            Some(Behaviour::Packet) => {
                if access.is_write() && !self.prog_type.packet.contains(PacketAccess::WRITE) {
                    return Err(denied(Why::ReadOnly, "cannot write into packet")
                        .facts("a program type that may write packets", self.prog_type.name));
                }
                self.check_leak(access, "packet")?;
                self.check_packet(regno, &reg, full, size, false)?;
                self.loaded(access);
            }
            Some(Behaviour::View) => self.access_view(regno, &reg, full, size, access)?,
            Some(Behaviour::Object) => self.access_object(regno, &reg, full, size, access)?,
            Some(Behaviour::StackObject | Behaviour::Arena) => {
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
            let keeps_link = !sign_extend || self.profile.switches.contains(Switches::SIGNED_FILL_LINKS);
            let reg = self.state.reg_mut(dst);
            if !keeps_link {
                reg.unlink();
            }
            if sign_extend {
                reg.val = domain::sign_extend(&reg.val, size);
            } else {
                domain::zero_extend_in(&mut reg.val, size);
            }
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

    pub(super) fn check_leak(&self, access: Access, into: &str) -> Result<(), Rejection> {
        match access {
            Access::Write(Stored::Reg(value)) if self.leaks(value) => {
                Err(denied(Why::PointerLeak, format!("R{value} leaks addr into {into}")))
            }
            _ => Ok(()),
        }
    }

    /// A load yields something unknown.
    pub(super) fn loaded(&mut self, access: Access) {
        if let Access::Read(Some(dst)) = access {
            let kind = self.kinds.scalar;
            self.state.reg_mut(dst).set_unknown(kind);
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
        self.check_leak(access, "map")?;
        self.check_map_permission(reg, off, size, access.is_write())?;
        let value_size = self.program.maps[reg.map()].value_size;
        self.check_region(regno, reg, off, size, value_size, false)?;
        self.check_beside_fields(reg, off, size)?;
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
}
