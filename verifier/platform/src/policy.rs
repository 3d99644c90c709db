//! What a platform allows, and its limits.

use crate::{Guard, GuardEnv, Profile, Site};

/// What a platform allows a loader. Everything is denied unless its spec declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Policy {
    /// Pointers may be stored in memory, compared, and returned as numbers.
    pub pointer_leaks: bool,
    /// Stack bytes that were never written may be read.
    pub uninit_stack: bool,
    /// Atomic instructions are allowed.
    pub atomics: bool,
    /// Back edges are allowed (loops that the engine must prove to end).
    pub loops: bool,
    /// Unaligned accesses to anything but the stack are allowed.
    pub unaligned: bool,
    /// Nothing that is allowed but what is asked for: paths that a processor takes before it knows
    /// better are followed too, and pointers move only where such a path stays in bounds.
    pub speculation: bool,
}

impl Policy {
    /// What one of them allows, or both.
    #[must_use]
    pub const fn or(self, other: Policy) -> Policy {
        Policy {
            pointer_leaks: self.pointer_leaks || other.pointer_leaks,
            uninit_stack: self.uninit_stack || other.uninit_stack,
            atomics: self.atomics || other.atomics,
            loops: self.loops || other.loops,
            unaligned: self.unaligned || other.unaligned,
            speculation: self.speculation || other.speculation,
        }
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Policy) -> Policy {
        Policy {
            pointer_leaks: self.pointer_leaks && other.pointer_leaks,
            uninit_stack: self.uninit_stack && other.uninit_stack,
            atomics: self.atomics && other.atomics,
            loops: self.loops && other.loops,
            unaligned: self.unaligned && other.unaligned,
            speculation: self.speculation && other.speculation,
        }
    }
}

/// What a spec allows, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// What is allowed.
    pub policy: Policy,
    /// On which targets, and to which loaders. It asks nothing of programs.
    pub guard: Guard,
    /// Where it is declared.
    pub site: Site,
}

impl Allowance {
    /// True when it holds for the target and its loader.
    #[must_use]
    pub fn holds(&self, profile: &Profile) -> bool {
        let env = GuardEnv { profile, prog_type: 0, attach: 0, sleepable: false, target: "" };
        self.guard.holds(&env)
    }
}

/// The numbers at which a run or a program is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of a program.
    pub insns: u32,
    /// Instructions processed in a run, over all paths.
    pub processed: u32,
    /// Branches that wait to be explored.
    pub pending: u32,
    /// Call frames, the entry's included.
    pub frames: u32,
    /// Functions of a program, the entry included.
    pub subprogs: u32,
    /// Bytes of stack, of a frame and of a call chain together.
    pub stack: u32,
    /// To what multiple of bytes a frame's stack is rounded up when a call chain is added up.
    pub stack_align: u32,
    /// A caller whose callees make tail calls must use fewer bytes of stack than this.
    pub tail_call_stack: u32,
    /// Bytes of stack that a function with `may_goto` has beside its own.
    pub may_goto_stack: u32,
    /// Maps that a program may use.
    pub maps: u32,
}

impl Limits {
    /// The numbers that hold where a spec says nothing.
    pub const DEFAULT: Limits = Limits {
        insns: 1_000_000,
        processed: 1_000_000,
        pending: 8192,
        frames: 8,
        subprogs: 256,
        stack: 512,
        stack_align: 16,
        tail_call_stack: 256,
        may_goto_stack: 0,
        maps: 64,
    };
}
