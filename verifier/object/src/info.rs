//! Functions and source lines of a linked program.

use std::{collections::HashMap, sync::Arc};

use probity_program::{
    FuncInfo, LineInfo, Linkage,
    btf::{Type, TypeId},
};

use crate::{btf_ext::within, link::Linker};

impl Linker<'_> {
    /// The functions of the program, ascending.
    pub(crate) fn funcs(&self) -> Vec<FuncInfo> {
        let btf = self.object.btf.as_deref();
        let mut funcs = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let function = self.function(*piece);
            let range = function.start as u64 * 8..(function.start + function.len) as u64 * 8;
            let records = self
                .object
                .records(function)
                .map_or(&[][..], |records| within(&records.funcs, range.clone(), |record| record.offset));
            if records.first().is_none_or(|first| u64::from(first.offset) != range.start) {
                funcs.push(FuncInfo {
                    pc: piece.base,
                    name: function.name.clone(),
                    btf_id: 0,
                    linkage: Linkage::Static,
                });
            }
            for record in records {
                let ty = btf.and_then(|btf| btf.ty(TypeId(record.btf_id)));
                let (name, linkage) = match ty {
                    Some(Type::Func { name, linkage, .. }) => (name.to_owned(), linkage),
                    _ => (function.name.clone(), Linkage::Static),
                };
                funcs.push(FuncInfo {
                    pc: piece.base + record.offset as usize / 8 - function.start,
                    name,
                    btf_id: record.btf_id,
                    linkage: if function.is_hidden { Linkage::Static } else { linkage },
                });
            }
        }
        funcs
    }

    /// The source lines of the program, ascending.
    pub(crate) fn lines(&self) -> Vec<LineInfo> {
        let Some(btf) = self.object.btf.as_deref() else {
            return Vec::new();
        };
        let mut strings: HashMap<u32, Arc<str>> = HashMap::new();
        let mut string = |offset: u32| {
            strings
                .entry(offset)
                .or_insert_with(|| {
                    let bytes = btf.bytes_at(offset).unwrap_or_default();
                    String::from_utf8_lossy(bytes).into()
                })
                .clone()
        };
        let mut lines = Vec::new();
        for piece in &self.pieces {
            let function = self.function(*piece);
            let range = function.start as u64 * 8..(function.start + function.len) as u64 * 8;
            let Some(records) = self.object.records(function) else {
                continue;
            };
            for record in within(&records.lines, range, |record| record.offset) {
                lines.push(LineInfo {
                    pc: piece.base + record.offset as usize / 8 - function.start,
                    file: string(record.file),
                    text: string(record.text),
                    line: record.line_column >> 10,
                    column: record.line_column & 0x3ff,
                });
            }
        }
        lines
    }
}
