//! The condensed form of a probe, as text:
//!
//! ```text
//! # ptr/and on ptr
//! SCHED_CLS reject=13 counts=7,0,0,0
//! > R1 bitwise operator &= on pointer prohibited
//! r8 = r1; call bpf_ktime_get_ns#5; r6 = r0; 12x r1 = 1; r1 &= 8; r0 = 0; exit
//! ```
//!
//! The second line has the program type and what differs from the usual: `attach`, `flags`,
//! `license`, `to` (what it attaches to), `maps`, `kfuncs`, `btf` (the number of a line `btf N HEX`
//! before), `funcs` (`pc:type`), `depth` (stack by function). `counts` are processed instructions,
//! the most states scanned at once (`-`: not recorded), states and the most of them at once.
//! `no-reason`: the kernel's reason was not recorded. Instructions are in the assembler's notation;
//! `12x` repeats one.

use std::{collections::BTreeMap, fmt::Write};

use probity_isa::{Insn, Names, assemble, disassemble};
use probity_linux::PLATFORM;
use probity_program::Program;

use super::{Counts, Expected, Probe, record};

/// Text is broken before this column.
const WIDTH: usize = 108;

/// Writes probes one after another, their BTF before them.
#[must_use]
pub fn write(probes: &[Probe]) -> String {
    let mut text = String::new();
    let mut known: Vec<&str> = Vec::new();
    for probe in probes {
        if !probe.btf.is_empty() && !known.contains(&probe.btf.as_str()) {
            known.push(&probe.btf);
            let _ = writeln!(text, "btf {} {}", known.len(), probe.btf);
        }
        let btf = known.iter().position(|btf| *btf == probe.btf);
        write_probe(&mut text, probe, btf.map(|index| index + 1));
    }
    text
}

fn write_probe(text: &mut String, probe: &Probe, btf: Option<usize>) {
    let Probe { name, maps, program, expected, .. } = probe;
    let _ = writeln!(text, "\n# {name}");
    let row = PLATFORM.prog_type(program.prog_type);
    let type_name = row.map_or("?", |row| row.name);
    text.push_str(type_name.strip_prefix("BPF_PROG_TYPE_").unwrap_or(type_name));
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = write!(text, " {name}={value}");
        }
    };
    let attach = row.and_then(|row| row.attach.iter().find(|attach| attach.number == program.attach_type));
    field("attach", attach.filter(|_| program.attach_type != 0).map_or("", |row| row.name).to_owned());
    field("to", program.attach_to.clone());
    field("flags", if program.flags == 0 { String::new() } else { program.flags.to_string() });
    field("license", if program.license == "GPL" { String::new() } else { program.license.clone() });
    field("maps", maps.join(","));
    field("kfuncs", program.kfuncs.join(","));
    field("btf", btf.map_or_else(String::new, |number| number.to_string()));
    let funcs = program.funcs.iter().map(|func| format!("{}:{}", func.pc, func.btf_id));
    field("funcs", funcs.collect::<Vec<_>>().join(","));
    field("reject", if expected.errno == 0 { String::new() } else { expected.errno.to_string() });
    field("counts", expected.counts.as_ref().map_or_else(String::new, write_counts));
    field("depth", expected.stack_depth.clone().unwrap_or_default());
    text.push_str(if expected.message.is_none() { " no-reason\n" } else { "\n" });
    for line in expected.message.iter().flatten() {
        let _ = writeln!(text, "> {line}");
    }
    write_insns(text, program);
}

fn write_counts(counts: &Counts) -> String {
    let max = counts.max_states_per_insn.map_or_else(|| "-".to_owned(), |max| max.to_string());
    format!("{},{max},{},{}", counts.processed, counts.total_states, counts.peak_states)
}

fn write_insns(text: &mut String, program: &Program) {
    let all = disassemble(&program.insns, &Named(program));
    let mut lines = all.lines().peekable();
    let mut column = 0;
    while let Some(line) = lines.next() {
        let mut count = 1;
        while lines.next_if_eq(&line).is_some() {
            count += 1;
        }
        let item = if count == 1 { line.to_owned() } else { format!("{count}x {line}") };
        if column > 0 && column + item.len() + 2 > WIDTH {
            text.push_str(";\n");
            column = 0;
        } else if column > 0 {
            text.push_str("; ");
            column += 2;
        }
        text.push_str(&item);
        column += item.len();
    }
    text.push('\n');
}

struct Named<'a>(&'a Program);

