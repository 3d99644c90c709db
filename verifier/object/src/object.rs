//! The object: its programs, maps, licence.

use std::{collections::HashMap, sync::Arc};

use probity_program::{
    Btf, Program,
    btf::{Kind, Type, TypeId},
};

use crate::{
    JoinError, LoadOptions, ObjectError, ObjectMap, ProgramError, StructOps,
    btf_ext::{BtfExt, Records},
    elf::Elf,
    externs::{self, Extern, ExternKind},
    functions::{Function, Functions},
    join,
    kconfig::Layout,
    link::Linker,
    maps::{self, Maps},
    struct_ops,
};

/// An object file: programs, maps and types, read and checked but not yet linked.
#[derive(Clone, Debug)]
pub struct Object {
    pub(crate) elf: Elf,
    pub(crate) btf: Option<Arc<Btf>>,
    pub(crate) ext: BtfExt,
    pub(crate) functions: Functions,
    pub(crate) maps: Maps,
    pub(crate) externs: HashMap<usize, Extern>,
    pub(crate) kconfig: Layout,
    entries: Vec<Entry>,
    struct_ops: Vec<StructOps>,
    /// Table and member by program.
    table_places: HashMap<String, (usize, usize)>,
    license: String,
    name: String,
}

/// A program of an object, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of its function.
    pub name: String,
    /// Its section, as the object has it.
    pub section: String,
    /// The number of its instructions, subprograms not counted.
    pub insns: usize,
    /// True when it is not loaded unless asked for: its section's name begins with `?`, or a table of
    /// functions that has it is one that is not made unless asked for. A program of a table that is
    /// made is loaded in any case.
    pub is_optional: bool,
    pub(crate) function: usize,
}

/// The tables of an object file.
pub(crate) struct Tables {
    pub(crate) elf: Elf,
    /// With the sizes of sections and the places of variables.
    pub(crate) btf: Option<Btf>,
    pub(crate) ext: BtfExt,
}

impl Tables {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Tables, ObjectError> {
        let elf = Elf::parse(bytes)?;
        let section = |name: &str| elf.section(name).map(|index| elf.data(index));
        let mut btf = match section(".BTF") {
            Some(bytes) => Some(Btf::parse(bytes)?),
            None => None,
        };
        let ext = match (section(".BTF.ext"), &btf) {
            (Some(bytes), Some(btf)) => BtfExt::parse(bytes, btf)?,
            _ => BtfExt::default(),
        };
        if let Some(btf) = &mut btf {
            maps::complete_types(&elf, btf);
        }
        Ok(Tables { elf, btf, ext })
    }
}

impl Object {
    /// Reads an object file.
    ///
    /// # Errors
    ///
    /// When the bytes are not a little-endian 64-bit BPF object, or a damaged one.
    pub fn parse(bytes: &[u8]) -> Result<Object, ObjectError> {
        let Tables { elf, btf, ext } = Tables::parse(bytes)?;
        Object::assemble(elf, btf, ext)
    }

    /// Links several objects statically, each with its name, into one: sections of the same name are
    /// joined, and what one declares is found in another.
    ///
    /// # Errors
    ///
    /// When one of them can't be read, or they don't fit together.
    pub fn join(objects: &[(&str, &[u8])]) -> Result<Object, JoinError> {
        join::join(objects)
    }

    /// From tables whose types are complete.
    pub(crate) fn assemble(elf: Elf, mut btf: Option<Btf>, ext: BtfExt) -> Result<Object, ObjectError> {
        let externs = externs::collect(&elf, btf.as_ref());
        let kconfig = match &mut btf {
            Some(btf) => Layout::new(btf, &externs),
            None => Layout::default(),
        };
        let functions = Functions::collect(&elf)?;
        let struct_ops = struct_ops::collect(&elf, btf.as_ref(), &functions)?;
        let entries = entries(&elf, &functions, &struct_ops);
        Ok(Object {
            maps: Maps::collect(&elf, btf.as_ref())?,
            table_places: table_places(&struct_ops),
            struct_ops,
            license: String::from_utf8_lossy(elf.license()).into_owned(),
            name: String::new(),
            btf: btf.map(Arc::new),
            ext,
            functions,
            externs,
            kconfig,
            entries,
            elf,
        })
    }

    /// The programs, in the order of the file's sections.
    #[must_use]
    pub fn programs(&self) -> &[Entry] {
        &self.entries
    }

    /// The maps that the object defines; global data is not among them.
    #[must_use]
    pub fn maps(&self) -> &[ObjectMap] {
        &self.maps.list
    }

    /// The tables of functions that a kernel calls (`struct_ops`).
    #[must_use]
    pub fn struct_ops(&self) -> &[StructOps] {
        &self.struct_ops
    }

