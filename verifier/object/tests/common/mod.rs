//! What the tests share: a platform of numbers, and where the corpus is.

#![allow(dead_code, reason = "each test uses a part")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use probity_object::{GlobalData, LoadOptions, SectionType, config};

/// Linux' numbers for global data.
pub(crate) const DATA: GlobalData =
    GlobalData { map_type: 2, rdonly_flag: 1 << 7, mmapable_flag: 1 << 10, arena_type: Some(33) };

/// Every section is of the same type.
fn any_section(section: &str) -> Option<SectionType> {
    Some(SectionType {
        prog_type: 1,
        attach_to: section.split_once('/').map_or("", |(_, rest)| rest).into(),
        ..SectionType::default()
    })
}

/// Options without a target.
pub(crate) fn options() -> LoadOptions<'static> {
    LoadOptions::new(&any_section, DATA)
}

/// The folder of the corpus, when it is there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if root.is_dir() {
        return Some(root);
    }
    println!("skipped: {} is not there", root.display());
    None
}

/// The configuration of the corpus' kernel.
pub(crate) fn kconfig(corpus: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(corpus.join("config-6.18.44.txt")).unwrap();
    let mut values = config::options(&text);
    config::add_virtual(&mut values, config::version(&text).unwrap_or((6, 18, 44)));
    values
}
