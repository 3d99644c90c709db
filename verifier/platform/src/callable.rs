//! Callables: what a program can call, and what each demands and gives.

use bitflags::bitflags;

use crate::{Effects, Guard, Outcome, RegType, Rejection, Site, TypeFlags};

/// What the engine does with an argument of a class. The list is closed; classes are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgRole {
    /// Anything that is initialised; a pointer only where pointer leaks are allowed.
    Anything,
    /// A number.
    Scalar,
    /// A map.
    Map,
    /// Memory of the key size of the map in [`Relation::OfMap`].
    MapKey,
    /// Memory of the value size of the map in [`Relation::OfMap`].
    MapValue,
    /// Memory: of [`Arg::size`] bytes, or of the size in [`Relation::SizedBy`].
    Mem,
    /// The size of the memory in [`Relation::SizeOf`].
    Size,
    /// As `Size`, and 0 is allowed.
    SizeOrZero,
    /// A constant number of bytes to allocate.
    AllocSize,
    /// As `AllocSize`, and 0 is allowed.
    AllocSizeOrZero,
    /// A pointer of an accepted kind and nothing more: the context, a view, a handle.
    Pointer,
    /// A pointer to a frame's stack, passed on to a callback.
    Stack,
    /// A function of the program.
    Func,
}

/// An argument class: a row that a spec declares.
#[derive(Clone, Copy, Debug)]
pub struct ArgClass {
    /// Its name, `ARG_PTR_TO_MAP_KEY`.
    pub name: &'static str,
    /// What the engine does with it.
    pub role: ArgRole,
    /// The register types that it accepts, in the order in which messages list them. Empty for
    /// classes that accept numbers.
    pub accepts: &'static [RegType],
    /// Where it is declared.
    pub site: Site,
}

/// How an argument hangs together with another. Arguments count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// It does not.
    None,
    /// This memory's size is that argument.
    SizedBy(u8),
    /// This is the size of the memory in that argument.
    SizeOf(u8),
    /// This key or value belongs to the map in that argument.
    OfMap(u8),
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Its class: index into [`crate::Platform::arg_classes`].
    pub class: u8,
    /// Its modifiers.
    pub flags: TypeFlags,
    /// Its fixed size in bytes, for `MEM_FIXED_SIZE`.
    pub size: u32,
    /// How it hangs together with another.
    pub relation: Relation,
    /// Where it is declared.
    pub site: Site,
}

/// What a callable returns in r0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetType {
    /// Nothing: r0 can't be read after the call.
    Void,
    /// A number.
    Integer,
    /// A pointer.
    Pointer(RegType),
}

/// The return of a callable.
#[derive(Clone, Copy, Debug)]
pub struct Ret {
    /// Its type.
    pub ty: RetType,
    /// For pointers to values of a map: the argument that is the map.
    pub map: Option<u8>,
    /// For memory: its size in bytes when it is always the same.
    pub size: u32,
}

bitflags! {
    /// Facts about a callable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct CallableFlags: u32 {
        /// Only programs whose licence is compatible with the GPL may call it.
        const GPL_ONLY = 1 << 0;
        /// Packet memory may be passed to it.
        const PKT_ACCESS = 1 << 1;
        /// It may sleep.
        const MIGHT_SLEEP = 1 << 2;
        /// It clobbers only r0 and its arguments' registers.
        const FASTCALL = 1 << 3;
        /// Packet pointers are stale after it. Callers and the summaries of subprograms inherit
        /// it.
        const CHANGES_PKT_DATA = 1 << 4;
        /// Its map argument must be the same map on every path, or the call stays generic; and
        /// it may not write to a map that programs can't write.
        const MAP_WRITE = 1 << 5;
        /// Its map argument must not be a map that programs can't read.
        const MAP_READ = 1 << 6;
        /// Its driver models it in part: the engine reports it as unsupported.
        const UNSUPPORTED = 1 << 7;
    }
}

/// What a runtime does for a callable by itself. The list is closed; specs bind callables to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intrinsic {
    /// Looks a value up.
    MapLookup,
    /// Sets a value.
    MapUpdate,
    /// Deletes a value.
    MapDelete,
    /// Runs another program instead of the rest of this one.
    TailCall,
}

/// The straight-line function that codegen emits for a callable with conditions or effects. It
/// runs when all arguments have been checked.
pub type Driver = fn(&mut dyn Effects) -> Result<Outcome, Rejection>;

/// A helper, in one of its overloads.
#[derive(Clone, Copy, Debug)]
pub struct Callable {
    /// Its name, `bpf_map_lookup_elem`.
    pub name: &'static str,
    /// The number that call instructions carry.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// Facts about it.
    pub flags: CallableFlags,
    /// Its arguments, five at most.
    pub args: &'static [Arg],
    /// What it returns.
    pub ret: Ret,
    /// Its conditions and effects; None for a plain callable.
    pub driver: Option<Driver>,
    /// What a runtime does for it by itself; None: the host has a function for it.
    pub body: Option<Intrinsic>,
    /// Where it is declared.
    pub site: Site,
}
