//! The vocabulary of platforms: what generated tables are made of and what the engine, the loader
//! and the runtime read them with. It knows no platform and depends on nothing of ours.
//!
//! | module | subject |
//! |---|---|
//! | [`kind`] | register kinds as rows over a closed list of behaviours; type flags |
//! | [`callable`] | helpers: argument classes, relations, returns |
//! | [`effects`] | what a callable's driver may ask and do |
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
pub mod effects;
pub mod guard;
pub mod kind;
pub mod map_type;
pub mod platform;
pub mod policy;
pub mod profile;
pub mod prog_type;
pub mod rejection;
pub mod site;
pub mod special_field;
pub mod view;

pub use callable::{
    Arg, ArgClass, ArgRole, Callable, CallableFlags, Driver, Intrinsic, Relation, Ret, RetType,
};
pub use effects::{Effects, Outcome, PointerClass};
pub use guard::{Guard, GuardEnv};
pub use kind::{Behaviour, Kind, KindId, OffsetRule, RegType, TypeFlags};
pub use map_type::{
    Callers, MapFlag, MapRefusal, MapShape, MapTraits, MapType, NullCheckYields, SizeRange, Step, ValueSizes,
};
pub use platform::Platform;
pub use policy::{Limits, Policy};
pub use profile::{Profile, Switches, Version};
pub use prog_type::{AttachType, ExitRange, PacketAccess, ProgFlags, ProgType, Section, SetEntry};
pub use rejection::{Code, Rejection};
pub use site::Site;
pub use special_field::{SpecialField, SpecialFieldForm};
pub use view::{Access, Field, SizeMask, View};
