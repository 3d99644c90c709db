//! That a concrete state is a member of an abstract one.

use probity_engine::state::{Reg, State, Tag, object::ObjectSlot};
use probity_linux::PLATFORM;
use probity_platform::Behaviour;
use probity_vm::checked::Region;
use probity_vm::{Moment, Run};

/// What the registers of a frame hold; of one that waits, at its call.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// r0 to r10.
    pub values: [u64; 11],
    /// Which of them were written, as bits.
    pub written: u16,
}

/// A machine at an instruction.
#[derive(Debug)]
pub struct Place<'a> {
    /// What shows its memory.
    pub moment: &'a Moment<'a>,
    /// Its frames, the running one last.
    pub frames: &'a [Registers],
    /// Which of them is the first of the function that was verified by itself.
    pub base: usize,
    /// The instruction that the running frame is at.
    pub pc: usize,
}

/// The instruction that a frame of a state is at: the call, where it waits.
pub(super) fn pc_of(state: &State, frame: usize, pc: usize) -> usize {
    state.frames.get(frame + 1).map_or(pc, |callee| callee.callsite)
}

/// Which register or slot is no member, if one is not. Registers that the program never wrote are
/// left out, those that `live` (by instruction) has not, and pointers of which the runtime knows
/// nothing. `loose`: numbers, and how far pointers are from where their memory begins, are left out too.
#[must_use]
pub fn misfit(
    place: &Place<'_>,
    run: &mut Run<'_>,
    state: &State,
    live: impl Fn(usize) -> u16,
    loose: bool,
) -> Option<String> {
    for (depth, frame) in state.frames.iter().enumerate() {
        let registers = &place.frames[place.base + depth];
        let counted = registers.written & live(pc_of(state, depth, place.pc));
        for (index, reg) in frame.regs.iter().enumerate().take(10) {
            let value = registers.values[index];
            if counted & 1 << index != 0 && !holds(place, run, reg, value, loose) {
                return Some(format!("frame {depth}, r{index} = {value:#x}: {reg:x?}"));
            }
        }
        for (index, slot) in frame.stack.slots().iter().enumerate() {
            let stack = place.moment.stack(run, place.base + depth);
            let Some(&word) = stack.len().checked_sub(index + 1).and_then(|at| stack.get(at)) else { break };
            // Where numbers are left out, slots that nothing reads any more may hold anything.
            let dead = loose && word == 0;
            if slot.is_full_spill() && !dead && !holds(place, run, &slot.reg, word, loose) {
                return Some(format!("frame {depth}, slot {index} = {word:#x}: {:x?}", slot.reg));
            }
            // Tag 0 is that of the last byte.
            let bytes = word.to_le_bytes();
            let zero = |(tag, byte): (&Tag, &u8)| *tag != Tag::Zero || *byte == 0;
            if !loose && !slot.tags.iter().zip(bytes.iter().rev()).all(zero) {
                return Some(format!("frame {depth}, slot {index} = {bytes:x?}: {:?}", slot.tags));
            }
            if slot.is_object() && word != 0 && is_drained(&slot.reg) {
                return Some(format!("frame {depth}, slot {index} = {word:#x}: a drained iterator"));
            }
        }
    }
    None
}

/// An iterator over numbers that gave all: its memory is zeros.
fn is_drained(slot: &Reg) -> bool {
    let object = ObjectSlot::of(slot);
    PLATFORM.stack_objects[usize::from(object.object)].name == "bpf_iter_num" && object.state != 0
}

/// Where the memory begins that a pointer points into, if all is known of how far it is from there.
pub(super) fn begin(reg: &Reg, value: u64) -> Option<u64> {
    let var = reg.val.is_const()?;
    Some(value.wrapping_sub(var).wrapping_sub(i64::from(reg.off).cast_unsigned()))
}

/// Whether the number or address is one that the register may hold.
fn holds(place: &Place<'_>, run: &mut Run<'_>, reg: &Reg, value: u64, loose: bool) -> bool {
    let moment = place.moment;
    let Some(behaviour) = reg.behaviour else { return true };
    let number = matches!(behaviour, Behaviour::Scalar | Behaviour::Arena);
    if value == 0 && !number {
        return reg.maybe_null();
    }
    let from = |base: u64| {
        let distance = value.wrapping_sub(base).wrapping_sub(i64::from(reg.off).cast_unsigned());
        contains_wide(&reg.val, distance)
    };
    if loose {
        return is_of(place, run, reg, behaviour, value);
    }
    match behaviour {
        Behaviour::Scalar => reg.val.contains(value),
        Behaviour::Context => from(moment.context(run)),
        Behaviour::Stack => {
            let words = moment.stack(run, place.base + reg.frame());
            from(words.as_ptr_range().end as u64)
        }
        Behaviour::MapValue => in_map(moment, run, reg, value, from),
        Behaviour::MapKey => {
            let size = moment.unit.maps()[reg.map()].definition().key_size;
            is_there(moment, run, reg, value, size)
        }
        Behaviour::Region => is_there(moment, run, reg, value, reg.region_size()),
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

/// Whether there is so much memory where a pointer's begins: memory that was given back is not.
fn is_there(moment: &Moment<'_>, run: &mut Run<'_>, reg: &Reg, value: u64, size: u32) -> bool {
    begin(reg, value).is_none_or(|begin| moment.memory(run, begin, size.into()).is_some())
}

/// Whether a pointer that points into memory of the program points into the right one.
fn is_of(place: &Place<'_>, run: &mut Run<'_>, reg: &Reg, behaviour: Behaviour, value: u64) -> bool {
    let moment = place.moment;
    let Some(bounds) = moment.region(run, value) else { return true };
    match behaviour {
        Behaviour::Context => bounds.region == Region::Context,
        Behaviour::Stack => bounds.region == Region::Stack(place.base + reg.frame()) || value == bounds.start,
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
