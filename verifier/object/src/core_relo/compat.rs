//! When two types count as the same. The first is always the object's, the second the target's.

use probity_program::{
    Btf,
    btf::{Composite, Enum, Kind, MAX_DEPTH, Type, TypeId, essential_name},
};

use super::{Budget, TooComplex};

/// The kind of a type; enumerations of both widths are of one kind.
pub(super) fn kind(ty: &Type<'_>) -> Kind {
    match ty.kind() {
        Kind::Enum64 => Kind::Enum,
        kind => kind,
    }
}

/// True when two names without their flavours are equal, or one is empty.
fn same_or_nameless(a: &str, b: &str) -> bool {
    let (a, b) = (essential_name(a), essential_name(b));
    a.is_empty() || b.is_empty() || a == b
}

/// True when a member of one type can stand for a member of the other: structures, pointers and
/// numbers are not looked into.
pub(super) fn fields(
    local: &Btf,
    mut a: TypeId,
    target: &Btf,
    mut b: TypeId,
    budget: &mut Budget,
) -> Result<bool, TooComplex> {
    for _ in 0..MAX_DEPTH {
        budget.spend()?;
        let (Some(x), Some(y)) = (local.resolved(a), target.resolved(b)) else {
            return Ok(false);
        };
        return Ok(match (x, y) {
            (Type::Struct(_) | Type::Union(_), Type::Struct(_) | Type::Union(_))
            | (Type::Ptr { .. }, Type::Ptr { .. })
            | (Type::Float { .. }, Type::Float { .. }) => true,
            (Type::Fwd { .. }, Type::Fwd { .. }) | (Type::Enum(_), Type::Enum(_)) => {
                same_or_nameless(x.name(), y.name())
            }
            (Type::Int(x), Type::Int(y)) => x.bit_offset == 0 && y.bit_offset == 0,
            (Type::Array { elem: x, .. }, Type::Array { elem: y, .. }) => {
                (a, b) = (x, y);
                continue;
            }
            _ => false,
        });
    }
    Err(TooComplex)
}

/// True when one type can stand for the other: names and members are not compared.
pub(crate) fn types(
    local: &Btf,
    a: TypeId,
    target: &Btf,
    b: TypeId,
    budget: &mut Budget,
) -> Result<bool, TooComplex> {
    types_at(local, a, target, b, budget, MAX_DEPTH)
}

fn types_at(
    local: &Btf,
    mut a: TypeId,
    target: &Btf,
    mut b: TypeId,
    budget: &mut Budget,
    depth: usize,
) -> Result<bool, TooComplex> {
    for depth in (0..depth).rev() {
        budget.spend()?;
        let (Some(x), Some(y)) = (local.resolved(a), target.resolved(b)) else {
            return Ok(false);
        };
        match (x, y) {
            (Type::Ptr { target: x }, Type::Ptr { target: y })
            | (Type::Array { elem: x, .. }, Type::Array { elem: y, .. }) => (a, b) = (x, y),
            (Type::Int(x), Type::Int(y)) => return Ok(x.bit_offset == 0 && y.bit_offset == 0),
            (Type::FuncProto(x), Type::FuncProto(y)) => {
                if x.params().len() != y.params().len() {
                    return Ok(false);
                }
                for (x, y) in x.params().zip(y.params()) {
                    if !types_at(local, x.ty, target, y.ty, budget, depth)? {
                        return Ok(false);
                    }
                }
                (a, b) = (x.ret, y.ret);
            }
            (x, y) => return Ok(kind(&x) == kind(&y)),
        }
    }
    Err(TooComplex)
}

/// True when one type matches the other: what the object's type has, the target's has by the same
/// names, and alike.
pub(super) fn matches(
    local: &Btf,
    a: TypeId,
    target: &Btf,
    b: TypeId,
    budget: &mut Budget,
) -> Result<bool, TooComplex> {
    Matching { local, target }.types(a, b, false, budget, MAX_DEPTH)
}

struct Matching<'a> {
    local: &'a Btf,
    target: &'a Btf,
}

impl Matching<'_> {
    /// `behind` is true behind a pointer, where of structures the names count only.
    fn types(
        &self,
        mut a: TypeId,
        mut b: TypeId,
        mut behind: bool,
        budget: &mut Budget,
        depth: usize,
    ) -> Result<bool, TooComplex> {
        for depth in (0..depth).rev() {
            budget.spend()?;
            let (Some(x), Some(y)) = (self.local.resolved(a), self.target.resolved(b)) else {
                return Ok(false);
            };
            let names = (essential_name(x.name()), essential_name(y.name()));
            if !names.0.is_empty() && !names.1.is_empty() && names.0 != names.1 {
                return Ok(false);
            }
            match (x, y) {
                (Type::Void, Type::Void) => return Ok(true),
                (Type::Fwd { is_union: x, .. }, Type::Fwd { is_union: y, .. }) => {
                    return Ok(x == y);
                }
                (Type::Fwd { is_union, .. }, Type::Struct(_))
                | (Type::Struct(_), Type::Fwd { is_union, .. }) => return Ok(behind && !is_union),
                (Type::Fwd { is_union, .. }, Type::Union(_))
                | (Type::Union(_), Type::Fwd { is_union, .. }) => return Ok(behind && is_union),
                (Type::Enum(x), Type::Enum(y)) => return enums(&x, &y, budget),
                (Type::Int(x), Type::Int(y)) => {
                    return Ok(x.size == y.size && x.signed == y.signed);
                }
                (Type::Float { size: x, .. }, Type::Float { size: y, .. }) => return Ok(x == y),
                (Type::Struct(x), Type::Struct(y)) | (Type::Union(x), Type::Union(y)) => {
                    return if behind { Ok(true) } else { self.members(&x, &y, budget, depth) };
                }
                (Type::Ptr { target: x }, Type::Ptr { target: y }) => {
                    behind = true;
                    (a, b) = (x, y);
                }
                (Type::Array { elem: x, count: m, .. }, Type::Array { elem: y, count: n, .. }) => {
                    if m != n {
                        return Ok(false);
                    }
                    (a, b) = (x, y);
                }
                (Type::FuncProto(x), Type::FuncProto(y)) => {
                    if x.params().len() != y.params().len() {
                        return Ok(false);
                    }
                    for (x, y) in x.params().zip(y.params()) {
                        if !self.types(x.ty, y.ty, behind, budget, depth)? {
                            return Ok(false);
                        }
                    }
                    (a, b) = (x.ret, y.ret);
                }
                _ => return Ok(false),
            }
        }
        Err(TooComplex)
    }

    fn members(
        &self,
        x: &Composite<'_>,
        y: &Composite<'_>,
        budget: &mut Budget,
        depth: usize,
    ) -> Result<bool, TooComplex> {
        if x.len() > y.len() {
            return Ok(false);
        }
        for wanted in x.members() {
            let mut found = false;
            for member in y.members() {
                budget.spend()?;
                if member.name == wanted.name && self.types(wanted.ty, member.ty, false, budget, depth)? {
                    found = true;
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn enums(x: &Enum<'_>, y: &Enum<'_>, budget: &mut Budget) -> Result<bool, TooComplex> {
    if x.size != y.size || x.len() > y.len() {
        return Ok(false);
    }
    for wanted in x.values() {
        let name = essential_name(wanted.name);
        let mut found = false;
        for value in y.values() {
            budget.spend()?;
            if essential_name(value.name) == name {
                found = true;
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}
