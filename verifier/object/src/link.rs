//! The order of subprograms.
//!
//! A program is its function's instructions, and behind them those of each function that it
//! reaches: at the first call of a function that is not there yet, the function is appended, and
//! its own calls are followed before the caller's next one. This is the order in which programs
//! have always been handed to the kernel, and a verifier's verdict can depend on it.

use std::collections::HashMap;

use probity_isa::Insn;
use probity_program::{MapDef, Program};

use crate::{
    Entry, LoadOptions, Object, ProgramError,
    core_relo::Budget,
    elf::{Reloc, Symbol},
    functions::Function,
    limits,
};

/// `call`.
pub(crate) const CALL: u8 = 0x85;
/// `ld_imm64`, which has two slots.
pub(crate) const LD_IMM64: u8 = 0x18;
/// The source field of a call of a function of the program.
const PSEUDO_CALL: u8 = 1;
/// The source field of an `ld_imm64` of a function's address.
const PSEUDO_FUNC: u8 = 4;

/// A function in the program that is being made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Which function.
    pub(crate) function: usize,
    /// The index of its first instruction in the program.
    pub(crate) base: usize,
}

/// Makes one program.
pub(crate) struct Linker<'a> {
    pub(crate) object: &'a Object,
    pub(crate) entry: &'a Entry,
    pub(crate) options: &'a LoadOptions<'a>,
    pub(crate) insns: Vec<Insn>,
    pub(crate) pieces: Vec<Piece>,
    placed: HashMap<usize, usize>,
    pub(crate) maps: Vec<MapDef>,
    pub(crate) kfuncs: Vec<String>,
    pub(crate) ksyms: Vec<String>,
    pub(crate) core_budget: Budget,
}

impl<'a> Linker<'a> {
    pub(crate) fn new(object: &'a Object, entry: &'a Entry, options: &'a LoadOptions<'a>) -> Self {
        Linker {
            object,
            entry,
            options,
            insns: Vec::new(),
            pieces: Vec::new(),
            placed: HashMap::new(),
            maps: Vec::new(),
            kfuncs: Vec::new(),
            ksyms: Vec::new(),
            core_budget: Budget::new(),
        }
    }

    pub(crate) fn link(mut self) -> Result<Program, ProgramError> {
        self.append_reached(self.entry.function)?;
        let exception_callbacks = self.exception_callbacks();
        // A verifier refuses several: none is appended then.
        if let [name] = exception_callbacks.as_slice()
            && let Some(callback) = self.object.functions.named(name)
            && !self.placed.contains_key(&callback)
        {
            self.append_reached(callback)?;
        }
        self.relocate()?;
        let funcs = self.funcs();
        let lines = self.lines();
        Ok(Program {
            name: self.entry.name.clone(),
            section: self.entry.section.clone(),
            prog_type: 0,
            attach_type: 0,
            attach_to: String::new(),
            target: String::new(),
            flags: 0,
            license: self.object.license().to_owned(),
            insns: self.insns,
            maps: self.maps,
            kfuncs: self.kfuncs,
            ksyms: self.ksyms,
            exception_callbacks,
            funcs,
            lines,
            btf: self.object.btf.clone(),
        })
    }

