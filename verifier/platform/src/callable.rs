//! Callables: what a program can call, and what each demands and gives.

use bitflags::bitflags;

use crate::{
    Effects, Guard, HostBinding, Intrinsic, KfuncFlags, Outcome, RegType, Rejection, Site, TypeFlags,
};

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
    /// A number that is known exactly.
    Const,
    /// The size of the memory in [`Relation::SizeOf`], known exactly; 0 is allowed.
    ConstSize,
    /// A C integer: [`Subject::Int`].
    Int,
    /// A pointer to an object of a named type: [`Subject::Object`], or of any type.
    Object,
    /// An object that lives in stack slots: [`Subject::StackObject`].
    StackObject,
    /// A special field inside a map's value or an allocated object: [`Subject::Field`].
    Field,
    /// A constant string in read-only data.
    ConstStr,
    /// Anything at all: the callable does not trust it.
    Ignored,
    /// Nothing that the program passes: the platform fills it in.
    Hidden,
}

/// What an argument or a returned value is about, where its class or kind does not say it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Nothing in particular.
    None,
    /// A C integer of so many bytes: 1, 2, 4 or 8.
    Int {
        /// Its size in bytes.
        bytes: u8,
        /// True when it has a sign.
        signed: bool,
    },
    /// Index into [`crate::Platform::objects`].
    Object(u16),
    /// Index into [`crate::Platform::stack_objects`].
    StackObject(u16),
    /// Index into [`crate::Platform::special_fields`].
    Field(u16),
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
    /// What it is about.
    pub subject: Subject,
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
    /// What it is about: the C integer, the object, the stack object. The latter two with a pointer
    /// type.
    pub subject: Subject,
    /// How long a returned pointer is good.
    pub lifetime: Lifetime,
}

/// How long a returned pointer is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as what it derives from: a map's value, a reference until it is released; or the
    /// platform sees to it.
    Source,
    /// Until the program ends.
    Run,
    /// Until this callable is called, a helper in whatever overload: see
    /// [`crate::Platform::callable_at`].
    Until(u16),
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
        /// It does not return: it ends the program.
        const THROWS = 1 << 8;
        /// Calls pass more arguments than it names, in the registers behind them. They are not
        /// looked at: they may be anything, or nothing.
        const VARIADIC = 1 << 9;
    }

    /// What an engine must model to follow calls of a callable, beyond conditions and plain
    /// arguments. An engine that lacks one reports the call as unsupported before it looks at
    /// arguments.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Concepts: u32 {
        /// It calls a function of the program back before it returns.
        const CALLBACK = 1 << 0;
        /// It has a function of the program called later.
        const ASYNC_CALLBACK = 1 << 1;
        /// It enters or leaves a region that no lock is held in.
        const REGION = 1 << 2;
        /// It takes or gives back a lock.
        const LOCK = 1 << 3;
        /// It works on an object in stack slots.
        const STACK_OBJECT = 1 << 4;
        /// It takes or returns pointers to objects of named types.
        const OBJECT = 1 << 5;
        /// It works on a special field.
        const SPECIAL_FIELD = 1 << 6;
        /// It takes a constant string.
        const CONST_STR = 1 << 7;
        /// A format string says what it reads.
        const FORMAT = 1 << 8;
        /// The type of what it returns hangs on the type or the content of an argument.
        const RETURN_BY_ARGUMENT = 1 << 9;
        /// It ends the program from within.
        const THROW = 1 << 10;
        /// It turns a reference that is owned into one that is not.
        const OWNERSHIP = 1 << 11;
        /// It takes or returns memory of an arena.
        const ARENA = 1 << 12;
    }
}

impl Concepts {
    /// How reports name the first of the concepts.
    #[must_use]
    pub fn said(self) -> Option<&'static str> {
        const SAID: &[(Concepts, &str)] = &[
            (Concepts::CALLBACK, "calls back"),
            (Concepts::ASYNC_CALLBACK, "sets a callback"),
            (Concepts::LOCK, "takes a lock"),
            (Concepts::REGION, "enters or leaves a region"),
            (Concepts::STACK_OBJECT, "works on a stack object"),
            (Concepts::SPECIAL_FIELD, "works on a special field"),
            (Concepts::OBJECT, "works on an object"),
            (Concepts::CONST_STR, "takes a constant string"),
            (Concepts::FORMAT, "reads a format string"),
            (Concepts::RETURN_BY_ARGUMENT, "returns a type by its argument"),
            (Concepts::THROW, "throws"),
            (Concepts::OWNERSHIP, "gives ownership up"),
            (Concepts::ARENA, "works on an arena"),
        ];
        SAID.iter().find(|(concept, _)| self.contains(*concept)).map(|(_, said)| *said)
    }
}

/// The straight-line function that codegen emits for a callable with conditions or effects. It
/// runs when all arguments have been checked.
pub type Driver = fn(&mut dyn Effects) -> Result<Outcome, Rejection>;

/// A name that a callable has in other versions.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// When it is this callable's.
    pub guard: Guard,
}

/// A helper, in one of its overloads, or a kfunc.
#[derive(Clone, Copy, Debug)]
pub struct Callable {
    /// Its name, `bpf_map_lookup_elem`.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [Alias],
    /// The number that call instructions carry; 0 for kfuncs, which are called by name.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// When programs that are offered it may call it, and what others are told; None: always.
    pub allowed: Option<(Guard, &'static str)>,
    /// Facts about it.
    pub flags: CallableFlags,
    /// What is declared of a kfunc; empty for helpers.
    pub kfunc: KfuncFlags,
    /// What an engine must model to follow calls of it.
    pub concepts: Concepts,
    /// Its arguments, five at most.
    pub args: &'static [Arg],
    /// What it returns.
    pub ret: Ret,
    /// Its conditions and effects; None for a plain callable.
    pub driver: Option<Driver>,
    /// What a runtime does for it by itself; None: the host has a function for it.
    pub body: Option<Intrinsic>,
    /// How the host's function for it sees calls.
    pub host: HostBinding,
    /// Where it is declared.
    pub site: Site,
}

impl Callable {
    /// True for the same callable: helpers are in all their overloads, which share a number.
    #[must_use]
    pub fn is(&self, other: &Callable) -> bool {
        self.number == other.number && (self.number != 0 || self.name == other.name)
    }
}
