//! A register as a person reads it: `a number from 0 to 4095`, `a pointer to a value of map counts
//! (8 bytes), may be null`.

use std::fmt::Write as _;

use probity_platform::{Behaviour, Platform, TypeFlags};
use probity_program::Program;

use crate::domain::Scalar;
use crate::state::Reg;
use crate::state::ends::reference;
use crate::transfer::typed::{object_of, struct_name};

/// What is needed to put values into words.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// Names of types.
    pub platform: &'static Platform,
    /// Names and sizes of maps.
    pub program: &'a Program,
}

impl Values<'_> {
    /// What a register holds; `current` is the number of the running frame.
    #[must_use]
    pub fn describe(&self, reg: &Reg, current: usize) -> String {
        let Some(behaviour) = reg.behaviour else {
            return "unset: nothing wrote it, or a call made it unusable".into();
        };
        let mut text = match behaviour {
            Behaviour::Scalar => return number(&reg.val),
            Behaviour::Stack => return stack(reg, current),
            Behaviour::PacketEnd => "the end of the packet".into(),
            Behaviour::Context => format!("the context `{}`", self.view(reg.data)),
            Behaviour::Packet if self.is_bounded_by_packet(reg) => "a pointer to packet metadata".into(),
            Behaviour::Packet => "a pointer to packet data".into(),
            Behaviour::Region => format!("a pointer to memory of {}", bytes(reg.region_size())),
            Behaviour::View => match self.platform.kind(reg.kind).view {
                Some(view) => format!("a pointer to a `{}`", self.view(u32::from(view))),
                None => format!("a pointer to a {}", self.prints(reg)),
            },
            Behaviour::Map => self.map(reg.map(), "", |_| 0),
            Behaviour::MapKey => self.map(reg.map(), "a pointer to a key of ", |map| map.key_size),
            Behaviour::MapValue => self.map(reg.map(), "a pointer to a value of ", |map| map.value_size),
            Behaviour::Func => "a function of the program".into(),
            Behaviour::Arena => "a pointer into an arena".into(),
            Behaviour::Object | Behaviour::Handle | Behaviour::StackObject => match object_of(reg) {
                Some(object) if behaviour == Behaviour::Object => {
                    format!("a pointer to a `{}`", struct_name(&self.platform.objects[usize::from(object)]))
                }
                _ => format!("a pointer to a {}", self.prints(reg)),
            },
        };
        if reg.flags.contains(TypeFlags::MEM_RDONLY) {
            text.push_str(", read-only");
        }
        if behaviour == Behaviour::Packet {
            match reg.range() {
                range if range < 0 => text.push_str(", at or behind the packet's end on this path"),
                0 => text.push_str(", no byte proved accessible"),
                range => {
                    let _ = write!(text, ", {} proved accessible", bytes(range.cast_unsigned()));
                }
            }
        }
        offset(&mut text, reg);
        if reg.maybe_null() {
            text.push_str(", may be null");
        }
        if reference(reg.ref_id) != 0 {
            text.push_str(", must be released");
        }
        text
    }

    fn view(&self, index: u32) -> &'static str {
        self.platform.views.get(index as usize).map_or("?", |view| view.name)
    }

    fn prints(&self, reg: &Reg) -> &'static str {
        self.platform.kind(reg.kind).prints.trim_end_matches('_')
    }

    /// Metadata ends where the packet's data begins.
    fn is_bounded_by_packet(&self, reg: &Reg) -> bool {
        let bound = self.platform.kind(reg.kind).bound;
        bound.is_some_and(|bound| self.platform.kind(bound).behaviour == Behaviour::Packet)
    }

    fn map(&self, index: usize, of: &str, size: impl Fn(&probity_program::MapDef) -> u32) -> String {
        let Some(map) = self.program.maps.get(index) else { return format!("{of}a map") };
        let name = if map.name.is_empty() { format!("map {index}") } else { format!("map `{}`", map.name) };
        match size(map) {
            0 => format!("{of}{name}"),
            size => format!("{of}{name} ({})", bytes(size)),
        }
    }
}

