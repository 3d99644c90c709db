//! Conditional jumps: decided or taken both ways, and what each side learns (verifier.md, 3.4 to
//! 3.8).

use probity_isa::{JumpOp, Source, Width};
use probity_platform::{Behaviour, Code as Why, NullCheckYields, Rejection, TypeFlags};

use super::{Next, denied};
use crate::domain;
use crate::explore::history::Linked;
use crate::explore::walk::{Observer, Walk};
use crate::state::reg::{AT_BOUND, BEYOND_BOUND};
use crate::state::{Reg, State};

/// Packet offsets stay below this.
const MAX_PACKET_OFFSET: u64 = 0xffff;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn jump(
        &mut self,
        width: Width,
        op: JumpOp,
        dst: u8,
        src: Source,
        off: i16,
    ) -> Result<Next, Rejection> {
        self.check_readable(dst)?;
        self.check_source(src)?;
        let left = *self.state.reg(dst);
        let right = match src {
            Source::Reg(reg) => {
                let packets = self.is_packet_bound(&left) && self.is_packet_bound(self.state.reg(reg));
                if !packets && self.leaks(reg) {
                    return Err(comparison_prohibited(reg));
                }
                *self.state.reg(reg)
            }
            Source::Imm(imm) => self.constant(i64::from(imm).cast_unsigned()),
        };
        let target = self.target(i64::from(off));
        if let Some(taken) = self.decide(width, op, &left, &right) {
            if left.is_scalar() {
                self.mark_precise(dst)?;
            }
            if let Source::Reg(reg) = src
                && right.is_scalar()
            {
                self.mark_precise(reg)?;
            }
            return Ok(Next::Go(if taken { target } else { self.pc + 1 }));
        }
        let linked = self.collect_linked(dst, src, &left, &right);
        if linked.len() > 1 {
            self.note(None, linked);
        }
        let pc = self.pc;
        self.push_branch(target, Some(pc))?;
        if left.is_scalar() && right.is_scalar() {
            self.refine_scalars(width, op, dst, src, &linked);
        } else {
            self.refine_pointers(width, op, dst, src, &left, &right)?;
        }
        Ok(Next::Go(self.pc + 1))
    }

    /// The outcome, when it is certain.
    fn decide(&self, width: Width, op: JumpOp, left: &Reg, right: &Reg) -> Option<bool> {
        match (left.is_pointer(), right.is_pointer()) {
            (false, false) => domain::decide(op, width, &left.val, &right.val),
            (true, true) if width == Width::W64 => self.decide_packets(op, left, right),
            (true, false) if width == Width::W64 && right.is_null_scalar() => self.decide_null(op, left),
            (false, true) if width == Width::W64 && left.is_null_scalar() => self.decide_null(op, right),
            _ => None,
        }
    }

    /// A pointer that is never null against 0.
    fn decide_null(&self, op: JumpOp, pointer: &Reg) -> Option<bool> {
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

    /// A packet pointer against its bound, when an earlier comparison put it beyond.
    fn decide_packets(&self, op: JumpOp, left: &Reg, right: &Reg) -> Option<bool> {
        let (pointer, op) = if right.behaviour == Some(Behaviour::PacketEnd) {
            (left, op)
        } else if left.behaviour == Some(Behaviour::PacketEnd) {
            (right, mirrored(op)?)
        } else {
            return None;
        };
        if pointer.behaviour != Some(Behaviour::Packet) {
            return None;
        }
        match (op, pointer.range()) {
            // The pointer is at least at its end.
            (JumpOp::Jge, AT_BOUND | BEYOND_BOUND) | (JumpOp::Jgt, BEYOND_BOUND) => Some(true),
            (JumpOp::Jlt, AT_BOUND | BEYOND_BOUND) | (JumpOp::Jle, BEYOND_BOUND) => Some(false),
            _ => None,
        }
    }

    fn is_packet_bound(&self, reg: &Reg) -> bool {
        matches!(reg.behaviour, Some(Behaviour::Packet | Behaviour::PacketEnd))
    }

    fn refine_scalars(&mut self, width: Width, op: JumpOp, dst: u8, src: Source, linked: &Linked) {
        let left = self.state.reg(dst).val;
        let same = src == Source::Reg(dst);
        let right = match src {
            Source::Reg(reg) => self.state.reg(reg).val,
            Source::Imm(imm) => domain::Scalar::constant(i64::from(imm).cast_unsigned()),
        };
        let refine = |taken| {
            if same {
                domain::refine_same(op, width, &left, taken)
            } else {
                domain::refine(op, width, &left, &right, taken)
            }
        };
        let (taken, fallthrough) = (refine(true), refine(false));
        if let Some(branch) = self.last_branch() {
            learn(branch, dst, src, &taken, linked);
        }
        learn(&mut self.state, dst, src, &fallthrough, linked);
    }

    fn refine_pointers(
        &mut self,
        width: Width,
        op: JumpOp,
        dst: u8,
        src: Source,
        left: &Reg,
        right: &Reg,
    ) -> Result<(), Rejection> {
        let equality = match op {
            JumpOp::Jeq => Some(true),
            JumpOp::Jne => Some(false),
            _ => None,
        };
        if let (Some(equal_taken), Width::W64) = (equality, width) {
            if src == Source::Imm(0) && left.maybe_null() {
                let id = left.id;
                self.resolve_null(id, !equal_taken);
                return Ok(());
            }
            if left.is_pointer() && right.is_pointer() && left.maybe_null() != right.maybe_null() {
                let object = Some(Behaviour::Object);
                if left.behaviour != object && right.behaviour != object {
                    // On the equal side, what may be null equals what is not.
                    let id = if left.maybe_null() { left.id } else { right.id };
                    self.lift_null(id, equal_taken);
                }
            }
        }
        if width == Width::W64
            && let Source::Reg(reg) = src
            && self.compare_packets(op, dst, reg, left, right)
        {
            return Ok(());
        }
        if self.leaks(dst) {
            return Err(comparison_prohibited(dst));
        }
        Ok(())
    }

    /// After a null check: both sides know. `taken_nonnull`: the pushed side is the one without
    /// null.
    fn resolve_null(&mut self, id: u32, taken_nonnull: bool) {
        let platform = self.platform;
        let scalar = self.constant(0);
        let program = self.program;
        let null = move |reg: &mut Reg| *reg = scalar;
        let nonnull = move |reg: &mut Reg| mark_nonnull(reg, platform, program);
        let selected = move |reg: &Reg| reg.id == id && reg.maybe_null();
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
    fn lift_null(&mut self, id: u32, on_taken: bool) {
        let (platform, program) = (self.platform, self.program);
        let selected = move |reg: &Reg| reg.id == id && reg.maybe_null();
        let nonnull = move |reg: &mut Reg| mark_nonnull(reg, platform, program);
        if on_taken {
            if let Some(branch) = self.last_branch() {
                branch.for_each_reg(selected, nonnull);
            }
        } else {
            self.state.for_each_reg(selected, nonnull);
        }
    }

    /// A comparison of a packet pointer with its bound; false when it is none.
    fn compare_packets(&mut self, op: JumpOp, dst: u8, src: u8, left: &Reg, right: &Reg) -> bool {
        let bounded = |pointer: &Reg, bound: &Reg| {
            pointer.behaviour == Some(Behaviour::Packet)
                && self.platform.kind(pointer.kind).bound == Some(bound.kind)
                && (bound.behaviour == Some(Behaviour::PacketEnd) || is_start(bound))
        };
        let (pointer, reg, op) = if bounded(left, right) {
            (left, dst, Some(op))
        } else if bounded(right, left) {
            (right, src, mirrored(op))
        } else {
            return false;
        };
        let marks = self
            .platform
            .kind(pointer.kind)
            .bound
            .is_some_and(|bound| self.platform.kind(bound).behaviour == Behaviour::PacketEnd);
        // On which side the pointer is inside, whether it may equal the bound there, and what it
        // is on the other side.
        let (inside_taken, open, mark) = match op {
            Some(JumpOp::Jgt) => (false, false, BEYOND_BOUND),
            Some(JumpOp::Jge) => (false, true, AT_BOUND),
            Some(JumpOp::Jlt) => (true, true, AT_BOUND),
            Some(JumpOp::Jle) => (true, false, BEYOND_BOUND),
            _ => return false,
        };
        let pointer = *pointer;
        if let Some(branch) = self.last_branch() {
            if inside_taken {
                extend_range(branch, &pointer, open);
            } else if marks {
                branch.reg_mut(reg).set_range(mark);
            }
        }
        if !inside_taken {
            extend_range(&mut self.state, &pointer, open);
        } else if marks {
            self.state.reg_mut(reg).set_range(mark);
        }
        true
    }
}

/// The operator with its operands exchanged, for orderings.
fn mirrored(op: JumpOp) -> Option<JumpOp> {
    Some(match op {
        JumpOp::Jgt => JumpOp::Jlt,
        JumpOp::Jge => JumpOp::Jle,
        JumpOp::Jlt => JumpOp::Jgt,
        JumpOp::Jle => JumpOp::Jge,
        JumpOp::Jeq | JumpOp::Jne => op,
        _ => return None,
    })
}

/// A packet pointer at the very start of its data.
fn is_start(pointer: &Reg) -> bool {
    pointer.behaviour == Some(Behaviour::Packet) && pointer.off == 0 && pointer.val.is_const() == Some(0)
}

/// On the inside, every pointer with the same variable part reaches as far.
fn extend_range(state: &mut State, pointer: &Reg, open: bool) {
    let off = pointer.off;
    if off < 0 || (off == 0 && open) {
        return;
    }
    if pointer.val.umax > MAX_PACKET_OFFSET || pointer.val.umax + off as u64 > MAX_PACKET_OFFSET {
        return;
    }
    let range = off + i32::from(open);
    let (id, ty) = (pointer.id, pointer.ty());
    let selected = |reg: &Reg| {
        reg.behaviour == Some(Behaviour::Packet) && reg.id == id && reg.ty() == ty && reg.range() < range
    };
    state.for_each_reg(selected, |reg| reg.set_range(range));
}

/// A pointer that a check proved not to be null.
fn mark_nonnull(
    reg: &mut Reg,
    platform: &'static probity_platform::Platform,
    program: &probity_program::Program,
) {
    reg.flags.remove(TypeFlags::PTR_MAYBE_NULL);
    if reg.ref_id == 0 {
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
            }
        }
        Some(NullCheckYields::Type(ty)) => {
            let kind = platform.kind(ty.kind);
            reg.behaviour = Some(kind.behaviour);
            reg.kind = ty.kind;
            reg.flags = ty.flags;
            reg.data = kind.view.map_or(0, u32::from);
        }
        Some(NullCheckYields::Value) | None => {}
    }
}

/// One side of a branch between numbers: its operands, and what is linked to them.
fn learn(state: &mut State, dst: u8, src: Source, refined: &domain::Refined, linked: &Linked) {
    state.reg_mut(dst).val = refined.dst;
    if let Source::Reg(reg) = src {
        if reg != dst {
            state.reg_mut(reg).val = refined.src;
        }
        super::links::propagate(state, reg, linked);
    }
    super::links::propagate(state, dst, linked);
}

fn comparison_prohibited(reg: u8) -> Rejection {
    denied(Why::PointerComparison, format!("R{reg} pointer comparison prohibited"))
        .facts("numbers, or packet pointers and their end", "a pointer, whose value must stay secret")
}
