//! A platform's section table, for the loader of objects.

use probity_object::{GlobalData, SectionType, Sections};
use probity_platform::Platform;
use probity_program::flags;

/// The section table of a platform.
#[derive(Clone, Copy, Debug)]
pub struct PlatformSections(pub &'static Platform);

impl Sections for PlatformSections {
    fn resolve(&self, section: &str) -> Option<SectionType> {
        let (row, rest) = self.0.section(section)?;
        Some(SectionType {
            prog_type: row.prog_type,
            attach_type: row.attach,
            flags: row.flags,
            target: row.target(rest),
            attach_to: rest.strip_prefix('/').unwrap_or(rest).to_owned(),
        })
    }
}

/// How global variables become maps of a platform. A platform without global data gets map type 0,
/// which no platform has; [`crate::Loader`] refuses programs that would need it.
#[must_use]
pub fn global_data(platform: &Platform) -> GlobalData {
    GlobalData {
        map_type: platform.global_data.unwrap_or(0),
        rdonly_flag: flags::MAP_RDONLY_PROG,
        mmapable_flag: flags::MAP_MMAPABLE,
        arena_type: None,
    }
}
