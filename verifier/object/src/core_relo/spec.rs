//! A place in a type, and the same place in another type.

use probity_program::{
    Btf,
    btf::{Composite, MAX_DEPTH, Member, Type, TypeId, essential_name},
};

use super::{Budget, Kind, TooComplex, compat};

/// The longest path to a place.
const MAX_STEPS: usize = 64;

/// A step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// To an element: its type, and its index.
    Element { ty: TypeId, index: u32 },
    /// To a member with a name: the structure, and the member.
    Member { owner: TypeId, member: Member<'a> },
    /// To a value of an enumeration.
    Value { name: &'a str, value: u64 },
}

/// A place in a type: a path from the type.
#[derive(Clone, Debug)]
pub(super) struct Spec<'a> {
    pub(super) root: TypeId,
    pub(super) steps: Vec<Step<'a>>,
    /// Where the place begins, in bits from the start of the type.
    pub(super) bit_offset: u64,
}

fn body<'a>(ty: &Type<'a>) -> Option<Composite<'a>> {
    match ty {
        Type::Struct(body) | Type::Union(body) => Some(*body),
        _ => None,
    }
}

fn element_bits(btf: &Btf, ty: TypeId, index: u32) -> Option<u64> {
    btf.size_of(ty)?.checked_mul(8)?.checked_mul(u64::from(index))
}

/// True when an index is inside an array. The last member of a structure may be an array of no
/// fixed length.
fn is_inside(btf: &Btf, steps: &[Step<'_>], index: u32, count: u32) -> bool {
    if index < count {
        return true;
    }
    let Some(Step::Member { owner, member }) = steps.last() else {
        return false;
    };
    let last = match btf.ty(*owner).as_ref().and_then(body) {
        Some(body) => body.len().checked_sub(1).and_then(|last| body.member(last)),
        None => None,
    };
    count == 0 && last.is_some_and(|last| last == *member)
}

impl<'a> Spec<'a> {
    /// Reads the path of a relocation.
    pub(super) fn parse(btf: &'a Btf, root: TypeId, access: &str, kind: Kind) -> Option<Spec<'a>> {
        let mut spec = Spec { root, steps: Vec::new(), bit_offset: 0 };
        let mut indices = access.split(':').map(|index| index.parse::<u32>().ok());
        let first = indices.next()??;
        match kind {
            Kind::TypeIdLocal
            | Kind::TypeIdTarget
            | Kind::TypeExists
            | Kind::TypeSize
            | Kind::TypeMatches => return (access == "0").then_some(spec),
            Kind::EnumvalExists | Kind::EnumvalValue => {
                let Some(Type::Enum(values)) = btf.resolved(root) else {
                    return None;
                };
                let value = values.value(first as usize)?;
                spec.steps.push(Step::Value { name: value.name, value: value.value });
                return indices.next().is_none().then_some(spec);
            }
            _ => {}
        }
        let mut id = btf.resolve(root)?;
        spec.steps.push(Step::Element { ty: id, index: first });
        spec.bit_offset = element_bits(btf, id, first)?;
        for index in indices {
            let index = index?;
            if spec.steps.len() >= MAX_STEPS {
                return None;
            }
            id = btf.resolve(id)?;
            let ty = btf.ty(id)?;
            if let Some(body) = body(&ty) {
                let member = body.member(index as usize)?;
                spec.bit_offset = spec.bit_offset.checked_add(u64::from(member.bit_offset))?;
                if !member.name.is_empty() {
                    spec.steps.push(Step::Member { owner: id, member });
                }
                id = member.ty;
            } else if let Type::Array { elem, count, .. } = ty {
                let elem = btf.resolve(elem)?;
                if !is_inside(btf, &spec.steps, index, count) {
                    return None;
                }
                spec.steps.push(Step::Element { ty: elem, index });
                spec.bit_offset = spec.bit_offset.checked_add(element_bits(btf, elem, index)?)?;
                id = elem;
            } else {
                return None;
            }
        }
        Some(spec)
    }

    /// The same place in a type of the target; `None` when that type has no such place.
    pub(super) fn find_in<'b>(
        &self,
        local: &Btf,
        target: &'b Btf,
        root: TypeId,
        kind: Kind,
        budget: &mut Budget,
    ) -> Result<Option<Spec<'b>>, TooComplex> {
        let mut spec = Spec { root, steps: Vec::new(), bit_offset: 0 };
        match kind {
            Kind::TypeMatches => {
                let fits = compat::matches(local, self.root, target, root, budget)?;
                return Ok(fits.then_some(spec));
            }
            Kind::TypeIdLocal | Kind::TypeIdTarget | Kind::TypeExists | Kind::TypeSize => {
                let fits = compat::types(local, self.root, target, root, budget)?;
                return Ok(fits.then_some(spec));
            }
            _ => {}
        }
        let Some(mut id) = target.resolve(root) else {
            return Ok(None);
        };
        for (index, step) in self.steps.iter().enumerate() {
            budget.spend()?;
            let next = match step {
                Step::Value { name, .. } => spec.value_named(target, id, essential_name(name)),
                Step::Member { member, .. } => spec.member(local, member, target, id, budget)?,
                Step::Element { index: at, .. } => spec.element(target, id, *at, index == 0),
            };
            match next {
                Some(next) => id = next,
                None => return Ok(None),
            }
        }
        Ok(Some(spec))
    }

    fn value_named(&mut self, target: &'a Btf, id: TypeId, name: &str) -> Option<TypeId> {
        let Some(Type::Enum(values)) = target.resolved(id) else {
            return None;
        };
        let value = values.values().find(|value| essential_name(value.name) == name)?;
        self.steps.push(Step::Value { name: value.name, value: value.value });
        Some(id)
    }

    fn element(&mut self, target: &'a Btf, id: TypeId, index: u32, is_root: bool) -> Option<TypeId> {
        let ty = if is_root {
            id
        } else {
            let Some(Type::Array { elem, count, .. }) = target.resolved(id) else {
                return None;
            };
            if !is_inside(target, &self.steps, index, count) {
                return None;
            }
            target.resolve(elem)?
        };
        self.bit_offset = self.bit_offset.checked_add(element_bits(target, ty, index)?)?;
        self.steps.push(Step::Element { ty, index });
        Some(ty)
    }

    /// Looks for a member by name, in nameless members too.
    fn member(
        &mut self,
        local: &Btf,
        wanted: &Member<'_>,
        target: &'a Btf,
        id: TypeId,
        budget: &mut Budget,
    ) -> Result<Option<TypeId>, TooComplex> {
        // Structures whose members are being looked at: the next member, and where it begins.
        let Some(id) = target.resolve(id) else {
            return Ok(None);
        };
        let mut open = vec![(id, 0, self.bit_offset)];
        while let Some((owner, next, base)) = open.pop() {
            let member = target.ty(owner).as_ref().and_then(body).and_then(|body| body.member(next));
            let Some(member) = member else {
                continue;
            };
            budget.spend()?;
            open.push((owner, next + 1, base));
            let bit_offset = base.saturating_add(u64::from(member.bit_offset));
            if member.name.is_empty() {
                if open.len() > MAX_DEPTH {
                    return Err(TooComplex);
                }
                if let Some(inner) = target.resolve(member.ty) {
                    open.push((inner, 0, bit_offset));
                }
            } else if member.name == wanted.name {
                if !compat::fields(local, wanted.ty, target, member.ty, budget)? {
                    return Ok(None);
                }
                self.bit_offset = bit_offset;
                self.steps.push(Step::Member { owner, member });
                return Ok(Some(member.ty));
            }
        }
        Ok(None)
    }
}
