//! Runs for people.

use std::fmt::Write as _;

use super::hex::Change;
use super::record::{BytesLine, MapLine, RunLine, Subject, Summary};
use crate::PLATFORM;
use crate::args::short_name;
use crate::output::{BOLD, DIM, GREEN, Painted, RED, clean, count};

/// One run: the verdict, and what changed.
pub(super) fn run(line: &RunLine) -> String {
    let head = match line.r0 {
        Some(r0) => Painted(result(r0, line.verdict), GREEN).to_string(),
        None => Painted("ended early", RED).to_string(),
    };
    let mut facts = facts(&line.subject);
    if let Some(nanos) = line.time_ns {
        let of = if line.runs > 1 { format!(", median of {} runs", line.runs) } else { String::new() };
        facts.push(format!("{}{of}", time(nanos)));
    }
    let mut text = format!("{head}  {}  ({})\n", clean(&line.subject.program), facts.join(", "));
    if let Some(packet) = &line.packet {
        bytes(&mut text, "packet", &packet.bytes, false);
        if let Some(metadata) = &packet.metadata {
            let _ = writeln!(text, "{}  {}", name("metadata"), super::hex::text(&metadata.0));
        }
    }
    if let Some(context) = &line.context_bytes {
        bytes(&mut text, "context", context, true);
    }
    for change in &line.context {
        let element = change.element.map(|element| format!("[{element}]")).unwrap_or_default();
        let (before, after) = (change.before, change.after);
        let _ = writeln!(text, "{}  {}{element}: {before} to {after}", name("context"), change.field);
    }
    text
}

fn name(word: &'static str) -> Painted<&'static str> {
    Painted(word, BOLD)
}

fn facts(subject: &Subject) -> Vec<String> {
    let row = PLATFORM.prog_type_named(subject.prog_type);
    let prog_type = row.map_or_else(|| subject.prog_type.to_owned(), short_name);
    let engine = match subject.engine {
        "checked" => "checked interpreter",
        "jit" => "machine code",
        other => other,
    };
    vec![prog_type, engine.to_owned()]
}

/// `XDP_PASS (2)`; without a name `r0 = 5`, in hexadecimal too when it is large.
pub(super) fn result(r0: u64, verdict: Option<&str>) -> String {
    let number = match r0 as i32 {
        int @ ..0 if r0 >> 32 == 0 || i64::from(int).cast_unsigned() == r0 => format!("{int}"),
        _ => format!("{r0}"),
    };
    match verdict {
        Some(name) => format!("{name} ({number})"),
        None if r0 < 10 => format!("r0 = {number}"),
        None => format!("r0 = {number} ({r0:#x})"),
    }
}

/// Nanoseconds, with the unit that fits.
fn time(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{:.1} us", nanos as f64 / 1e3),
        _ => format!("{:.1} ms", nanos as f64 / 1e6),
    }
}

fn bytes(text: &mut String, what: &'static str, bytes: &BytesLine, only_new: bool) {
    let before = &bytes.before.0;
    let len = count(before.len() as u64, "byte");
    let Some(after) = &bytes.after else {
        let _ = writeln!(text, "{}  {len}, unchanged", name(what));
        return;
    };
    let change = Change::new(before, &after.0);
    let new = change.count();
    let _ = match (before.len(), after.0.len()) {
        (from, to) if from == to => writeln!(text, "{}  {len}, {new} changed", name(what)),
        (_, to) => writeln!(text, "{}  {len}, now {to}, {new} of them new", name(what)),
    };
    text.push_str(&change.dump(only_new));
}

/// The runs on a file's packets.
pub(super) fn summary(summary: &Summary) -> String {
    let mut facts = facts(&summary.subject);
    facts.extend(summary.time_ns.map(|nanos| format!("median {} a run", time(nanos))));
    let mut text = format!(
        "{}  {}: {}, {} changed  ({})\n",
        Painted(clean(&summary.subject.program), BOLD),
        clean(&summary.file),
        count(summary.packets as u64, "packet"),
        summary.changed,
        facts.join(", "),
    );
    let rows: Vec<_> = summary.verdicts.iter().map(|row| (result(row.r0, row.verdict), row)).collect();
    let width = rows.iter().map(|(result, _)| result.chars().count()).max().unwrap_or(0).max(11);
    for (result, row) in rows {
        let (packets, bytes) = (count(row.packets as u64, "packet"), count(row.bytes, "byte"));
        let _ = writeln!(text, "  {result:<width$}  {packets}, {bytes}");
    }
    if summary.failed > 0 {
        let failed = count(summary.failed as u64, "packet");
        let _ = writeln!(text, "  {}  {failed}", Painted(format!("{:<width$}", "ended early"), RED));
    }
    text
}

/// A map: an element a line, so that the list can be taken from here.
pub(super) fn map(line: &MapLine) -> String {
    let mut facts = vec![line.map_type.clone(), count(line.entries.len() as u64, "element")];
    if line.zeros_left_out > 0 {
        facts.push(format!("{} of zeros left out", line.zeros_left_out));
    }
    let name = Painted(clean(&line.name), BOLD);
    let mut text = format!("map {name}  {}\n", Painted(format!("({})", facts.join(", ")), DIM));
    let entries = line.entries.iter().filter_map(|entry| serde_json::to_string(entry).ok());
    let entries: Vec<String> = entries.map(|entry| format!("  {}", clean(&entry))).collect();
    match entries.is_empty() {
        true => text.push_str("[]\n"),
        false => {
            let _ = writeln!(text, "[\n{}\n]", entries.join(",\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_names_or_numbers() {
        assert_eq!(result(2, Some("XDP_PASS")), "XDP_PASS (2)");
        assert_eq!(result(u64::from(u32::MAX), Some("TC_ACT_UNSPEC")), "TC_ACT_UNSPEC (-1)");
        assert_eq!((result(5, None), result(16, None)), ("r0 = 5".into(), "r0 = 16 (0x10)".into()));
        assert_eq!(result(0xffff_ffea, None), "r0 = -22 (0xffffffea)");
        assert_eq!(result(u64::MAX, None), "r0 = -1 (0xffffffffffffffff)");
        assert_eq!(result(0x1_ffff_ffff, None), "r0 = 8589934591 (0x1ffffffff)");
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(
            (time(812), time(12_345), time(12_345_678)),
            ("812 ns".into(), "12.3 us".into(), "12.3 ms".into())
        );
    }
}
