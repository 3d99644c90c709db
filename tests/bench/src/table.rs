//! Results as text.

use std::fmt::Write;

use crate::{
    ITERATIONS, Kind, Role,
    measure::{Cell, Measured, geometric_mean},
    targets::{BY_ITERATION, Target, by_iteration},
};

const NAME: usize = 16;
const CELL: usize = 10;

/// Compute programs by their ratios to native code, small programs by nanoseconds.
#[must_use]
pub fn table(measured: &Measured) -> String {
    let mut text = String::new();
    ratios(&mut text, measured);
    small(&mut text, measured);
    compiling(&mut text, measured);
    text
}

/// Says of each target whether it holds.
#[must_use]
pub fn verdicts(targets: &[Target]) -> String {
    let mut text = String::new();
    for target in targets {
        let Target { name, limit, value } = target;
        let verdict = match target.holds() {
            Some(true) => "pass",
            Some(false) => "FAIL",
            None => "not measured",
        };
        let value = value.map_or("-".into(), |value| format!("{value:.2}"));
        put(&mut text, format_args!("{verdict:12} {name}: {value}, at most {limit:.2}\n"));
    }
    text
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes everything");
}

fn head(text: &mut String, title: &str, first: &str, roles: &[Role]) {
    put(text, format_args!("{title:NAME$}{first:>CELL$}"));
    for role in roles {
        put(text, format_args!("{role:>CELL$}"));
    }
    text.push('\n');
}

fn line(text: &mut String, name: &str, first: &str, cells: impl Iterator<Item = String>) {
    put(text, format_args!("{name:NAME$}{first:>CELL$}"));
    for cell in cells {
        put(text, format_args!("{cell:>CELL$}"));
    }
    text.push('\n');
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.2}"))
}

fn ratios(text: &mut String, measured: &Measured) {
    let roles = &measured.roles;
    if !measured.rows.iter().any(|row| row.kind == Kind::Compute) {
        return;
    }
    head(text, "native = 1.00", "native ns", roles);
    for row in measured.rows.iter().filter(|row| row.kind == Kind::Compute) {
        let native = measured.time(row, Role::Native);
        let cell = |cell: &Cell| match cell {
            Cell::Failed(_) => "failed".into(),
            cell => number(cell.time().zip(native).map(|(time, native)| time / native)),
        };
        let first = native.map_or("-".into(), |time| format!("{time:.0}"));
        line(text, &row.program, &first, row.cells.iter().map(cell));
    }
    let to = |other| roles.iter().map(move |role| measured.ratios(*role, other));
    let mean = |list: Vec<(&str, f64)>| geometric_mean(list.into_iter().map(|(_, ratio)| ratio));
    line(text, "geometric mean", "", to(Role::Native).map(|list| number(mean(list))));
    line(text, "of the kernel's", "", to(Role::KernelJit).map(|list| number(mean(list))));
    let worst = |list: Vec<(&str, f64)>| list.into_iter().map(|(_, ratio)| ratio).reduce(f64::max);
    line(text, "worst of them", "", to(Role::KernelJit).map(|list| number(worst(list))));
    text.push('\n');
}

fn small(text: &mut String, measured: &Measured) {
    let roles = &measured.roles;
    if !measured.rows.iter().any(|row| row.kind != Kind::Compute) {
        return;
    }
    head(text, "ns a run", "", roles);
    for row in measured.rows.iter().filter(|row| row.kind != Kind::Compute) {
        let cell = |cell: &Cell| match cell {
            Cell::Failed(_) => "failed".into(),
            cell => cell.time().map_or("-".into(), |time| format!("{time:.1}")),
        };
        line(text, &row.program, "", row.cells.iter().map(cell));
    }
    text.push('\n');
    head(text, "ns an iteration", "", roles);
    for (program, empty) in BY_ITERATION {
        let cells = roles.iter().map(|role| number(by_iteration(measured, program, empty, *role)));
        line(text, program, "", cells);
    }
    put(text, format_args!("(of {ITERATIONS} in a run, less those of the empty loop)\n\n"));
}

fn compiling(text: &mut String, measured: &Measured) {
    head(text, "ns an insn", "", &measured.roles);
    let cells = measured.roles.iter().map(|role| number(measured.compile_time(*role)));
    line(text, "compiling", "", cells);
    text.push('\n');
}
