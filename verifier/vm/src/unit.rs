//! A linked program: what interpreter and machine code run.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

use probity_platform::{
    Behaviour, Callable, HostField, Intrinsic, Platform, Policy, Profile, ProgType, View,
};
use probity_program::Program;

use crate::context::PacketFields;
use crate::host::{LentHost, Linked};
use crate::interpreter::Decoded;
use crate::maps::Map;
use crate::op::{Function, Op};
use crate::run::{RawFn, Run};

/// A linked program with its maps. It says nothing of whether it was verified:
/// [`Executable`](crate::Executable) does.
pub struct Unit {
    /// The unit itself, for those that outlive a run.
    pub(crate) this: Weak<Unit>,
    pub(crate) platform: &'static Platform,
    pub(crate) prog_type: &'static ProgType,
    pub(crate) profile: Profile,
    /// What the platform allows who loaded it.
    pub(crate) policy: Policy,
    pub(crate) program: Arc<Program>,
    pub(crate) ops: Vec<Op>,
    pub(crate) functions: Vec<Function>,
    pub(crate) sites: Vec<Site>,
    pub(crate) maps: Vec<Arc<Map>>,
    pub(crate) packet_fields: PacketFields,
    /// Fields of the context that only the runtime sets.
    pub(crate) pointers: Vec<HostField>,
    pub(crate) zeroes_stack: bool,
    /// How many frames a run in the interpreter may use at once.
    pub(crate) frames: usize,
    pub(crate) guarded: bool,
    /// Nothing is called and nothing counted: a run changes nothing but memory.
    pub(crate) is_plain: bool,
    /// How many run slots its maps have values for.
    pub(crate) slots: u32,
    /// It runs in the checked interpreter only.
    pub(crate) checked: bool,
    /// The host's functions, where it is linked with some.
    pub(crate) host: Option<Linked>,
    /// It calls functions of the host.
    pub(crate) needs_host: bool,
    pub(crate) decoded: Decoded,
    pub(crate) native: OnceLock<Native>,
}

/// A place where something of the platform is called.
#[derive(Clone, Debug)]
pub struct Site {
    /// The slot of the call.
    pub pc: u32,
    /// What is called.
    pub callable: &'static Callable,
    /// Who does it.
    pub target: Target,
    /// The map that it is about, when that is always the same one: an index into [`Unit::maps`].
    pub map: Option<u32>,
    /// The raw function.
    pub raw: RawFn,
    /// True when the run may end in it: [`Returned::leave`](crate::Returned::leave) must be looked at.
    pub may_leave: bool,
}

/// Who does what a callable does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The runtime.
    Body(Intrinsic),
    /// The host: the callable's number among all.
    Host(u16),
}

/// Machine code of a unit. What it points to lives as long as `owner`.
#[derive(Debug)]
pub struct Native {
    /// Runs the program: an `extern "C" fn(r1, r2, *mut Run) -> u64`.
    pub entry: usize,
    /// Where a tail call jumps to.
    pub tail_entry: usize,
    /// How functions of the program are called back.
    pub call_back: crate::run::CallBack,
    /// Whether it takes of `Run::fuel`; runs with a limit are left to the interpreter otherwise.
    pub counts: bool,
    /// Where the code is.
    pub code: std::ops::Range<usize>,
    /// Who holds the code.
    pub owner: Box<dyn Any + Send + Sync>,
}

impl Native {
    /// Runs the code.
    #[allow(unsafe_code)]
    #[inline(always)]
    pub(crate) fn enter(&self, run: &mut Run<'_>, args: [u64; 5]) -> u64 {
        run.call_back = Some(self.call_back);
        let run = std::ptr::from_mut(run).cast::<Run<'static>>();
        // SAFETY: `entry` is what [`Unit::set_native`] was promised, and the unit that holds it is
        // borrowed; the run is the one that is on.
        unsafe {
            let entry: extern "C" fn(u64, u64, *mut Run<'static>) -> u64 = std::mem::transmute(self.entry);
            entry(args[0], args[1], run)
        }
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("program", &self.program.name)
            .field("ops", &self.ops.len())
            .finish_non_exhaustive()
    }
}

impl Unit {
    /// Shared from now on.
    pub(crate) fn share(self) -> Arc<Unit> {
        Arc::new_cyclic(|this| Unit { this: Weak::clone(this), ..self })
    }

