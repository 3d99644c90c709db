//! Object and platform brought together: from bytes to reports.

use std::collections::BTreeMap;

use probity_engine::{Explanation, LogOptions, Report, Verdict, Verified, explain, verify, verify_with_log};
use probity_object::object::Entry;
use probity_object::{LoadOptions, Object, ObjectError, ProgramError, SectionType, Sections};
use probity_platform::{Platform, Profile};
use probity_program::{Btf, Program};

use crate::{
    maps,
    sections::{PlatformSections, global_data},
};

/// Verifies every program of an object against a platform, for the version that its spec describes.
///
/// # Errors
///
/// When the object can't be read. What is wrong with one program is in its report.
pub fn check(object: &[u8], platform: &'static Platform) -> Result<Vec<ProgramReport>, ObjectError> {
    Loader::new(platform).check(object)
}

/// How the programs of objects are linked and verified.
#[derive(Clone, Debug)]
pub struct Loader<'a> {
    platform: &'static Platform,
    profile: Profile,
    target: Option<&'a Btf>,
    kconfig: Option<&'a BTreeMap<String, String>>,
    types: BTreeMap<String, (u32, Option<u32>)>,
    flags: u32,
}

/// What became of one program of an object.
#[derive(Clone, Debug)]
pub struct ProgramReport {
    /// The program, as the object lists it.
    pub entry: Entry,
    /// The linked program and the engine's report, or why it could not be linked.
    pub outcome: Result<Checked, ProgramError>,
}

/// A program that was linked and judged.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The program.
    pub program: Program,
    /// The engine's report.
    pub report: Report,
    /// What was made up for the program, because its object leaves it to its user space: a line each.
    pub notes: Vec<String>,
}

impl ProgramReport {
    /// The proof, when the program was accepted.
    #[must_use]
    pub fn verified(&self) -> Option<&Verified> {
        match &self.outcome.as_ref().ok()?.report.verdict {
            Verdict::Accepted(verified) => Some(verified),
            _ => None,
        }
    }
}

impl<'a> Loader<'a> {
    /// A loader for the version that the platform's spec describes.
    #[must_use]
    pub fn new(platform: &'static Platform) -> Loader<'a> {
        Loader {
            platform,
            profile: platform.default_profile(),
            target: None,
            kconfig: None,
            types: BTreeMap::new(),
            flags: 0,
        }
    }

    /// Verifies for another target: see [`Platform::profile`].
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Loader<'a> {
        self.profile = profile;
        self
    }

    /// Gives the types of the target kernel, which CO-RE relocations are resolved against.
    #[must_use]
    pub fn target(mut self, types: &'a Btf) -> Loader<'a> {
        self.target = Some(types);
        self
    }

    /// Gives the configuration of the target kernel: see [`LoadOptions::kconfig`].
    #[must_use]
    pub fn kconfig(mut self, values: &'a BTreeMap<String, String>) -> Loader<'a> {
        self.kconfig = Some(values);
        self
    }

    /// Says the type of the program with a name, whatever its section says. Without an attach type
    /// the section's counts when it is of the same program type.
    #[must_use]
    pub fn prog_type(
        mut self,
        program: impl Into<String>,
        prog_type: u32,
        attach: Option<u32>,
    ) -> Loader<'a> {
        self.types.insert(program.into(), (prog_type, attach));
        self
    }

    /// Adds flags of loading (`BPF_F_*`) to those that sections give.
    #[must_use]
    pub fn flags(mut self, flags: u32) -> Loader<'a> {
        self.flags |= flags;
        self
    }

    /// The profile that programs are verified for.
    #[must_use]
    pub fn target_profile(&self) -> &Profile {
        &self.profile
    }

