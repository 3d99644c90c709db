//! What a runtime does for callables by itself. The list is closed; specs bind callables to it with
//! `body`.

use crate::ArgRole::{
    AllocSizeOrZero, Anything, ConstStr, Field, Func, Int, Map, MapKey, MapValue, Mem, Pointer, Scalar, Size,
    SizeOrZero, Stack, StackObject,
};
use crate::{ArgRole, RetType};

/// What an intrinsic gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Nothing, or a number.
    Number,
    /// A pointer.
    Pointer,
}

/// One row: the word of specs, the signature.
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
        let gives = if matches!(ret, RetType::Pointer(_)) { Gives::Pointer } else { Gives::Number };
        gives == self.gives
            && roles.len() == self.roles.len()
            && self.roles.iter().zip(roles).all(|(&wanted, &given)| alike(wanted, given))
    }
}

macro_rules! intrinsics {
    ($($(#[$doc:meta])* $name:ident $word:literal ($($role:expr),*) $gives:ident;)*) => {
        /// What a runtime does for a callable by itself. `Debug` prints the variant's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Intrinsic { $($(#[$doc])* $name,)* }

        impl Intrinsic {
            /// All of them.
            pub const ALL: &'static [IntrinsicRow] = &[$(IntrinsicRow {
                intrinsic: Intrinsic::$name,
                word: $word,
                roles: &[$($role),*],
                gives: Gives::$gives,
            },)*];
        }
    };
}

