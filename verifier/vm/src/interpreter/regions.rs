//! Which memory a run may reach: its stack, context, packet and the values of its maps.

use probity_isa::Size;
use probity_platform::{GuardEnv, PacketAccess};

use crate::context::{Converted, convert};
use crate::host;
use crate::run::Run;
use crate::unit::Unit;

/// What is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Bytes: where they are, how many of them are accessed, whether they are of the stack.
    Bytes {
        /// Where.
        address: u64,
        /// How many.
        size: Size,
        /// Of the stack.
        stack: bool,
    },
    /// A field that the host does not have.
    Zero,
}

/// A piece of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// A frame's stack, by the frame's number from 0.
    Stack(usize),
    /// The context.
    Context,
    /// The packet, or the metadata in front of it.
    Packet,
    /// An object of the host's: an index into [`probity_platform::Platform::objects`].
    Object(u16),
    /// Memory of the host's.
    Host,
    /// A value of a map: the map's index in the program, or None of an inner one, and of what the
    /// runtime calls back with: a key, say.
    MapValue(Option<usize>),
}

/// A region with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Which.
    pub region: Region,
    /// Its first byte.
    pub start: u64,
    /// How many bytes.
    pub len: u64,
    /// Whether it may be written.
    pub writable: bool,
}

/// Bytes of stack of a frame of a platform.
pub(crate) fn frame_bytes(unit: &Unit) -> u64 {
    u64::from(unit.platform.limits.stack.next_multiple_of(8))
}

fn contains(start: u64, len: u64, address: u64, size: u64) -> bool {
    address.checked_sub(start).is_some_and(|at| at.checked_add(size).is_some_and(|end| end <= len))
}

/// The region that holds all of `size` bytes at an address, if one does.
pub(crate) fn find(run: &mut Run<'_>, address: u64, size: u64) -> Option<Bounds> {
    let unit = run.unit;
    let frame = frame_bytes(unit);
    let (stack, _) = run.worker.frames(frame, 0, true);
    let used = u64::from(run.frames_used) * frame;
    if contains(stack, used, address, size) {
        let number = (address - stack) / frame;
        let start = stack + number * frame;
        let bounds = Bounds { region: Region::Stack(number as usize), start, len: frame, writable: true };
        return contains(start, frame, address, size).then_some(bounds);
    }
    let view = unit.view();
    if contains(run.context, view.size.into(), address, size) {
        let writable = view.is_writable();
        return Some(Bounds { region: Region::Context, start: run.context, len: view.size.into(), writable });
    }
    if let Some(packet) = run.packet.get() {
        let [meta, _, end] = packet.addresses();
        if contains(meta, end - meta, address, size) && unit.prog_type.packet.contains(PacketAccess::READ) {
            let writable = unit.prog_type.packet.contains(PacketAccess::WRITE);
            return Some(Bounds { region: Region::Packet, start: meta, len: end - meta, writable });
        }
    }
    for (index, map) in unit.maps.iter().enumerate() {
        if let Some((start, len, writable)) = map.value_at(address) {
            let bounds = Bounds { region: Region::MapValue(Some(index)), start, len: len as u64, writable };
            return contains(start, len as u64, address, size).then_some(bounds);
        }
    }
    let kept = run.kept.iter().copied().find(|kept| contains(kept.start, kept.len, address, size));
    kept.or_else(|| host::region_at(run, address, size))
}

/// Notes the value that a call returned: it stays the program's when it is deleted, and when its map
/// came out of another. `of` is the map that it is a value of, when the callable says which.
pub(crate) fn keep(run: &mut Run<'_>, value: u64, maps: &[u64], of: Option<u64>) {
    let unit = run.unit;
    let inner = || maps.iter().filter_map(|&map| unit.maps.iter().find_map(|outer| outer.inner_at(map)));
    let all = || unit.maps.iter().map(std::sync::Arc::as_ref).chain(inner());
    let found = all().find_map(|map| map.value_at(value));
    // Another thread may have taken it out of the map already.
    let given = || all().find(|map| Some(map.address()) == of)?.value_given(value);
    let found = found.or_else(given);
    if let Some((start, len, writable)) = found {
        run.keep(start, len as u64, writable);
    }
}

/// Where an access of `size` bytes at an address goes; what is wrong when it goes nowhere.
pub(crate) fn locate(run: &mut Run<'_>, address: u64, size: u64, write: bool) -> Result<Place, &'static str> {
    let found =
        find(run, address, size).ok_or(if address < 4096 { "null" } else { "no memory of the program" })?;
    let unit = run.unit;
    let offset = (address - found.start) as u32;
    let env = || GuardEnv {
        profile: &unit.profile,
        prog_type: unit.program.prog_type,
        attach: unit.prog_type.attach_type(unit.program.attach_type),
        sleepable: unit.program.flags & probity_program::flags::SLEEPABLE != 0,
        target: &unit.program.target,
    };
    let bytes = size as u32;
    let size = size_of(size).ok_or("no size of an access")?;
    match found.region {
        Region::Context => {
            let allowed = unit.view().access(offset, bytes, write, &env());
            allowed.ok_or("no such field of the context, or not in this way")?;
        }
        Region::Object(object) => {
            let view = unit.platform.objects[usize::from(object)].view;
            let view = &unit.platform.views[usize::from(view.ok_or("an object without a layout")?)];
            let allowed = view.access(offset, bytes, write, &env());
            allowed.ok_or("no such field of the object, or not in this way")?;
            return Ok(Place::Bytes { address, size, stack: false });
        }
        region => {
            if write && !found.writable {
                return Err("memory that may only be read");
            }
            return Ok(Place::Bytes { address, size, stack: matches!(region, Region::Stack(_)) });
        }
    }
    match convert(unit.platform, unit.view(), offset, size).ok_or("no field of the context")? {
        Converted::At { offset, size } => {
            Ok(Place::Bytes { address: found.start + u64::from(offset), size, stack: false })
        }
        Converted::Zero => Ok(Place::Zero),
    }
}

/// A copy of `len` bytes that were found.
#[allow(unsafe_code)]
pub(crate) fn bytes(run: &mut Run<'_>, address: u64, len: usize) -> Vec<u8> {
    if find(run, address, len as u64).is_none() {
        return Vec::new();
    }
    // SAFETY: just found to be memory of the run.
    unsafe { crate::guest::GuestBytes::new(address, len) }.to_vec()
}

fn size_of(bytes: u64) -> Option<Size> {
    match bytes {
        1 => Some(Size::B),
        2 => Some(Size::H),
        4 => Some(Size::W),
        8 => Some(Size::Dw),
        _ => None,
    }
}
