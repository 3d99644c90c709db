//! One platform: all tables.

use crate::{
    Allowance, ArgClass, Behaviour, Callable, Callback, GuardEnv, Kind, KindId, Limits, MapType, Object,
    Policy, Profile, ProgType, Region, Section, Site, SpecialField, SpecialFieldForm, StackObject, Switches,
    Version, View,
};

/// The platform's own words, where a message is about the platform as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Of a program that is to sleep and may not.
    pub not_sleepable: &'static str,
    /// Of a program that sleeps and uses a map that such programs may not use.
    pub sleepable_maps: &'static str,
}

impl Words {
    /// What is said when the spec says nothing.
    pub const DEFAULT: Words = Words {
        not_sleepable: "programs of this type can't be sleepable",
        sleepable_maps: "sleepable programs can't use maps of this type",
    };
}

/// Everything that a spec says, as tables. Codegen writes one as a `static`.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// Its name.
    pub name: &'static str,
    /// A hash of the spec's text: a proof holds for one spec only.
    pub spec_hash: u64,
    /// The spec files, relative to the spec's folder; [`crate::Site::file`] is an index here.
    pub sources: &'static [&'static str],
    /// Register kinds.
    pub kinds: &'static [Kind],
    /// Argument classes.
    pub arg_classes: &'static [ArgClass],
    /// Callables, ascending by number, overloads side by side.
    pub callables: &'static [Callable],
    /// Kfuncs, ascending by name.
    pub kfuncs: &'static [Callable],
    /// Signatures of callbacks.
    pub callbacks: &'static [Callback],
    /// Regions.
    pub regions: &'static [Region],
    /// Kinds of objects in stack slots.
    pub stack_objects: &'static [StackObject],
    /// Types of objects.
    pub objects: &'static [Object],
    /// True when the host of the platform has a function for every callable without a body; false
    /// when calls end up elsewhere, in a kernel.
    pub hosted: bool,
    /// Messages in the platform's own words.
    pub words: Words,
    /// Map types, ascending by number.
    pub map_types: &'static [MapType],
    /// Types inside map values that are special.
    pub special_fields: &'static [SpecialField],
    /// Struct views.
    pub views: &'static [View],
    /// Program types, ascending by number.
    pub prog_types: &'static [ProgType],
    /// Section names, in order of search.
    pub sections: &'static [Section],
    /// Semantic switches and the versions that have them.
    pub switches: &'static [(Switches, Version)],
    /// The version that the spec describes when nobody asks for another.
    pub version: Version,
    /// What the platform allows, and to whom; [`Platform::policy`] is what that comes to.
    pub allows: &'static [Allowance],
    /// Where that is declared first; where the platform is, when it declares nothing of the kind.
    pub policy_site: Site,
    /// Its limits.
    pub limits: Limits,
    /// By name, where limits are declared. Those that a spec does not declare are not here.
    pub limit_sites: &'static [(&'static str, Site)],
    /// The number of the map type that global data lives in, when the platform has global data.
    pub global_data: Option<u32>,
}

impl Platform {
    /// What the platform allows a loader on a target.
    #[must_use]
    pub fn policy(&self, profile: &Profile) -> Policy {
        let allowed = self.allows.iter().filter(|row| row.holds(profile));
        allowed.fold(Policy::default(), |policy, row| policy.or(row.policy))
    }

    /// Where it is declared who may do this; where the policy is, when nobody may.
    #[must_use]
    pub fn policy_site(&self, wanted: Policy) -> Site {
        let row = self.allows.iter().find(|row| row.policy.and(wanted) == wanted);
        row.map_or(self.policy_site, |row| row.site)
    }

