//! Tables of functions that a kernel calls: variables of the sections `.struct_ops*`.

use probity_program::{
    Btf,
    btf::{Kind, Type},
};

use crate::{ObjectError, elf::Elf, functions::Functions, limits};

/// A table of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructOps {
    /// The variable.
    pub name: String,
    /// Its structure, as the kernel calls it.
    pub type_name: String,
    /// True when it is not made unless asked for: its section's name begins with `?`.
    pub is_optional: bool,
    /// The members that are programs, with the programs.
    pub members: Vec<(String, String)>,
}

pub(crate) fn collect(
    elf: &Elf,
    btf: Option<&Btf>,
    functions: &Functions,
) -> Result<Vec<StructOps>, ObjectError> {
    let mut found = Vec::new();
    let Some(btf) = btf else {
        return Ok(found);
    };
    let mut left = limits::TABLE_STEPS;
    let mut spend = |steps: usize| {
        left = left
            .checked_sub(steps)
            .ok_or(ObjectError::Limit { what: "members of tables of functions", max: limits::TABLE_STEPS })?;
        Ok::<(), ObjectError>(())
    };
    for section in &elf.sections {
        let name = section.name.strip_prefix('?').unwrap_or(&section.name);
        let is_optional = name.len() != section.name.len();
        if name != ".struct_ops" && name != ".struct_ops.link" {
            continue;
        }
        let Some(Type::Datasec(datasec)) =
            btf.find_by_name_kind(&section.name, Kind::Datasec).and_then(|id| btf.ty(id))
        else {
            continue;
        };
        for var in datasec.vars() {
            spend(1)?;
            let Some(Type::Var { name, ty, .. }) = btf.ty(var.var) else {
                continue;
            };
            let Some(Type::Struct(body)) = btf.resolved(ty) else {
                continue;
            };
            let first = u64::from(var.offset);
            let range = first..first + u64::from(var.size);
            let start = section.relocs.partition_point(|reloc| reloc.offset < range.start);
            let mut members = Vec::new();
            for reloc in &section.relocs[start..] {
                if !range.contains(&reloc.offset) {
                    break;
                }
                spend(body.len())?;
                let symbol = &elf.symbols[reloc.symbol];
                let member =
                    body.members().find(|member| u64::from(member.bit_offset) == (reloc.offset - first) * 8);
                let function = symbol
                    .section
                    .zip(usize::try_from(symbol.value / 8).ok())
                    .and_then(|(section, start)| functions.at(section, start));
                if let (Some(member), Some(function)) = (member, function) {
                    members.push((member.name.to_owned(), functions.list[function].name.clone()));
                }
            }
            found.push(StructOps {
                name: name.to_owned(),
                type_name: probity_program::btf::essential_name(body.name).to_owned(),
                is_optional,
                members,
            });
        }
    }
    Ok(found)
}
