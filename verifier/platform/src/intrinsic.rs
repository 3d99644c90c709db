//! What a runtime does for callables by itself. The list is closed; specs bind callables to it with
//! `body`.

use crate::ArgRole::{
    AllocSizeOrZero, Anything, ConstStr, Field, Func, Int, Map, MapKey, MapValue, Mem, Pointer, Scalar, Size,
    SizeOrZero, Stack, StackObject,
};
use crate::demand::Demand::{
    Acquires, Advances, Bytes, Calls, Changes, Constructs, ConstructsOwned, Context, Destroys, Enters,
    Field as IsField, Leaves, MayBeNonnull, MayReturnNull, Member, MovesPacket, Object, Releases,
    ReturnsBytesOf, ReturnsReadOnly, ReturnsValueOf, Slices, TailCall as RunsOther, Writes,
};
use crate::demand::{self, Demand, Feed, FieldUse, Gives, ObjectUse};
use crate::{ArgRole, RetType};

/// One row: the word of specs, the signature, and what else is taken for granted.
#[derive(Clone, Copy, Debug)]
pub struct IntrinsicRow {
    /// The intrinsic.
    pub intrinsic: Intrinsic,
    /// Its word in specs.
    pub word: &'static str,
    /// The roles of its arguments. Anything, scalar and int are alike here.
    pub roles: &'static [ArgRole],
    /// What it gives back.
    pub gives: Gives,
    /// What a callable that is bound to it must say.
    pub demands: &'static [Demand],
}

impl IntrinsicRow {
    /// Whether a prototype with these roles and this return is the intrinsic's.
    #[must_use]
    pub fn fits(&self, roles: &[ArgRole], ret: RetType) -> bool {
        let number = |role: ArgRole| matches!(role, Anything | Scalar | Int);
        let alike = |wanted: ArgRole, given: ArgRole| match wanted {
            Anything => number(given),
            SizeOrZero => matches!(given, Size | SizeOrZero),
            AllocSizeOrZero => matches!(given, ArgRole::AllocSize | AllocSizeOrZero),
            wanted => wanted == given,
        };
        matches!(ret, RetType::Pointer(_)) == (self.gives == Gives::Pointer)
            && roles.len() == self.roles.len()
            && self.roles.iter().zip(roles).all(|(&wanted, &given)| alike(wanted, given))
    }
}

macro_rules! intrinsics {
    ($($(#[$doc:meta])* $name:ident $word:literal ($($role:expr),*) -> $gives:expr, [$($demand:expr),*];)*) => {
        /// What a runtime does for a callable by itself. `Debug` prints the variant's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Intrinsic { $($(#[$doc])* $name,)* }

        impl Intrinsic {
            /// All of them.
            pub const ALL: &'static [IntrinsicRow] = &[$(IntrinsicRow {
                intrinsic: Intrinsic::$name,
                word: $word,
                roles: &[$($role),*],
                gives: $gives,
                demands: &[$($demand),*],
            },)*];

            /// Its row.
            #[must_use]
            pub fn row(self) -> &'static IntrinsicRow {
                &Intrinsic::ALL[self as usize]
            }
        }
    };
}

const NUMBER: Gives = Gives::Number;
const POINTER: Gives = Gives::Pointer;
const STATUS: Gives = Gives::STATUS;
/// Nothing that means something.
const NOTHING: Gives = Gives::Between(0, 0);
const DYNPTR: ObjectUse = ObjectUse::Dynptr;
const NUMBERS: ObjectUse = ObjectUse::Numbers;
const LOCK: FieldUse = FieldUse::Lock;
const TIMER: FieldUse = FieldUse::Timer;

const EACH: demand::Calls = demand::Calls {
    func: 1,
    feeds: &[Feed::Map(0), Feed::Key(0), Feed::Value(0), Feed::Caller(2)],
    later: false,
    times: None,
};
const SAMPLE: demand::Calls =
    demand::Calls { func: 1, feeds: &[Feed::Dynptr, Feed::Caller(2)], later: false, times: None };
const ROUND: demand::Calls =
    demand::Calls { func: 1, feeds: &[Feed::Number, Feed::Caller(2)], later: false, times: Some(0) };
const EXPIRED: demand::Calls =
    demand::Calls { func: 1, feeds: &[Feed::Map(0), Feed::Key(0), Feed::Value(0)], later: true, times: None };

