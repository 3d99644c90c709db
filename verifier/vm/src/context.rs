//! The context: the host's own struct behind a view of the platform.

use probity_isa::Size;
use probity_platform::{Behaviour, Field, HostField, Platform, ProgType, RegType, View};

use crate::guest::GuestBytes;
use crate::host::{Bytes, BytesMut, ContextStruct};
use crate::packet::Packet;

/// A context: what a program's first argument points to, laid out as the host's own struct
/// ([`probity_platform::HostField`]).
#[derive(Debug)]
pub struct Context {
    view: &'static View,
    bytes: Box<[u64]>,
    len: u64,
}

impl Context {
    /// A context of zeros.
    #[must_use]
    pub fn new(view: &'static View) -> Context {
        let size = view.host_size.max(view.size) as usize;
        Context { view, bytes: vec![0; size.div_ceil(8).max(1)].into(), len: u64::from(view.size) }
    }

    /// The context of a program type, of zeros.
    #[must_use]
    pub fn of(platform: &'static Platform, prog_type: &ProgType) -> Context {
        Context::new(&platform.views[usize::from(prog_type.ctx)])
    }

    /// A context whose host struct begins with these bytes; what is behind them is 0, what is too
    /// much is left out. `ctx.len` is their number.
    #[must_use]
    pub fn from_bytes(view: &'static View, bytes: &[u8]) -> Context {
        let mut context = Context::new(view);
        context.guest().write(bytes);
        context.len = bytes.len() as u64;
        context
    }

    /// Its view.
    #[must_use]
    pub fn view(&self) -> &'static View {
        self.view
    }

    /// What `ctx.len` is at entry.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True when it was made of no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets a field, an element of it counted from 0. False when there is no such field. Pointers are
    /// set by the runtime: what is set here is gone when a run begins.
    pub fn set(&mut self, field: &str, element: u32, value: u64) -> bool {
        let Some((offset, size)) = self.place(field, element) else { return false };
        self.guest().set(offset, size, value).is_some()
    }

    /// The value of a field, or of an element of it.
    #[must_use]
    pub fn get(&mut self, field: &str, element: u32) -> Option<u64> {
        let (offset, size) = self.place(field, element)?;
        self.guest().get(offset, size)
    }

    /// Sets all fields that are numbers; false when the struct is another context's. What is set in the
    /// place of pointers is gone when a run begins.
    pub fn put<C: ContextStruct>(&mut self, value: &C) -> bool {
        let fits = C::VIEW == self.view.name;
        if fits {
            value.store(BytesMut(self.guest()));
        }
        fits
    }

    /// A copy of all fields that are numbers; None when the struct is another context's.
    #[must_use]
    pub fn take<C: ContextStruct>(&mut self) -> Option<C> {
        (C::VIEW == self.view.name).then(|| C::load(Bytes(self.guest())))
    }

    /// A copy of the host's struct.
    #[must_use]
    pub fn to_vec(&mut self) -> Vec<u8> {
        self.guest().to_vec()
    }

    /// The address of the host's struct.
    pub(crate) fn address(&mut self) -> u64 {
        self.bytes.as_mut_ptr() as u64
    }

    #[allow(unsafe_code)]
    fn guest(&mut self) -> GuestBytes<'_> {
        let len = self.bytes.len() * 8;
        // SAFETY: the buffer is borrowed as long as the guest bytes are.
        unsafe { GuestBytes::new(self.address(), len) }
    }

    /// Where the host's struct has an element of a field, and how wide it is. Elements are as wide
    /// as the widest access that divides the field's size.
    fn place(&self, name: &str, element: u32) -> Option<(usize, Size)> {
        let field = self.view.fields.iter().find(|field| field.name == name)?;
        let count = field.elements();
        let bytes = field.host.size / count;
        let size = match bytes {
            1 => Size::B,
            2 => Size::H,
            4 => Size::W,
            8 => Size::Dw,
            _ => return None,
        };
        (element < count).then_some(((field.host.offset + element * bytes) as usize, size))
    }
}

/// Sets a pointer in the host's struct at the address of a run's context.
#[allow(unsafe_code)]
#[inline(always)]
fn set_pointer(context: u64, offset: u32, value: u64) {
    // SAFETY: the context of a run is of the view of its program type, which has a field of pointer
    // size there ([`PacketFields::of`]); it lives as long as the run.
    unsafe { crate::guest::store(context + u64::from(offset), Size::Dw, value) };
}

