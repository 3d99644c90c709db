//! The records of `probes.jsonl`, as they were measured.

use std::{fs, io, path::Path, sync::Arc};

use probity_isa::Insn;
use probity_linux::PLATFORM;
use probity_program::{
    Btf, FuncInfo, Program,
    btf::{Type, TypeId},
};
use serde::Deserialize;

use super::{Counts, Expected, Probe, maps};
use crate::raw::RawRecord;

/// Loaded with a map that programs of another type had used before: the kernel refused that.
const BORROWED_MAP: &str = "tail kprobe/240";

/// The tag of an entry function that names the handler of its exceptions.
const CALLBACK: &str = "exception_callback:";

#[derive(Deserialize)]
struct Record {
    name: String,
    prog_type: String,
    #[serde(default)]
    attach_type: serde_json::Value,
    #[serde(default)]
    attach: String,
    #[serde(default)]
    flags: u32,
    insns: String,
    #[serde(default)]
    relocs: Vec<(usize, String, String)>,
    #[serde(default)]
    btf: String,
    #[serde(default)]
    func_info: Vec<(usize, u32)>,
    verdict: String,
    errno: i32,
    processed: Option<String>,
    stats: Option<Stats>,
    #[serde(default)]
    msg: Vec<String>,
    #[serde(default)]
    log: Vec<String>,
}

#[derive(Deserialize)]
struct Stats {
    processed: u64,
    max_states_per_insn: Option<u64>,
    total_states: u64,
    peak_states: u64,
}

/// Reads `probes.jsonl`, all but one record that says nothing of its program. Records with one name
/// are numbered.
///
/// # Errors
///
/// When the file cannot be read, or a line is not a record or names what is not known here.
pub fn read(path: &Path) -> io::Result<Vec<Probe>> {
    let probe = |line: &str| {
        let record: Record = serde_json::from_str(line)?;
        let name = record.name.clone();
        probe(record).ok_or_else(|| io::Error::other(format!("{name}: unknown map, type or attach type")))
    };
    let text = fs::read_to_string(path)?;
    let mut probes = text.lines().map(probe).collect::<io::Result<Vec<_>>>()?;
    probes.retain(|probe| probe.name != BORROWED_MAP);
    super::number(&mut probes);
    Ok(probes)
}

fn probe(record: Record) -> Option<Probe> {
    let row = PLATFORM.prog_type_named(&record.prog_type)?;
    let insns = Insn::parse_slice(&RawRecord::hex(&record.insns)).ok()?;
    let mut program = Program::from_insns(row.number, insns);
    program.flags = record.flags;
    program.attach_to = record.attach.clone();
    if let Some(name) = record.attach_type.as_str() {
        program.attach_type = row.attach.iter().find(|attach| attach.name == name)?.number;
    }
    // The only ones that are measured with another licence.
    if record.name.ends_with("/gpl") {
        program.license = "Proprietary".into();
    }
    let mut maps = Vec::new();
    for (insn, kind, name) in &record.relocs {
        let names = if kind == "map" { &mut maps } else { &mut program.kfuncs };
        let index = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        program.insns.get_mut(*insn)?.imm = i32::try_from(index).ok()?;
    }
    let expected = expected(&record);
    build(record.name, program, maps, record.btf, &record.func_info, expected)
}

/// Puts the parts together: maps by their names, and the types of program and maps.
pub(super) fn build(
    name: String,
    mut program: Program,
    maps: Vec<String>,
    btf: String,
    func_info: &[(usize, u32)],
    expected: Expected,
) -> Option<Probe> {
    let subject = name.split('/').next().unwrap_or_default();
    let mut types = maps::Types::new(&btf);
    program.maps = maps.iter().map(|map| maps::named(map, subject, &mut types)).collect::<Option<_>>()?;
    maps::add_inner(&mut program.maps, &mut types);
    program.btf = types.to_bytes().and_then(|bytes| Btf::parse(&bytes).ok()).map(Arc::new);
    let function = |&(pc, btf_id): &(usize, u32)| {
        let btf = program.btf.as_deref()?;
        let Some(Type::Func { name, linkage, .. }) = btf.ty(TypeId(btf_id)) else { return None };
        Some(FuncInfo { pc, name: name.to_owned(), btf_id, linkage })
    };
    program.funcs = func_info.iter().map(function).collect::<Option<_>>()?;
    if let (Some(btf), Some((_, main))) = (&program.btf, func_info.first()) {
        let callbacks = btf.decl_tags(TypeId(*main)).filter_map(|tag| tag.name.strip_prefix(CALLBACK));
        program.exception_callbacks = callbacks.map(str::to_owned).collect();
    }
    Some(Probe { name, maps, program, btf, expected })
}

fn expected(record: &Record) -> Expected {
    let rejected = record.verdict == "reject";
    let depth = record.log.iter().find_map(|line| line.strip_prefix("stack depth "));
    Expected {
        errno: if rejected { record.errno } else { 0 },
        message: if rejected { message(record) } else { Some(Vec::new()) },
        counts: counts(record),
        stack_depth: depth.map(str::to_owned),
    }
}

/// The reason: the end of a log, without its statistics and without the trace.
fn message(record: &Record) -> Option<Vec<String>> {
    let statistics = |line: &&String| is_statistics(line);
    let end = record.log.iter().rev().find(|line| !statistics(line));
    let lines: Vec<&String> =
        if record.msg.is_empty() { end.into_iter().collect() } else { record.msg.iter().collect() };
    // A message that lacks its newline runs into the statistics.
    let text = |line: &String| line.split("processed ").next().unwrap_or_default().trim_end().to_owned();
    let reason: Vec<String> = lines.into_iter().map(text).filter(|line| !is_trace(line)).collect();
    (!reason.is_empty()).then_some(reason)
}

fn counts(record: &Record) -> Option<Counts> {
    if let Some(Stats { processed, max_states_per_insn, total_states, peak_states }) = record.stats {
        return Some(Counts { processed, max_states_per_insn, total_states, peak_states });
    }
    let line = record.processed.as_deref().filter(|line| !line.is_empty())?;
    let after = |name: &str| {
        let mut words = line.split_ascii_whitespace();
        words.find(|&word| word == name)?;
        words.next()?.parse().ok()
    };
    Some(Counts {
        processed: after("processed")?,
        max_states_per_insn: after("max_states_per_insn"),
        total_states: after("total_states")?,
        peak_states: after("peak_states")?,
    })
}

fn is_statistics(line: &str) -> bool {
    ["processed ", "verification time ", "stack depth "].iter().any(|start| line.starts_with(start))
}

/// The reason in a log of level 1: at most its last two lines.
#[must_use]
pub fn reason(log: &str) -> Vec<String> {
    let cut = ["verification time ", "processed "].iter().filter_map(|start| log.rfind(start)).min();
    let log = &log[..cut.unwrap_or(log.len())];
    let lines = log.lines().rev().map(str::trim_end).take_while(|line| !is_trace(line)).take(2);
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.reverse();
    lines
}

/// Lines of a log that are not part of a reason.
fn is_trace(line: &str) -> bool {
    let numbered = line.trim_start().split_once(": ").is_some_and(|(pc, _)| pc.parse::<usize>().is_ok());
    let starts = ["mark_precise:", "from ", "func#", "Validating ", "Live regs"];
    let checked = line.starts_with("Func#") && line.contains(" is safe ");
    line.is_empty() || numbered || checked || starts.iter().any(|start| line.starts_with(start))
}
