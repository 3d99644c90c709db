//! States as the kernel's log shows them (grammar: the measured one of the design's probes,
//! section 10.4).

use std::fmt::Write;

use probity_platform::{Behaviour, CallbackFlags, Platform};
use probity_program::Program;

use super::type_name;
use crate::domain::{Scalar, Tnum};
use crate::explore::checkpoint::Precise;
use crate::state::ends::reference;
use crate::state::object::{ObjectSlot, ObjectSort};
use crate::state::{ADD_CONST, Frame, Reg, Slot, State, Tag};
use crate::transfer::typed::{object_of, struct_name};

/// The kernel keeps so many bytes of a map's name.
const MAP_NAME: usize = 15;

/// What is needed to name things.
#[derive(Clone, Copy, Debug)]
pub struct Printer<'a> {
    /// Names of types.
    pub platform: &'static Platform,
    /// Names and sizes of maps.
    pub program: &'a Program,
}

impl Printer<'_> {
    /// The running frame of a state: ` frame1: R0=5 R10=fp0 fp-8=mmmmmmmm`, with `P` before
    /// precise scalars.
    #[must_use]
    pub fn state(&self, state: &State, precise: Precise) -> String {
        let current = state.current();
        let mut out = String::new();
        if current > 0 {
            let _ = write!(out, " frame{current}:");
        }
        self.frame(&mut out, state.frame(), current, precise);
        references(&mut out, state);
        out
    }

    /// A frame of a state, as [`Printer::state`] shows the running one.
    #[must_use]
    pub fn frame_of(&self, state: &State, frame: usize, precise: Precise) -> String {
        let mut out = String::new();
        self.number(&mut out, frame);
        self.frame(&mut out, &state.frames[frame], frame, precise);
        references(&mut out, state);
        out
    }

    /// The running frame and what is held, with nothing marked.
    #[must_use]
    pub fn whole(&self, state: &State) -> String {
        self.changed(state, u16::MAX, u64::MAX)
    }

    /// As [`Printer::whole`], of registers and slots only those given as bits.
    #[must_use]
    pub fn changed(&self, state: &State, regs: u16, slots: u64) -> String {
        let mut out = String::new();
        self.number(&mut out, state.current());
        self.part(&mut out, state.frame(), state.current(), Precise::default(), (regs, slots));
        references(&mut out, state);
        out
    }

    fn number(&self, out: &mut String, frame: usize) {
        if frame > 0 {
            let _ = write!(out, " frame{frame}:");
        }
    }

    fn frame(&self, out: &mut String, frame: &Frame, current: usize, precise: Precise) {
        self.part(out, frame, current, precise, (u16::MAX, u64::MAX));
    }

    fn part(&self, out: &mut String, frame: &Frame, current: usize, precise: Precise, shown: (u16, u64)) {
        for (index, reg) in frame.regs.iter().enumerate() {
            if reg.behaviour.is_some() && shown.0 >> index & 1 != 0 {
                let value = self.reg(reg, current, precise.regs >> index & 1 != 0);
                let _ = write!(out, " R{index}={value}");
            }
        }
        for (index, slot) in frame.stack.slots().iter().enumerate() {
            let shown = shown.1 >> index & 1 != 0;
            if shown && slot.tags.iter().any(|&tag| tag != Tag::Invalid) {
                let value = self.slot(slot, current, precise.slots >> index & 1 != 0);
                if !value.is_empty() {
                    let _ = write!(out, " fp-{}={value}", (index + 1) * 8);
                }
            }
        }
    }

    fn slot(&self, slot: &Slot, current: usize, precise: bool) -> String {
        if slot.is_object() {
            return self.object(&slot.reg);
        }
        let mut out: String = slot
            .tags
            .iter()
            .filter_map(|tag| match tag {
                Tag::Invalid => Some('?'),
                Tag::Misc => Some('m'),
                Tag::Zero => Some('0'),
                Tag::Spill | Tag::Object => None,
            })
            .collect();
        if slot.is_spill() {
            out.push_str(&self.reg(&slot.reg, current, precise));
        }
        out
    }

    /// A slot of a stack object: the object in its first slot, nothing in the others.
    fn object(&self, reg: &Reg) -> String {
        let place = ObjectSlot::of(reg);
        let row = &self.platform.stack_objects[usize::from(place.object)];
        let state = row.states.get(usize::from(place.state)).map_or("", |state| state.name);
        match ObjectSort::of(self.platform, place.object) {
            ObjectSort::Flag => "ffffffff".into(),
            _ if !place.first => String::new(),
            ObjectSort::Iterator => {
                format!("{}(ref_id={},state={state},depth={})", row.prints, reg.ref_id, reg.off)
            }
            ObjectSort::View => {
                let mut attributes = vec![format!("id={}", reg.id)];
                if reference(reg.ref_id) != 0 {
                    attributes.push(format!("ref_id={}", reg.ref_id));
                }
                attributes.push(format!("dynptr_id={}", reg.off));
                format!("{}_{state}({})", row.prints, attributes.join(","))
            }
        }
    }

    /// One register.
    #[must_use]
    pub fn reg(&self, reg: &Reg, current: usize, precise: bool) -> String {
        let known = reg.val.is_const();
        let mark = if precise && reg.is_scalar() { "P" } else { "" };
        match (reg.behaviour, known) {
            (None, _) => return "?".into(),
            (Some(Behaviour::Scalar), Some(value)) => {
                return format!("{mark}{}", signed(value.cast_signed()));
            }
            (Some(Behaviour::Stack), Some(value)) => {
                let frame = if reg.frame() == current { String::new() } else { format!("[{}]", reg.frame()) };
                let shown = value.cast_signed().wrapping_add(i64::from(reg.off));
                return format!("fp{frame}{}", signed(shown));
            }
            (Some(Behaviour::Arena), _) => return "arena".into(),
            _ => {}
        }
        let mut attributes = Vec::new();
        self.identity(reg, &mut attributes);
        self.map(reg, &mut attributes);
        if !reg.is_scalar() && reg.off != 0 {
            attributes.push(format!("off={}", signed(i64::from(reg.off))));
        }
        match reg.behaviour {
            Some(Behaviour::Packet) => {
                attributes.push(format!("r={}", unsigned(i64::from(reg.range()).cast_unsigned())));
            }
            Some(Behaviour::Region) => {
                attributes.push(format!("sz={}", unsigned(u64::from(reg.region_size()))));
            }
            _ => {}
        }
        match known {
            Some(0) => {}
            Some(value) => attributes.push(format!("imm={}", signed(value.cast_signed()))),
            None => ranges(&reg.val, &mut attributes),
        }
        let object = object_of(reg).map(|object| struct_name(&self.platform.objects[usize::from(object)]));
        let (name, object) = (type_name(self.platform, reg.ty()), object.unwrap_or_default());
        format!("{mark}{name}{object}({})", attributes.join(","))
    }

    fn identity(&self, reg: &Reg, attributes: &mut Vec<String>) {
        if reg.id != 0 {
            let mut text = format!("id={}", reg.id & !ADD_CONST);
            if reg.id & ADD_CONST != 0 {
                let _ = write!(text, "{:+}", reg.off);
            }
            attributes.push(text);
        }
        if reference(reg.ref_id) != 0 {
            attributes.push(format!("ref_obj_id={}", reg.ref_id));
        }
    }

    fn map(&self, reg: &Reg, attributes: &mut Vec<String>) {
        if !matches!(reg.behaviour, Some(Behaviour::Map | Behaviour::MapKey | Behaviour::MapValue)) {
            return;
        }
        let Some(map) = self.program.maps.get(reg.map()) else { return };
        // What stands in maps of maps has no name.
        let inner = self.program.maps.iter().any(|outer| outer.inner == Some(reg.map()));
        if !map.name.is_empty() && !inner {
            let end = map.name.floor_char_boundary(MAP_NAME);
            attributes.push(format!("map={}", &map.name[..end]));
        }
        attributes.push(format!("ks={},vs={}", map.key_size, map.value_size));
    }
}

