//! Names, sizes, modifiers, tags.

use super::{
    Btf, Composite, DatasecVar, DeclTag, Enum, FuncProto, Int, Kind, MAX_DEPTH, MAX_NAME, MAX_STRING, Member,
    Type, TypeId, types::List,
};
use crate::Linkage;

impl Btf {
    /// How many types there are, void not counted: the last id.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// True when there is no type but void.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// All types but void, ascending by id.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, Type<'_>)> {
        self.ids().map(|id| (id, self.ty(id).unwrap_or(Type::Void)))
    }

    /// All ids but void's, ascending.
    pub fn ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (1..=u32::try_from(self.len()).unwrap_or(u32::MAX)).map(TypeId)
    }

    /// The type with an id; `None` when there is none.
    #[must_use]
    pub fn ty(&self, id: TypeId) -> Option<Type<'_>> {
        if id.is_void() {
            return Some(Type::Void);
        }
        let at = self.offset(id)?;
        let info = self.word(at + 4)?;
        let value = self.word(at + 8)?;
        let kind = Kind::from_number(info >> 24 & 0x1f)?;
        let (count, flag) = (info as usize & 0xffff, info >> 31 != 0);
        let name = self.name_at(self.word(at)?);
        let (size, target) = (value, TypeId(value));
        let tail = at + 12;
        let list = |stride| List { btf: self, start: tail, stride, len: count };
        let composite = || Composite { name, size, bitfields: flag, list: list(3) };
        let enumeration =
            |wide| Enum { name, size, signed: flag, wide, list: list(if wide { 3 } else { 2 }) };
        Some(match kind {
            Kind::Void => Type::Void,
            Kind::Int => {
                let bits = self.word(tail)?.to_le_bytes();
                Type::Int(Int {
                    name,
                    size,
                    bits: bits[0],
                    bit_offset: bits[2],
                    signed: bits[3] & 1 != 0,
                    is_char: bits[3] & 2 != 0,
                    is_bool: bits[3] & 4 != 0,
                })
            }
            Kind::Ptr => Type::Ptr { target },
            Kind::Array => Type::Array {
                elem: TypeId(self.word(tail)?),
                index: TypeId(self.word(tail + 4)?),
                count: self.word(tail + 8)?,
            },
            Kind::Struct => Type::Struct(composite()),
            Kind::Union => Type::Union(composite()),
            Kind::Enum => Type::Enum(enumeration(false)),
            Kind::Enum64 => Type::Enum(enumeration(true)),
            Kind::Fwd => Type::Fwd { name, is_union: flag },
            Kind::Typedef => Type::Typedef { name, target },
            Kind::Volatile => Type::Volatile { target },
            Kind::Const => Type::Const { target },
            Kind::Restrict => Type::Restrict { target },
            Kind::Func => Type::Func { name, proto: target, linkage: linkage(count) },
            Kind::FuncProto => Type::FuncProto(FuncProto { ret: target, list: list(2) }),
            Kind::Var => Type::Var { name, ty: target, linkage: linkage(self.word(tail)? as usize) },
            Kind::Datasec => Type::Datasec(composite()),
            Kind::Float => Type::Float { name, size },
            Kind::DeclTag => Type::DeclTag(DeclTag {
                name,
                target,
                component: u32::try_from(self.word(tail)?.cast_signed()).ok(),
                attribute: flag,
            }),
            Kind::TypeTag => Type::TypeTag { name, target, attribute: flag },
        })
    }

    /// The kind of a type.
    #[must_use]
    pub fn kind(&self, id: TypeId) -> Option<Kind> {
        if id.is_void() {
            return Some(Kind::Void);
        }
        Kind::from_number(self.word(self.offset(id)? + 4)? >> 24 & 0x1f)
    }

    /// The name of a type; empty when it has none.
    #[must_use]
    pub fn name(&self, id: TypeId) -> Option<&str> {
        if id.is_void() {
            return Some("");
        }
        Some(self.name_at(self.word(self.offset(id)?)?))
    }

    /// The string at an offset of the string section; `None` outside of it, when not UTF-8 or longer than
    /// [`MAX_STRING`].
    #[must_use]
    pub fn string_at(&self, offset: u32) -> Option<&str> {
        std::str::from_utf8(self.bytes_at(offset)?).ok()
    }

    /// The bytes of the string at an offset of the string section, without the NUL.
    #[must_use]
    pub fn bytes_at(&self, offset: u32) -> Option<&[u8]> {
        self.bytes_within(offset, MAX_STRING)
    }

    /// The first type with a name and a kind.
    #[must_use]
    pub fn find_by_name_kind(&self, name: &str, kind: Kind) -> Option<TypeId> {
        self.find_by_essential_name(essential_name(name))
            .find(|id| self.kind(*id) == Some(kind) && self.name(*id) == Some(name))
    }

    /// All types whose name without its flavour (`___` and what follows it) is `name`, ascending.
    pub fn find_by_essential_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = TypeId> + 'a {
        let wanted = hash(name.as_bytes());
        let index = self.names.get_or_init(|| self.index_names());
        let start = index.partition_point(|(hash, _)| *hash < wanted);
        index[start..]
            .iter()
            .take_while(move |(hash, _)| *hash == wanted)
            .map(|(_, id)| TypeId(*id))
            .filter(move |id| self.name(*id).is_some_and(|found| essential_name(found) == name))
    }

    fn index_names(&self) -> Box<[(u32, u32)]> {
        let mut index: Vec<(u32, u32)> = self
            .ids()
            .filter_map(|id| {
                let name = self.name(id).filter(|name| !name.is_empty())?;
                Some((hash(essential_name(name).as_bytes()), id.0))
            })
            .collect();
        index.sort_unstable();
        index.into()
    }

    /// What stands behind modifiers and typedefs; `None` when there is no such type or the chain
    /// is longer than [`MAX_DEPTH`].
    #[must_use]
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
    pub fn resolve(&self, id: TypeId) -> Option<TypeId> {
        self.skip(id, |ty| ty.modified())
    }

    /// What stands behind modifiers: as [`Btf::resolve`], but a typedef stays.
    #[must_use]
    pub fn skip_modifiers(&self, id: TypeId) -> Option<TypeId> {
        self.skip(id, |ty| match ty {
            Type::Typedef { .. } => None,
            other => other.modified(),
        })
    }

    fn skip(&self, id: TypeId, next: impl Fn(&Type<'_>) -> Option<TypeId>) -> Option<TypeId> {
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            match next(&self.ty(id)?) {
                Some(target) => id = target,
                None => return Some(id),
            }
        }
        None
    }

    /// The type behind modifiers and typedefs, decoded.
    #[must_use]
    pub fn resolved(&self, id: TypeId) -> Option<Type<'_>> {
        self.ty(self.resolve(id)?)
    }

    /// The size of a type's values in bytes; `None` for what has no values (void, functions,
    /// declarations only) or a size above 64 bits.
    #[must_use]
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        let mut id = id;
        let mut factor = 1u64;
        for _ in 0..MAX_DEPTH {
            let size = match self.ty(id)? {
                Type::Int(Int { size, .. })
                | Type::Struct(Composite { size, .. })
                | Type::Union(Composite { size, .. })
                | Type::Datasec(Composite { size, .. })
                | Type::Enum(Enum { size, .. })
                | Type::Float { size, .. } => size,
                Type::Ptr { .. } => 8,
                Type::Array { elem, count, .. } => {
                    factor = factor.checked_mul(u64::from(count))?;
                    id = elem;
                    continue;
                }
                Type::Var { ty, .. } => {
                    id = ty;
                    continue;
                }
                other => {
                    id = other.modified()?;
                    continue;
                }
            };
            return factor.checked_mul(u64::from(size));
        }
        None
    }

    /// The member of a structure or union with a name, modifiers and typedefs skipped. Members
    /// of nameless members are not looked into.
    #[must_use]
    pub fn member(&self, id: TypeId, name: &str) -> Option<Member<'_>> {
        match self.resolved(id)? {
            Type::Struct(composite) | Type::Union(composite) => {
                composite.members().find(|member| member.name == name)
            }
            _ => None,
        }
    }

    /// The prototype of a function, a prototype or a pointer to one, modifiers and typedefs
    /// skipped.
    #[must_use]
    pub fn func_proto(&self, id: TypeId) -> Option<FuncProto<'_>> {
        let mut id = id;
        for _ in 0..3 {
            match self.resolved(id)? {
                Type::Func { proto, .. } => id = proto,
                Type::Ptr { target } => id = target,
                Type::FuncProto(proto) => return Some(proto),
                _ => return None,
            }
        }
        None
    }

    /// The tags on a declaration: those of the whole first, then by component.
    pub fn decl_tags(&self, id: TypeId) -> impl Iterator<Item = DeclTag<'_>> {
        let index = self.tags.get_or_init(|| self.index_tags());
        let start = index.partition_point(|(target, ..)| *target < id.0);
        index[start..].iter().take_while(move |(target, ..)| *target == id.0).filter_map(|(.., tag)| {
            match self.ty(TypeId(*tag))? {
                Type::DeclTag(tag) => Some(tag),
                _ => None,
            }
        })
    }

    fn index_tags(&self) -> Box<[(u32, i32, u32)]> {
        let mut index: Vec<(u32, i32, u32)> = self
            .ids()
            .filter(|id| self.kind(*id) == Some(Kind::DeclTag))
            .filter_map(|id| {
                let at = self.offset(id)?;
                let component = self.word(at + 12)?.cast_signed();
                Some((self.word(at + 8)?, component, id.0))
            })
            .collect();
        index.sort_unstable();
        index.into()
    }

    /// Sets the size of a section and its variables, as a linker knows them: compilers leave both
    /// out. `vars` must be as many as there are and name types that there are; false, and nothing
    /// is done, when not.
    pub fn set_datasec(&mut self, id: TypeId, size: u32, vars: &[DatasecVar]) -> bool {
        let fits = matches!(self.ty(id), Some(Type::Datasec(section)) if section.len() == vars.len());
        let known = vars.iter().all(|var| var.var.0 as usize <= self.len());
        let Some(at) = self.offset(id).filter(|_| fits && known) else {
            return false;
        };
        let words = vars.iter().flat_map(|var| [var.var.0, var.offset, var.size]);
        let bytes = self.types.get_mut(at + 12..).unwrap_or_default();
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        if let Some(place) = self.types.get_mut(at + 8..at + 12) {
            place.copy_from_slice(&size.to_le_bytes());
        }
        true
    }

    fn offset(&self, id: TypeId) -> Option<usize> {
        let index = id.0.checked_sub(1)?;
        self.offsets.get(index as usize).map(|at| *at as usize)
    }

    /// The word at an offset of the type section.
    pub(super) fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.types.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    /// The bytes of a string that has at most `max`.
    fn bytes_within(&self, offset: u32, max: usize) -> Option<&[u8]> {
        let rest = self.strings.get(offset as usize..)?;
        let rest = &rest[..rest.len().min(max + 1)];
        let len = rest.iter().position(|byte| *byte == 0)?;
        rest.get(..len)
    }

    /// The name at an offset of the string section; empty when there is none.
    pub(super) fn name_at(&self, offset: u32) -> &str {
        let name = self.bytes_within(offset, MAX_NAME).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or("")
    }
}

/// A name without its flavour: `task_struct___old` is a flavour of `task_struct`. What separates
/// is exactly three underscores with something else on both sides; the last such place counts.
#[must_use]
pub fn essential_name(name: &str) -> &str {
    let at = name
        .as_bytes()
        .windows(5)
        .rposition(|bytes| bytes[0] != b'_' && &bytes[1..4] == b"___" && bytes[4] != b'_');
    match at {
        Some(at) => name.get(..=at).unwrap_or(name),
        None => name,
    }
}

fn linkage(number: usize) -> Linkage {
    match number {
        0 => Linkage::Static,
        1 => Linkage::Global,
        _ => Linkage::Extern,
    }
}

/// FNV-1a: names are short, and the index must be the same in every run.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
