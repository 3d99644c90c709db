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

/// A note about one executed instruction.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    previous: u32,
    /// The instruction.
    pub pc: usize,
    /// The instruction executed before it.
    pub prev_pc: Option<usize>,
    /// The frame and slot that it spilled to or filled from.
    pub slot: Option<(u8, u8)>,
    /// The linked scalars that it refined.
    pub linked: Linked,
}

/// The end of a path's notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryHead {
    node: u32,
    len: u32,
}

impl HistoryHead {
    /// No notes.
    pub const EMPTY: HistoryHead = HistoryHead { node: u32::MAX, len: 0 };

    /// How many notes there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// All notes of a run.
#[derive(Debug, Default)]
pub struct History {
    nodes: Vec<Node>,
}

impl History {
    /// Adds a note behind `head`.
    pub fn push(
        &mut self,
        head: HistoryHead,
        pc: usize,
        prev_pc: Option<usize>,
        slot: Option<(u8, u8)>,
        linked: Linked,
    ) -> HistoryHead {
        let node = self.nodes.len() as u32;
        self.nodes.push(Node { previous: head.node, pc, prev_pc, slot, linked });
        HistoryHead { node, len: head.len + 1 }
    }

    /// The last note of a path, when there is one.
    #[must_use]
    pub fn last(&self, head: HistoryHead) -> Option<&Node> {
        if head.is_empty() { None } else { self.nodes.get(head.node as usize) }
    }

    /// The last note, to be added to.
    pub fn last_mut(&mut self, head: HistoryHead) -> Option<&mut Node> {
        if head.is_empty() { None } else { self.nodes.get_mut(head.node as usize) }
    }

    /// The notes before the last one.
    #[must_use]
    pub fn before(&self, head: HistoryHead) -> HistoryHead {
        match self.last(head) {
            Some(node) => HistoryHead { node: node.previous, len: head.len - 1 },
            None => HistoryHead::EMPTY,
        }
    }
}
