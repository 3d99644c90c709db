//! That a concrete state is a member of an abstract one.

use probity_engine::state::{Reg, State, Tag};
use probity_platform::Behaviour;
use probity_vm::checked::Region;
use probity_vm::{Moment, Run};

/// Which register or slot is no member, if one is not. Registers that the program never wrote are
/// left out, and so are pointers of which the runtime knows nothing. `loose`: numbers, and how far
/// pointers are from where their memory begins, are left out too.
#[must_use]
pub fn misfit(moment: &Moment<'_>, run: &mut Run<'_>, state: &State, loose: bool) -> Option<String> {
    let frame = state.frame();
    for (index, reg) in frame.regs.iter().enumerate().take(10) {
        let value = moment.regs[index];
        if moment.written & 1 << index != 0 && !holds(moment, run, reg, value, loose) {
            return Some(format!("r{index} = {value:#x}: {reg:x?}"));
        }
    }
    let depth = state.current();
    for (index, slot) in frame.stack.slots().iter().enumerate() {
        let stack = moment.stack(run, depth);
        let Some(&word) = stack.len().checked_sub(index + 1).and_then(|at| stack.get(at)) else { break };
        if slot.is_full_spill() && !holds(moment, run, &slot.reg, word, loose) {
            return Some(format!("slot {index} = {word:#x}: {:x?}", slot.reg));
        }
        // Tag 0 is that of the last byte.
        let bytes = word.to_le_bytes();
        let zero = |(tag, byte): (&Tag, &u8)| *tag != Tag::Zero || *byte == 0;
        if !loose && !slot.tags.iter().zip(bytes.iter().rev()).all(zero) {
            return Some(format!("slot {index} = {bytes:x?}: {:?}", slot.tags));
        }
    }
    None
}

/// Whether the number or address is one that the register may hold.
fn holds(moment: &Moment<'_>, run: &mut Run<'_>, reg: &Reg, value: u64, loose: bool) -> bool {
    let Some(behaviour) = reg.behaviour else { return true };
    if reg.maybe_null() && value == 0 {
        return true;
    }
    let from = |base: u64| {
        let distance = value.wrapping_sub(base).wrapping_sub(i64::from(reg.off).cast_unsigned());
        contains_wide(&reg.val, distance)
    };
    if loose {
        return is_of(moment, run, reg, behaviour, value);
    }
    match behaviour {
        Behaviour::Scalar => reg.val.contains(value),
        Behaviour::Context => from(run.context()),
        Behaviour::Stack => {
            let words = moment.stack(run, reg.frame());
            from(words.as_ptr_range().end as u64)
        }
        Behaviour::MapValue => in_map(moment, run, reg, value, from),
        Behaviour::Packet => {
            let base = value.wrapping_sub(i64::from(reg.off).cast_unsigned());
            let proved = i64::from(reg.range().max(0)).cast_unsigned();
            let Some([meta, data, end]) = run.packet().map(probity_vm::Packet::addresses) else {
                return false;
            };
            // So many bytes from the variable part on are there.
            (from(data) || from(meta)) && (proved == 0 || base.wrapping_add(proved) <= end)
        }
        Behaviour::PacketEnd => run.packet().is_some_and(|packet| packet.addresses()[2] == value),
        // Nothing is known of the addresses of others.
        _ => true,
    }
}

/// Whether a pointer that points into memory of the program points into the right one.
fn is_of(moment: &Moment<'_>, run: &mut Run<'_>, reg: &Reg, behaviour: Behaviour, value: u64) -> bool {
    let Some(bounds) = moment.region(run, value) else { return true };
    match behaviour {
        Behaviour::Context => bounds.region == Region::Context,
        Behaviour::Stack => bounds.region == Region::Stack(reg.frame()) || value == bounds.start,
        Behaviour::MapValue if moment.unit.maps()[reg.map()].value_at(value).is_some() => {
            bounds.region == Region::MapValue(Some(reg.map()))
        }
        _ => true,
    }
}

/// A pointer to a value of a map: to one of those at the right distance. Where values begin is known
/// of arrays, and of what the pointer still points into.
fn in_map(moment: &Moment<'_>, run: &mut Run<'_>, reg: &Reg, value: u64, from: impl Fn(u64) -> bool) -> bool {
    let map = &moment.unit.maps()[reg.map()];
    if let Some(layout) = map.array_layout() {
        let entries = u64::from(layout.max_entries.min(64));
        return (0..entries).any(|index| from(layout.base + index * u64::from(layout.stride)));
    }
    match moment.region(run, value) {
        Some(bounds) if bounds.region == Region::MapValue(Some(reg.map())) => from(bounds.start),
        _ => true,
    }
}

/// Membership without the low half, which means nothing for pointers.
fn contains_wide(scalar: &probity_engine::domain::Scalar, x: u64) -> bool {
    let signed = x.cast_signed();
    scalar.tnum.contains(x)
        && (scalar.umin..=scalar.umax).contains(&x)
        && (scalar.smin..=scalar.smax).contains(&signed)
}
