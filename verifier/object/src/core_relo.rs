//! Relocations against the target's types (CO-RE).
//!
//! A compiler records, for an instruction, what it was made from: "the offset of this member of
//! this structure". Here the same place is looked for in the target's types, and the instruction
//! gets the target's number. Where the target has no such place, the instruction becomes a call of
//! a helper that there is none of: a program that never reaches it is still right.
//!
//! | module | subject |
//! |---|---|
//! | `spec` | a place in a type, and the same place in another type |
//! | `compat` | when two types count as the same |
//! | `value` | the number that is asked for of a place |

pub(crate) mod compat;
mod spec;
mod value;

use probity_isa::Insn;
use probity_program::{
    Btf,
    btf::{Type, TypeId, essential_name},
};

use self::{
    spec::Spec,
    value::{Field, Value},
};
use crate::{
    ProgramError,
    btf_ext::{CoreRecord, within},
    functions::Function,
    limits,
    link::{CALL, LD_IMM64, Linker, Piece},
};

/// What an instruction becomes when the target lacks what it needs.
const POISON: Insn = Insn::new(CALL, 0, 0, 0, 0x0bad_2310);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    FieldByteOffset,
    FieldByteSize,
    FieldExists,
    FieldSigned,
    FieldLshift,
    FieldRshift,
    TypeIdLocal,
    TypeIdTarget,
    TypeExists,
    TypeSize,
    EnumvalExists,
    EnumvalValue,
    TypeMatches,
}

impl Kind {
    const ALL: [(Kind, &str); 13] = [
        (Kind::FieldByteOffset, "field_byte_offset"),
        (Kind::FieldByteSize, "field_byte_size"),
        (Kind::FieldExists, "field_exists"),
        (Kind::FieldSigned, "field_signed"),
        (Kind::FieldLshift, "field_lshift_u64"),
        (Kind::FieldRshift, "field_rshift_u64"),
        (Kind::TypeIdLocal, "type_id_local"),
        (Kind::TypeIdTarget, "type_id_target"),
        (Kind::TypeExists, "type_exists"),
        (Kind::TypeSize, "type_size"),
        (Kind::EnumvalExists, "enumval_exists"),
        (Kind::EnumvalValue, "enumval_value"),
        (Kind::TypeMatches, "type_matches"),
    ];

    /// The kind with a number of the format, and its name.
    fn from_number(number: u32) -> Option<(Kind, &'static str)> {
        Kind::ALL.get(number as usize).copied()
    }
}

/// How often the relocations of a program may look at types.
pub(crate) struct Budget {
    left: u32,
}

/// The types are nested too deeply, or are too many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooComplex;

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget { left: limits::CORE_STEPS }
    }

    pub(super) fn spend(&mut self) -> Result<(), TooComplex> {
        self.left = self.left.checked_sub(1).ok_or(TooComplex)?;
        Ok(())
    }
}

/// The number for an instruction.
struct Answer {
    /// What the compiler took from the object's own types; `None` when it may have done otherwise.
    expected: Option<u64>,
    /// What the target says; `None` when it has no such place.
    new: Option<u64>,
    /// The member's size in the object and in the target, when they differ.
    resize: Option<Resize>,
}

/// A load or store whose member has another size in the target.
#[derive(Clone, Copy)]
enum Resize {
    /// Zero-extension makes the new size right.
    To { old: u32, new: u32 },
    /// It cannot be made right.
    Impossible,
}

/// Why a relocation cannot be done at all.
enum Failure {
    Bad(String),
    Unsupported(&'static str),
}

impl From<TooComplex> for Failure {
    fn from(_: TooComplex) -> Failure {
        Failure::Bad("its types are too complex".into())
    }
}

fn bad<T>(reason: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Bad(reason.into()))
}