    /// The platform.
    #[must_use]
    pub fn platform(&self) -> &'static Platform {
        self.platform
    }

    /// Verifies every program of an object, in the order of the object.
    ///
    /// # Errors
    ///
    /// When the object can't be read. What is wrong with one program is in its report.
    pub fn check(&self, object: &[u8]) -> Result<Vec<ProgramReport>, ObjectError> {
        let object = Object::parse(object)?;
        Ok(object.programs().iter().map(|entry| self.check_program(&object, entry)).collect())
    }

    /// Verifies one program of an object.
    #[must_use]
    pub fn check_program(&self, object: &Object, entry: &Entry) -> ProgramReport {
        let outcome = self.complete(object, entry).map(|(program, notes)| {
            let report = verify(&program, self.platform, &self.profile);
            Checked { program, report, notes }
        });
        ProgramReport { entry: entry.clone(), outcome }
    }

    /// Explains why a program was not accepted: None when it was. Verifies it again for that.
    #[must_use]
    pub fn explain(&self, checked: &Checked) -> Option<Explanation> {
        let finding = checked.report.finding()?;
        Some(explain(&checked.program, self.platform, &self.profile, finding))
    }

    /// As [`Loader::check_program`], with a log in the form of the kernel's; there is none of a
    /// program that is not linked.
    #[must_use]
    pub fn check_program_with_log(
        &self,
        object: &Object,
        entry: &Entry,
        options: &LogOptions,
    ) -> (ProgramReport, Option<String>) {
        let mut log = None;
        let outcome = self.complete(object, entry).map(|(program, notes)| {
            let (report, text) = verify_with_log(&program, self.platform, &self.profile, options);
            log = Some(text);
            Checked { program, report, notes }
        });
        (ProgramReport { entry: entry.clone(), outcome }, log)
    }

    /// Links one program of an object.
    ///
    /// # Errors
    ///
    /// When nothing says its type, or it refers to what can't be found or is not supported.
    pub fn link(&self, object: &Object, entry: &Entry) -> Result<Program, ProgramError> {
        Ok(self.complete(object, entry)?.0)
    }

    /// Links one program, and says what was made up for it.
    fn complete(&self, object: &Object, entry: &Entry) -> Result<(Program, Vec<String>), ProgramError> {
        let sections = |section: &str| self.resolve(&entry.name, section);
        let mut options = LoadOptions::new(&sections, global_data(self.platform));
        options.target = self.target;
        options.kconfig = self.kconfig;
        options.strict_externs = true;
        let is_of_maps = |map_type| maps::is_of_maps(self.platform, map_type);
        options.is_of_maps = &is_of_maps;
        let mut program = object.program(&entry.name, &options)?;
        match program.maps.iter().find(|map| map.contents.is_some()) {
            Some(data) if self.platform.global_data.is_none() => Err(ProgramError::Unsupported {
                program: entry.name.clone(),
                name: format!("global variables ({}), which the platform has none of", data.name),
                section: entry.section.clone(),
                pc: 0,
                remedy: "keep the data in a map, or declare `global_data` in the platform's spec",
            }),
            _ => {
                let notes = maps::complete(self.platform, &mut program);
                Ok((program, notes))
            }
        }
    }

    /// What is known of a program's type before it is linked: by hand or by its section.
    #[must_use]
    pub fn section_type(&self, entry: &Entry) -> Option<SectionType> {
        self.resolve(&entry.name, entry.section.strip_prefix('?').unwrap_or(&entry.section))
    }

    /// The type of a program in a section.
    fn resolve(&self, program: &str, section: &str) -> Option<SectionType> {
        let from_name = PlatformSections(self.platform).resolve(section);
        let mut found = match (self.types.get(program), from_name) {
            (None, from_name) => from_name?,
            (Some(&(prog_type, attach)), Some(from_name)) if from_name.prog_type == prog_type => {
                SectionType { attach_type: attach.unwrap_or(from_name.attach_type), ..from_name }
            }
            (Some(&(prog_type, attach)), _) => SectionType {
                prog_type,
                attach_type: attach.unwrap_or(0),
                flags: 0,
                target: String::new(),
                attach_to: section.split_once('/').map_or("", |(_, rest)| rest).to_owned(),
            },
        };
        found.flags |= self.flags;
        Some(found)
    }
}
