//! Sections of global variables: each is a map with one entry.

use std::collections::HashMap;

use probity_program::{
    Btf, Linkage, MapDef,
    btf::{DatasecVar, Kind, Type},
};

use crate::{GlobalData, elf::Elf};

/// A section of global variables.
#[derive(Clone, Debug)]
pub(crate) struct DataSection {
    pub(crate) section: usize,
    name: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    is_rodata: bool,
    /// True when user space may see variables in it.
    has_visible: bool,
    btf_id: u32,
    /// True when it is the memory of an arena map.
    pub(crate) is_arena: bool,
}

pub(super) fn collect(elf: &Elf, btf: Option<&Btf>) -> Vec<DataSection> {
    let mut found = Vec::new();
    let mut visible: HashMap<&str, bool> = HashMap::new();
    for (index, section) in elf.sections.iter().enumerate() {
        let name = section.name.as_str();
        let is =
            |base: &str| name.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let is_arena = name == GlobalData::ARENA_SECTION;
        let is_rodata = is(".rodata");
        if section.size == 0 || !(is(".data") || is(".bss") || is_rodata || is_arena) {
            continue;
        }
        let id = btf.and_then(|btf| btf.find_by_name_kind(name, Kind::Datasec));
        found.push(DataSection {
            section: index,
            name: name.to_owned(),
            size: section.size,
            is_rodata,
            has_visible: *visible.entry(name).or_insert_with(|| has_visible(btf, name)),
            btf_id: id.map_or(0, |id| id.0),
            is_arena,
        });
    }
    found
}

fn has_visible(btf: Option<&Btf>, section: &str) -> bool {
    let visible = |btf: &Btf| {
        let Some(Type::Datasec(section)) =
            btf.find_by_name_kind(section, Kind::Datasec).and_then(|id| btf.ty(id))
        else {
            return false;
        };
        section.vars().any(
            |var| matches!(btf.ty(var.var), Some(Type::Var { linkage, .. }) if linkage != Linkage::Static),
        )
    };
    btf.is_some_and(visible)
}

impl DataSection {
    /// The map that holds the section, its contents included.
    pub(crate) fn map(&self, elf: &Elf, object: &str, options: &GlobalData) -> MapDef {
        let size = u32::try_from(self.size).unwrap_or(u32::MAX);
        let mut def = MapDef::new(options.map_type, 4, size, 1);
        def.name = map_name(object, &self.name);
        def.btf_value = self.btf_id;
        if self.is_rodata {
            def.flags |= options.rdonly_flag;
            def.frozen = true;
        }
        if self.has_visible {
            def.flags |= options.mmapable_flag;
        }
        let mut contents = elf.data(self.section).to_vec();
        contents.resize(size as usize, 0);
        def.contents = Some(contents);
        def
    }
}

/// The most characters of a map's name that a kernel takes.
const NAME: usize = 15;
/// The characters of a map's name that are kept for its section at least.
const NAME_OF_SECTION: usize = 7;

/// What the map of a section is called: `.rodata` of the object `filter` is `filter.rodata`, cut off
/// in the middle, and a section with a second dot keeps its name. Measured with libbpf 1.1.
pub(crate) fn map_name(object: &str, section: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let clean = |text: &str, max: usize| -> String {
        text.chars().map(|c| if allowed(c) { c } else { '_' }).take(max).collect()
    };
    if section.get(1..).is_some_and(|rest| rest.contains('.')) {
        return clean(section, NAME);
    }
    let section = clean(section, NAME);
    let prefix = NAME - section.len().clamp(NAME_OF_SECTION, NAME);
    clean(object, prefix) + &section
}

/// Compilers leave the sizes of sections and the offsets of variables in the types to the linker:
/// takes them from the symbols.
pub(crate) fn complete_types(elf: &Elf, btf: &mut Btf) {
    let ids: Vec<_> = btf.ids().filter(|id| btf.kind(*id) == Some(Kind::Datasec)).collect();
    for id in ids {
        let Some(Type::Datasec(datasec)) = btf.ty(id) else {
            continue;
        };
        let Some(section) = elf.section(datasec.name) else {
            continue;
        };
        let mut vars: Vec<DatasecVar> = datasec
            .vars()
            .map(|var| DatasecVar {
                offset: btf
                    .name(var.var)
                    .and_then(|name| elf.symbol(section, name))
                    .and_then(|symbol| u32::try_from(symbol.value).ok())
                    .unwrap_or(var.offset),
                ..var
            })
            .collect();
        vars.sort_by_key(|var| var.offset);
        let size = u32::try_from(elf.sections[section].size).unwrap_or(u32::MAX);
        btf.set_datasec(id, size, &vars);
    }
}
