//! `probity list`: the programs and maps of objects.

use std::fmt::Write as _;

use probity::PlatformSections;
use probity::object::{Object, ObjectMap, Sections, object::Entry};
use serde::Serialize;

use crate::args::{Format, ListArgs, short_name};
use crate::output::{BOLD, DIM, Exit, Failure, Painted, clean, complain, count, print, print_jsonl};
use crate::{PLATFORM, input};

/// A line of JSON.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Item {
    Program(ProgramItem),
    Map(MapItem),
}

#[derive(Debug, Serialize)]
struct ProgramItem {
    object: String,
    name: String,
    section: String,
    prog_type: Option<&'static str>,
    attach_type: Option<&'static str>,
    insns: usize,
    optional: bool,
    /// The structure and member of the table of functions that has it.
    struct_ops: Option<String>,
}

#[derive(Debug, Serialize)]
struct MapItem {
    object: String,
    name: String,
    map_type: Option<&'static str>,
    map_type_number: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
}

pub(crate) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let mut exit = Exit::Accepted;
    for (path, object) in input::objects(&args.objects, args.link) {
        let shown = path.display().to_string();
        let object = match object {
            Ok(object) => object,
            Err(error) => {
                complain(&format!("{shown}: {error}"));
                exit = Exit::Unreadable;
                continue;
            }
        };
        let programs: Vec<ProgramItem> =
            object.programs().iter().map(|entry| program(&shown, &object, entry)).collect();
        let maps: Vec<MapItem> = object.maps().iter().map(|row| map(&shown, row)).collect();
        match args.format {
            Format::Jsonl => {
                let programs = programs.into_iter().map(Item::Program);
                let items: Vec<Item> = programs.chain(maps.into_iter().map(Item::Map)).collect();
                print_jsonl(&items)?;
            }
            Format::Text => print(&text(&shown, &object, &programs, &maps))?,
        }
    }
    Ok(exit)
}

fn program(shown: &str, object: &Object, entry: &Entry) -> ProgramItem {
    let section = entry.section.strip_prefix('?').unwrap_or(&entry.section);
    let found = PlatformSections(PLATFORM).resolve(section);
    let row = found.as_ref().and_then(|found| PLATFORM.prog_type(found.prog_type));
    let attach = row.and_then(|row| {
        let number = found.as_ref()?.attach_type;
        row.attach.iter().find(|attach| attach.number == number)
    });
    ProgramItem {
        object: shown.to_owned(),
        name: entry.name.clone(),
        section: entry.section.clone(),
        prog_type: row.map(|row| row.name),
        attach_type: attach.map(|attach| attach.name),
        insns: entry.insns,
        optional: entry.is_optional,
        struct_ops: object.table_member(&entry.name).map(|(table, member)| format!("{table}.{member}")),
    }
}

fn map(object: &str, row: &ObjectMap) -> MapItem {
    MapItem {
        object: object.to_owned(),
        name: row.def.name.clone(),
        map_type: PLATFORM.map_type(row.def.map_type).map(|row| row.name),
        map_type_number: row.def.map_type,
        key_size: row.def.key_size,
        value_size: row.def.value_size,
        max_entries: row.def.max_entries,
        flags: row.def.flags,
    }
}

fn text(shown: &str, object: &Object, programs: &[ProgramItem], maps: &[MapItem]) -> String {
    let licence = match object.license() {
        "" => "no licence".into(),
        licence => format!("licence {licence}"),
    };
    let counts = [count(programs.len() as u64, "program"), count(maps.len() as u64, "map")];
    let facts = format!("({}, {})", clean(&licence), counts.join(", "));
    let mut text = format!("{}  {}\n", Painted(clean(shown), BOLD), Painted(facts, DIM));
    let rows = programs.iter().map(|row| {
        let prog_type = row.prog_type.and_then(|name| PLATFORM.prog_type_named(name));
        [
            "program".to_owned(),
            clean(&row.name),
            match &row.struct_ops {
                Some(member) if row.optional => format!("?struct_ops/{}", clean(member)),
                Some(member) => format!("struct_ops/{}", clean(member)),
                None => clean(&row.section),
            },
            prog_type.map_or_else(|| "type unknown".into(), short_name),
            count(row.insns as u64, "instruction"),
        ]
    });
    table(&mut text, &rows.collect::<Vec<_>>());
    let rows = maps.iter().map(|row| {
        let map_type = row.map_type.map_or_else(
            || format!("type {}", row.map_type_number),
            |name| name.strip_prefix("BPF_MAP_TYPE_").unwrap_or(name).to_lowercase(),
        );
        [
            "map".to_owned(),
            clean(&row.name),
            map_type,
            format!("key {}, value {}", row.key_size, row.value_size),
            format!("max_entries {}", row.max_entries),
        ]
    });
    table(&mut text, &rows.collect::<Vec<_>>());
    text
}

/// Rows with their columns aligned.
fn table<const N: usize>(text: &mut String, rows: &[[String; N]]) {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let _ = write!(line, "  {cell:<width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
