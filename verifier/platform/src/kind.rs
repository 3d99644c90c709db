//! Register kinds: rows that a spec declares over a closed list of behaviours.

use bitflags::bitflags;

use crate::Site;

/// How the engine treats a register value. The list is closed; kinds are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// A number.
    Scalar,
    /// Memory of a known size in bytes, carried by the register.
    Region,
    /// Packet data, accessible as far as a comparison with its bound proved.
    Packet,
    /// The end of packet data: only compared with.
    PacketEnd,
    /// A frame's stack.
    Stack,
    /// The context: a struct with access rules, which the program type chooses.
    Context,
    /// A struct with access rules, which the kind chooses ([`Kind::view`]).
    View,
    /// An object of a named type (a BTF type on Linux), walked field by field.
    Object,
    /// A value that can only be passed on.
    Handle,
    /// A map itself.
    Map,
    /// A key of a map, read-only, of the map's key size.
    MapKey,
    /// A value of a map, of the map's value size.
    MapValue,
    /// A function of the program.
    Func,
    /// An object that lives in stack slots, passed by pointer.
    StackObject,
    /// Memory of an arena: any access is safe.
    Arena,
}

bitflags! {
    /// Modifiers of a register or argument type, named as the kernel names them
    /// (`enum bpf_type_flag`). The pair (kind, flags) is the type and is compared exactly.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct TypeFlags: u32 {
        /// May be null: no use before a check.
        const PTR_MAYBE_NULL = 1 << 0;
        /// Memory that may only be read.
        const MEM_RDONLY = 1 << 1;
        /// Memory of a ring-buffer record.
        const MEM_RINGBUF = 1 << 2;
        /// User memory.
        const MEM_USER = 1 << 3;
        /// Per-cpu memory.
        const MEM_PERCPU = 1 << 4;
        /// The argument is given up.
        const OBJ_RELEASE = 1 << 5;
        /// May dangle: reads are fault-protected.
        const PTR_UNTRUSTED = 1 << 6;
        /// The argument need not be initialised.
        const MEM_UNINIT = 1 << 7;
        /// A dynptr of local memory.
        const DYNPTR_TYPE_LOCAL = 1 << 8;
        /// A dynptr of a ring-buffer record.
        const DYNPTR_TYPE_RINGBUF = 1 << 9;
        /// The argument's memory has a fixed size.
        const MEM_FIXED_SIZE = 1 << 10;
        /// Allocated by the program.
        const MEM_ALLOC = 1 << 11;
        /// Known to be valid.
        const PTR_TRUSTED = 1 << 12;
        /// Valid inside an RCU section.
        const MEM_RCU = 1 << 13;
        /// A reference that is not owned.
        const NON_OWN_REF = 1 << 14;
        /// A dynptr of a socket buffer.
        const DYNPTR_TYPE_SKB = 1 << 15;
        /// A dynptr of an XDP buffer.
        const DYNPTR_TYPE_XDP = 1 << 16;
        /// The argument's memory is aligned to its size.
        const MEM_ALIGNED = 1 << 17;
        /// The argument's memory is written.
        const MEM_WRITE = 1 << 18;
        /// A dynptr of a socket buffer's metadata.
        const DYNPTR_TYPE_SKB_META = 1 << 19;
    }
}

/// The index of a [`Kind`] in [`crate::Platform::kinds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindId(pub u8);

/// A register type: a kind and its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegType {
    /// The kind.
    pub kind: KindId,
    /// The modifiers.
    pub flags: TypeFlags,
}

impl RegType {
    /// A type from its parts; for generated tables.
    #[must_use]
    pub const fn new(kind: u8, flags: u32) -> RegType {
        RegType { kind: KindId(kind), flags: TypeFlags::from_bits_retain(flags) }
    }

    /// True when the value may be null.
    #[must_use]
    pub const fn maybe_null(self) -> bool {
        self.flags.contains(TypeFlags::PTR_MAYBE_NULL)
    }
}

/// Which offsets a pointer of a kind may carry when it is passed to a callable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetRule {
    /// None: exactly the pointer that was given out.
    Zero,
    /// A constant.
    Fixed,
    /// Any, a variable one too.
    Any,
}

/// A register kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, `PTR_TO_MAP_VALUE`.
    pub name: &'static str,
    /// How logs and messages print it, `map_value`; modifiers are added around it.
    pub prints: &'static str,
    /// How the engine treats it.
    pub behaviour: Behaviour,
    /// Which offsets it may carry as an argument.
    pub offset: OffsetRule,
    /// True when pointer arithmetic on it is refused whatever the operand.
    pub no_arithmetic: bool,
    /// True when a pointer of this kind without `PTR_MAYBE_NULL` is never null, so that a
    /// comparison with 0 is decided.
    pub never_null: bool,
    /// For packet behaviour: the kind that bounds it. When that is a packet kind too (metadata is
    /// bounded by data), only its start with offset 0 counts.
    pub bound: Option<KindId>,
    /// For view behaviour: index into [`crate::Platform::views`].
    pub view: Option<u16>,
    /// Where it is declared.
    pub site: Site,
}
