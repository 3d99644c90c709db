//! Rounds and medians.

use std::time::Duration;

use serde::Serialize;

use crate::{Contender, Failure, Kind, Role, Runnable, Source, Subject, Workshop};

/// How long a contender runs in a round, at least.
const SHARE: Duration = Duration::from_millis(2);

/// What came of one contender on one program.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// It does not run such programs.
    Absent,
    /// The median time of one run, in nanoseconds.
    Nanoseconds(f64),
    /// It should run the program, and did not, or not rightly.
    Failed(String),
}

impl Cell {
    /// The time of a run in nanoseconds.
    #[must_use]
    pub fn time(&self) -> Option<f64> {
        match self {
            Cell::Nanoseconds(time) => Some(*time),
            Cell::Absent | Cell::Failed(_) => None,
        }
    }
}

/// One program, on all contenders.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The program's name.
    pub program: String,
    /// What it is for.
    pub kind: Kind,
    /// How many instructions the XDP program has.
    pub insns: usize,
    /// What all of them gave.
    pub r0: u32,
    /// A cell for each contender, in their order.
    pub cells: Vec<Cell>,
    /// The median time of compiling an instruction, in nanoseconds, and how many instructions; in
    /// the same order.
    pub compile: Vec<Option<(f64, usize)>>,
}

/// All that was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measured {
    /// The contenders.
    pub roles: Vec<Role>,
    /// The programs.
    pub rows: Vec<Row>,
}

impl Measured {
    /// The time of a run, where there is one.
    #[must_use]
    pub fn time(&self, row: &Row, role: Role) -> Option<f64> {
        let index = self.roles.iter().position(|other| *other == role)?;
        row.cells.get(index)?.time()
    }

    /// The row of a program.
    #[must_use]
    pub fn row(&self, program: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.program == program)
    }

    /// The ratios of two contenders' times, on the compute programs that both ran.
    #[must_use]
    pub fn ratios(&self, of: Role, to: Role) -> Vec<(&str, f64)> {
        let rows = self.rows.iter().filter(|row| row.kind == Kind::Compute);
        rows.filter_map(|row| Some((row.program.as_str(), self.time(row, of)? / self.time(row, to)?)))
            .collect()
    }

    /// The nanoseconds that compiling takes, by instruction, over all programs.
    #[must_use]
    pub fn compile_time(&self, role: Role) -> Option<f64> {
        let index = self.roles.iter().position(|other| *other == role)?;
        let all: Vec<(f64, usize)> = self.rows.iter().filter_map(|row| row.compile[index]).collect();
        let insns: usize = all.iter().map(|(_, insns)| insns).sum();
        let time: f64 = all.iter().map(|(time, insns)| time * *insns as f64).sum();
        (insns > 0).then(|| time / insns as f64)
    }

    /// What failed, a line each.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for row in &self.rows {
            for (role, cell) in self.roles.iter().zip(&row.cells) {
                if let Cell::Failed(reason) = cell {
                    lines.push(format!("{}: {role}: {reason}", row.program));
                }
            }
        }
        lines
    }
}

/// The geometric mean; None of nothing.
#[must_use]
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

/// The median.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// One contender on one program, while it is measured.
enum Entrant<'a> {
    Ready { runnable: Box<dyn Runnable + 'a>, runs: u32, times: Vec<f64> },
    Out(Cell),
}

impl Entrant<'_> {
    fn new<'a>(contender: &dyn Contender, subject: &'a Subject<'_>) -> (Entrant<'a>, Option<u32>) {
        let tried = contender.prepare(subject).and_then(|runnable| {
            let Some(mut runnable) = runnable else { return Ok((Entrant::Out(Cell::Absent), None)) };
            let r0 = runnable.run()?;
            // What is written once, and read again by the next run, is there from now on.
            let runs = enough(runnable.as_mut())?;
            if runnable.run()? != r0 {
                return Err(Failure::new(format!("r0 is {r0:#x} at first, and something else later")));
            }
            Ok((Entrant::Ready { runnable, runs, times: Vec::new() }, Some(r0)))
        });
        tried.unwrap_or_else(|failure| (Entrant::Out(Cell::Failed(failure.to_string())), None))
    }

    fn round(&mut self) {
        let Entrant::Ready { runnable, runs, times } = self else { return };
        match runnable.time(*runs) {
            Ok(time) => times.push(time.as_secs_f64() * 1e9 / f64::from(*runs)),
            Err(failure) => *self = Entrant::Out(Cell::Failed(failure.to_string())),
        }
    }

    fn cell(self) -> Cell {
        match self {
            Entrant::Ready { times, .. } => Cell::Nanoseconds(median(times)),
            Entrant::Out(cell) => cell,
        }
    }
}

/// How many runs take a share.
fn enough(runnable: &mut dyn Runnable) -> Result<u32, Failure> {
    let mut runs = 1;
    loop {
        let time = runnable.time(runs)?;
        if time >= SHARE || runs >= 1 << 24 {
            return Ok(runs);
        }
        let wanted = SHARE.as_secs_f64() / time.as_secs_f64().max(1e-9) * 1.1;
        runs = (f64::from(runs) * wanted.clamp(1.1, 100.0)).ceil() as u32;
    }
}

/// Measures one program.
///
/// # Errors
///
/// When the program itself is at fault: it does not compile, or Probity refuses it.
pub fn measure(
    workshop: &Workshop,
    source: &Source,
    contenders: &[Box<dyn Contender>],
    rounds: usize,
) -> Result<Row, Failure> {
    let subject = Subject::new(workshop, source)?;
    let mut entrants = Vec::new();
    let mut expected = None;
    for contender in contenders {
        let (mut entrant, r0) = Entrant::new(contender.as_ref(), &subject);
        match (expected, r0) {
            (None, r0) => expected = r0,
            (Some(expected), Some(r0)) if expected != r0 => {
                entrant = Entrant::Out(Cell::Failed(format!("r0 is {r0:#x}, not {expected:#x}")));
            }
            _ => {}
        }
        entrants.push(entrant);
    }
    let mut compile = vec![(Vec::new(), 0); contenders.len()];
    for _ in 0..rounds.max(1) {
        entrants.iter_mut().for_each(Entrant::round);
        for (contender, (times, insns)) in contenders.iter().zip(&mut compile) {
            if let Some(compilation) = contender.compile(&subject) {
                times.push(compilation.time.as_secs_f64() * 1e9);
                *insns = compilation.insns;
            }
        }
    }
    let by_insn =
        |(times, insns): (Vec<f64>, usize)| (insns > 0).then(|| (median(times) / insns as f64, insns));
    Ok(Row {
        program: source.name.clone(),
        kind: source.kind,
        insns: subject.program.insns.len(),
        r0: expected.unwrap_or(0),
        cells: entrants.into_iter().map(Entrant::cell).collect(),
        compile: compile.into_iter().map(by_insn).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(geometric_mean([]), None);
        let mean = geometric_mean([1.0, 4.0]).expect("two values");
        assert!((mean - 2.0).abs() < 1e-9);
    }
}
