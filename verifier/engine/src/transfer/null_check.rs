//! Null checks: what both sides of a comparison with 0 know (verifier.md, 3.8).

use probity_isa::JumpOp;
use probity_platform::{Behaviour, NullCheckYields, TypeFlags};

use crate::explore::walk::{Observer, Walk};
use crate::prepare::Code;
use crate::prepare::special_fields::MapFields;
use crate::state::Reg;

impl<O: Observer> Walk<'_, O> {
    /// A pointer that is never null against 0.
    pub(super) fn decide_null(&self, op: JumpOp, pointer: &Reg) -> Option<bool> {
        let trusted =
            pointer.behaviour == Some(Behaviour::Object) && pointer.flags.contains(TypeFlags::PTR_TRUSTED);
        if pointer.maybe_null() || !(self.platform.kind(pointer.kind).never_null || trusted) {
            return None;
        }
        match op {
            JumpOp::Jeq => Some(false),
            JumpOp::Jne => Some(true),
            _ => None,
        }
    }

    /// After a null check: both sides know. `taken_nonnull`: the pushed side is the one without
    /// null.
    pub(super) fn resolve_null(&mut self, id: u32, taken_nonnull: bool) {
        let platform = self.platform;
        let scalar = self.constant(0);
        let (program, code) = (self.program, self.code);
        let null = move |reg: &mut Reg| *reg = scalar;
        let nonnull = move |reg: &mut Reg| mark_nonnull(reg, platform, program, code);
        let selected = move |reg: &Reg| reg.id == id && reg.maybe_null();
        // What is null was never acquired.
        let null_side = if taken_nonnull { Some(&mut self.state) } else { self.last_branch() };
        if let Some(state) = null_side {
            state.references.release(id);
        }
        if let Some(branch) = self.last_branch() {
            if taken_nonnull {
                branch.for_each_reg(selected, nonnull);
            } else {
                branch.for_each_reg(selected, null);
            }
        }
        if taken_nonnull {
            self.state.for_each_reg(selected, null);
        } else {
            self.state.for_each_reg(selected, nonnull);
        }
    }

    /// One side learns that a pointer is not null.
    pub(super) fn lift_null(&mut self, id: u32, on_taken: bool) {
        let (platform, program, code) = (self.platform, self.program, self.code);
        let selected = move |reg: &Reg| reg.id == id && reg.maybe_null();
        let nonnull = move |reg: &mut Reg| {
            mark_nonnull(reg, platform, program, code);
            // Only a comparison with 0 makes it forget which null check it waited for.
            reg.id = id;
        };
        if on_taken {
            if let Some(branch) = self.last_branch() {
                branch.for_each_reg(selected, nonnull);
            }
        } else {
            self.state.for_each_reg(selected, nonnull);
        }
    }
}

/// A pointer that a check proved not to be null.
fn mark_nonnull(
    reg: &mut Reg,
    platform: &'static probity_platform::Platform,
    program: &probity_program::Program,
    code: &Code,
) {
    reg.flags.remove(TypeFlags::PTR_MAYBE_NULL);
    let lookup = reg.id;
    if !code.may_be_locked(reg) {
        reg.id = 0;
    }
    if reg.behaviour != Some(Behaviour::MapValue) {
        return;
    }
    let Some(map) = program.maps.get(reg.map()) else { return };
    let yields = platform.map_type(map.map_type).map(|row| row.null_check_yields);
    match yields {
        Some(NullCheckYields::InnerMap) => {
            if let (Some(inner), Some(kind)) = (map.inner, platform.kind_of(Behaviour::Map)) {
                reg.behaviour = Some(Behaviour::Map);
                reg.kind = kind;
                reg.data = inner as u32;
                if code.special_fields.get(inner).is_some_and(MapFields::tells_maps_apart) {
                    reg.data2 = lookup;
                }
            }
        }
        Some(NullCheckYields::Type(ty)) => {
            let kind = platform.kind(ty.kind);
            reg.behaviour = Some(kind.behaviour);
            reg.kind = ty.kind;
            reg.flags = ty.flags;
            // Which map it came from still tells two such pointers apart.
            reg.data2 = reg.data + 1;
            reg.data = kind.view.map_or(0, u32::from);
        }
        Some(NullCheckYields::Value) | None => {}
    }
}
