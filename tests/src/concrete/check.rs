//! That a concrete state is a member of an abstract one.

use probity_engine::state::{Reg, State, Tag};
use probity_platform::Behaviour;

use super::{machine::Machine, memory::Kind};

/// Which register or slot is no member, if one is not; `live` are the registers that are read.
#[must_use]
pub fn misfit(machine: &Machine<'_>, state: &State) -> Option<String> {
    let frame = state.frame();
    for (index, reg) in frame.regs.iter().enumerate().take(10) {
        if !holds(machine, reg, machine.regs[index]) {
            return Some(format!("r{index} = {:#x}: {reg:x?}", machine.regs[index]));
        }
    }
    let stack = machine.memory.find(Kind::Stack(state.current()))?;
    for (index, slot) in frame.stack.slots().iter().enumerate() {
        let end = stack.bytes.len() - 8 * index;
        let Some(start) = end.checked_sub(8) else { break };
        let bytes: [u8; 8] = stack.bytes[start..end].try_into().unwrap_or_default();
        if slot.is_full_spill() && !holds(machine, &slot.reg, u64::from_le_bytes(bytes)) {
            return Some(format!("slot {index} = {bytes:x?}: {:x?}", slot.reg));
        }
        // Tag 0 is that of the last byte.
        let zero = |(tag, byte): (&Tag, &u8)| *tag != Tag::Zero || *byte == 0;
        if !slot.tags.iter().zip(bytes.iter().rev()).all(zero) {
            return Some(format!("slot {index} = {bytes:x?}: {:?}", slot.tags));
        }
    }
    None
}

/// Whether the number or address is one that the register may hold.
fn holds(machine: &Machine<'_>, reg: &Reg, value: u64) -> bool {
    let Some(behaviour) = reg.behaviour else { return true };
    if reg.maybe_null() && value == 0 {
        return true;
    }
    let relative = |kind: Kind, start: usize| {
        machine.memory.find(kind).is_some_and(|region| {
            let distance = value.wrapping_sub(region.base + start as u64);
            reg.val.contains_wide(distance.wrapping_sub(i64::from(reg.off).cast_unsigned()))
        })
    };
    match behaviour {
        Behaviour::Scalar => reg.val.contains(value),
        Behaviour::Context => relative(Kind::Context, 0),
        Behaviour::Stack => {
            let kind = Kind::Stack(reg.frame());
            let len = machine.memory.find(kind).map_or(0, |region| region.bytes.len());
            relative(kind, len)
        }
        Behaviour::MapValue => relative(Kind::MapValue(reg.map()), 0),
        Behaviour::Packet => {
            let Some(packet) = machine.memory.find(Kind::Packet) else { return false };
            let base = value.wrapping_sub(i64::from(reg.off).cast_unsigned());
            let proved = i64::from(reg.range().max(0)).cast_unsigned();
            // So many bytes from the variable part on are there.
            let inside = proved == 0 || base.wrapping_add(proved) <= packet.base + packet.bytes.len() as u64;
            relative(Kind::Packet, 0) && inside
        }
        Behaviour::PacketEnd => {
            let end = machine.memory.find(Kind::Packet).map(|packet| packet.base + packet.bytes.len() as u64);
            end == Some(value)
        }
        // Nothing is known of the addresses of others.
        _ => true,
    }
}

/// Membership without the low half, which means nothing for pointers.
trait ContainsWide {
    fn contains_wide(&self, x: u64) -> bool;
}

impl ContainsWide for probity_engine::domain::Scalar {
    fn contains_wide(&self, x: u64) -> bool {
        let signed = x.cast_signed();
        self.tnum.contains(x)
            && (self.umin..=self.umax).contains(&x)
            && (self.smin..=self.smax).contains(&signed)
    }
}
