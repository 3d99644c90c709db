//! Sections, symbols and relocations, read once into tables.

use std::{collections::HashMap, ops::Range};

use object::{
    LittleEndian as Le,
    elf::{
        EM_BPF, EM_NONE, FileHeader64, SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS, SHT_PROGBITS, SHT_REL, SHT_RELA,
        SHT_SYMTAB, STB_LOCAL, STB_WEAK, STT_FUNC, STT_SECTION, STV_HIDDEN, STV_INTERNAL,
    },
    read::{
        StringTable,
        elf::{FileHeader, Rel, Rela, SectionHeader, Sym},
    },
};

use crate::{ObjectError, limits};

type Header = FileHeader64<Le>;

/// A section.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// Its bytes in the file; empty for `.bss`.
    pub(crate) range: Range<usize>,
    /// Its size in memory.
    pub(crate) size: u64,
    /// What its place in memory is a multiple of.
    pub(crate) align: u64,
    /// True when it is part of what is loaded: not types, names or relocations.
    pub(crate) is_loaded: bool,
    /// True when it has no bytes in the file.
    pub(crate) is_zero: bool,
    /// True when it has instructions.
    pub(crate) is_code: bool,
    /// Ascending by offset.
    pub(crate) relocs: Vec<Reloc>,
}

/// A relocation of a section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reloc {
    /// Where in the section.
    pub(crate) offset: u64,
    /// The index of the symbol.
    pub(crate) symbol: usize,
    /// An addend that stands beside and not in the section.
    pub(crate) addend: i64,
}

/// A symbol.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    /// Empty for a section's own symbol.
    pub(crate) name: String,
    /// Where it is; `None` when it is not defined here.
    pub(crate) section: Option<usize>,
    pub(crate) value: u64,
    pub(crate) size: u64,
    pub(crate) is_func: bool,
    pub(crate) is_section: bool,
    pub(crate) is_local: bool,
    pub(crate) is_weak: bool,
    pub(crate) is_hidden: bool,
}

/// The tables of an ELF file.
#[derive(Clone, Debug)]
pub(crate) struct Elf {
    bytes: Vec<u8>,
    pub(crate) sections: Vec<Section>,
    pub(crate) symbols: Vec<Symbol>,
    /// Symbols by section and name.
    by_name: HashMap<(usize, String), usize>,
    section_by_name: HashMap<String, usize>,
}

fn elf_error(error: object::Error) -> ObjectError {
    ObjectError::Elf { reason: error.to_string() }
}

fn limit(what: &'static str, count: usize, max: usize) -> Result<(), ObjectError> {
    if count > max {
        return Err(ObjectError::Limit { what, max });
    }
    Ok(())
}

/// Counts the bytes of names.
struct Names {
    left: usize,
}

impl Names {
    fn get(&mut self, name: Result<&[u8], object::Error>) -> Result<String, ObjectError> {
        let name = name.map_err(elf_error)?;
        limit("bytes of a name", name.len(), limits::NAME)?;
        limit("bytes of names", name.len(), self.left)?;
        self.left -= name.len();
        Ok(String::from_utf8_lossy(name).into_owned())
    }
}

impl Elf {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Elf, ObjectError> {
        let header = header(bytes)?;
        let table = header.sections(Le, bytes).map_err(elf_error)?;
        limit("sections", table.len(), limits::SECTIONS)?;
        let mut names = Names { left: limits::NAMES };
        let mut sections = Vec::with_capacity(table.len());
        for section in table.iter() {
            let name = names.get(table.section_name(Le, section))?;
            let kind = section.sh_type(Le);
            let size = section.sh_size(Le);
            let range = if kind == SHT_NOBITS || kind == 0 {
                0..0
            } else {
                let start = section.sh_offset(Le);
                let range = start
                    .checked_add(size)
                    .and_then(|end| Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?));
                range.filter(|range| bytes.get(range.clone()).is_some()).ok_or_else(|| {
                    ObjectError::Section {
                        section: name.clone(),
                        reason: "its contents are not inside the file".into(),
                    }
                })?
            };
            sections.push(Section {
                align: section.sh_addralign(Le),
                is_loaded: section.sh_flags(Le) & u64::from(SHF_ALLOC) != 0,
                is_zero: kind == SHT_NOBITS,
                is_code: kind == SHT_PROGBITS && section.sh_flags(Le) & u64::from(SHF_EXECINSTR) != 0,
                name,
                range,
                size,
                relocs: Vec::new(),
            });
        }
        let table_symbols = table.symbols(Le, bytes, SHT_SYMTAB).map_err(elf_error)?;
        limit("symbols", table_symbols.len(), limits::SYMBOLS)?;
        let strings = table_symbols.strings();
        let mut symbols = Vec::with_capacity(table_symbols.len());
        for (index, symbol) in table_symbols.enumerate() {
            let section = table_symbols
                .symbol_section(Le, symbol, index)
                .map_err(elf_error)?
                .map(|section| section.0)
                .filter(|section| *section < sections.len());
            symbols.push(read_symbol(symbol, section, strings, &mut names)?);
        }
        read_relocs(bytes, &table, &mut sections, symbols.len())?;
        Ok(Elf::new(bytes.to_vec(), sections, symbols))
    }

    /// From tables that are known to fit to the bytes.
    pub(crate) fn new(bytes: Vec<u8>, sections: Vec<Section>, symbols: Vec<Symbol>) -> Elf {
        let mut by_name = HashMap::new();
        for (index, symbol) in symbols.iter().enumerate() {
            if let (Some(section), false) = (symbol.section, symbol.name.is_empty()) {
                by_name.entry((section, symbol.name.clone())).or_insert(index);
            }
        }
        let mut section_by_name = HashMap::new();
        for (index, section) in sections.iter().enumerate() {
            section_by_name.entry(section.name.clone()).or_insert(index);
        }
        Elf { bytes, sections, symbols, by_name, section_by_name }
    }

    /// The first section with a name.
    pub(crate) fn section(&self, name: &str) -> Option<usize> {
        self.section_by_name.get(name).copied()
    }

    /// The bytes of a section in the file.
    pub(crate) fn data(&self, section: usize) -> &[u8] {
        self.sections
            .get(section)
            .and_then(|section| self.bytes.get(section.range.clone()))
            .unwrap_or_default()
    }

    /// The licence, without what ends it.
    pub(crate) fn license(&self) -> &[u8] {
        let data = self.section("license").map(|section| self.data(section)).unwrap_or_default();
        data.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// The name of a section.
    pub(crate) fn section_name(&self, section: usize) -> &str {
        self.sections.get(section).map_or("", |section| section.name.as_str())
    }

    /// The symbol with a name in a section.
    pub(crate) fn symbol(&self, section: usize, name: &str) -> Option<&Symbol> {
        self.symbols.get(*self.by_name.get(&(section, name.to_owned()))?)
    }

    /// What to call a symbol in a message.
    pub(crate) fn symbol_name(&self, symbol: &Symbol) -> String {
        match symbol.section {
            Some(section) if symbol.name.is_empty() => {
                format!("section {}", self.section_name(section))
            }
            _ => symbol.name.clone(),
        }
    }
}

