//! The resolved platform as plain data: names are numbers, sets are flat, guards are combined.
//! [`crate::emit`] writes it down as Rust; nothing here knows the syntax.

mod concept;
mod driver;
mod host;

pub use concept::{Callback, Object, Region, SpecialField, StackObject};
pub use driver::{Bound, CallbackValue, Comparison, Condition, Number, Step, Steps};
pub use host::{HostBinding, HostCall};
use probity_platform::{
    ArgRole, Behaviour, CallableFlags, Concepts, HostField, Intrinsic, KfuncFlags, KindId, Limits, MapBody,
    MapTraits, NullCheckYields, OffsetRule, PacketAccess, Policy, ProgFlags, RegType, Relation, Ret, Site,
    SizeMask, SizeRange, Subject, Switches, TypeFlags, Version,
};

/// A platform.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// The doc comment of its declaration.
    pub docs: String,
    /// A hash of the text of its sources.
    pub spec_hash: u64,
    /// Its source files, relative to the platform's folder; [`Site::file`] is an index here.
    pub sources: Vec<String>,
    /// Register kinds.
    pub kinds: Vec<Kind>,
    /// Argument classes.
    pub arg_classes: Vec<ArgClass>,
    /// Callables by number, overloads side by side.
    pub callables: Vec<Callable>,
    /// Kfuncs by name.
    pub kfuncs: Vec<Callable>,
    /// Signatures of callbacks.
    pub callbacks: Vec<Callback>,
    /// Regions.
    pub regions: Vec<Region>,
    /// Kinds of objects in stack slots.
    pub stack_objects: Vec<StackObject>,
    /// Types of objects.
    pub objects: Vec<Object>,
    /// True when a host has a function for every callable without a body.
    pub hosted: bool,
    /// Messages in its own words.
    pub words: Words,
    /// Flags of maps by bit: name, mask, doc comment.
    pub map_flags: Vec<(String, u32, String)>,
    /// Map types by number.
    pub map_types: Vec<MapType>,
    /// Types inside map values that are special.
    pub special_fields: Vec<SpecialField>,
    /// Struct views; overlays of program types are views of their own.
    pub views: Vec<View>,
    /// Plain structs.
    pub structs: Vec<Struct>,
    /// Program types by number.
    pub prog_types: Vec<ProgType>,
    /// Section rows in order of search.
    pub sections: Vec<Section>,
    /// Semantic switches.
    pub switches: Vec<(Switches, Version)>,
    /// The version that the spec describes.
    pub version: Version,
    /// What the platform allows, and to whom.
    pub allows: Vec<Allowance>,
    /// Where that is declared first, or else the platform.
    pub policy_site: Site,
    /// Its limits.
    pub limits: Limits,
    /// Where they are declared, by name.
    pub limit_sites: Vec<(String, Site)>,
    /// The number of the map type of global data.
    pub global_data: Option<u32>,
}

/// What a platform allows.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// What is allowed.
    pub policy: Policy,
    /// On which targets, and to which loaders.
    pub guard: Guard,
    /// Where it is declared.
    pub site: Site,
}

/// Messages in a platform's own words; None: the usual ones. See [`probity_platform::Words`].
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Of a program that is to sleep and may not.
    pub not_sleepable: Option<String>,
    /// Of a program that sleeps and a map that it may not use.
    pub sleepable_maps: Option<String>,
}

/// A condition on the target and the program; see [`probity_platform::Guard`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Guard {
    /// Holds.
    #[default]
    Always,
    /// This version or later.
    Since(Version),
    /// Earlier than this version.
    Until(Version),
    /// One of these attach types.
    Attach(Vec<u32>),
    /// One of these program types.
    ProgType(Vec<u32>),
    /// The program may sleep.
    Sleepable,
    /// The loader has this capability.
    Cap(String),
    /// The target has this option.
    Config(String),
    /// The target's architecture.
    Arch(String),
    /// The program attaches to one of these functions or hooks of the target.
    Target(Vec<String>),
    /// Does not hold.
    Not(Box<Guard>),
    /// All hold.
    All(Vec<Guard>),
    /// At least one holds.
    Any(Vec<Guard>),
}

