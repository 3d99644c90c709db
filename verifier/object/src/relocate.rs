//! Instructions that refer to something: maps, global data, the kernel's functions and variables.

use std::collections::HashMap;

use probity_program::{
    MapDef,
    btf::{Kind, Type},
};

use crate::{
    ProgramError,
    core_relo::compat,
    elf::{Reloc, Symbol},
    externs::{Extern, ExternKind},
    functions::Function,
    limits,
    link::{CALL, LD_IMM64, Linker, Piece},
};

/// The source fields of an `ld_imm64`.
const PSEUDO_MAP: u8 = 1;
const PSEUDO_MAP_VALUE: u8 = 2;
const PSEUDO_KSYM: u8 = 3;
/// The source field of a call of a kernel function.
const PSEUDO_KFUNC: u8 = 2;
/// What a call of a weak kernel function that the target lacks becomes: a call of a helper that
/// there is none of. The index of the function's symbol is added.
const POISON_KFUNC: i32 = 2_002_000_000;
/// Where a kernel symbol without a type is said to be: its real address is not known before
/// loading, and nobody can tell more of it than that it is a number.
const UNTYPED_ADDRESS: u64 = 0xffff_ffff_8100_0000;

/// A map of the object, before it has an index in the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum MapRef {
    Defined(usize),
    Data(usize),
    Kconfig,
}

/// What is already in the program's lists.
#[derive(Default)]
struct Known {
    maps: HashMap<MapRef, usize>,
    kfuncs: HashMap<String, usize>,
    ksyms: HashMap<String, usize>,
    data: u64,
}

/// An instruction with a relocation.
#[derive(Clone, Copy)]
struct Place<'a> {
    function: &'a Function,
    /// The instruction in the function.
    at: usize,
    /// The instruction in the program.
    pc: usize,
    reloc: &'a Reloc,
    symbol: &'a Symbol,
}

impl<'a> Linker<'a> {
    /// Applies all relocations but those to functions of the object.
    pub(crate) fn relocate(&mut self) -> Result<(), ProgramError> {
        let mut known = Known::default();
        for index in 0..self.pieces.len() {
            let piece = self.pieces[index];
            let function = self.function(piece);
            for reloc in self.relocs(function) {
                self.relocate_one(&mut known, piece, function, reloc)?;
            }
        }
        Ok(())
    }

    fn relocate_one(
        &mut self,
        known: &mut Known,
        piece: Piece,
        function: &'a Function,
        reloc: &'a Reloc,
    ) -> Result<(), ProgramError> {
        let symbol = &self.object.elf.symbols[reloc.symbol];
        let at = usize::try_from(reloc.offset / 8).unwrap_or(0) - function.start;
        let place = Place { function, at, pc: piece.base + at, reloc, symbol };
        let insn = self.insns[place.pc];
        if !reloc.offset.is_multiple_of(8) {
            return Err(self.bad(place, "the relocation is not at an instruction"));
        }
        if insn.code == LD_IMM64 && at + 1 >= function.len {
            return Err(self.bad(place, "the instruction is cut off"));
        }
        match (insn.code, symbol.section) {
            (CALL | LD_IMM64, Some(section)) if self.object.elf.sections[section].is_code => Ok(()),
            (LD_IMM64, Some(section)) => self.load(known, place, section),
            (CALL | LD_IMM64, None) => match self.object.externs.get(&reloc.symbol) {
                Some(found) if insn.code == CALL => self.call_extern(known, place, found),
                Some(found) => self.load_extern(known, place, found),
                None if symbol.is_weak && insn.code == LD_IMM64 => {
                    self.load_constant(place.pc, 0);
                    Ok(())
                }
                None => Err(self.error(
                    function,
                    at,
                    symbol.name.clone(),
                    "it is not defined in the object, and not declared as the kernel's",
                    "define it, or declare it with __ksym or __kconfig and compile with -g",
                )),
            },
            _ if self.is_poisoned(place.pc) => Ok(()),
            _ => Err(self.bad(place, "only calls and 64-bit loads of constants can refer to symbols")),
        }
    }

