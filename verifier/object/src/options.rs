//! What a loader is told of the platform.

use std::collections::BTreeMap;

use probity_program::Btf;

/// What a section's name says of the programs in it. A platform's spec has the answers.
pub trait Sections {
    /// The program type of a section; `None` when its name says nothing. A leading `?` ("do not
    /// load by default") has been taken off.
    fn resolve(&self, section: &str) -> Option<SectionType>;
}

impl<F: Fn(&str) -> Option<SectionType>> Sections for F {
    fn resolve(&self, section: &str) -> Option<SectionType> {
        self(section)
    }
}

/// The program type that a section's name stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionType {
    /// The number of the program type.
    pub prog_type: u32,
    /// The number of the expected attach type; 0 when there is none.
    pub attach_type: u32,
    /// Flags of loading.
    pub flags: u32,
    /// What the program attaches to, when the name says it; may be empty.
    pub attach_to: String,
    /// The function or hook of the target that it attaches to, by its name there; may be empty.
    pub target: String,
}

/// How global variables become maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalData {
    /// The number of the array map type.
    pub map_type: u32,
    /// The flag of a map that programs cannot write: `.rodata`, `.kconfig`.
    pub rdonly_flag: u32,
    /// The flag of a map that user space can map into its memory: data with visible variables.
    pub mmapable_flag: u32,
    /// The number of the map type whose memory holds the variables of the section
    /// [`GlobalData::ARENA_SECTION`]; `None` when the platform has none.
    pub arena_type: Option<u32>,
}

impl GlobalData {
    /// The section of variables in an arena: address space 1 of the compiler.
    pub const ARENA_SECTION: &str = ".addr_space.1";
}

/// What a loader is told of the platform.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// What section names say.
    pub sections: &'a dyn Sections,
    /// How global variables become maps.
    pub data: GlobalData,
    /// The types of the kernel to load into: CO-RE relocations are resolved against them, and
    /// weak externs that they lack are taken as absent. Without them a program with CO-RE
    /// relocations is an error, and every extern is taken as present.
    pub target: Option<&'a Btf>,
    /// The kernel's configuration, `CONFIG_X` to `y`, `m`, `n`, a number or a quoted string, as in
    /// its `.config`, for `.kconfig` externs; also the names that are not options
    /// (`LINUX_KERNEL_VERSION`). Without it a program with such externs is an error.
    pub kconfig: Option<&'a BTreeMap<String, String>>,
    /// True when an extern that is not weak and that the target lacks, or has with another type, is
    /// an error; otherwise it is taken as present.
    pub strict_externs: bool,
    /// True for the types of maps whose values are maps: an old definition's number of an inner
    /// map means something for these only.
    pub is_of_maps: &'a dyn Fn(u32) -> bool,
}

impl<'a> LoadOptions<'a> {
    /// Options without a target and without a configuration, that believe every extern.
    #[must_use]
    pub fn new(sections: &'a dyn Sections, data: GlobalData) -> LoadOptions<'a> {
        LoadOptions {
            sections,
            data,
            target: None,
            kconfig: None,
            strict_externs: false,
            is_of_maps: &|_| false,
        }
    }
}

impl std::fmt::Debug for LoadOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadOptions")
            .field("data", &self.data)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
