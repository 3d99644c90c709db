//! Comparisons of packet pointers with their bound (verifier.md, 3.7).

use probity_isa::JumpOp;
use probity_platform::Behaviour;

use crate::explore::walk::{Observer, Walk};
use crate::state::reg::{AT_BOUND, BEYOND_BOUND};
use crate::state::{Reg, State};

/// Packet offsets stay below this.
const MAX_PACKET_OFFSET: u64 = 0xffff;

impl<O: Observer> Walk<'_, O> {
    /// A packet pointer against its bound, when an earlier comparison put it beyond.
    pub(super) fn decide_packets(&self, op: JumpOp, left: &Reg, right: &Reg) -> Option<bool> {
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

    pub(super) fn is_packet_bound(&self, reg: &Reg) -> bool {
        matches!(reg.behaviour, Some(Behaviour::Packet | Behaviour::PacketEnd))
    }

    /// A comparison of a packet pointer with its bound; false when it is none.
    pub(super) fn compare_packets(&mut self, op: JumpOp, dst: u8, src: u8, left: &Reg, right: &Reg) -> bool {
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