    fn bad(&self, place: Place<'_>, reason: &str) -> ProgramError {
        let name = self.object.elf.symbol_name(place.symbol);
        self.error(place.function, place.at, name, reason, "compile the object again")
    }

    /// A load of a map's or a global variable's address.
    fn load(&mut self, known: &mut Known, place: Place<'_>, section: usize) -> Result<(), ProgramError> {
        let object = self.object;
        let addend = i64::from(self.insns[place.pc].imm).wrapping_add(place.reloc.addend);
        let offset = place.symbol.value.wrapping_add_signed(addend);
        if let Some(map) = object.maps.at(section, offset) {
            let index = self.map(known, MapRef::Defined(map))?;
            self.load_pseudo(place.pc, PSEUDO_MAP, index, 0);
            return Ok(());
        }
        let Some(data) = object.maps.data(section) else {
            return Err(self.bad(place, "its section holds neither maps nor variables"));
        };
        let offset =
            u32::try_from(offset).map_err(|_| self.bad(place, "the address is not inside its section"))?;
        let index = if object.maps.data[data].is_arena {
            let arena = self.options.data.arena_type;
            let map = arena.and_then(|arena| {
                let mut maps = object.maps.list.iter();
                maps.position(|map| map.def.map_type == arena)
            });
            let map = map.ok_or_else(|| self.bad(place, "the object has no arena for it"))?;
            self.map(known, MapRef::Defined(map))?
        } else {
            self.map(known, MapRef::Data(data))?
        };
        self.load_pseudo(place.pc, PSEUDO_MAP_VALUE, index, offset);
        Ok(())
    }

    fn load_pseudo(&mut self, pc: usize, src: u8, index: usize, second: u32) {
        self.insns[pc].src = src;
        self.insns[pc].imm = i32::try_from(index).unwrap_or(i32::MAX);
        self.insns[pc + 1].imm = second.cast_signed();
    }

    fn load_constant(&mut self, pc: usize, value: u64) {
        self.insns[pc].src = 0;
        self.insns[pc].imm = (value as u32).cast_signed();
        self.insns[pc + 1].imm = ((value >> 32) as u32).cast_signed();
    }

    /// The index of a map in the program, which is put there when it is new.
    fn map(&mut self, known: &mut Known, map: MapRef) -> Result<usize, ProgramError> {
        if let Some(index) = known.maps.get(&map) {
            return Ok(*index);
        }
        let object = self.object;
        let data = &self.options.data;
        let mut inner = None;
        let def = match map {
            MapRef::Defined(index) => {
                let map = &object.maps.list[index];
                inner.clone_from(&map.inner);
                if let Some(template) = map.old_inner.filter(|_| (self.options.is_of_maps)(map.def.map_type))
                {
                    let template = &object.maps.list[template].def;
                    inner = Some(MapDef { name: format!("{}.inner", map.def.name), ..template.clone() });
                }
                map.def.clone()
            }
            MapRef::Data(index) => {
                let section = &object.maps.data[index];
                known.data = known.data.saturating_add(section.size);
                if known.data > limits::DATA {
                    return Err(ProgramError::Limit {
                        program: self.entry.name.clone(),
                        what: "bytes of global data",
                        max: limits::DATA,
                    });
                }
                section.map(&object.elf, object.name(), data)
            }
            MapRef::Kconfig => {
                let values = self.options.kconfig;
                object.kconfig.map(object.name(), values, data)
            }
        };
        let index = self.maps.len();
        self.maps.push(def);
        if let Some(inner) = inner {
            self.maps[index].inner = Some(index + 1);
            self.maps.push(inner);
        }
        known.maps.insert(map, index);
        Ok(index)
    }