    /// The platform.
    #[must_use]
    pub fn platform(&self) -> &'static Platform {
        self.platform
    }

    /// The program type.
    #[must_use]
    pub fn prog_type(&self) -> &'static ProgType {
        self.prog_type
    }

    /// The view of its context.
    #[must_use]
    pub fn view(&self) -> &'static View {
        &self.platform.views[usize::from(self.prog_type.ctx)]
    }

    /// The program that it was linked from.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Its instructions, one a slot of the program.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Its functions, ascending, the entry first. Of a verified program those that run.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The function that begins at a slot.
    #[must_use]
    pub fn function_at(&self, start: u32) -> Option<usize> {
        self.functions.binary_search_by_key(&start, |function| function.start).ok()
    }

    /// What the interpreter's programs have for one of their functions: an address inside of the unit,
    /// which no program can read.
    pub(crate) fn function_value(&self, start: u32) -> u64 {
        self.function_at(start).map_or(0, |index| std::ptr::from_ref(&self.functions[index]) as u64)
    }

    /// Whether a value is that of one of its functions, in one engine or the other.
    pub(crate) fn has_function(&self, value: u64) -> bool {
        let native = self.native.get().is_some_and(|native| native.code.contains(&(value as usize)));
        native || self.function_of(value).is_some()
    }

    /// The first slot of the function with a value.
    pub(crate) fn function_of(&self, value: u64) -> Option<usize> {
        let function =
            self.functions.iter().find(|function| std::ptr::from_ref(*function) as u64 == value)?;
        Some(function.start as usize)
    }

    /// r1 to r5 at entry, with the context at an address.
    pub(crate) fn entry_args(&self, context: u64, len: u64) -> [u64; 5] {
        let mut args = [0; 5];
        for &(reg, ty) in self.prog_type.entry {
            let value = match self.platform.kind(ty.kind).behaviour {
                Behaviour::Context | Behaviour::Region => context,
                _ => len,
            };
            if let Some(place) = usize::from(reg).checked_sub(1).and_then(|index| args.get_mut(index)) {
                *place = value;
            }
        }
        args
    }

    /// Its calls.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Whether it calls functions of a host that is not the one that was lent.
    #[inline(always)]
    pub(crate) fn lacks_host(&self, lent: LentHost) -> bool {
        self.needs_host && self.host.as_ref().map(Linked::host) != lent.type_id()
    }

    /// Its maps, as [`Program::maps`] lists them.
    #[must_use]
    pub fn maps(&self) -> &[Arc<Map>] {
        &self.maps
    }

    /// Whether frames are zeroed at entry, because the program may read what it never wrote.
    #[must_use]
    pub fn zeroes_stack(&self) -> bool {
        self.zeroes_stack
    }

    /// Whether runs must keep what others delete: a guard is taken for each.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Whether it runs in the checked interpreter only, because it was not verified.
    #[must_use]
    pub fn checked(&self) -> bool {
        self.checked
    }

    /// Its machine code, when it was made.
    #[must_use]
    pub fn native(&self) -> Option<&Native> {
        self.native.get()
    }

    /// Gives it machine code; false when it has some.
    ///
    /// # Safety
    ///
    /// The code must do what the unit's instructions say, and keep to the conventions of [`Native`]
    /// and [`Run`]; `owner` must keep it mapped.
    #[allow(unsafe_code)]
    pub unsafe fn set_native(&self, native: Native) -> bool {
        self.native.set(native).is_ok()
    }
}
