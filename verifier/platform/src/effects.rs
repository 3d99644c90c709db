//! What a callable's driver may ask and do. The engine implements it; codegen emits calls of it.

use crate::{CallbackCall, Code, Concepts, Guard, RegType, Rejection, Site};

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

/// What of an argument says what a returned pointer points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnOf {
    /// What the special field in the argument holds.
    Content,
    /// What the argument points to, of this processor.
    Pointee,
    /// The type of the program's BTF with the number in the argument: a new object of it.
    LocalType,
    /// The type of the target's BTF with the number in the argument.
    TargetType,
    /// The platform's own struct behind the context in the argument.
    KernelContext,
    /// The same object that the argument points to.
    Same,
}

/// What an effect says that is not modelled.
fn not_modelled(concept: Concepts, site: Site) -> Rejection {
    Rejection::new(Code::Unsupported, concept.said().unwrap_or_default()).at(site)
}

/// The engine as a driver sees it during one call. Arguments count from 0; what is asked of an
/// argument is as it was before the call. A number that the engine does not know exactly is asked
/// for by its bounds. Asking a number of an argument that is no number gives the widest bounds.
/// An effect that an engine does not implement ends the run as unsupported; [`Concepts`] tell it before.
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
    /// What the returned pointer points to hangs on an argument.
    ///
    /// # Errors
    /// A rejection when the argument does not say it.
    fn return_of(&mut self, what: ReturnOf, arg: u8, site: Site) -> Result<(), Rejection> {
        let _ = (what, arg);
        Err(not_modelled(Concepts::RETURN_BY_ARGUMENT, site))
    }
    /// The call enters a region, an index into [`crate::Platform::regions`]; `by` is the argument
    /// that is the lock or the flag. With `fallible` it may fail: the result is 0 or negative, and
    /// only 0 entered.
    ///
    /// # Errors
    /// A rejection when the region may not be entered here.
    fn enter(&mut self, region: u16, by: Option<u8>, fallible: bool, site: Site) -> Result<(), Rejection> {
        let _ = (region, by, fallible);
        Err(not_modelled(Concepts::REGION, site))
    }
    /// The call leaves a region.
    ///
    /// # Errors
    /// A rejection when the path is not in it, or not by this lock.
    fn leave(&mut self, region: u16, by: Option<u8>, site: Site) -> Result<(), Rejection> {
        let _ = (region, by);
        Err(not_modelled(Concepts::REGION, site))
    }
    /// The stack object in an argument is made, in this of its states.
    ///
    /// # Errors
    /// A rejection when its slots are not free for it.
    fn construct(&mut self, arg: u8, state: u8, site: Site) -> Result<(), Rejection> {
        let _ = (arg, state);
        Err(not_modelled(Concepts::STACK_OBJECT, site))
    }
    /// The stack object in an argument gives its next element: the call forks into one path with a
    /// result that is not null, and one with null and the object in the state `drained`.
    ///
    /// # Errors
    /// A rejection when there is no such object.
    fn advance(&mut self, arg: u8, drained: u8, site: Site) -> Result<(), Rejection> {
        let _ = (arg, drained);
        Err(not_modelled(Concepts::STACK_OBJECT, site))
    }
    /// The stack object in an argument ends.
    ///
    /// # Errors
    /// A rejection when there is no such object.
    fn destroy(&mut self, arg: u8, site: Site) -> Result<(), Rejection> {
        let _ = arg;
        Err(not_modelled(Concepts::STACK_OBJECT, site))
    }
    /// The stack object in `to` is made as a copy of the one in `from`.
    ///
    /// # Errors
    /// A rejection when either is not what it should be.
    fn clone_object(&mut self, from: u8, to: u8, site: Site) -> Result<(), Rejection> {
        let _ = (from, to);
        Err(not_modelled(Concepts::STACK_OBJECT, site))
    }
    /// The returned pointer is good as long as the stack object in an argument is.
    fn slice(&mut self, arg: u8) {
        let _ = arg;
    }
    /// The reference in an argument is the program's no more; pointers to it stay good for now.
    ///
    /// # Errors
    /// A rejection when it is no reference that the program owns.
    fn disown(&mut self, arg: u8, site: Site) -> Result<(), Rejection> {
        let _ = arg;
        Err(not_modelled(Concepts::OWNERSHIP, site))
    }
    /// A function of the program is called; `times` bounds how often.
    ///
    /// # Errors
    /// A rejection when the argument is no function, or what is held forbids it.
    fn call_back(&mut self, call: &CallbackCall, times: Option<u64>) -> Result<(), Rejection> {
        let _ = times;
        Err(not_modelled(Concepts::CALLBACK, call.site))
    }
    /// The special field in `field` is of the map in `map`.
    ///
    /// # Errors
    /// A rejection when it is another map's.
    fn require_member(&mut self, field: u8, map: u8, site: Site) -> Result<(), Rejection> {
        let _ = (field, map);
        Err(not_modelled(Concepts::SPECIAL_FIELD, site))
    }
    /// The constant string in `format` says how many numbers of 64 bits the memory in `data` has.
    ///
    /// # Errors
    /// A rejection when the string is no format, or the memory has another size.
    fn format(&mut self, format: u8, data: u8, site: Site) -> Result<(), Rejection> {
        let _ = (format, data);
        Err(not_modelled(Concepts::FORMAT, site))
    }
    /// The call ends the program, whatever frames it is in.
    ///
    /// # Errors
    /// A rejection when something is held that would leak.
    fn throw(&mut self, site: Site) -> Result<(), Rejection> {
        Err(not_modelled(Concepts::THROW, site))
    }
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
