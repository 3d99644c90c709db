//! What a callable's driver may ask and do. The engine implements it; codegen emits calls of it.

use crate::{Guard, RegType, Rejection, Site};

/// How a call goes on when its driver is through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At the next instruction.
    Next,
}

/// Pointers that an effect makes stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerClass {
    /// Everything derived from packet data.
    Packet,
}

/// The engine as a driver sees it during one call. Arguments count from 0; what is asked of an
/// argument is as it was before the call. A number that the engine does not know exactly is asked
/// for by its bounds. Asking a number of an argument that is no number gives the widest bounds.
pub trait Effects {
    /// The least unsigned value of an argument.
    fn umin(&self, arg: u8) -> u64;
    /// The greatest unsigned value of an argument.
    fn umax(&self, arg: u8) -> u64;
    /// The least signed value of an argument.
    fn smin(&self, arg: u8) -> i64;
    /// The greatest signed value of an argument.
    fn smax(&self, arg: u8) -> i64;
    /// The value of an argument when it is known exactly.
    fn constant(&self, arg: u8) -> Option<u64>;
    /// True when the argument is the number 0 given for a pointer that may be null.
    fn is_null(&self, arg: u8) -> bool;
    /// The number of the type of the map in an argument.
    fn map_type(&self, map: u8) -> Option<u32>;
    /// The value size of the map in an argument, 0 when it is none.
    fn map_value_size(&self, map: u8) -> u64;
    /// The key size of the map in an argument, 0 when it is none.
    fn map_key_size(&self, map: u8) -> u64;
    /// The capacity of the map in an argument, 0 when it is none.
    fn map_max_entries(&self, map: u8) -> u64;
    /// The number of possible processors of the target.
    fn nr_cpus(&self) -> u64;
    /// True when the guard holds for the program that is verified.
    fn holds(&self, guard: &Guard) -> bool;

    /// Demands that the map in an argument has one of these types.
    ///
    /// # Errors
    /// A rejection with the kernel's words for a map type that a callable does not take.
    fn require_map_type(&mut self, map: u8, allowed: &[u32], site: Site) -> Result<(), Rejection>;

    /// Demands that an argument is known exactly.
    ///
    /// # Errors
    /// A rejection when it is not.
    fn require_const(&mut self, arg: u8, site: Site) -> Result<(), Rejection>;

    /// Demands that a condition over arguments holds; `text` says it as the spec does.
    ///
    /// # Errors
    /// A rejection when `holds` is false.
    fn require(&mut self, holds: bool, text: &'static str, site: Site) -> Result<(), Rejection>;

    /// Records that safety hangs on the exact value of an argument.
    ///
    /// # Errors
    /// A rejection when the engine can't follow the value back.
    fn precise(&mut self, arg: u8) -> Result<(), Rejection>;

    /// The returned number lies in this signed range, inclusive.
    fn return_range(&mut self, smin: i64, smax: i64);
    /// The returned value has this type after all.
    fn return_type(&mut self, ty: RegType);
    /// The returned memory has this many bytes.
    fn return_bytes(&mut self, bytes: u64);
    /// The key argument is a constant below the capacity of an indexed map: the returned value is
    /// not null then. Does nothing where the target lacks `ARRAY_KEY_ELISION`.
    ///
    /// # Errors
    /// A rejection when the engine can't follow the key back.
    fn nonnull_for_constant_key(&mut self, map: u8, key: u8) -> Result<(), Rejection>;
    /// The returned pointer is a new reference, which must be released; `class` is what the spec
    /// calls such references.
    fn acquire(&mut self, class: &'static str, site: Site);
    /// The returned pointer derives from what `arg` derives from: it goes with it.
    fn cast(&mut self, arg: u8);
    /// Pointers of a class are stale after the call.
    fn invalidate(&mut self, class: PointerClass);
    /// The call runs another program instead of the rest of this one when it succeeds.
    ///
    /// # Errors
    /// A rejection when something is held that would leak.
    fn tail_call(&mut self, map: u8, index: u8, site: Site) -> Result<(), Rejection>;
    /// The spec declares something that this engine does not model yet.
    ///
    /// # Errors
    /// Always: the run ends as unsupported, with this name.
    fn unsupported(&mut self, name: &'static str, site: Site) -> Result<(), Rejection>;
}
