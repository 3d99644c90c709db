//! Objects in stack slots: what the register of a slot says of the one that the slot belongs to.

use probity_platform::{Behaviour, KfuncFlags, Platform, Subject, TypeFlags};

use super::{Reg, Slot, Tag};

/// What one can do with stack objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectSort {
    /// It gives one element after another.
    Iterator,
    /// It stands for memory.
    View,
    /// It keeps how things were before a region.
    Flag,
}

impl ObjectSort {
    /// Of a kind, by its index in [`Platform::stack_objects`]: what gives elements is an iterator,
    /// what is larger than a flag and gives none stands for memory.
    #[must_use]
    pub fn of(platform: &Platform, object: u16) -> ObjectSort {
        let takes = |subject| subject == Subject::StackObject(object);
        let mut next = platform.kfuncs.iter().filter(|row| row.kfunc.contains(KfuncFlags::KF_ITER_NEXT));
        if next.any(|row| row.args.first().is_some_and(|arg| takes(arg.subject))) {
            return ObjectSort::Iterator;
        }
        let size = platform.stack_objects.get(usize::from(object)).map_or(0, |row| row.size);
        if size == 8 { ObjectSort::Flag } else { ObjectSort::View }
    }
}

/// The place of a slot in the object that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectSlot {
    /// The kind of object: an index into [`Platform::stack_objects`].
    pub object: u16,
    /// The state that it is in: an index into its states.
    pub state: u8,
    /// True for the slot of the lowest address.
    pub first: bool,
}

/// In [`Reg::data`]: the slot of the lowest address.
const FIRST: u32 = 1 << 31;

/// The modifiers that say which memory a view stands for.
pub const VIEWED: TypeFlags =
    TypeFlags::DYNPTR_TYPE_LOCAL.union(TypeFlags::DYNPTR_TYPE_RINGBUF).union(PACKET_VIEW);

/// Those that stand for packet data.
pub const PACKET_VIEW: TypeFlags =
    TypeFlags::DYNPTR_TYPE_SKB.union(TypeFlags::DYNPTR_TYPE_XDP).union(TypeFlags::DYNPTR_TYPE_SKB_META);

/// Those whose data may move when it is written through the view.
pub const MOVING_VIEW: TypeFlags = TypeFlags::DYNPTR_TYPE_SKB.union(TypeFlags::DYNPTR_TYPE_SKB_META);

impl ObjectSlot {
    /// What a slot's register says.
    #[must_use]
    pub fn of(reg: &Reg) -> ObjectSlot {
        ObjectSlot { object: reg.data as u16, state: reg.data2 as u8, first: reg.data & FIRST != 0 }
    }

    /// A slot of an object that stands for memory: `id` tells it from its copies, `memory` is common
    /// to them and to the pointers that were taken of it.
    #[must_use]
    pub fn view(self, id: u32, memory: u32, ref_id: u32, flags: TypeFlags) -> Slot {
        let mut slot = self.slot(id, ref_id);
        slot.reg.off = memory.cast_signed();
        slot.reg.flags = flags;
        slot
    }

    /// A slot of an object: `id` tells it from others, `ref_id` is the reference that it holds.
    #[must_use]
    pub fn slot(self, id: u32, ref_id: u32) -> Slot {
        let reg = Reg {
            behaviour: Some(Behaviour::StackObject),
            data: u32::from(self.object) | if self.first { FIRST } else { 0 },
            data2: u32::from(self.state),
            id,
            ref_id,
            ..Reg::NOT_INIT
        };
        Slot { tags: [Tag::Object; super::stack::SLOT], reg }
    }
}