/// The fields of a view that are no numbers, by their place in the host's struct: what an embedder
/// writes there would be taken for memory, so that only the runtime may.
#[must_use]
pub(crate) fn pointers(platform: &Platform, view: &View) -> Vec<HostField> {
    let is_pointer = |field: &&Field| !is_number(platform, field);
    view.fields.iter().filter(is_pointer).map(|field| field.host).filter(|host| host.size > 0).collect()
}

/// True when a field is a number, whoever accesses it.
fn is_number(platform: &Platform, field: &Field) -> bool {
    let number = |ty: RegType| platform.kind(ty.kind).behaviour == Behaviour::Scalar;
    field.access.iter().all(|rule| number(rule.yields))
}

/// Clears such fields in the context of a run.
#[allow(unsafe_code)]
pub(crate) fn clear(context: u64, fields: &[HostField]) {
    for field in fields {
        // SAFETY: the context of a run is of the view of its program type, whose host struct has the
        // field; it lives as long as the run.
        unsafe { GuestBytes::new(context + u64::from(field.offset), field.size as usize) }.fill(0);
    }
}

/// Where the host's struct has the packet's bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketFields {
    /// Of the start of the metadata.
    pub meta: Option<u32>,
    /// Of the start of the packet.
    pub data: Option<u32>,
    /// Of its end.
    pub data_end: Option<u32>,
}

impl PacketFields {
    /// Those of a view, by what its fields yield.
    #[must_use]
    pub fn of(platform: &Platform, view: &View) -> PacketFields {
        let mut fields = PacketFields::default();
        for field in view.fields {
            let Some(rule) = field.access.first() else { continue };
            let kind = platform.kind(rule.yields.kind);
            let bounded_by = kind.bound.map(|bound| platform.kind(bound).behaviour);
            let place = match (kind.behaviour, bounded_by) {
                (Behaviour::Packet, Some(Behaviour::Packet)) => &mut fields.meta,
                (Behaviour::Packet, _) => &mut fields.data,
                (Behaviour::PacketEnd, _) => &mut fields.data_end,
                _ => continue,
            };
            place.get_or_insert(field.host.offset);
        }
        fields
    }

    /// Writes the bounds of a packet into the context of a run.
    #[inline(always)]
    pub(crate) fn show(&self, packet: &mut Packet, context: u64) {
        let [meta, data, end] = packet.addresses();
        for (field, address) in [(self.meta, meta), (self.data, data), (self.data_end, end)] {
            if let Some(offset) = field {
                set_pointer(context, offset, address);
            }
        }
    }

    /// The kind of the pointer that a field yields and that is never there in a run: one that nobody sets
    /// and that programs take for not null. None of numbers, of what may be null, and of these fields.
    pub(crate) fn unset(&self, platform: &Platform, field: &Field) -> Option<&'static str> {
        let is_set = [self.meta, self.data, self.data_end].contains(&Some(field.host.offset));
        let yields = field.access.iter().map(|rule| rule.yields);
        let mut never_null = yields.filter(|ty| !ty.maybe_null()).map(|ty| platform.kind(ty.kind));
        never_null.find(|kind| !is_set && kind.behaviour != Behaviour::Scalar).map(|kind| kind.name)
    }

    /// True when the host's struct has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == PacketFields::default()
    }
}

/// An access of a view as the host's struct has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converted {
    /// The bytes at an offset.
    At {
        /// The offset.
        offset: u32,
        /// How many.
        size: Size,
    },
    /// The host has no such field: it reads as 0, and what is stored is lost.
    Zero,
}

/// Converts an access of `size` bytes at `offset` of a view. A field that is a pointer is accessed whole, as
/// wide as the host has it. Of a number the low bytes are, as many as the program's field has (hosts are
/// little endian): the proof has it that no more are loaded.
#[must_use]
pub fn convert(platform: &Platform, view: &View, offset: u32, size: Size) -> Option<Converted> {
    let field = view.field_at(offset)?;
    if field.host.size == 0 {
        return Some(Converted::Zero);
    }
    let count = field.elements();
    let (view_bytes, host_bytes) = (field.size / count, field.host.size / count);
    let within = offset - field.offset;
    if view_bytes == host_bytes {
        return Some(Converted::At { offset: field.host.offset + within, size });
    }
    let (element, inner) = (within / view_bytes, within % view_bytes);
    let at = field.host.offset + element * host_bytes + inner;
    let is_pointer = !is_number(platform, field);
    let whole = is_pointer && inner == 0 && size.bytes() == view_bytes && host_bytes == 8;
    Some(Converted::At { offset: at, size: if whole { Size::Dw } else { size } })
}