impl Linker<'_> {
    /// Applies the relocations of a function that has just been appended.
    pub(crate) fn core_relocate(&mut self, piece: Piece) -> Result<(), ProgramError> {
        let function = self.function(piece);
        let object = self.object;
        let (Some(records), Some(btf)) = (object.records(function), object.btf.as_deref()) else {
            return Ok(());
        };
        let range = function.start as u64 * 8..(function.start + function.len) as u64 * 8;
        for record in within(&records.cores, range, |record| record.offset) {
            self.core_relocate_one(piece, function, btf, record)?;
        }
        Ok(())
    }

    fn core_relocate_one(
        &mut self,
        piece: Piece,
        function: &Function,
        btf: &Btf,
        record: &CoreRecord,
    ) -> Result<(), ProgramError> {
        let at = record.offset as usize / 8 - function.start;
        let remedy = "compile the object again";
        let fail = |linker: &Linker<'_>, failure| {
            let access = btf.string_at(record.access).unwrap_or("?");
            let name = btf.name(TypeId(record.type_id)).unwrap_or("?");
            match failure {
                Failure::Bad(reason) => {
                    linker.error(function, at, format!("type {name} at {access}"), reason, remedy)
                }
                Failure::Unsupported(what) => {
                    linker.unsupported(function, at, format!("CO-RE relocation of {what}"), remedy)
                }
            }
        };
        let Some((kind, kind_name)) = Kind::from_number(record.kind) else {
            let name = format!("CO-RE relocation of kind {}", record.kind);
            return Err(self.unsupported(function, at, name, "use an older compiler"));
        };
        let answer = if kind == Kind::TypeIdLocal {
            Answer { expected: None, new: Some(u64::from(record.type_id)), resize: None }
        } else {
            let Some(target) = self.options.target else {
                return Err(self.unsupported(
                    function,
                    at,
                    format!("CO-RE relocation ({kind_name}) without a target"),
                    "give the target kernel's BTF",
                ));
            };
            answer(btf, target, record, kind, &mut self.core_budget).map_err(|failure| fail(self, failure))?
        };
        let end = piece.base + function.len;
        let insns = &mut self.insns[piece.base + at..end];
        patch(insns, &answer).map_err(|failure| fail(self, failure))
    }

    /// True when a CO-RE relocation that cannot be applied has replaced an instruction.
    pub(crate) fn is_poisoned(&self, pc: usize) -> bool {
        self.insns[pc] == POISON
    }
}