impl Names for Named<'_> {
    fn helper(&self, id: i32) -> Option<&str> {
        let number = u32::try_from(id).ok()?;
        let is_helper = |row: &&probity_platform::Callable| row.number == number;
        PLATFORM.callables.iter().find(is_helper).map(|row| row.name)
    }

    fn kfunc(&self, id: i32, _: i16) -> Option<&str> {
        self.0.kfuncs.get(usize::try_from(id).ok()?).map(String::as_str)
    }
}

/// Reads what [`write()`] wrote.
///
/// # Errors
///
/// The name of the first probe that is not well-formed.
pub fn read(text: &str) -> Result<Vec<Probe>, String> {
    let mut btf = BTreeMap::new();
    let mut probes = Vec::new();
    for block in text.split("\n# ") {
        let (block, types) = block.split_once("\nbtf ").unwrap_or((block, ""));
        // Before the first probe there are only types and blank lines.
        if let Some(rest) = block.trim_start().strip_prefix("btf ") {
            keep_types(rest, &mut btf);
        } else if !block.trim().is_empty() {
            let name = block.lines().next().unwrap_or_default();
            probes.push(read_probe(block, &btf).ok_or_else(|| name.to_owned())?);
        }
        keep_types(types, &mut btf);
    }
    Ok(probes)
}

fn keep_types(text: &str, btf: &mut BTreeMap<String, String>) {
    for line in text.lines() {
        let line = line.strip_prefix("btf ").unwrap_or(line);
        if let Some((number, hex)) = line.split_once(' ') {
            btf.insert(number.to_owned(), hex.trim().to_owned());
        }
    }
}

fn read_probe(block: &str, btf: &BTreeMap<String, String>) -> Option<Probe> {
    let mut lines = block.lines();
    let name = lines.next()?.trim_start_matches("# ").to_owned();
    let mut words = lines.next()?.split(' ');
    let row = PLATFORM.prog_type_named(words.next()?)?;
    let mut program = Program::from_insns(row.number, Vec::new());
    let mut expected = Expected { errno: 0, message: Some(Vec::new()), counts: None, stack_depth: None };
    let (mut maps, mut types, mut funcs) = (Vec::new(), String::new(), Vec::new());
    let list = |value: &str| value.split(',').map(str::to_owned).collect::<Vec<_>>();
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "attach" => {
                program.attach_type = row.attach.iter().find(|attach| attach.name == value)?.number;
            }
            "to" => program.attach_to = value.to_owned(),
            "flags" => program.flags = value.parse().ok()?,
            "license" => program.license = value.to_owned(),
            "maps" => maps = list(value),
            "kfuncs" => program.kfuncs = list(value),
            "btf" => types = btf.get(value)?.clone(),
            "funcs" => funcs = list(value).iter().map(|func| read_func(func)).collect::<Option<_>>()?,
            "reject" => expected.errno = value.parse().ok()?,
            "counts" => expected.counts = Some(read_counts(value)?),
            "depth" => expected.stack_depth = Some(value.to_owned()),
            "no-reason" => expected.message = None,
            _ => return None,
        }
    }
    let mut code = String::new();
    for line in lines {
        match line.strip_prefix("> ") {
            Some(reason) => expected.message.as_mut()?.push(reason.to_owned()),
            None => {
                code.push_str(line);
                code.push(' ');
            }
        }
    }
    program.insns = read_insns(&code)?;
    record::build(name, program, maps, types, &funcs, expected)
}

fn read_func(text: &str) -> Option<(usize, u32)> {
    let (pc, btf_id) = text.split_once(':')?;
    Some((pc.parse().ok()?, btf_id.parse().ok()?))
}

fn read_counts(text: &str) -> Option<Counts> {
    let mut numbers = text.split(',').map(|number| number.parse::<u64>().ok());
    Some(Counts {
        processed: numbers.next()??,
        max_states_per_insn: numbers.next()?,
        total_states: numbers.next()??,
        peak_states: numbers.next()??,
    })
}

fn read_insns(text: &str) -> Option<Vec<Insn>> {
    let mut source = String::new();
    for item in text.split("; ").map(str::trim) {
        let repeated = item.split_once("x ").and_then(|(count, line)| Some((count.parse().ok()?, line)));
        let (count, line): (usize, &str) = repeated.unwrap_or((1, item));
        for _ in 0..count {
            source.push_str(line);
            source.push('\n');
        }
    }
    assemble(&source, &()).ok()
}