impl Guard {
    /// Both hold, in the shortest form.
    #[must_use]
    pub fn and(self, other: Guard) -> Guard {
        match (self, other) {
            (Guard::Always, guard) | (guard, Guard::Always) => guard,
            (left, right) if left == right => left,
            (left, right) => {
                let mut all = Vec::new();
                for guard in [left, right] {
                    match guard {
                        Guard::All(list) => all.extend(list),
                        guard => all.push(guard),
                    }
                }
                Guard::All(all)
            }
        }
    }

    /// True when it asks only about the target and its loader, nothing about the program.
    #[must_use]
    pub fn is_of_target(&self) -> bool {
        match self {
            Guard::Always
            | Guard::Since(_)
            | Guard::Until(_)
            | Guard::Cap(_)
            | Guard::Config(_)
            | Guard::Arch(_) => true,
            Guard::Attach(_) | Guard::ProgType(_) | Guard::Sleepable | Guard::Target(_) => false,
            Guard::Not(inner) => inner.is_of_target(),
            Guard::All(list) | Guard::Any(list) => list.iter().all(Guard::is_of_target),
        }
    }

    /// The negation.
    #[must_use]
    pub fn negate(self) -> Guard {
        match self {
            Guard::Not(guard) => *guard,
            guard => Guard::Not(Box::new(guard)),
        }
    }
}

/// A register kind.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// How messages print it.
    pub prints: String,
    /// How the engine treats it.
    pub behaviour: Behaviour,
    /// Which offsets it may carry as an argument.
    pub offset: OffsetRule,
    /// True when arithmetic is refused.
    pub no_arithmetic: bool,
    /// True when it is never null.
    pub never_null: bool,
    /// The kind that bounds it.
    pub bound: Option<KindId>,
    /// Its view.
    pub view: Option<u16>,
    /// Where it is declared.
    pub site: Site,
}

/// An argument class.
#[derive(Clone, Debug)]
pub struct ArgClass {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// What the engine does with it.
    pub role: ArgRole,
    /// What it accepts, in the order of messages.
    pub accepts: Vec<RegType>,
    /// Where it is declared.
    pub site: Site,
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its name.
    pub name: String,
    /// Index of its class.
    pub class: u8,
    /// What it is about.
    pub subject: Subject,
    /// Its modifiers.
    pub flags: TypeFlags,
    /// Its fixed size, 0 for none.
    pub size: u32,
    /// Index of the struct whose size that is.
    pub structure: Option<u16>,
    /// How it hangs together with another.
    pub relation: Relation,
    /// Where it is declared.
    pub site: Site,
}

/// A helper in one of its overloads, or a kfunc.
#[derive(Clone, Debug)]
pub struct Callable {
    /// Its name.
    pub name: String,
    /// Its name among its helper's overloads.
    pub overload: Option<String>,
    /// Its names in other versions.
    pub aliases: Vec<(String, Guard)>,
    /// Its doc comment.
    pub docs: String,
    /// Its number; 0 for kfuncs.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// When it may be called where it is offered, and what others are told; None: always.
    pub allowed: Option<(Guard, String)>,
    /// Facts about it.
    pub flags: CallableFlags,
    /// What is declared of a kfunc.
    pub kfunc: KfuncFlags,
    /// What an engine must model.
    pub concepts: Concepts,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// What it returns.
    pub ret: Ret,
    /// Index of the struct that the returned memory is.
    pub ret_structure: Option<u16>,
    /// Its driver's steps in canonical order; empty for a plain callable.
    pub steps: Steps,
    /// Its intrinsic.
    pub body: Option<Intrinsic>,
    /// How the host's function for it sees calls.
    pub host: HostBinding,
    /// Where it is declared.
    pub site: Site,
}

