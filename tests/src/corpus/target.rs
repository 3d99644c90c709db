//! The platform as the loader and the engine need it.

use std::{collections::BTreeMap, fs, io, path::Path, sync::Arc};

use probity_linux::PLATFORM;
use probity_object::{GlobalData, LoadOptions, Object, ProgramError, SectionType, config};
use probity_platform::{Profile, ProgType};
use probity_program::{Btf, Program, flags};

use super::records::{Attach, Case, Source};

/// The target of a corpus: the kernel that gave the verdicts.
#[derive(Debug, Default)]
pub struct Target {
    btf: Option<Arc<Btf>>,
    kconfig: Option<BTreeMap<String, String>>,
}

/// Why a program never reached the engine: the reason without names of programs, and all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLoaded {
    /// What many programs may share.
    pub reason: String,
    /// The whole message.
    pub message: String,
}

impl NotLoaded {
    fn new(reason: impl Into<String>) -> NotLoaded {
        let reason = reason.into();
        NotLoaded { message: reason.clone(), reason }
    }

    /// From a text that is about one object alone.
    pub(super) fn object(message: &str) -> NotLoaded {
        NotLoaded { reason: "loader: the object cannot be read".into(), message: message.to_owned() }
    }
}

impl From<ProgramError> for NotLoaded {
    fn from(error: ProgramError) -> NotLoaded {
        let message = error.to_string();
        let reason = match error {
            ProgramError::Unsupported { name, .. } => name,
            ProgramError::Relocation { symbol, reason, .. } => format!("{symbol}: {reason}"),
            ProgramError::NotFound { .. } => "there is no such program".into(),
            ProgramError::UnknownSection { section, .. } => format!("section {section}"),
            ProgramError::Limit { what, .. } => format!("limit: {what}"),
            _ => message.clone(),
        };
        NotLoaded { reason: format!("loader: {reason}"), message }
    }
}

impl Target {
    /// Reads the types and the configuration that lie in `folder`; both may be absent.
    ///
    /// # Errors
    ///
    /// When they are there and cannot be read.
    pub fn read(folder: &Path) -> io::Result<Target> {
        let mut target = Target::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("vmlinux") && name.ends_with(".btf") {
                let btf = Btf::parse(&fs::read(&path)?).map_err(io::Error::other)?;
                target.btf = Some(Arc::new(btf));
            } else if name.starts_with("config-") {
                target.kconfig = Some(configuration(&fs::read_to_string(&path)?));
            }
        }
        Ok(target)
    }

    /// The profile that programs are verified for.
    #[must_use]
    pub fn profile(&self) -> Profile {
        PLATFORM.default_profile()
    }

    /// The program of a case. `object` is the one that it comes from.
    ///
    /// # Errors
    ///
    /// When the loader does not take it, or the platform lacks its type.
    pub fn load(&self, case: &Case, object: Option<&Object>) -> Result<Program, NotLoaded> {
        self.load_named(case, &case.program, object)
    }

    /// As [`Target::load`], another program of the object, as one of the case's type.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn load_named(&self, case: &Case, name: &str, object: Option<&Object>) -> Result<Program, NotLoaded> {
        let Source::Object { prog_type, attach, flags, fill_maps, .. } = &case.source else {
            return raw(case);
        };
        let object = object.ok_or_else(|| NotLoaded::new("loader: no object"))?;
        let row = PLATFORM
            .prog_type_named(prog_type)
            .ok_or_else(|| NotLoaded::new(format!("program type {prog_type}")))?;
        let attach = attach_number(row, attach)
            .ok_or_else(|| NotLoaded::new(format!("attach type {attach:?} of {prog_type}")))?;
        let sections = |name: &str| {
            let found = PLATFORM.section(name).filter(|(section, _)| section.prog_type == row.number);
            Some(SectionType {
                prog_type: row.number,
                attach_type: attach,
                flags: flags.unwrap_or_else(|| found.map_or(0, |(section, _)| section.flags)),
                target: found.map_or_else(String::new, |(section, rest)| section.target(rest)),
                attach_to: found.map_or_else(String::new, |(_, rest)| rest.to_owned()),
            })
        };
        let options = LoadOptions {
            target: self.btf.as_deref(),
            kconfig: self.kconfig.as_ref(),
            ..LoadOptions::new(&sections, global_data())
        };
        let mut program = object.program(name, &options)?;
        if *fill_maps {
            for map in program.maps.iter_mut().filter(|map| map.max_entries == 0) {
                map.max_entries = 1;
            }
        }
        Ok(program)
    }
}

fn raw(case: &Case) -> Result<Program, NotLoaded> {
    let Source::Raw(raw) = &case.source else { unreachable!("a raw case") };
    if raw.record.needs_more() {
        return Err(NotLoaded::new("kernel functions of a table test"));
    }
    Ok(raw.program.clone())
}

/// How global variables become maps on Linux.
#[must_use]
pub fn global_data() -> GlobalData {
    const ARRAY: u32 = 2;
    const ARENA: u32 = 33;
    GlobalData {
        map_type: PLATFORM.global_data.unwrap_or(ARRAY),
        rdonly_flag: flags::MAP_RDONLY_PROG,
        mmapable_flag: flags::MAP_MMAPABLE,
        arena_type: Some(ARENA),
    }
}

/// The number of an attach type. The records give types without attach types the name of number 0.
fn attach_number(prog_type: &ProgType, attach: &Attach) -> Option<u32> {
    const ZERO: &str = "cgroup_inet_ingress";
    match attach {
        Attach::Number(number) => Some(*number),
        Attach::Name(name) => {
            let is_it = |row: &&probity_platform::AttachType| {
                row.name.strip_prefix("BPF_").unwrap_or(row.name).eq_ignore_ascii_case(name)
            };
            let found = prog_type.attach.iter().find(is_it).map(|row| row.number);
            found.or_else(|| (name == ZERO).then_some(0))
        }
    }
}

/// A kernel's configuration, with the names that loaders make up.
fn configuration(text: &str) -> BTreeMap<String, String> {
    let mut options = config::options(text);
    config::add_virtual(&mut options, config::version(text).unwrap_or(KERNEL));
    options
}

/// The kernel of the corpus, for a configuration that does not say it.
const KERNEL: config::KernelVersion = (6, 18, 44);
