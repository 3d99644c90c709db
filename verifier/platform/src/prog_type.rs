//! Program types, attach types, exit ranges, section names.

use bitflags::bitflags;

use crate::{Guard, GuardEnv, Profile, RegType, Site};

bitflags! {
    /// What programs of a type may do with packets.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct PacketAccess: u8 {
        /// Read packet data.
        const READ = 1;
        /// Write packet data.
        const WRITE = 2;
    }

    /// Traits of a program type.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct ProgFlags: u32 {
        /// `LD_ABS` and `LD_IND` are allowed.
        const LD_ABS = 1 << 0;
        /// Each subprogram has a stack of its own, so that call chains may add up to more.
        const PRIVATE_STACK = 1 << 1;
        /// The expected attach type must be one of its attach types; 0 where it has none.
        const ATTACH_CHECKED = 1 << 2;
    }
}

/// When programs of a type may, and when they must, be loaded as ones that sleep.
#[derive(Clone, Copy, Debug)]
pub struct Sleep {
    /// When they may; None: never.
    pub may: Option<Guard>,
    /// When they must, and the words of the refusal when they don't.
    pub must: Option<(Guard, &'static str)>,
}

/// A program type.
#[derive(Clone, Copy, Debug)]
pub struct ProgType {
    /// Its name, `BPF_PROG_TYPE_XDP`.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// Its context: index into [`crate::Platform::views`].
    pub ctx: u16,
    /// What registers hold at entry, beside the stack pointer: (register, type).
    pub entry: &'static [(u8, RegType)],
    /// The callables that it offers, in order of search: the first entry for a number whose guard
    /// holds is the one.
    pub callables: &'static [SetEntry],
    /// The kfuncs that it offers: entries of [`crate::Platform::kfuncs`].
    pub kfuncs: &'static [SetEntry],
    /// What it may do with packets.
    pub packet: PacketAccess,
    /// The ranges of the exit value: the first row whose guard holds. None: any value.
    pub exit: &'static [ExitRange],
    /// Its attach types.
    pub attach: &'static [AttachType],
    /// The attach type of a program that names none; None: it stays 0.
    pub default_attach: Option<u32>,
    /// Its traits.
    pub flags: ProgFlags,
    /// Whether its programs sleep.
    pub sleep: Sleep,
    /// What the engine does not model of it: a program is unsupported by the name of the first row
    /// whose guard holds.
    pub unsupported: &'static [(Guard, &'static str)],
    /// Where it is declared.
    pub site: Site,
}

/// A callable offered by a program type.
#[derive(Clone, Copy, Debug)]
pub struct SetEntry {
    /// Index into [`crate::Platform::callables`].
    pub callable: u16,
    /// When it is offered.
    pub guard: Guard,
}

/// A range of exit values.
#[derive(Clone, Copy, Debug)]
pub struct ExitRange {
    /// When it holds.
    pub guard: Guard,
    /// The least and the greatest allowed value; None allows any.
    pub range: Option<(i64, i64)>,
    /// Where it is declared.
    pub site: Site,
}

/// An attach type of a program type.
#[derive(Clone, Copy, Debug)]
pub struct AttachType {
    /// Its name, `BPF_XDP`.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
}

/// How a section name of an object gives the program type.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The name; with `prefix`, what it begins with.
    pub name: &'static str,
    /// True when more may follow the name (`kprobe/` takes `kprobe/do_sys_open`).
    pub prefix: bool,
    /// The number of the program type.
    pub prog_type: u32,
    /// The number of the expected attach type, 0 when it has none.
    pub attach: u32,
    /// `BPF_F_*` flags of loading.
    pub flags: u32,
    /// What stands behind `/` names a function of the target, with this before it: `bpf_lsm_` for
    /// hooks of security modules. None where it names something else.
    pub target: Option<&'static str>,
}

impl ProgType {
    /// What of it the engine does not model, for a program and its target; None when it models it all.
    #[must_use]
    pub fn unsupported(&self, env: &GuardEnv<'_>) -> Option<&'static str> {
        self.unsupported.iter().find(|(guard, _)| guard.holds(env)).map(|(_, what)| *what)
    }

    /// Whether the engine models all of it for a loader and its target, whatever the program.
    #[must_use]
    pub fn is_modelled(&self, profile: &Profile) -> bool {
        let env = GuardEnv { profile, prog_type: self.number, attach: 0, sleepable: false, target: "" };
        self.unsupported(&env).is_none()
    }

    /// The attach type that a program has which names `expected`.
    #[must_use]
    pub fn attach_type(&self, expected: u32) -> u32 {
        if expected == 0 { self.default_attach.unwrap_or(0) } else { expected }
    }

    /// True when programs are loaded with this attach type.
    #[must_use]
    pub fn takes_attach(&self, attach: u32) -> bool {
        let known = self.attach.iter().any(|row| row.number == attach);
        !self.flags.contains(ProgFlags::ATTACH_CHECKED) || known || (attach == 0 && self.attach.is_empty())
    }
}

impl Section {
    /// The rest of `section` behind the name when this row is about it.
    #[must_use]
    pub fn matches<'a>(&self, section: &'a str) -> Option<&'a str> {
        let rest = section.strip_prefix(self.name)?;
        (self.prefix || rest.is_empty()).then_some(rest)
    }

    /// The function of the target that the rest of a section's name says, `bpf_lsm_file_open` for
    /// `lsm/file_open`; empty when it says none.
    #[must_use]
    pub fn target(&self, rest: &str) -> String {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        match self.target {
            Some(prefix) if !rest.is_empty() => format!("{prefix}{rest}"),
            _ => String::new(),
        }
    }
}