    /// The row of a kind.
    #[must_use]
    pub fn kind(&self, id: KindId) -> &'static Kind {
        &self.kinds[usize::from(id.0)]
    }

    /// Where a limit is declared, by its name in the spec; [`Site::NONE`] when it is not.
    #[must_use]
    pub fn limit_site(&self, name: &str) -> Site {
        self.limit_sites.iter().find(|(limit, _)| *limit == name).map_or(Site::NONE, |&(_, site)| site)
    }

    /// The first kind with a behaviour: what the engine makes of values that only it creates.
    #[must_use]
    pub fn kind_of(&self, behaviour: Behaviour) -> Option<KindId> {
        let index = self.kinds.iter().position(|kind| kind.behaviour == behaviour)?;
        u8::try_from(index).ok().map(KindId)
    }

    /// The map type with a number.
    #[must_use]
    pub fn map_type(&self, number: u32) -> Option<&'static MapType> {
        let index = self.map_types.binary_search_by_key(&number, |map| map.number).ok()?;
        Some(&self.map_types[index])
    }

    /// The row of a type inside a map's value, when it is special.
    #[must_use]
    pub fn special_field(&self, form: SpecialFieldForm, name: &str) -> Option<&'static SpecialField> {
        self.special_fields.iter().find(|row| row.form == form && row.name == name)
    }

    /// The callable with an index that counts helpers, then kfuncs: what
    /// [`crate::Lifetime::Until`] holds.
    #[must_use]
    pub fn callable_at(&self, index: u16) -> Option<&'static Callable> {
        let index = usize::from(index);
        let kfunc = index.checked_sub(self.callables.len());
        kfunc.map_or_else(|| self.callables.get(index), |index| self.kfuncs.get(index))
    }

    /// The kfunc that a program's reference by name means on a target: by its name, or by one of its
    /// other names when that is the target's.
    #[must_use]
    pub fn kfunc(&self, name: &str, env: &GuardEnv<'_>) -> Option<&'static Callable> {
        let index = self.kfuncs.binary_search_by(|row| row.name.cmp(name));
        if let Ok(index) = index {
            return Some(&self.kfuncs[index]);
        }
        let mut rows = self.kfuncs.iter();
        rows.find(|row| row.aliases.iter().any(|alias| alias.name == name && alias.guard.holds(env)))
    }

    /// The program type with a number.
    #[must_use]
    pub fn prog_type(&self, number: u32) -> Option<&'static ProgType> {
        let index = self.prog_types.binary_search_by_key(&number, |prog| prog.number).ok()?;
        Some(&self.prog_types[index])
    }

    /// The program type with a name, with or without the prefix `BPF_PROG_TYPE_`, in any case.
    #[must_use]
    pub fn prog_type_named(&self, name: &str) -> Option<&'static ProgType> {
        self.prog_types.iter().find(|prog| {
            let short = prog.name.strip_prefix("BPF_PROG_TYPE_").unwrap_or(prog.name);
            prog.name.eq_ignore_ascii_case(name) || short.eq_ignore_ascii_case(name)
        })
    }

    /// The row of the section table that is about `section`, and the rest behind its name.
    #[must_use]
    pub fn section<'a>(&self, section: &'a str) -> Option<(&'static Section, &'a str)> {
        self.sections.iter().find_map(|row| row.matches(section).map(|rest| (row, rest)))
    }

    /// The profile of a version of this platform: every capability, x86-64, every option on, two
    /// processors.
    #[must_use]
    pub fn profile(&self, version: Version) -> Profile {
        let mut switches = Switches::empty();
        for &(switch, since) in self.switches {
            if version >= since {
                switches |= switch;
            }
        }
        Profile {
            version,
            arch: "x86_64".into(),
            caps: vec![
                "CAP_BPF".into(),
                "CAP_PERFMON".into(),
                "CAP_NET_ADMIN".into(),
                "CAP_SYS_ADMIN".into(),
            ],
            config_off: Vec::new(),
            nr_cpus: 2,
            switches,
        }
    }

    /// The profile of the version that the spec describes.
    #[must_use]
    pub fn default_profile(&self) -> Profile {
        self.profile(self.version)
    }
}