/// What is held: ` refs=1,2`, and that a function is called back.
fn references(out: &mut String, state: &State) {
    for (index, reference) in state.references.held().iter().enumerate() {
        let _ = write!(out, "{}{}", if index == 0 { " refs=" } else { "," }, reference.id);
    }
    match state.frame().callback {
        Some(callback) if callback.flags.contains(CallbackFlags::ASYNC) => out.push_str(" async_cb"),
        Some(_) => out.push_str(" cb"),
        None => {}
    }
}

/// Small numbers in decimal, others in hexadecimal.
fn signed(value: i64) -> String {
    if i16::try_from(value).is_ok() { value.to_string() } else { format!("{value:#x}") }
}

fn signed32(value: i32) -> String {
    if i16::try_from(value).is_ok() { value.to_string() } else { format!("{value:#x}") }
}

fn unsigned(value: u64) -> String {
    if value <= u64::from(u16::MAX) { value.to_string() } else { format!("{value:#x}") }
}

/// The bounds that say something, equal ones joined by `=`, and the known bits.
fn ranges(value: &Scalar, attributes: &mut Vec<String>) {
    let fields: [(&str, u64, bool, String); 8] = [
        ("smin", value.smin.cast_unsigned(), value.smin == i64::MIN, signed(value.smin)),
        ("smax", value.smax.cast_unsigned(), value.smax == i64::MAX, signed(value.smax)),
        ("umin", value.umin, value.umin == 0, unsigned(value.umin)),
        ("umax", value.umax, value.umax == u64::MAX, unsigned(value.umax)),
        ("smin32", as_shown(value.s32_min), value.s32_min == i32::MIN, signed32(value.s32_min)),
        ("smax32", as_shown(value.s32_max), value.s32_max == i32::MAX, signed32(value.s32_max)),
        ("umin32", u64::from(value.u32_min), value.u32_min == 0, unsigned(u64::from(value.u32_min))),
        ("umax32", u64::from(value.u32_max), value.u32_max == u32::MAX, unsigned(u64::from(value.u32_max))),
    ];
    let negative = |at: usize| fields[at].0.starts_with('s') && fields[at].1.cast_signed() < 0;
    let mut shown = [false; 8];
    for first in 0..fields.len() {
        if shown[first] || fields[first].2 {
            continue;
        }
        let mut text = String::new();
        // Lower bounds with lower ones and upper with upper ones, and negative numbers apart.
        for other in (first..fields.len()).step_by(2) {
            let same = fields[other].1 == fields[first].1 && negative(other) == negative(first);
            if !shown[other] && !fields[other].2 && same {
                shown[other] = true;
                let _ = write!(text, "{}=", fields[other].0);
            }
        }
        text.push_str(&fields[first].3);
        attributes.push(text);
    }
    if value.tnum != Tnum::UNKNOWN {
        attributes.push(format!("var_off=({:#x}; {:#x})", value.tnum.value, value.tnum.mask));
    }
}

/// Extended as what is printed suggests: a decimal number by its sign, a hexadecimal one by zeros.
fn as_shown(value: i32) -> u64 {
    match i16::try_from(value) {
        Ok(small) => i64::from(small).cast_unsigned(),
        Err(_) => u64::from(value.cast_unsigned()),
    }
}