intrinsics! {
    /// Looks a value up.
    MapLookup "map_lookup" (Map, MapKey) -> POINTER, [ReturnsValueOf(0), MayReturnNull, MayBeNonnull];
    /// Looks a value of another processor up.
    MapLookupPercpu "map_lookup_percpu" (Map, MapKey, Anything)
        -> POINTER, [ReturnsValueOf(0), MayReturnNull];
    /// Sets a value.
    MapUpdate "map_update" (Map, MapKey, MapValue, Anything) -> STATUS, [];
    /// Deletes a value.
    MapDelete "map_delete" (Map, MapKey) -> STATUS, [];
    /// Puts a value into a queue, a stack or a filter.
    MapPush "map_push" (Map, MapValue, Anything) -> STATUS, [];
    /// Takes a value out of a queue or a stack.
    MapPop "map_pop" (Map, MapValue) -> STATUS, [Writes(1)];
    /// Reads the next value of a queue or a stack, or asks a filter.
    MapPeek "map_peek" (Map, MapValue) -> STATUS, [Writes(1)];
    /// Calls back for each element.
    MapForEach "map_for_each" (Map, Func, Stack, Anything) -> Gives::at_most(0xffff_ffff), [Calls(&EACH)];
    /// Runs another program instead of the rest of this one.
    TailCall "tail_call" (Pointer, Map, Anything) -> NUMBER, [Context(0), RunsOther(1, 2), MovesPacket];
    /// Writes a record to a ring buffer.
    RingbufOutput "ringbuf_output" (Map, Mem, SizeOrZero, Anything) -> STATUS, [];
    /// Reserves a record of a ring buffer.
    RingbufReserve "ringbuf_reserve" (Map, AllocSizeOrZero, Anything)
        -> POINTER, [ReturnsBytesOf(1), MayReturnNull, Acquires];
    /// Hands a record on.
    RingbufSubmit "ringbuf_submit" (Pointer, Anything) -> NOTHING, [Releases(0)];
    /// Gives a record up.
    RingbufDiscard "ringbuf_discard" (Pointer, Anything) -> NOTHING, [Releases(0)];
    /// Asks about a ring buffer.
    RingbufQuery "ringbuf_query" (Map, Anything) -> NUMBER, [];
    /// Reserves a record behind a dynptr.
    RingbufReserveDynptr "ringbuf_reserve_dynptr" (Map, Anything, Anything, StackObject)
        -> STATUS, [Object(3, DYNPTR), ConstructsOwned(3)];
    /// Hands the record of a dynptr on.
    RingbufSubmitDynptr "ringbuf_submit_dynptr" (StackObject, Anything)
        -> NOTHING, [Object(0, DYNPTR), Changes(0), Destroys(0)];
    /// Gives the record of a dynptr up.
    RingbufDiscardDynptr "ringbuf_discard_dynptr" (StackObject, Anything)
        -> NOTHING, [Object(0, DYNPTR), Changes(0), Destroys(0)];
    /// Calls back for each record that user space wrote.
    UserRingbufDrain "user_ringbuf_drain" (Map, Func, Stack, Anything)
        -> Gives::at_most(128 << 10), [Calls(&SAMPLE)];
    /// Nanoseconds since the clock's start.
    KtimeNs "ktime_ns" () -> NUMBER, [];
    /// As `KtimeNs`, time asleep included.
    KtimeBootNs "ktime_boot_ns" () -> NUMBER, [];
    /// As `KtimeNs`, coarse.
    KtimeCoarseNs "ktime_coarse_ns" () -> NUMBER, [];
    /// Nanoseconds of international atomic time.
    KtimeTaiNs "ktime_tai_ns" () -> NUMBER, [];
    /// Ticks of the clock.
    Jiffies "jiffies" () -> NUMBER, [];
    /// A random number of 32 bits.
    Prandom "prandom" () -> Gives::Between(0, 0xffff_ffff), [];
    /// The number of the processor: the run slot.
    ProcessorId "processor_id" () -> Gives::Processor, [];
    /// The number of the memory node.
    NumaNode "numa_node" () -> NOTHING, [];
    /// Writes a line to the sink, from a format in memory and up to three numbers.
    TracePrintk "trace_printk" (Mem, Size) -> NUMBER, [];
    /// Writes a line to the sink, from a format in memory and an array of numbers.
    TraceVprintk "trace_vprintk" (Mem, Size, Mem, SizeOrZero) -> NUMBER, [];
    /// Formats text into memory.
    Snprintf "snprintf" (Mem, SizeOrZero, ConstStr, Mem, SizeOrZero) -> NUMBER, [Writes(0)];
    /// Reads a signed number from text.
    Strtol "strtol" (Mem, Size, Anything, Mem) -> Gives::at_most(1 << 29), [Writes(3), Bytes(3, 8)];
    /// Reads an unsigned number from text.
    Strtoul "strtoul" (Mem, Size, Anything, Mem) -> Gives::at_most(1 << 29), [Writes(3), Bytes(3, 8)];
    /// Compares text with a constant.
    Strncmp "strncmp" (Mem, Size, ConstStr) -> Gives::Between(-1, 1), [];
    /// Calls back a number of times.
    Loop "loop" (Scalar, Func, Stack, Anything) -> Gives::at_most(8 << 20), [Calls(&ROUND)];
    /// Makes a timer in a map's value.
    TimerInit "timer_init" (Field, Map, Anything) -> STATUS, [IsField(0, TIMER), Member(0, 1)];
    /// Says what a timer calls.
    TimerSetCallback "timer_set_callback" (Field, Func) -> STATUS, [IsField(0, TIMER), Calls(&EXPIRED)];
    /// Starts a timer.
    TimerStart "timer_start" (Field, Anything, Anything) -> STATUS, [IsField(0, TIMER)];
    /// Stops a timer.
    TimerCancel "timer_cancel" (Field) -> Gives::at_most(1), [IsField(0, TIMER)];
    /// Takes a lock in a map's value.
    SpinLock "spin_lock" (Field) -> NOTHING, [IsField(0, LOCK), Enters(0)];
    /// Gives it back.
    SpinUnlock "spin_unlock" (Field) -> NOTHING, [IsField(0, LOCK), Leaves(0)];
    /// Makes a dynptr of memory.
    DynptrFromMem "dynptr_from_mem" (Mem, SizeOrZero, Anything, StackObject)
        -> STATUS, [Writes(0), Object(3, DYNPTR), Constructs(3)];
    /// Reads from a dynptr.
    DynptrRead "dynptr_read" (Mem, SizeOrZero, StackObject, Anything, Anything)
        -> STATUS, [Writes(0), Object(2, DYNPTR)];
    /// Writes to a dynptr.
    DynptrWrite "dynptr_write" (StackObject, Anything, Mem, SizeOrZero, Anything)
        -> STATUS, [Object(0, DYNPTR)];
    /// Memory of a dynptr.
    DynptrData "dynptr_data" (StackObject, Anything, AllocSizeOrZero)
        -> POINTER, [Object(0, DYNPTR), ReturnsBytesOf(2), MayReturnNull, Slices(0)];
    /// The difference of two Internet checksums.
    CsumDiff "csum_diff" (Mem, SizeOrZero, Mem, SizeOrZero, Anything) -> Gives::Between(0, 0xffff), [];
    /// Copies bytes out of the packet, or zeros.
    PacketLoad "packet_load" (Pointer, Anything, Mem, Size) -> STATUS, [Writes(2)];
    /// Copies bytes out of the packet, or leaves the memory as it is.
    PacketRead "packet_read" (Pointer, Anything, Mem, Size) -> STATUS, [Writes(2)];
    /// Copies bytes into the packet, with flags.
    PacketStore "packet_store" (Pointer, Anything, Mem, Size, Anything) -> STATUS, [];
    /// Copies bytes into the packet.
    PacketWrite "packet_write" (Pointer, Anything, Mem, Size) -> STATUS, [];
    /// Moves the packet's start.
    PacketAdjustHead "packet_adjust_head" (Pointer, Anything) -> STATUS, [MovesPacket];
    /// Moves the packet's end.
    PacketAdjustTail "packet_adjust_tail" (Pointer, Anything) -> STATUS, [MovesPacket];
    /// Moves the start of the packet's metadata.
    PacketAdjustMeta "packet_adjust_meta" (Pointer, Anything) -> STATUS, [MovesPacket];
    /// Sets the packet's length.
    PacketChangeTail "packet_change_tail" (Pointer, Anything, Anything) -> STATUS, [MovesPacket];
    /// Makes room before the packet.
    PacketChangeHead "packet_change_head" (Pointer, Anything, Anything) -> STATUS, [MovesPacket];
    /// Makes the packet's beginning directly accessible, as all of it is.
    PacketPull "packet_pull" (Pointer, Anything) -> STATUS, [MovesPacket];
    /// The packet's length.
    PacketLen "packet_len" (Pointer) -> NUMBER, [];
    /// Makes an iterator over numbers.
    IterNumNew "iter_num_new" (StackObject, Int, Int)
        -> Gives::Between(0, 0xffff_ffff), [Object(0, NUMBERS), Changes(0), Constructs(0)];
    /// Its next number.
    IterNumNext "iter_num_next" (StackObject)
        -> POINTER, [Object(0, NUMBERS), Changes(0), Advances(0), ReturnsReadOnly(4), MayReturnNull];
    /// Ends it.
    IterNumDestroy "iter_num_destroy" (StackObject) -> NOTHING, [Object(0, NUMBERS), Changes(0), Destroys(0)];
}
