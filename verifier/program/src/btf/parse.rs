//! The header, and the check of all records.

use super::{Btf, BtfError, Kind};

const MAGIC: u16 = 0xeb9f;
const HEADER: usize = 24;

impl Btf {
    /// Reads the contents of a `.BTF` section or of `/sys/kernel/btf/vmlinux`.
    ///
    /// Every record is checked: its bounds, its names, the types it refers to.
    ///
    /// # Errors
    ///
    /// When the bytes are not BTF version 1, are big-endian or damaged.
    pub fn parse(bytes: &[u8]) -> Result<Btf, BtfError> {
        let (types, strings, base) = sections(bytes)?;
        if strings.first() != Some(&0) || strings.last() != Some(&0) {
            return Err(BtfError::Strings);
        }
        let offsets = check(types, strings.len(), base)?;
        Ok(Btf { types: types.into(), strings: strings.into(), offsets, ..Btf::default() })
    }
}

/// The type section, the string section and where the type section begins.
fn sections(bytes: &[u8]) -> Result<(&[u8], &[u8], usize), BtfError> {
    let cut = |part| BtfError::Truncated { part, len: bytes.len() };
    let header = bytes.first_chunk::<HEADER>().ok_or_else(|| cut("24 bytes of the header"))?;
    match u16::from_le_bytes([header[0], header[1]]) {
        MAGIC => {}
        found if found.swap_bytes() == MAGIC => return Err(BtfError::BigEndian),
        found => return Err(BtfError::Magic { found }),
    }
    if header[2] != 1 {
        return Err(BtfError::Version { found: header[2] });
    }
    let word = |at| word(header, at) as usize;
    let header_len = word(4);
    let body = (header_len >= HEADER)
        .then(|| bytes.get(header_len..))
        .flatten()
        .ok_or_else(|| cut("bytes of the header"))?;
    let part = |at, name| {
        let start: usize = word(at);
        start.checked_add(word(at + 4)).and_then(|end| body.get(start..end)).ok_or_else(|| cut(name))
    };
    let types = part(8, "types")?;
    Ok((types, part(16, "strings")?, header_len + word(8)))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

/// What a record's words mean, for checking: names and references.
struct Check<'a> {
    types: &'a [u8],
    strings_len: usize,
    max_ref: u32,
    names_ok: bool,
}

impl Check<'_> {
    fn name(&mut self, at: usize) {
        self.names_ok &= (word(self.types, at) as usize) < self.strings_len;
    }

    fn reference(&mut self, at: usize) {
        self.max_ref = self.max_ref.max(word(self.types, at));
    }
}

/// Walks over all records: where each begins.
fn check(types: &[u8], strings_len: usize, base: usize) -> Result<Box<[u32]>, BtfError> {
    let mut offsets = Vec::with_capacity(types.len() / 24);
    let mut check = Check { types, strings_len, max_ref: 0, names_ok: true };
    let mut at = 0;
    while at < types.len() {
        let id = u32::try_from(offsets.len() + 1).unwrap_or(u32::MAX);
        let damaged = |reason| BtfError::Type { id, offset: base + at, reason };
        offsets.push(u32::try_from(at).map_err(|_| damaged("more than 4 GiB of types"))?);
        if types.len() - at < 12 {
            return Err(damaged("its record is cut off"));
        }
        let info = word(types, at + 4);
        let count = info as usize & 0xffff;
        let kind = Kind::from_number(info >> 24 & 0x1f)
            .filter(|kind| *kind != Kind::Void)
            .ok_or_else(|| damaged("its kind is not known"))?;
        let tail = at + 12;
        let end = tail + tail_len(kind, count);
        if end > types.len() {
            return Err(damaged("its record is cut off"));
        }
        check.name(at);
        check_kind(&mut check, kind, at, count).map_err(damaged)?;
        if !check.names_ok {
            return Err(damaged("a name is outside of the strings"));
        }
        at = end;
    }
    let last = u32::try_from(offsets.len()).unwrap_or(u32::MAX);
    if check.max_ref > last {
        return Err(BtfError::Reference { id: check.max_ref, last });
    }
    Ok(offsets.into())
}

/// How many bytes follow the twelve that every record has.
fn tail_len(kind: Kind, count: usize) -> usize {
    match kind {
        Kind::Int | Kind::Var | Kind::DeclTag => 4,
        Kind::Array => 12,
        Kind::Struct | Kind::Union | Kind::Datasec | Kind::Enum64 => 12 * count,
        Kind::Enum | Kind::FuncProto => 8 * count,
        _ => 0,
    }
}

fn check_kind(check: &mut Check<'_>, kind: Kind, at: usize, count: usize) -> Result<(), &'static str> {
    let tail = at + 12;
    let size_or_type = word(check.types, at + 8);
    match kind {
        Kind::Int => {
            let bits = word(check.types, tail);
            let (first, used) = (bits >> 16 & 0xff, bits & 0xff);
            if size_or_type > 16 || first + used > size_or_type * 8 {
                return Err("the bits of an integer do not fit into it");
            }
        }
        Kind::Array => {
            check.reference(tail);
            check.reference(tail + 4);
        }
        Kind::Struct | Kind::Union => {
            for index in 0..count {
                check.name(tail + index * 12);
                check.reference(tail + index * 12 + 4);
            }
        }
        Kind::Enum | Kind::Enum64 => {
            let stride = if kind == Kind::Enum { 8 } else { 12 };
            for index in 0..count {
                check.name(tail + index * stride);
            }
        }
        Kind::FuncProto => {
            check.reference(at + 8);
            for index in 0..count {
                check.name(tail + index * 8);
                check.reference(tail + index * 8 + 4);
            }
        }
        Kind::Datasec => {
            for index in 0..count {
                check.reference(tail + index * 12);
            }
        }
        Kind::Func => {
            check.reference(at + 8);
            if count > 2 {
                return Err("the linkage of a function is not known");
            }
        }
        Kind::Var => {
            check.reference(at + 8);
            if word(check.types, tail) > 2 {
                return Err("the linkage of a variable is not known");
            }
        }
        Kind::Fwd | Kind::Float | Kind::Void => {}
        Kind::Ptr
        | Kind::Typedef
        | Kind::Volatile
        | Kind::Const
        | Kind::Restrict
        | Kind::DeclTag
        | Kind::TypeTag => check.reference(at + 8),
    }
    Ok(())
}