intrinsics! {
    /// Looks a value up.
    MapLookup "map_lookup" (Map, MapKey) Pointer;
    /// Looks a value of another processor up.
    MapLookupPercpu "map_lookup_percpu" (Map, MapKey, Anything) Pointer;
    /// Sets a value.
    MapUpdate "map_update" (Map, MapKey, MapValue, Anything) Number;
    /// Deletes a value.
    MapDelete "map_delete" (Map, MapKey) Number;
    /// Puts a value into a queue, a stack or a filter.
    MapPush "map_push" (Map, MapValue, Anything) Number;
    /// Takes a value out of a queue or a stack.
    MapPop "map_pop" (Map, MapValue) Number;
    /// Reads the next value of a queue or a stack, or asks a filter.
    MapPeek "map_peek" (Map, MapValue) Number;
    /// Calls back for each element.
    MapForEach "map_for_each" (Map, Func, Stack, Anything) Number;
    /// Runs another program instead of the rest of this one.
    TailCall "tail_call" (Pointer, Map, Anything) Number;
    /// Writes a record to a ring buffer.
    RingbufOutput "ringbuf_output" (Map, Mem, SizeOrZero, Anything) Number;
    /// Reserves a record of a ring buffer.
    RingbufReserve "ringbuf_reserve" (Map, AllocSizeOrZero, Anything) Pointer;
    /// Hands a record on.
    RingbufSubmit "ringbuf_submit" (Pointer, Anything) Number;
    /// Gives a record up.
    RingbufDiscard "ringbuf_discard" (Pointer, Anything) Number;
    /// Asks about a ring buffer.
    RingbufQuery "ringbuf_query" (Map, Anything) Number;
    /// Reserves a record behind a dynptr.
    RingbufReserveDynptr "ringbuf_reserve_dynptr" (Map, Anything, Anything, StackObject) Number;
    /// Hands the record of a dynptr on.
    RingbufSubmitDynptr "ringbuf_submit_dynptr" (StackObject, Anything) Number;
    /// Gives the record of a dynptr up.
    RingbufDiscardDynptr "ringbuf_discard_dynptr" (StackObject, Anything) Number;
    /// Calls back for each record that user space wrote.
    UserRingbufDrain "user_ringbuf_drain" (Map, Func, Stack, Anything) Number;
    /// Nanoseconds since the clock's start.
    KtimeNs "ktime_ns" () Number;
    /// As `KtimeNs`, time asleep included.
    KtimeBootNs "ktime_boot_ns" () Number;
    /// As `KtimeNs`, coarse.
    KtimeCoarseNs "ktime_coarse_ns" () Number;
    /// Nanoseconds of international atomic time.
    KtimeTaiNs "ktime_tai_ns" () Number;
    /// Ticks of the clock.
    Jiffies "jiffies" () Number;
    /// A random number of 32 bits.
    Prandom "prandom" () Number;
    /// The number of the processor: the run slot.
    ProcessorId "processor_id" () Number;
    /// The number of the memory node.
    NumaNode "numa_node" () Number;
    /// Writes a line to the sink, from a format in memory and up to three numbers.
    TracePrintk "trace_printk" (Mem, Size) Number;
    /// Writes a line to the sink, from a format in memory and an array of numbers.
    TraceVprintk "trace_vprintk" (Mem, Size, Mem, SizeOrZero) Number;
    /// Formats text into memory.
    Snprintf "snprintf" (Mem, SizeOrZero, ConstStr, Mem, SizeOrZero) Number;
    /// Reads a signed number from text.
    Strtol "strtol" (Mem, Size, Anything, Mem) Number;
    /// Reads an unsigned number from text.
    Strtoul "strtoul" (Mem, Size, Anything, Mem) Number;
    /// Compares text with a constant.
    Strncmp "strncmp" (Mem, Size, ConstStr) Number;
    /// Calls back a number of times.
    Loop "loop" (Scalar, Func, Stack, Anything) Number;
    /// Makes a timer in a map's value.
    TimerInit "timer_init" (Field, Map, Anything) Number;
    /// Says what a timer calls.
    TimerSetCallback "timer_set_callback" (Field, Func) Number;
    /// Starts a timer.
    TimerStart "timer_start" (Field, Anything, Anything) Number;
    /// Stops a timer.
    TimerCancel "timer_cancel" (Field) Number;
    /// Takes a lock in a map's value.
    SpinLock "spin_lock" (Field) Number;
    /// Gives it back.
    SpinUnlock "spin_unlock" (Field) Number;
    /// Makes a dynptr of memory.
    DynptrFromMem "dynptr_from_mem" (Mem, SizeOrZero, Anything, StackObject) Number;
    /// Reads from a dynptr.
    DynptrRead "dynptr_read" (Mem, SizeOrZero, StackObject, Anything, Anything) Number;
    /// Writes to a dynptr.
    DynptrWrite "dynptr_write" (StackObject, Anything, Mem, SizeOrZero, Anything) Number;
    /// Memory of a dynptr.
    DynptrData "dynptr_data" (StackObject, Anything, AllocSizeOrZero) Pointer;
    /// The difference of two Internet checksums.
    CsumDiff "csum_diff" (Mem, SizeOrZero, Mem, SizeOrZero, Anything) Number;
    /// Copies bytes out of the packet, or zeros.
    PacketLoad "packet_load" (Pointer, Anything, Mem, Size) Number;
    /// Copies bytes out of the packet, or leaves the memory as it is.
    PacketRead "packet_read" (Pointer, Anything, Mem, Size) Number;
    /// Copies bytes into the packet, with flags.
    PacketStore "packet_store" (Pointer, Anything, Mem, Size, Anything) Number;
    /// Copies bytes into the packet.
    PacketWrite "packet_write" (Pointer, Anything, Mem, Size) Number;
    /// Moves the packet's start.
    PacketAdjustHead "packet_adjust_head" (Pointer, Anything) Number;
    /// Moves the packet's end.
    PacketAdjustTail "packet_adjust_tail" (Pointer, Anything) Number;
    /// Moves the start of the packet's metadata.
    PacketAdjustMeta "packet_adjust_meta" (Pointer, Anything) Number;
    /// Sets the packet's length.
    PacketChangeTail "packet_change_tail" (Pointer, Anything, Anything) Number;
    /// Makes room before the packet.
    PacketChangeHead "packet_change_head" (Pointer, Anything, Anything) Number;
    /// Makes the packet's beginning directly accessible, as all of it is.
    PacketPull "packet_pull" (Pointer, Anything) Number;
    /// The packet's length.
    PacketLen "packet_len" (Pointer) Number;
    /// Makes an iterator over numbers.
    IterNumNew "iter_num_new" (StackObject, Int, Int) Number;
    /// Its next number.
    IterNumNext "iter_num_next" (StackObject) Pointer;
    /// Ends it.
    IterNumDestroy "iter_num_destroy" (StackObject) Number;
}