/// A map type.
#[derive(Clone, Debug)]
pub struct MapType {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Its number.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// Sizes of keys.
    pub key: Vec<SizeRange>,
    /// Sizes of values, of maps with these flags; those that demand most first.
    pub value: Vec<(u32, Vec<SizeRange>)>,
    /// Sizes of both together.
    pub element: SizeRange,
    /// Capacities.
    pub max_entries: Vec<SizeRange>,
    /// What `map_extra` may be.
    pub extra: SizeRange,
    /// Flags that it takes: name, mask, whether it requires it.
    pub flags: Vec<(String, u32, bool)>,
    /// Masks of flags that exclude each other.
    pub exclusive: Vec<u32>,
    /// What can be done with it.
    pub traits: MapTraits,
    /// Indexes of the callables that may use it; None for any.
    pub callers: Option<Vec<u16>>,
    /// What a null check makes of a looked-up value.
    pub null_check_yields: NullCheckYields,
    /// Why it is not modelled.
    pub unsupported: Option<String>,
    /// What a runtime makes of it.
    pub body: Option<MapBody>,
    /// Callables that are not modelled with it, and why.
    pub unsupported_with: Vec<(u16, String)>,
    /// Where it is declared.
    pub site: Site,
}

/// A struct view.
#[derive(Clone, Debug)]
pub struct View {
    /// The struct's name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Its size.
    pub size: u32,
    /// The size of the host's struct.
    pub host_size: u32,
    /// Its fields by offset.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub site: Site,
}

/// A field of a view.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its offset.
    pub offset: u32,
    /// Its whole size.
    pub size: u32,
    /// The size of an element; for what is no array, its size.
    pub element: u32,
    /// Its doc comment.
    pub docs: String,
    /// Rules of access.
    pub access: Vec<Access>,
    /// How the host's struct has it.
    pub host: HostField,
    /// Where it is declared.
    pub site: Site,
}

/// A plain struct: a layout of integers that says nothing of access. Tables know its size alone,
/// where an argument is memory of it; C and the host know its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struct {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Its size; not always a multiple of its alignment, which is its widest element's.
    pub size: u32,
    /// Its fields by offset, without the gaps between them.
    pub fields: Vec<StructField>,
    /// Where it is declared.
    pub site: Site,
}

/// A field of a plain struct: an unsigned integer, or an array of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructField {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Its offset.
    pub offset: u32,
    /// Its whole size.
    pub size: u32,
    /// The size of an element; for what is no array, its size.
    pub element: u32,
}

/// A rule of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When it holds.
    pub guard: Guard,
    /// Sizes that may be read.
    pub read: SizeMask,
    /// Sizes that may be written.
    pub write: SizeMask,
    /// True when offsets need not be multiples of the size.
    pub unaligned: bool,
    /// Accesses smaller than the field begin in so many of its first bytes.
    pub narrow: u32,
    /// What a load yields.
    pub yields: RegType,
}

/// A program type.
#[derive(Clone, Debug)]
pub struct ProgType {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Its number.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// Index of its context's view.
    pub ctx: u16,
    /// What registers hold at entry.
    pub entry: Vec<(u8, RegType)>,
    /// What it offers: (callable, guard), in order of search.
    pub callables: Vec<(u16, Guard)>,
    /// The kfuncs that it offers.
    pub kfuncs: Vec<(u16, Guard)>,
    /// What it may do with packets.
    pub packet: PacketAccess,
    /// Exit ranges.
    pub exit: Vec<ExitRange>,
    /// Attach types: (name, number).
    pub attach: Vec<(String, u32)>,
    /// The attach type of a program that names none; None: 0.
    pub default_attach: Option<u32>,
    /// Its traits.
    pub flags: ProgFlags,
    /// When its programs may sleep.
    pub may_sleep: Option<Guard>,
    /// When they must, and what others are told.
    pub must_sleep: Option<(Guard, String)>,
    /// What the engine does not model of it, and when.
    pub unsupported: Vec<(Guard, String)>,
    /// Where it is declared.
    pub site: Site,
}

/// A range of exit values.
#[derive(Clone, Debug)]
pub struct ExitRange {
    /// When it holds.
    pub guard: Guard,
    /// The range; None for any value.
    pub range: Option<(i64, i64)>,
    /// Where it is declared.
    pub site: Site,
}

/// A section row.
#[derive(Clone, Debug)]
pub struct Section {
    /// The name, without the `*` of a prefix.
    pub name: String,
    /// True when more may follow.
    pub prefix: bool,
    /// The program type's number.
    pub prog_type: u32,
    /// The attach type's number.
    pub attach: u32,
    /// Load flags.
    pub flags: u32,
    /// What the names of functions of the target begin with that stand behind the section's name.
    pub target: Option<String>,
}