    /// The name that the maps of its global data begin with; empty when nobody gave one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes the object's name from that of its file: what stands before the first dot.
    pub fn set_name(&mut self, file: &str) {
        file.split('.').next().unwrap_or_default().clone_into(&mut self.name);
    }

    /// The licence; empty when the object has none.
    #[must_use]
    pub fn license(&self) -> &str {
        &self.license
    }

    /// The types; `None` when the object has none.
    #[must_use]
    pub fn btf(&self) -> Option<&Arc<Btf>> {
        self.btf.as_ref()
    }

    /// Links the program with a name.
    ///
    /// # Errors
    ///
    /// When there is no such program, its section says no type, or something that it refers to
    /// cannot be found or is not supported.
    pub fn program(&self, name: &str, options: &LoadOptions<'_>) -> Result<Program, ProgramError> {
        match self.entries.iter().find(|entry| entry.name == name) {
            Some(entry) => self.link(entry, options),
            None => Err(ProgramError::NotFound { program: name.to_owned() }),
        }
    }

    /// Links every program, one after the other, in the order of [`Object::programs`].
    pub fn load<'a>(
        &'a self,
        options: &'a LoadOptions<'a>,
    ) -> impl Iterator<Item = (&'a Entry, Result<Program, ProgramError>)> + 'a {
        self.entries.iter().map(move |entry| (entry, self.link(entry, options)))
    }

    fn link(&self, entry: &Entry, options: &LoadOptions<'_>) -> Result<Program, ProgramError> {
        let name = entry.section.strip_prefix('?').unwrap_or(&entry.section);
        let section = options.sections.resolve(name).ok_or_else(|| ProgramError::UnknownSection {
            program: entry.name.clone(),
            section: entry.section.clone(),
        })?;
        let mut program = Linker::new(self, entry, options).link()?;
        program.prog_type = section.prog_type;
        program.attach_type = section.attach_type;
        program.flags = section.flags;
        program.target = section.target;
        program.attach_to = match self.table_member(&entry.name) {
            Some((table, member)) => format!("{table}/{member}"),
            None => section.attach_to,
        };
        Ok(program)
    }

    /// The structure and member that a table of functions has a program in.
    #[must_use]
    pub fn table_member(&self, program: &str) -> Option<(&str, &str)> {
        let (table, member) = self.table_places.get(program)?;
        let table = self.struct_ops.get(*table)?;
        Some((&table.type_name, &table.members.get(*member)?.0))
    }

    /// True when a program cannot be linked as it will be without the types of the target: it has
    /// CO-RE relocations against them, or the object names functions or variables of the kernel.
    #[must_use]
    pub fn wants_target(&self) -> bool {
        let of_kernel = |found: &Extern| matches!(found.kind, ExternKind::Func | ExternKind::Var);
        self.ext.wants_target() || self.externs.values().any(of_kernel)
    }

    /// The variables whose values come from the kernel's configuration, in no order.
    pub fn kconfig_names(&self) -> impl Iterator<Item = &str> {
        let found = self.externs.values().filter(|found| found.kind == ExternKind::Config);
        found.map(|found| found.name.as_str())
    }

    /// The records of a function's section.
    pub(crate) fn records(&self, function: &Function) -> Option<&Records> {
        self.ext.section(self.elf.section_name(function.section))
    }

    /// The FUNC of a function in the types.
    pub(crate) fn func_type(&self, function: &Function) -> Option<TypeId> {
        let btf = self.btf.as_deref()?;
        let start = function.start as u64 * 8;
        let recorded = self.records(function).and_then(|records| {
            let record = records.funcs.iter().find(|record| u64::from(record.offset) == start)?;
            let id = TypeId(record.btf_id);
            matches!(btf.ty(id), Some(Type::Func { .. })).then_some(id)
        });
        recorded.or_else(|| btf.find_by_name_kind(&function.name, Kind::Func))
    }
}

fn table_places(tables: &[StructOps]) -> HashMap<String, (usize, usize)> {
    let mut places = HashMap::new();
    for (index, table) in tables.iter().enumerate() {
        for (member, (_, program)) in table.members.iter().enumerate() {
            places.entry(program.clone()).or_insert((index, member));
        }
    }
    places
}

fn entries(elf: &Elf, functions: &Functions, tables: &[StructOps]) -> Vec<Entry> {
    // By program: true when a table that is made has it.
    let mut in_tables: HashMap<&str, bool> = HashMap::new();
    for table in tables {
        for (_, program) in &table.members {
            *in_tables.entry(program).or_default() |= !table.is_optional;
        }
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (index, function) in functions.list.iter().enumerate() {
        if function.is_entry {
            let section = elf.section_name(function.section);
            entries.push(Entry {
                name: function.name.clone(),
                section: section.to_owned(),
                insns: function.len,
                is_optional: in_tables
                    .get(function.name.as_str())
                    .map_or(section.starts_with('?'), |made| !made),
                function: index,
            });
        }
    }
    entries
}
