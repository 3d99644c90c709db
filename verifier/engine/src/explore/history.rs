//! What a path leaves behind so that values can be followed back: a node where the predecessor of
//! an instruction is not the one before it, where a slot was spilled or filled, and where a branch
//! refined linked scalars (verifier.md, 2.6).
//!
//! Nodes live in one arena and point back, so that a fork shares the past of its path for free.

/// A register or a slot of a frame, in a set of linked scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A register.
    Reg(u8),
    /// A stack slot.
    Slot(u8),
}

/// How many linked scalars a branch follows; the others lose their link.
pub const MAX_LINKED: usize = 6;

/// The linked scalars that a branch refined together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    len: u8,
    items: [(u8, Place); MAX_LINKED],
}

impl Linked {
    /// No scalars.
    pub const NONE: Linked = Linked { len: 0, items: [(0, Place::Reg(0)); MAX_LINKED] };

    /// Adds one; false when the set is full.
    pub fn push(&mut self, frame: usize, place: Place) -> bool {
        let index = usize::from(self.len);
        if index == MAX_LINKED {
            return false;
        }
        self.items[index] = (frame as u8, place);
        self.len += 1;
        true
    }

    /// The frame and place of each.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Place)> + '_ {
        self.items[..usize::from(self.len)].iter().map(|&(frame, place)| (usize::from(frame), place))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A note about one executed instruction. There may be a million of them, so they are small.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Slots that a walk back wanted when it was done with this instruction, see [`Node::visit`].
    slots_followed: u64,
    previous: u32,
    pc: u32,
    prev_pc: u32,
    /// Index into the sets of linked scalars.
    linked: u32,
    /// Registers, likewise.
    regs_followed: u16,
    /// The frame and the slot, a byte each.
    place: u16,
}

/// Nothing: no instruction, no slot, no set.
const NONE: u32 = u32::MAX;
const NO_PLACE: u16 = u16::MAX;

impl Node {
    /// The instruction.
    #[inline]
    #[must_use]
    pub fn pc(&self) -> usize {
        self.pc as usize
    }

    /// The instruction executed before it.
    #[inline]
    #[must_use]
    pub fn prev_pc(&self) -> Option<usize> {
        (self.prev_pc != NONE).then_some(self.prev_pc as usize)
    }

    /// The frame and slot that it spilled to or filled from.
    #[inline]
    #[must_use]
    pub fn slot(&self) -> Option<(u8, u8)> {
        (self.place != NO_PLACE).then_some(((self.place >> 8) as u8, self.place as u8))
    }

    /// True when it tells no more than where the path came from.
    #[inline]
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.place == NO_PLACE && self.linked == NONE
    }

    /// A walk back is done with this instruction and wants these values of the frame that ran it,
    /// and none of other frames. False when walks before it wanted them all: what it would find is
    /// found already, because the past of a note never changes and marks are never taken back.
    #[inline]
    pub fn visit(&mut self, regs: u16, slots: u64) -> bool {
        let (all_regs, all_slots) = (self.regs_followed | regs, self.slots_followed | slots);
        let new = all_regs != self.regs_followed || all_slots != self.slots_followed;
        (self.regs_followed, self.slots_followed) = (all_regs, all_slots);
        new
    }
}

/// The end of a path's notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryHead {
    node: u32,
    len: u32,
}

impl HistoryHead {
    /// No notes.
    pub const EMPTY: HistoryHead = HistoryHead { node: NONE, len: 0 };

    /// How many notes there are.
    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// True when there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// All notes of a run.
#[derive(Debug, Default)]
pub struct History {
    nodes: Vec<Node>,
    linked: Vec<Linked>,
}

impl History {
    /// Adds a note behind `head`, about the instruction at `pc`, executed after `prev_pc`.
    #[inline]
    pub fn push(&mut self, head: HistoryHead, pc: usize, prev_pc: Option<usize>) -> HistoryHead {
        let node = self.nodes.len() as u32;
        self.nodes.push(Node {
            slots_followed: 0,
            previous: head.node,
            pc: pc as u32,
            prev_pc: prev_pc.map_or(NONE, |pc| pc as u32),
            linked: NONE,
            regs_followed: 0,
            place: NO_PLACE,
        });
        HistoryHead { node, len: head.len + 1 }
    }

    /// Adds to the last note the frame and slot that its instruction spilled to or filled from,
    /// unless it has them.
    pub fn add_slot(&mut self, head: HistoryHead, frame: u8, slot: u8) {
        if let Some(node) = self.last_mut(head)
            && node.place == NO_PLACE
        {
            node.place = u16::from(frame) << 8 | u16::from(slot);
        }
    }

    /// Adds to the last note the linked scalars that its instruction refined.
    pub fn add_linked(&mut self, head: HistoryHead, linked: Linked) {
        let index = self.linked.len() as u32;
        if let Some(node) = self.last_mut(head) {
            node.linked = index;
            self.linked.push(linked);
        }
    }

    /// The last note of a path, when there is one.
    #[inline]
    #[must_use]
    pub fn last(&self, head: HistoryHead) -> Option<&Node> {
        if head.is_empty() { None } else { self.nodes.get(head.node as usize) }
    }

    /// The last note, to be changed.
    #[inline]
    pub fn last_mut(&mut self, head: HistoryHead) -> Option<&mut Node> {
        if head.is_empty() { None } else { self.nodes.get_mut(head.node as usize) }
    }

    /// The linked scalars of a note; none for most.
    #[inline]
    #[must_use]
    pub fn linked(&self, node: &Node) -> Option<&Linked> {
        self.linked.get(node.linked as usize)
    }

    /// The notes before the last one.
    #[inline]
    #[must_use]
    pub fn before(&self, head: HistoryHead) -> HistoryHead {
        match self.last(head) {
            Some(node) => HistoryHead { node: node.previous, len: head.len - 1 },
            None => HistoryHead::EMPTY,
        }
    }
}