    fn call_extern(
        &mut self,
        known: &mut Known,
        place: Place<'_>,
        found: &Extern,
    ) -> Result<(), ProgramError> {
        if found.kind != ExternKind::Func {
            return Err(self.bad(place, "it is called, but is not a function"));
        }
        if self.is_absent(place, found)? {
            let insn = &mut self.insns[place.pc];
            insn.src = 0;
            insn.imm = POISON_KFUNC.wrapping_add(place.reloc.symbol as i32);
            return Ok(());
        }
        let index = index_of(&mut self.kfuncs, &mut known.kfuncs, &found.name);
        let insn = &mut self.insns[place.pc];
        insn.src = PSEUDO_KFUNC;
        insn.imm = i32::try_from(index).unwrap_or(i32::MAX);
        insn.off = 0;
        Ok(())
    }

    fn load_extern(
        &mut self,
        known: &mut Known,
        place: Place<'_>,
        found: &Extern,
    ) -> Result<(), ProgramError> {
        if found.kind == ExternKind::Config {
            let Some(values) = self.options.kconfig else {
                return Err(self.unsupported(
                    place.function,
                    place.at,
                    format!(".kconfig extern {}", found.name),
                    "give the kernel's configuration",
                ));
            };
            let object = self.object;
            let offset = object.kconfig.check(&found.name, values).map_err(|reason| {
                let name = found.name.clone();
                let remedy = "set it in the kernel's configuration, or declare it __weak";
                self.error(place.function, place.at, name, reason, remedy)
            })?;
            let index = self.map(known, MapRef::Kconfig)?;
            self.load_pseudo(place.pc, PSEUDO_MAP_VALUE, index, offset);
            return Ok(());
        }
        if self.is_absent(place, found)? {
            self.load_constant(place.pc, 0);
        } else if found.kind == ExternKind::Untyped {
            self.load_constant(place.pc, UNTYPED_ADDRESS);
        } else {
            let index = index_of(&mut self.ksyms, &mut known.ksyms, &found.name);
            self.load_pseudo(place.pc, PSEUDO_KSYM, index, 0);
        }
        Ok(())
    }

    /// True when the target is known and lacks a function or variable that may be missing.
    fn is_absent(&mut self, place: Place<'_>, found: &Extern) -> Result<bool, ProgramError> {
        let (kind, what) = match found.kind {
            ExternKind::Func => (Kind::Func, "function"),
            ExternKind::Var => (Kind::Var, "variable"),
            // The addresses of these are in no types.
            ExternKind::Untyped | ExternKind::Config => return Ok(false),
        };
        let (Some(target), Some(local)) = (self.options.target, self.object.btf.as_deref()) else {
            return Ok(false);
        };
        let reason = match target.find_by_name_kind(&found.name, kind) {
            None if found.is_weak => return Ok(true),
            None => format!("the target's types have no such {what}, and it is not __weak"),
            // A wrong type is an error of weak ones too.
            Some(_) if !self.options.strict_externs => return Ok(false),
            Some(id) => {
                let theirs = match target.ty(id) {
                    Some(Type::Func { proto, .. }) => proto,
                    Some(Type::Var { ty, .. }) => ty,
                    _ => id,
                };
                match compat::types(local, found.ty, target, theirs, &mut self.core_budget) {
                    Ok(true) => return Ok(false),
                    Ok(false) => format!("the target has a {what} of this name with another type"),
                    Err(_) => "its type is too complex".into(),
                }
            }
        };
        if !self.options.strict_externs {
            return Ok(false);
        }
        let remedy = "declare it as the target's types have it, or give the BTF of a kernel that has it";
        Err(self.error(place.function, place.at, found.name.clone(), reason, remedy))
    }
}

fn index_of(list: &mut Vec<String>, known: &mut HashMap<String, usize>, name: &str) -> usize {
    *known.entry(name.to_owned()).or_insert_with(|| {
        list.push(name.to_owned());
        list.len() - 1
    })
}