    pub(crate) fn function(&self, piece: Piece) -> &'a Function {
        &self.object.functions.list[piece.function]
    }

    /// The relocations of a function, ascending.
    pub(crate) fn relocs(&self, function: &Function) -> &'a [Reloc] {
        let relocs = &self.object.elf.sections[function.section].relocs;
        let (first, last) = (function.start as u64 * 8, (function.start + function.len) as u64 * 8);
        let start = relocs.partition_point(|reloc| reloc.offset < first);
        let end = relocs.partition_point(|reloc| reloc.offset < last);
        relocs.get(start..end).unwrap_or_default()
    }

    /// The relocation of an instruction of a section.
    fn reloc(&self, section: usize, insn: usize) -> Option<(&'a Reloc, &'a Symbol)> {
        let relocs = &self.object.elf.sections[section].relocs;
        let offset = insn as u64 * 8;
        let index = relocs.binary_search_by_key(&offset, |reloc| reloc.offset).ok()?;
        let reloc = &relocs[index];
        Some((reloc, &self.object.elf.symbols[reloc.symbol]))
    }

    fn append(&mut self, index: usize) -> Result<Piece, ProgramError> {
        let function = &self.object.functions.list[index];
        let base = self.insns.len();
        if base + function.len > limits::INSNS {
            return Err(ProgramError::Limit {
                program: self.entry.name.clone(),
                what: "instructions",
                max: limits::INSNS as u64,
            });
        }
        let data = self.object.elf.data(function.section);
        let bytes = data.get(function.start * 8..(function.start + function.len) * 8);
        let (slots, _) = bytes.unwrap_or_default().as_chunks::<8>();
        self.insns.extend(slots.iter().map(|slot| Insn::from_bytes(*slot)));
        let piece = Piece { function: index, base };
        self.pieces.push(piece);
        self.placed.insert(index, base);
        self.core_relocate(piece)?;
        Ok(piece)
    }

    /// Appends a function and all that it reaches.
    fn append_reached(&mut self, index: usize) -> Result<(), ProgramError> {
        // Functions whose calls are being followed, with the next instruction to look at.
        let mut open = vec![(self.append(index)?, 0)];
        while let Some((piece, next)) = open.pop() {
            let function = self.function(piece);
            let mut at = next;
            while at < function.len {
                let pc = piece.base + at;
                let insn = self.insns[pc];
                let Some(callee) = self.callee(function, at, insn)? else {
                    at += if insn.code == LD_IMM64 { 2 } else { 1 };
                    continue;
                };
                if let Some(target) = self.placed.get(&callee) {
                    let src = if insn.code == CALL { PSEUDO_CALL } else { PSEUDO_FUNC };
                    let distance = *target as i64 - pc as i64 - 1;
                    self.insns[pc].src = src;
                    self.insns[pc].imm = i32::try_from(distance).unwrap_or(0);
                    at += if insn.code == LD_IMM64 { 2 } else { 1 };
                } else {
                    // The caller comes back to this instruction when the callee is done.
                    let appended = self.append(callee)?;
                    open.push((piece, at));
                    open.push((appended, 0));
                    break;
                }
            }
        }
        Ok(())
    }

    /// The function of the object that an instruction calls or loads the address of.
    fn callee(&self, function: &Function, at: usize, insn: Insn) -> Result<Option<usize>, ProgramError> {
        let is_call = insn.code == CALL && insn.src == PSEUDO_CALL;
        if !is_call && insn.code != LD_IMM64 {
            return Ok(None);
        }
        let place = function.start + at;
        let (section, target) = match self.reloc(function.section, place) {
            Some((reloc, symbol)) => {
                let code = |section: &usize| self.object.elf.sections[*section].is_code;
                let Some(section) = symbol.section.filter(code) else {
                    return Ok(None);
                };
                let addend = i64::from(insn.imm).wrapping_add(reloc.addend);
                let value = symbol.value.cast_signed();
                if is_call {
                    (section, (value / 8).wrapping_add(addend).wrapping_add(1))
                } else {
                    (section, value.wrapping_add(addend) / 8)
                }
            }
            None if is_call => {
                let target = place as i64 + i64::from(insn.imm) + 1;
                let inside = function.start as i64..(function.start + function.len) as i64;
                let known = usize::try_from(target)
                    .ok()
                    .and_then(|target| self.object.functions.at(function.section, target));
                if known.is_none() && inside.contains(&target) {
                    // A call into the function's own middle: right as it is.
                    return Ok(None);
                }
                (function.section, target)
            }
            None => return Ok(None),
        };
        let found = usize::try_from(target).ok().and_then(|target| self.object.functions.at(section, target));
        match found {
            Some(found) => Ok(Some(found)),
            None => Err(self.error(
                function,
                at,
                format!("instruction {target} of section {}", self.object.elf.section_name(section)),
                "no function begins there",
                "compile the object again",
            )),
        }
    }

    /// The functions that the entry's tags name as handlers of exceptions.
    fn exception_callbacks(&self) -> Vec<String> {
        let object = self.object;
        let id = object.func_type(&object.functions.list[self.entry.function]);
        let (Some(btf), Some(id)) = (object.btf.as_deref(), id) else { return Vec::new() };
        let named = btf.decl_tags(id).filter_map(|tag| tag.name.strip_prefix("exception_callback:"));
        named.map(str::to_owned).collect()
    }

    /// An error about an instruction of a function.
    pub(crate) fn error(
        &self,
        function: &Function,
        at: usize,
        symbol: String,
        reason: impl Into<String>,
        remedy: &'static str,
    ) -> ProgramError {
        ProgramError::Relocation {
            program: self.entry.name.clone(),
            section: self.object.elf.section_name(function.section).to_owned(),
            pc: function.start + at,
            symbol,
            reason: reason.into(),
            remedy,
        }
    }

    /// An error about something unsupported at an instruction of a function.
    pub(crate) fn unsupported(
        &self,
        function: &Function,
        at: usize,
        name: String,
        remedy: &'static str,
    ) -> ProgramError {
        ProgramError::Unsupported {
            program: self.entry.name.clone(),
            name,
            section: self.object.elf.section_name(function.section).to_owned(),
            pc: function.start + at,
            remedy,
        }
    }
}
