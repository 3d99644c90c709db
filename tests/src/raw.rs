//! The corpus of raw programs, `raw.jsonl`: table tests with the verdicts of a real kernel.

use std::{fs, io, path::Path, sync::Arc};

use probity_isa::Insn;
use probity_program::{Btf, FuncInfo, Linkage, MapDef, Program, btf::TypeId};
use serde::Deserialize;

use crate::kernel::btf::BtfImage;

/// A program, and what the kernel said of it.
#[derive(Debug)]
pub struct RawProgram {
    /// What was recorded.
    pub record: RawRecord,
    /// The program.
    pub program: Program,
}

/// A line of `raw.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub struct RawRecord {
    /// The file that the test comes from.
    pub file: String,
    /// Its name there.
    pub name: String,
    /// `accept` or `reject`.
    pub verdict: String,
    /// The error's number, 0 for accepted ones.
    pub errno: i32,
    /// The reason of a rejection.
    #[serde(default)]
    pub message: String,
    /// The last lines of the log at level 2.
    #[serde(default)]
    pub log_tail: Vec<String>,
    /// How many instructions were walked over.
    pub processed: u64,
    /// How many states were kept.
    pub total_states: u64,
    /// How many states were kept at the same time.
    pub peak_states: u64,
    /// The stack depths of the functions.
    pub stack_depth: String,
    /// Test runs.
    #[serde(default)]
    pub runs: Vec<RawRun>,
    prog_type_num: u32,
    expected_attach_type_num: u32,
    attach_func: String,
    prog_flags: u32,
    maps: Vec<MapUse>,
    kfuncs: Vec<serde_json::Value>,
    func_info: Vec<(usize, u32)>,
    #[serde(default)]
    btf_types: Vec<u32>,
    #[serde(default)]
    btf_strings_hex: String,
    insns: String,
}

/// One test run of a program.
#[derive(Clone, Debug, Deserialize)]
pub struct RawRun {
    /// The packet, in hex.
    pub data_in: String,
    /// What the test's author expects.
    pub expected: u32,
    /// What the kernel returned.
    pub retval: u32,
    /// The error's number when it did not run.
    pub errno: i32,
}

#[derive(Clone, Debug, Deserialize)]
struct MapUse {
    insn: usize,
    map: String,
}

impl RawRecord {
    /// True when the program can only be loaded with something that its record does not hold:
    /// kernel functions, a function that it is attached to.
    #[must_use]
    pub fn needs_more(&self) -> bool {
        !self.kfuncs.is_empty() || !self.attach_func.is_empty()
    }

    /// The packet of a run and other hex fields as bytes.
    #[must_use]
    pub fn hex(text: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
        text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }
}

/// Reads the corpus at `path`.
///
/// # Errors
///
/// When the file cannot be read or a line is not a record.
pub fn read(path: &Path) -> io::Result<Vec<RawProgram>> {
    let text = fs::read_to_string(path)?;
    text.lines().map(|line| Ok(program(serde_json::from_str(line)?))).collect()
}

fn program(record: RawRecord) -> RawProgram {
    let insns = Insn::parse_slice(&RawRecord::hex(&record.insns)).expect("whole instructions");
    let mut program = Program::from_insns(record.prog_type_num, insns);
    program.attach_type = record.expected_attach_type_num;
    program.flags = record.prog_flags;
    let mut names: Vec<&str> = Vec::new();
    for MapUse { insn, map } in &record.maps {
        let index = names.iter().position(|name| name == map).unwrap_or_else(|| {
            names.push(map);
            program.maps.push(map_named(map));
            names.len() - 1
        });
        program.insns[*insn].imm = i32::try_from(index).expect("few maps");
    }
    let btf = if names.contains(&"map_kptr") {
        Some(kptr_btf())
    } else if record.btf_types.is_empty() {
        None
    } else {
        let types = record.btf_types.iter().flat_map(|word| word.to_le_bytes()).collect();
        Some(BtfImage::new(types, RawRecord::hex(&record.btf_strings_hex)).to_bytes())
    };
    program.btf = btf.as_deref().and_then(|bytes| Btf::parse(bytes).ok()).map(Arc::new);
    program.funcs = record.func_info.iter().map(|&(pc, id)| function(&program, pc, id)).collect();
    RawProgram { record, program }
}

fn function(program: &Program, pc: usize, btf_id: u32) -> FuncInfo {
    let name = program.btf.as_ref().and_then(|btf| btf.name(TypeId(btf_id)));
    FuncInfo { pc, name: name.unwrap_or_default().to_owned(), btf_id, linkage: Linkage::Static }
}

/// The maps of the table tests. They have no names there, and none in the logs.
fn map_named(name: &str) -> MapDef {
    const HASH: u32 = 1;
    const ARRAY: u32 = 2;
    const PERF_EVENT_ARRAY: u32 = 4;
    const RINGBUF: u32 = 27;
    match name {
        "map_hash_8b" => MapDef::new(HASH, 8, 8, 1),
        "map_hash_48b" => MapDef::new(HASH, 8, 48, 1),
        "map_array_48b" => {
            let mut contents = vec![0; 48];
            contents[0] = 28;
            contents[28..32].copy_from_slice(&0xabcd_ef12_u32.to_le_bytes());
            MapDef { contents: Some(contents), ..MapDef::new(ARRAY, 4, 48, 1) }
        }
        "map_array_small" => MapDef::new(ARRAY, 4, 1, 1),
        "map_event_output" => MapDef::new(PERF_EVENT_ARRAY, 4, 4, 1),
        "map_ringbuf" => MapDef::new(RINGBUF, 0, 0, 4096),
        "map_kptr" => MapDef { btf_key: KPTR_KEY, btf_value: KPTR_VALUE, ..MapDef::new(ARRAY, 4, 24, 1) },
        other => panic!("raw.jsonl names a map that its README does not describe: {other}"),
    }
}

const KPTR_KEY: u32 = 1;
const KPTR_VALUE: u32 = 9;

/// The value of `map_kptr`: three pointers to structures of the kernel, one untrusted and two
/// referenced.
fn kptr_btf() -> Vec<u8> {
    let mut image = BtfImage::new(Vec::new(), vec![0]);
    let mut name = |text| image.string(text);
    const PTR: u32 = 2 << 24;
    const STRUCT: u32 = 4 << 24;
    const TYPE_TAG: u32 = 18 << 24;
    let words = [
        // 1: int
        [name("int"), 1 << 24, 4].as_slice(),
        &[1 << 24 | 32],
        // 2 and 3: the structures of the kernel, which knows their members
        &[name("prog_test_ref_kfunc"), STRUCT, 0],
        &[name("prog_test_member"), STRUCT, 0],
        // 4 to 9: `struct S __kptr_untrusted *`, `struct S __kptr *`, `struct M __kptr *`
        &[name("kptr_untrusted"), TYPE_TAG, 2],
        &[0, PTR, 4],
        &[name("kptr"), TYPE_TAG, 2],
        &[0, PTR, 6],
        &[name("kptr"), TYPE_TAG, 3],
        &[name("btf_ptr"), STRUCT | 3, 24],
        &[name("ptr"), 5, 0],
        &[name("ref_ptr"), 7, 64],
        &[name("ref_memb_ptr"), 10, 128],
        // 10
        &[0, PTR, 8],
    ]
    .concat();
    let types = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    image.with_types(types).to_bytes()
}