fn header(bytes: &[u8]) -> Result<&Header, ObjectError> {
    let Some([magic @ .., class, data]) = bytes.first_chunk::<6>() else {
        return Err(ObjectError::Elf { reason: "it is too short".into() });
    };
    if *magic != object::elf::ELFMAG {
        return Err(ObjectError::Elf { reason: "it does not begin with an ELF header".into() });
    }
    let other = |found: &str| ObjectError::Machine { found: found.into() };
    if *class != object::elf::ELFCLASS64 {
        return Err(other("32-bit"));
    }
    if *data != object::elf::ELFDATA2LSB {
        return Err(other("big-endian"));
    }
    let header = Header::parse(bytes).map_err(elf_error)?;
    // Compilers older than the machine's number left it out.
    match header.e_machine(Le) {
        EM_BPF | EM_NONE => Ok(header),
        machine => Err(other(&format!("machine {machine}"))),
    }
}

fn read_symbol(
    symbol: &object::elf::Sym64<Le>,
    section: Option<usize>,
    strings: StringTable<'_>,
    names: &mut Names,
) -> Result<Symbol, ObjectError> {
    let visibility = symbol.st_visibility();
    Ok(Symbol {
        name: names.get(symbol.name(Le, strings))?,
        section,
        value: symbol.st_value(Le),
        size: symbol.st_size(Le),
        is_func: symbol.st_type() == STT_FUNC,
        is_section: symbol.st_type() == STT_SECTION,
        is_local: symbol.st_bind() == STB_LOCAL,
        is_weak: symbol.st_bind() == STB_WEAK,
        is_hidden: visibility == STV_HIDDEN || visibility == STV_INTERNAL,
    })
}

fn read_relocs(
    bytes: &[u8],
    table: &object::read::elf::SectionTable<'_, Header>,
    sections: &mut [Section],
    symbols: usize,
) -> Result<(), ObjectError> {
    let mut left = limits::RELOCATIONS;
    for section in table.iter() {
        let kind = section.sh_type(Le);
        let target = section.sh_info(Le) as usize;
        if (kind != SHT_REL && kind != SHT_RELA) || target == 0 || target >= sections.len() {
            continue;
        }
        let mut relocs = Vec::new();
        if let Some((rels, _)) = section.rel(Le, bytes).map_err(elf_error)? {
            limit("relocations", rels.len(), left)?;
            relocs.extend(rels.iter().map(|rel| Reloc {
                offset: rel.r_offset(Le),
                symbol: rel.r_sym(Le) as usize,
                addend: 0,
            }));
        }
        if let Some((relas, _)) = section.rela(Le, bytes).map_err(elf_error)? {
            limit("relocations", relas.len(), left)?;
            relocs.extend(relas.iter().map(|rela| Reloc {
                offset: rela.r_offset(Le),
                symbol: rela.r_sym(Le, false) as usize,
                addend: rela.r_addend(Le),
            }));
        }
        left -= relocs.len();
        let section = &mut sections[target];
        if let Some(reloc) = relocs.iter().find(|reloc| reloc.symbol >= symbols) {
            return Err(ObjectError::Section {
                section: section.name.clone(),
                reason: format!(
                    "its relocation at offset {:#x} names symbol {}, and there are {symbols}",
                    reloc.offset, reloc.symbol
                ),
            });
        }
        section.relocs.append(&mut relocs);
    }
    for section in sections {
        section.relocs.sort_by_key(|reloc| reloc.offset);
    }
    Ok(())
}