/// Looks a relocation's place up in the target.
fn answer(
    local: &Btf,
    target: &Btf,
    record: &CoreRecord,
    kind: Kind,
    budget: &mut Budget,
) -> Result<Answer, Failure> {
    let root = TypeId(record.type_id);
    let access = local.string_at(record.access).unwrap_or("");
    let Some(place) = Spec::parse(local, root, access, kind) else {
        return bad("the type has no such place");
    };
    let name = essential_name(local.name(root).unwrap_or(""));
    if name.is_empty() {
        return Err(Failure::Unsupported("a type without a name"));
    }
    let Some(old) = place.value(local, kind) else {
        return bad("the object's own types do not say the number");
    };
    let root_kind = local.ty(root).map(|ty| compat::kind(&ty));
    let mut found: Option<(Spec<'_>, Option<Value>)> = None;
    for candidate in target.find_by_essential_name(name) {
        if target.ty(candidate).map(|ty| compat::kind(&ty)) != root_kind {
            continue;
        }
        let Some(spec) = place.find_in(local, target, candidate, kind, budget)? else {
            continue;
        };
        let value = spec.value(target, kind);
        if let Some((first, first_value)) = &found {
            let number = |value: &Option<Value>| value.as_ref().map(|value| value.number);
            if first.bit_offset != spec.bit_offset || number(first_value) != number(&value) {
                return bad(format!("the target has several types {name} that differ there"));
            }
        } else {
            found = Some((spec, value));
        }
    }
    let new = match found {
        Some((_, value)) => value,
        None => match kind {
            Kind::FieldExists
            | Kind::EnumvalExists
            | Kind::TypeExists
            | Kind::TypeMatches
            | Kind::TypeSize
            | Kind::TypeIdTarget => Some(Value::plain(0)),
            _ => None,
        },
    };
    Ok(Answer {
        expected: old.is_certain.then_some(old.number),
        resize: new.as_ref().and_then(|new| resize(local, old.field?, target, new.field?)),
        new: new.map(|new| new.number),
    })
}

/// What the sizes of a member in the object and in the target ask for.
fn resize(local: &Btf, old: Field, target: &Btf, new: Field) -> Option<Resize> {
    if old.size == new.size {
        return None;
    }
    let fits = match (local.resolved(old.ty), target.resolved(new.ty)) {
        (Some(Type::Ptr { .. }), Some(Type::Ptr { .. })) => true,
        (Some(Type::Int(old)), Some(Type::Int(new))) => !old.signed && !new.signed,
        _ => false,
    };
    Some(if fits { Resize::To { old: old.size, new: new.size } } else { Resize::Impossible })
}

/// The class of an instruction's code.
const CLASS: u8 = 0x07;
/// The size of a load or store, in its code.
const SIZE: u8 = 0x18;
/// The flag of an operation with a register as its source.
const REGISTER: u8 = 0x08;

/// Gives an instruction its number.
fn patch(insns: &mut [Insn], answer: &Answer) -> Result<(), Failure> {
    let is_wide = insns.first().is_some_and(|insn| insn.code == LD_IMM64);
    let [insn, rest @ ..] = insns else {
        return Ok(());
    };
    let Some(new) = answer.new else {
        if let (true, Some(second)) = (is_wide, rest.first_mut()) {
            *second = POISON;
        }
        *insn = POISON;
        return Ok(());
    };
    match insn.code & CLASS {
        // ST, STX, LDX.
        1..=3 => {
            expect(answer, u64::from(insn.off.cast_unsigned()), 0xffff)?;
            match answer.resize {
                Some(Resize::Impossible) => {
                    *insn = POISON;
                    return Ok(());
                }
                Some(Resize::To { old, new }) => {
                    if access_size(insn.code) != old {
                        return bad("the instruction does not access the whole member");
                    }
                    let Some(code) = access_code(new) else {
                        return bad(format!("the target's member has {new} bytes"));
                    };
                    insn.code = insn.code & !SIZE | code;
                }
                None => {}
            }
            match i16::try_from(new) {
                Ok(off) => insn.off = off,
                Err(_) => return bad(format!("{new} is too large for an offset")),
            }
        }
        // ALU, ALU64.
        4 | 7 => {
            if insn.code & REGISTER != 0 {
                return bad("the instruction has no place for a number");
            }
            expect(answer, u64::from(insn.imm.cast_unsigned()), 0xffff_ffff)?;
            insn.imm = (new as u32).cast_signed();
        }
        0 if is_wide => {
            let Some(second) = rest.first_mut() else {
                return bad("the instruction is cut off");
            };
            let low = u64::from(insn.imm.cast_unsigned());
            let high = u64::from(second.imm.cast_unsigned());
            expect(answer, high << 32 | low, u64::MAX)?;
            insn.imm = (new as u32).cast_signed();
            second.imm = ((new >> 32) as u32).cast_signed();
        }
        _ => return bad("the instruction has no place for a number"),
    }
    Ok(())
}

/// Checks that an instruction has the number that the object's own types give.
fn expect(answer: &Answer, found: u64, mask: u64) -> Result<(), Failure> {
    match answer.expected {
        Some(expected) if expected & mask != found & mask => {
            bad(format!("the instruction has {found}, but the object's own types say {expected}"))
        }
        _ => Ok(()),
    }
}

fn access_size(code: u8) -> u32 {
    match code & SIZE {
        0x00 => 4,
        0x08 => 2,
        0x10 => 1,
        _ => 8,
    }
}

fn access_code(size: u32) -> Option<u8> {
    Some(match size {
        4 => 0x00,
        2 => 0x08,
        1 => 0x10,
        8 => 0x18,
        _ => return None,
    })
}
