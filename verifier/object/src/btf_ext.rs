//! Function, line and CO-RE records: the section `.BTF.ext`.

use std::{collections::HashMap, ops::Range};

use probity_program::Btf;

use crate::{ObjectError, limits};

/// A function record: where it begins in its section, and its FUNC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FuncRecord {
    pub(crate) offset: u32,
    pub(crate) btf_id: u32,
}

/// A line record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineRecord {
    pub(crate) offset: u32,
    pub(crate) file: u32,
    pub(crate) text: u32,
    /// The line, and the column in the low ten bits.
    pub(crate) line_column: u32,
}

/// A CO-RE relocation record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreRecord {
    pub(crate) offset: u32,
    pub(crate) type_id: u32,
    pub(crate) access: u32,
    pub(crate) kind: u32,
}

/// The kind of a relocation to a number of the object's own types.
const TYPE_ID_LOCAL: u32 = 6;

/// The records of one code section, each ascending by offset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) funcs: Vec<FuncRecord>,
    pub(crate) lines: Vec<LineRecord>,
    pub(crate) cores: Vec<CoreRecord>,
}

/// The records of an object, by the name of the code section.
#[derive(Clone, Debug, Default)]
pub(crate) struct BtfExt {
    sections: HashMap<String, Records>,
}

/// The records whose offsets are in a range.
pub(crate) fn within<T>(records: &[T], range: Range<u64>, offset: impl Fn(&T) -> u32) -> &[T] {
    let start = records.partition_point(|record| u64::from(offset(record)) < range.start);
    let end = records.partition_point(|record| u64::from(offset(record)) < range.end);
    records.get(start..end).unwrap_or_default()
}

fn bad(offset: usize, reason: &'static str) -> ObjectError {
    ObjectError::BtfExt { offset, reason }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

impl BtfExt {
    pub(crate) fn parse(bytes: &[u8], btf: &Btf) -> Result<BtfExt, ObjectError> {
        let header = |at| word(bytes, at).ok_or_else(|| bad(at, "its header is cut off"));
        match header(0)? {
            magic if magic & 0xffff == 0x9feb => {
                return Err(bad(0, "it is big-endian"));
            }
            magic if magic & 0xffff != 0xeb9f => return Err(bad(0, "its magic number is wrong")),
            magic if magic >> 16 & 0xff != 1 => return Err(bad(2, "its version is not known")),
            _ => {}
        }
        let header_len = header(4)? as usize;
        let mut ext = BtfExt::default();
        let mut left = limits::RECORDS;
        // Each part: where the header has it, and the words of a record.
        for (part, at, words) in [(0, 8, 2), (1, 16, 4), (2, 24, 4)] {
            if at + 8 > header_len {
                break;
            }
            let start = header_len
                .checked_add(header(at)? as usize)
                .ok_or_else(|| bad(at, "a part is not inside the section"))?;
            let len = header(at + 4)? as usize;
            if len == 0 {
                continue;
            }
            let end = start
                .checked_add(len)
                .filter(|end| *end <= bytes.len())
                .ok_or_else(|| bad(at, "a part is not inside the section"))?;
            ext.read_part(&bytes[..end], start, part, words, btf, &mut left)?;
        }
        Ok(BtfExt::new(ext.sections))
    }

    fn read_part(
        &mut self,
        bytes: &[u8],
        start: usize,
        part: usize,
        words: usize,
        btf: &Btf,
        left: &mut usize,
    ) -> Result<(), ObjectError> {
        let cut = |at| bad(at, "a record is cut off");
        let size = word(bytes, start).ok_or_else(|| cut(start))? as usize;
        if size < words * 4 || !size.is_multiple_of(4) {
            return Err(bad(start, "its records have an impossible size"));
        }
        let mut at = start + 4;
        while at < bytes.len() {
            let name = word(bytes, at).ok_or_else(|| cut(at))?;
            let count = word(bytes, at + 4).ok_or_else(|| cut(at))? as usize;
            let name = btf.string_at(name).ok_or_else(|| bad(at, "a section's name is not in .BTF"))?;
            at += 8;
            let end = count
                .checked_mul(size)
                .and_then(|len| at.checked_add(len))
                .filter(|end| *end <= bytes.len())
                .ok_or_else(|| cut(at))?;
            *left = left
                .checked_sub(count.saturating_add(64))
                .ok_or(ObjectError::Limit { what: "records in .BTF.ext", max: limits::RECORDS })?;
            let records = self.sections.entry(name.to_owned()).or_default();
            for record in bytes[at..end].chunks_exact(size) {
                let field = |index: usize| word(record, index * 4).unwrap_or(0);
                match part {
                    0 => records.funcs.push(FuncRecord { offset: field(0), btf_id: field(1) }),
                    1 => records.lines.push(LineRecord {
                        offset: field(0),
                        file: field(1),
                        text: field(2),
                        line_column: field(3),
                    }),
                    _ => records.cores.push(CoreRecord {
                        offset: field(0),
                        type_id: field(1),
                        access: field(2),
                        kind: field(3),
                    }),
                }
            }
            at = end;
        }
        Ok(())
    }

    /// True when there are CO-RE relocations that the object's own types do not answer.
    pub(crate) fn wants_target(&self) -> bool {
        self.sections.values().any(|records| records.cores.iter().any(|record| record.kind != TYPE_ID_LOCAL))
    }

    /// All sections with records.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&str, &Records)> {
        self.sections.iter().map(|(name, records)| (name.as_str(), records))
    }

    /// From records of sections, in any order.
    pub(crate) fn new(mut sections: HashMap<String, Records>) -> BtfExt {
        for records in sections.values_mut() {
            records.funcs.sort_by_key(|record| record.offset);
            records.lines.sort_by_key(|record| record.offset);
            records.cores.sort_by_key(|record| record.offset);
        }
        BtfExt { sections }
    }

    /// The records of a code section.
    pub(crate) fn section(&self, name: &str) -> Option<&Records> {
        self.sections.get(name)
    }
}
