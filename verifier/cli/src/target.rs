//! The kernel to load into: its types and its configuration, from files or from the running kernel.
//!
//! The running kernel is asked only for what an object needs, and what was taken from it is said.

use std::collections::BTreeMap;
use std::path::Path;

use probity::object::{Object, config};
use probity::program::Btf;

use crate::args::TargetArgs;
use crate::output::Failure;
use crate::{PLATFORM, input};

const TYPES: &str = "/sys/kernel/btf/vmlinux";
const CONFIG: &str = "/proc/config.gz";
const RELEASE: &str = "/proc/sys/kernel/osrelease";
/// The longest configuration, unpacked.
const LONGEST: usize = 1 << 24;

/// What is known of the kernel to load into.
#[derive(Debug, Default)]
pub(crate) struct Target {
    pub(crate) types: Option<Btf>,
    pub(crate) kconfig: Option<BTreeMap<String, String>>,
    /// What the types were taken from without being asked for.
    types_note: Option<String>,
    kconfig_note: Option<String>,
}

impl Target {
    /// Reads the files of the command line, and what objects need from the running kernel.
    pub(crate) fn find<'a>(
        args: &TargetArgs,
        objects: impl Iterator<Item = &'a Object> + Clone,
    ) -> Result<Target, Failure> {
        let mut target = Target::default();
        if let Some(path) = &args.btf {
            target.types = Some(types(path).map_err(|error| failure(path, &error))?);
        } else if objects.clone().any(Object::wants_target)
            && let Ok(found) = types(Path::new(TYPES))
        {
            target.types = Some(found);
            target.types_note =
                Some(format!("the target's types are the running kernel's, {TYPES} (--btf FILE: others)"));
        }
        let mut names = objects.flat_map(Object::kconfig_names).peekable();
        if let Some(path) = &args.kconfig {
            let text = text(path).map_err(|error| failure(path, &error))?;
            target.kconfig = Some(values(&text, None));
        } else if names.peek().is_some() {
            let release = running();
            let boot = release.as_deref().map(|release| format!("/boot/config-{release}"));
            let places = std::iter::once(CONFIG.to_owned()).chain(boot);
            let found = places.into_iter().find_map(|place| Some((text(Path::new(&place)).ok()?, place)));
            if let Some((text, place)) = found {
                target.kconfig = Some(values(&text, release.as_deref()));
                target.kconfig_note = Some(format!(
                    "the configuration is the running kernel's, {place} (--kconfig FILE: another)"
                ));
            } else if names.all(|name| name == "LINUX_KERNEL_VERSION") {
                target.kconfig = Some(values("", release.as_deref()));
                target.kconfig_note = Some(match release {
                    Some(release) => format!("LINUX_KERNEL_VERSION is the running kernel's, {release}"),
                    None => "LINUX_KERNEL_VERSION is that of the spec".into(),
                });
            }
        }
        Ok(target)
    }

    /// What is to be said about an object: what was taken from the running kernel for it.
    pub(crate) fn notes(&self, object: &Object) -> Vec<String> {
        let types = self.types_note.iter().filter(|_| object.wants_target());
        let kconfig = self.kconfig_note.iter().filter(|_| object.kconfig_names().next().is_some());
        types.chain(kconfig).cloned().collect()
    }
}

fn failure(path: &Path, error: &str) -> Failure {
    Failure::unreadable(format!("{}: {error}", path.display()))
}

fn types(path: &Path) -> Result<Btf, String> {
    let bytes = input::read(path)?;
    input::guarded(|| Btf::parse(&bytes))?.map_err(|error| error.to_string())
}

/// The release of the running kernel.
fn running() -> Option<String> {
    let bytes = input::read(Path::new(RELEASE)).ok()?;
    Some(String::from_utf8(bytes).ok()?.trim().to_owned())
}

/// The options, and what is made up: the version is the configuration's own, the running kernel's
/// when the configuration is, or else the spec's.
fn values(text: &str, release: Option<&str>) -> BTreeMap<String, String> {
    let mut values = config::options(text);
    let spec = (u32::from(PLATFORM.version.major), u32::from(PLATFORM.version.minor), 0);
    let version = release.and_then(config::release).or_else(|| config::version(text)).unwrap_or(spec);
    config::add_virtual(&mut values, version);
    values
}

/// The text of a file, which may be packed with gzip.
fn text(path: &Path) -> Result<String, String> {
    let bytes = input::read(path)?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) { unpacked(&bytes)? } else { bytes };
    if bytes.len() > LONGEST {
        return Err(format!("the configuration is longer than {LONGEST} bytes"));
    }
    String::from_utf8(bytes)
        .map_err(|_| "it is not text: give a kernel's .config, plain or packed with gzip".into())
}

/// The contents of a gzip file (RFC 1952) of one member.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let body = gzip_body(bytes).ok_or("its gzip header is damaged")?;
    miniz_oxide::inflate::decompress_to_vec_with_limit(body, LONGEST)
        .map_err(|error| format!("it can't be unpacked: {error}"))
}

/// What stands behind the header: fixed ten bytes, and what its flags announce.
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    const HEADER_CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let (&[_, _, method, flags, ..], mut rest) = bytes.split_first_chunk::<10>()?;
    if method != 8 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (len, behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & HEADER_CRC != 0 { rest.get(2..) } else { Some(rest) }
}
