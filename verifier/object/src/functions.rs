//! Where the functions are in the code sections.

use std::collections::BTreeMap;

use crate::{
    ObjectError,
    elf::{Elf, Symbol},
    limits,
};

/// A function: a run of instructions of a section.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The index of its section.
    pub(crate) section: usize,
    /// Its first instruction, counted from the start of the section.
    pub(crate) start: usize,
    /// How many instructions it has.
    pub(crate) len: usize,
    /// True when it can be loaded: not static, and not in `.text`.
    pub(crate) is_entry: bool,
    /// True when it is global for the linker, but hidden: static for a verifier.
    pub(crate) is_hidden: bool,
}

/// The section of subprograms.
const SUBPROGRAMS: &str = ".text";

/// The functions of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Functions {
    /// By section and start.
    pub(crate) list: Vec<Function>,
    by_start: BTreeMap<(usize, usize), usize>,
}

impl Functions {
    pub(crate) fn collect(elf: &Elf) -> Result<Functions, ObjectError> {
        let mut list = Vec::new();
        let mut labels: BTreeMap<usize, Vec<&Symbol>> = BTreeMap::new();
        let mut known = vec![false; elf.sections.len()];
        for symbol in &elf.symbols {
            let Some(section) = symbol.section.filter(|index| elf.sections[*index].is_code) else {
                continue;
            };
            if symbol.is_func {
                list.push(function(elf, section, symbol)?);
                known[section] = true;
            } else if !symbol.is_section && !symbol.is_local {
                labels.entry(section).or_default().push(symbol);
            }
        }
        // Old compilers: labels without a type or a size. A function ends where the next begins.
        for (section, mut labels) in labels {
            if known[section] {
                continue;
            }
            labels.sort_by_key(|label| label.value);
            for (index, label) in labels.iter().enumerate() {
                let end = labels.get(index + 1).map_or(elf.data(section).len() as u64, |next| next.value);
                if end == label.value {
                    continue;
                }
                let mut label = (*label).clone();
                label.size = end.saturating_sub(label.value);
                list.push(function(elf, section, &label)?);
            }
        }
        if list.iter().map(|function| function.len).sum::<usize>() > limits::FUNCTION_INSNS {
            return Err(ObjectError::Limit {
                what: "instructions in functions",
                max: limits::FUNCTION_INSNS,
            });
        }
        list.sort_by_key(|function| (function.section, function.start));
        let mut by_start = BTreeMap::new();
        for (index, function) in list.iter().enumerate() {
            by_start.entry((function.section, function.start)).or_insert(index);
        }
        Ok(Functions { list, by_start })
    }

    /// The function that begins at an instruction of a section.
    pub(crate) fn at(&self, section: usize, start: usize) -> Option<usize> {
        self.by_start.get(&(section, start)).copied()
    }

    /// The function with a name.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|function| function.name == name)
    }
}

fn function(elf: &Elf, section: usize, symbol: &Symbol) -> Result<Function, ObjectError> {
    let bad = |reason| ObjectError::Symbol {
        symbol: symbol.name.clone(),
        section: elf.section_name(section).to_owned(),
        reason,
    };
    let len = elf.data(section).len() as u64;
    if symbol.size == 0 {
        return Err(bad("the function is empty"));
    }
    if !symbol.value.is_multiple_of(8) || !symbol.size.is_multiple_of(8) {
        return Err(bad("the function does not consist of whole instructions"));
    }
    if symbol.value.checked_add(symbol.size).is_none_or(|end| end > len) {
        return Err(bad("the function is not inside its section"));
    }
    let count = |bytes: u64| usize::try_from(bytes / 8).map_err(|_| bad("the function is too large"));
    Ok(Function {
        name: symbol.name.clone(),
        section,
        start: count(symbol.value)?,
        len: count(symbol.size)?,
        is_entry: !symbol.is_local && elf.section_name(section) != SUBPROGRAMS,
        is_hidden: symbol.is_hidden,
    })
}
