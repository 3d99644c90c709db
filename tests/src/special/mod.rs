//! Programs on a map whose values have a timer and a lock, with the types that say so.

use std::sync::Arc;

use probity_isa::{Insn, assemble, opcode::*};
use probity_program::{Btf, FuncInfo, Linkage, MapDef, Program};

use crate::kernel::btf::BtfImage;

const SCHED_CLS: u32 = 3;
/// A hash table.
pub const HASH: u32 = 1;
/// An array.
pub const ARRAY: u32 = 2;

/// Where a value has its timer.
pub const TIMER: usize = 8;
/// Where a value has its lock.
pub const LOCK: usize = 24;
/// Where a value has a number of 4 bytes.
pub const NUMBER: usize = 28;
/// Bytes of a value.
pub const VALUE: usize = 32;

/// BTF in the making.
pub(crate) struct Types {
    image: BtfImage,
    words: Vec<u32>,
    count: u32,
}

impl Types {
    /// No types yet.
    pub(crate) fn new() -> Types {
        Types { image: BtfImage::new(Vec::new(), vec![0]), words: Vec::new(), count: 0 }
    }

    /// The offset of a string.
    pub(crate) fn string(&mut self, text: &str) -> u32 {
        self.image.string(text)
    }

    /// What was added.
    pub(crate) fn finish(self) -> Arc<Btf> {
        let words = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Arc::new(Btf::parse(&self.image.with_types(words).to_bytes()).expect("our own bytes"))
    }

    /// Adds a type; gives its number.
    pub(crate) fn add(&mut self, name: &str, info: u32, size_or_type: u32, body: &[u32]) -> u32 {
        let name = if name.is_empty() { 0 } else { self.image.string(name) };
        self.words.extend([name, info, size_or_type]);
        self.words.extend(body);
        self.count += 1;
        self.count
    }

    /// A struct of (name, type, offset in bytes).
    pub(crate) fn composite(&mut self, name: &str, size: usize, members: &[(&str, u32, usize)]) -> u32 {
        let named: Vec<[u32; 3]> = members
            .iter()
            .map(|(name, ty, at)| [self.image.string(name), *ty, u32::try_from(at * 8).expect("small")])
            .collect();
        let vlen = u32::try_from(members.len()).expect("few");
        let size = u32::try_from(size).expect("small");
        self.add(name, 4 << 24 | vlen, size, named.as_flattened())
    }
}

/// Adds the types of keys and values: an `int`, a `long`, and the value.
pub(crate) fn value(types: &mut Types, with_timer: bool, with_lock: bool) -> [u32; 3] {
    let int = types.add("int", 1 << 24, 4, &[1 << 24 | 32]);
    let long = types.add("long", 1 << 24, 8, &[1 << 24 | 64]);
    let timer = types.composite("bpf_timer", 16, &[("a", long, 0), ("b", long, 8)]);
    let timer = if with_timer { timer } else { long };
    let lock = types.composite("bpf_spin_lock", 4, &[("val", int, 0)]);
    let lock = if with_lock { lock } else { int };
    let members = [("before", long, 0), ("t", timer, TIMER), ("lock", lock, LOCK), ("number", int, NUMBER)];
    [int, long, types.composite("value", VALUE, &members)]
}

/// The types: those of the key, the value and functions.
fn types(with_lock: bool) -> (Arc<Btf>, [u32; 3]) {
    let mut types = Types::new();
    let [int, _, value] = value(&mut types, true, with_lock);
    let proto = types.add("", 13 << 24, int, &[]);
    let function = types.add("function", 12 << 24, proto, &[]);
    (types.finish(), [int, value, function])
}

/// A program in assembler text: its first map is one of such values with 4 places, whose values have a
/// lock only `with_lock`; functions that `func` names begin behind an `exit`.
///
/// # Panics
///
/// When it does not assemble.
#[must_use]
pub fn program(text: &str, map_type: u32, with_lock: bool) -> Program {
    let insns = assemble(text, &()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let (btf, [int, value, function]) = types(with_lock);
    let mut map = MapDef::new(map_type, 4, VALUE as u32, 4);
    (map.btf_key, map.btf_value) = (int, value);
    let func = |pc| FuncInfo { pc, name: "function".to_owned(), btf_id: function, linkage: Linkage::Static };
    let mut starts = vec![0];
    starts.extend(insns.iter().enumerate().filter_map(|(pc, insn)| called(*insn, pc)));
    starts.sort_unstable();
    starts.dedup();
    let mut program = Program::from_insns(SCHED_CLS, insns);
    program.license = "GPL".to_owned();
    program.funcs = starts.into_iter().map(func).collect();
    (program.maps, program.btf) = (vec![map], Some(btf));
    program
}

/// The function that an instruction has the address of, or calls.
pub(crate) fn called(insn: Insn, pc: usize) -> Option<usize> {
    const FUNC: u8 = 4;
    let names = (insn.code == BPF_LD | BPF_IMM | BPF_DW && insn.src == FUNC)
        || (insn.code == BPF_JMP | BPF_CALL && insn.src == 1);
    names.then(|| (pc as i64 + 1 + i64::from(insn.imm)) as usize)
}