/// `1 byte`, `2 bytes`.
pub(super) fn bytes(count: u32) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// A number: one value, or from a least to a greatest one.
#[must_use]
pub fn number(value: &Scalar) -> String {
    if let Some(known) = value.is_const() {
        return format!("the number {}", plain(known.cast_signed()));
    }
    let range = if value.smin >= 0 {
        match (value.umin, value.umax) {
            (0, max) if max == i64::MAX.cast_unsigned() => "any number that is not negative".into(),
            (0, 0xffff_ffff) => "any 32-bit number".into(),
            (low, high) => format!("a number from {low} to {}", big(high)),
        }
    } else if value.umax == u64::MAX && value.smin == i64::MIN && value.smax == i64::MAX {
        "any 64-bit number".into()
    } else if value.umax < u64::MAX || value.umin > 0 {
        format!("a number from {} to {} (unsigned)", big(value.umin), big(value.umax))
    } else {
        match (value.smin, value.smax) {
            (i64::MIN, high) => format!("a signed number of at most {}", plain(high)),
            (low, i64::MAX) => format!("a signed number of at least {}", plain(low)),
            (low, high) => format!("a number from {} to {}", plain(low), plain(high)),
        }
    };
    let low_zeros = (value.tnum.value | value.tnum.mask).trailing_zeros();
    if (1..32).contains(&low_zeros) {
        return format!("{range}, a multiple of {}", 1_u64 << low_zeros);
    }
    range
}

fn plain(value: i64) -> String {
    if value.unsigned_abs() > 0xffff { format!("{value} ({value:#x})") } else { value.to_string() }
}

fn big(value: u64) -> String {
    if value > 0xffff { format!("{value} ({value:#x})") } else { value.to_string() }
}

fn offset(text: &mut String, reg: &Reg) {
    match (reg.off, reg.val.is_const()) {
        (0, Some(0)) => {}
        (off, Some(var)) => {
            let _ = write!(text, ", offset {}", i64::from(off).wrapping_add(var.cast_signed()));
        }
        (0, None) => {
            let _ = write!(text, ", offset {}", range(&reg.val, 0));
        }
        (off, None) => {
            let _ = write!(text, ", offset {}", range(&reg.val, i64::from(off)));
        }
    }
}

/// An offset that is not known exactly.
fn range(value: &Scalar, off: i64) -> String {
    let (low, high) = (value.smin.checked_add(off), value.smax.checked_add(off));
    match (low, high) {
        (Some(low), Some(high)) if value.smin > i64::MIN && value.smax < i64::MAX => {
            format!("{low}..={high}")
        }
        _ => "not bounded".into(),
    }
}

fn stack(reg: &Reg, current: usize) -> String {
    let whose = if reg.frame() == current { "the stack" } else { "a caller's stack" };
    match reg.val.is_const() {
        Some(var) => match i64::from(reg.off).wrapping_add(var.cast_signed()) {
            0 => format!("a pointer to the end of {whose}, fp"),
            off => format!("a pointer into {whose}, fp{off:+}"),
        },
        None => format!("a pointer into {whose}, fp plus {}", range(&reg.val, i64::from(reg.off))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_read_them() {
        let known = |value: i64| number(&Scalar::constant(value.cast_unsigned()));
        assert_eq!(known(-1), "the number -1");
        assert_eq!(known(0x1_0000), "the number 65536 (0x10000)");
        assert_eq!(number(&Scalar::UNKNOWN), "any 64-bit number");
        let byte = crate::domain::zero_extend(&Scalar::UNKNOWN, 1);
        assert_eq!(number(&byte), "a number from 0 to 255");
        let word = crate::domain::zero_extend(&Scalar::UNKNOWN, 4);
        assert_eq!(number(&word), "any 32-bit number");
        let signed = crate::domain::sign_extend(&Scalar::UNKNOWN, 1);
        assert_eq!(number(&signed), "a number from -128 to 127");
        let four = crate::domain::alu(
            probity_isa::AluOp::And,
            probity_isa::Width::W64,
            &Scalar::UNKNOWN,
            &Scalar::constant(0xfc),
        );
        assert_eq!(number(&four), "a number from 0 to 252, a multiple of 4");
    }
}
