//! The vocabulary of platforms: what generated tables are made of and what the engine, the loader
//! and the runtime read them with. It knows no platform and depends on nothing of ours.
//!
//! | module | subject |
//! |---|---|
//! | [`kind`] | register kinds as rows over a closed list of behaviours; type flags |
//! | [`callable`] | helpers: argument classes, relations, returns |
//! | [`intrinsic`] | what a runtime does for callables by itself |
//! | [`demand`] | what their bodies take for granted of the callables that are bound to them |
//! | [`kfunc`] | what is declared of kfuncs |
//! | [`host`] | calls as a host's functions see them |
//! | [`callback`] | functions of the program that callables call |
//! | [`region`] | locks, RCU sections and the like |
//! | [`stack_object`] | objects that live in stack slots |
//! | [`object`] | objects of named types, and which of their fields are trusted |
//! | [`effects`] | what a callable's driver may ask and do |
//! | [`map_body`] | what a runtime makes of map types |
//! | [`map_type`] | map types: limits, traits, who may use them |
//! | [`special_field`] | types inside map values that are special |
//! | [`view`] | struct views, the context among them |
//! | [`prog_type`] | program types, exit ranges, sections |
//! | [`guard`] | conditions on version, attach type, program flags |
//! | [`profile`] | the target that a run is made for |
//! | [`policy`] | what a platform allows, and its limits |
//! | [`rejection`] | stable codes and the data of a rejection |
//! | [`site`] | places in spec files |
//! | [`platform`] | one platform: all tables |

pub mod callable;
pub mod callback;
pub mod demand;
pub mod effects;
pub mod guard;
pub mod host;
pub mod intrinsic;
pub mod kfunc;
pub mod kind;
pub mod map_body;
pub mod map_type;
pub mod object;
pub mod platform;
pub mod policy;
pub mod profile;
pub mod prog_type;
pub mod region;
pub mod rejection;
pub mod site;
pub mod special_field;
pub mod stack_object;
pub mod view;

pub use callable::{
    Alias, Arg, ArgClass, ArgRole, Callable, CallableFlags, Concepts, Driver, Lifetime, Relation, Ret,
    RetType, Subject,
};
pub use callback::{Callback, CallbackCall, CallbackFlags, CallbackValue};
pub use effects::{Effects, Outcome, PointerClass, ReturnOf};
pub use guard::{Guard, GuardEnv};
pub use host::{HostArg, HostBinding, HostBound, HostCall, HostEntry, HostRet, HostValue};
pub use intrinsic::Intrinsic;
pub use kfunc::KfuncFlags;
pub use kind::{Behaviour, Kind, KindId, OffsetRule, RegType, TypeFlags};
pub use map_body::MapBody;
pub use map_type::{
    Callers, MapFlag, MapRefusal, MapShape, MapTraits, MapType, NullCheckYields, SizeRange, Step, ValueSizes,
};
pub use object::{Object, ObjectFlags, Trust, TrustedField};
pub use platform::{Platform, Words};
pub use policy::{Limits, Policy};
pub use profile::{Profile, Switches, Version};
pub use prog_type::{AttachType, ExitRange, PacketAccess, ProgFlags, ProgType, Section, SetEntry, Sleep};
pub use region::{OnLeave, Region, RegionFlags};
pub use rejection::{Code, Rejection};
pub use site::Site;
pub use special_field::{SpecialField, SpecialFieldForm};
pub use stack_object::{StackObject, StackObjectState};
pub use view::{Access, Field, HostField, SizeMask, View};
