//! Values of the kernel's configuration: `extern ... __kconfig` variables, in a map of their own.

use std::collections::{BTreeMap, HashMap};

use probity_program::{
    Btf, MapDef,
    btf::{Kind, Type, TypeId},
};

use crate::{
    GlobalData,
    externs::{Extern, ExternKind},
    maps::map_name,
};

/// What a value is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Bool,
    /// `n`, `y`, `m` as 0, 1, 2.
    Tristate,
    /// `n`, `y`, `m` as the characters, or a number.
    Char {
        signed: bool,
    },
    Int {
        size: usize,
        signed: bool,
    },
    Text {
        size: usize,
    },
    Other,
}

/// A variable in the map.
#[derive(Clone, Debug)]
struct Slot {
    offset: u32,
    size: u32,
    shape: Shape,
    is_weak: bool,
}

/// Where each variable is in the map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// By name.
    slots: HashMap<String, Slot>,
    size: u32,
    btf_id: u32,
}

/// The longest value in bytes: text.
const LONGEST: u64 = 1 << 16;
/// The most bytes of all values. A variable that does not fit has no place.
const TOTAL: u32 = 1 << 22;

impl Layout {
    /// Lays the variables out, those with the strictest alignment first, then by size and name,
    /// and writes the offsets into the types.
    pub(crate) fn new(btf: &mut Btf, externs: &HashMap<usize, Extern>) -> Layout {
        let mut found: Vec<(u32, u32, &Extern)> = externs
            .values()
            .filter(|found| found.kind == ExternKind::Config)
            .map(|found| {
                let size = btf.size_of(found.ty).filter(|size| *size <= LONGEST);
                let size = size.and_then(|size| u32::try_from(size).ok()).unwrap_or(0);
                (align_of(btf, found.ty), size, found)
            })
            .collect();
        found.sort_by(|a, b| {
            let order = b.0.cmp(&a.0).then(a.1.cmp(&b.1));
            order.then_with(|| a.2.name.cmp(&b.2.name))
        });
        let mut layout = Layout::default();
        for (align, size, found) in found {
            let offset = layout.size.next_multiple_of(align);
            if offset + size > TOTAL || layout.slots.contains_key(&found.name) {
                continue;
            }
            let slot = Slot { offset, size, shape: shape(btf, found.ty), is_weak: found.is_weak };
            layout.slots.insert(found.name.clone(), slot);
            layout.size = offset + size;
        }
        let Some(id) = btf.find_by_name_kind(".kconfig", Kind::Datasec) else {
            return layout;
        };
        layout.btf_id = id.0;
        if let Some(Type::Datasec(section)) = btf.ty(id) {
            let mut vars: Vec<_> = section.vars().collect();
            for var in &mut vars {
                let name = btf.name(var.var).unwrap_or("");
                if let Some(slot) = layout.slots.get(name) {
                    (var.offset, var.size) = (slot.offset, slot.size);
                }
            }
            vars.sort_by_key(|var| var.offset);
            btf.set_datasec(id, layout.size, &vars);
        }
        layout
    }

    /// The offset of a variable in the map, when it can have a value.
    pub(crate) fn check(&self, name: &str, values: &BTreeMap<String, String>) -> Result<u32, String> {
        let slot = self.slots.get(name).ok_or("it is not declared with a size")?;
        match values.get(name) {
            Some(value) if slot.bytes(value).is_none() => {
                Err(format!("its value {value} does not fit its type"))
            }
            None if !slot.is_weak => Err("the configuration does not say it".into()),
            _ => Ok(slot.offset),
        }
    }

    /// The map with all values.
    pub(crate) fn map(
        &self,
        object: &str,
        values: Option<&BTreeMap<String, String>>,
        options: &GlobalData,
    ) -> MapDef {
        let mut contents = vec![0; self.size as usize];
        for (name, slot) in &self.slots {
            let value = values.and_then(|values| slot.bytes(values.get(name)?));
            let place = contents.get_mut(slot.offset as usize..);
            if let (Some(value), Some(place)) = (value, place) {
                for (to, from) in place.iter_mut().zip(value) {
                    *to = from;
                }
            }
        }
        let mut def = MapDef::new(options.map_type, 4, self.size, 1);
        def.name = map_name(object, ".kconfig");
        def.flags = options.rdonly_flag | options.mmapable_flag;
        def.btf_value = self.btf_id;
        def.contents = Some(contents);
        def.frozen = true;
        def
    }
}

impl Slot {
    /// A value's bytes; `None` when the type cannot hold it.
    fn bytes(&self, value: &str) -> Option<Vec<u8>> {
        let letter = match value {
            "n" => Some(0),
            "y" => Some(1),
            "m" => Some(2),
            _ => None,
        };
        match (self.shape, letter) {
            (Shape::Bool, Some(number @ 0..=1)) => Some(vec![number]),
            (Shape::Bool, None) => integer(value, 1, false).filter(|bytes| bytes[0] <= 1),
            (Shape::Tristate, Some(number)) => Some(u32::from(number).to_le_bytes().to_vec()),
            (Shape::Char { .. }, Some(_)) => Some(value.as_bytes().to_vec()),
            (Shape::Char { signed }, None) => integer(value, 1, signed),
            (Shape::Int { size, signed }, None) => integer(value, size, signed),
            (Shape::Text { size }, _) => {
                let text = value.strip_prefix('"')?.strip_suffix('"')?;
                let mut bytes = text.as_bytes().to_vec();
                bytes.truncate(size.saturating_sub(1));
                Some(bytes)
            }
            _ => None,
        }
    }
}

fn integer(text: &str, size: usize, signed: bool) -> Option<Vec<u8>> {
    let (digits, negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let bits = u32::try_from(size * 8).ok().filter(|bits| (8..=64).contains(bits))?;
    let value = if negative { -i128::from(number) } else { i128::from(number) };
    let (low, high) =
        if signed { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) } else { (0, (1i128 << bits) - 1) };
    if !(low..=high).contains(&value) {
        return None;
    }
    value.to_le_bytes().get(..size).map(<[u8]>::to_vec)
}

fn shape(btf: &Btf, ty: TypeId) -> Shape {
    match btf.resolved(ty) {
        Some(Type::Int(int)) if int.is_bool => match int.size {
            1 => Shape::Bool,
            _ => Shape::Other,
        },
        Some(Type::Int(int)) if int.size == 1 => Shape::Char { signed: int.signed },
        Some(Type::Int(int)) if int.size <= 8 => Shape::Int { size: int.size as usize, signed: int.signed },
        Some(Type::Enum(values)) if values.size == 4 => Shape::Tristate,
        Some(Type::Array { elem, count, .. }) => match btf.resolved(elem) {
            Some(Type::Int(int)) if int.size == 1 => Shape::Text { size: count as usize },
            _ => Shape::Other,
        },
        _ => Shape::Other,
    }
}

fn align_of(btf: &Btf, ty: TypeId) -> u32 {
    let ty = match btf.resolved(ty) {
        Some(Type::Array { elem, .. }) => btf.resolved(elem),
        other => other,
    };
    match ty {
        Some(Type::Int(int)) => int.size.clamp(1, 8).next_power_of_two(),
        Some(Type::Enum(values)) => values.size.clamp(1, 8).next_power_of_two(),
        _ => 8,
    }
}
