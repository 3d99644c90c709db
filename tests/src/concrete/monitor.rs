//! A run that is held against a record: at every instruction the state is a member of an abstract one
//! on the path that the run takes; of a walk that prunes, of any one at that instruction, as far as
//! pointers go.

use probity_program::Linkage;
use probity_vm::{Moment, Run, Watch};

use super::check::misfit;
use super::record::Record;

/// Watches a run.
#[derive(Debug)]
pub struct Monitor<'a> {
    record: &'a Record,
    /// The steps of the record that the run may be at.
    matching: Vec<usize>,
    from: Option<usize>,
    /// Instructions that were held against a state.
    pub steps: usize,
    /// The first that no state allows.
    pub violation: Option<String>,
    /// The program that is watched; others that it calls are not.
    unit: Option<usize>,
    /// Since the last instruction that was held, a callable called functions of the program.
    called_back: bool,
}

impl<'a> Monitor<'a> {
    /// A monitor at the beginning of a run.
    #[must_use]
    pub fn new(record: &'a Record) -> Monitor<'a> {
        Monitor {
            record,
            matching: Vec::new(),
            from: None,
            steps: 0,
            violation: None,
            unit: None,
            called_back: false,
        }
    }
}

/// Whether the run is in a function that is verified by itself, or in one that such a one called: the
/// record has no path from the call into it.
fn in_global_function(moment: &Moment<'_>) -> bool {
    let funcs = &moment.unit.program().funcs;
    let is_global = |pc: usize| {
        let after = funcs.partition_point(|func| func.pc <= pc);
        after > 1 && funcs[after - 1].linkage == Linkage::Global
    };
    is_global(moment.pc) || moment.callsites.iter().any(|&pc| is_global(pc))
}

impl Watch for Monitor<'_> {
    fn step(&mut self, moment: &Moment<'_>, run: &mut Run<'_>) {
        let unit = std::ptr::from_ref(moment.unit) as usize;
        if self.violation.is_some() || *self.unit.get_or_insert(unit) != unit {
            return;
        }
        if run.is_nested() {
            self.called_back = true;
            return;
        }
        if in_global_function(moment) {
            return;
        }
        let mut why = "no path leads here".to_owned();
        let mut fits = Vec::new();
        let pruned = self.record.is_pruned();
        let called_back = std::mem::take(&mut self.called_back);
        let candidates: Vec<usize> = if pruned {
            self.record.at(moment.pc).to_vec()
        } else if called_back {
            // The path went through the function that was called back, any number of times.
            let from = |&index: &usize| self.record.steps[index].came_from() == self.from;
            self.record.at(moment.pc).iter().copied().filter(from).collect()
        } else {
            self.record.after(&self.matching, self.from, moment.pc).collect()
        };
        for index in candidates {
            let state = &self.record.steps[index].state;
            if !state.callsites().eq(moment.callsites.iter().copied()) {
                continue;
            }
            match misfit(moment, run, state, pruned) {
                None if pruned => {
                    fits.push(index);
                    break;
                }
                None => fits.push(index),
                Some(misfit) => why = misfit,
            }
        }
        if fits.is_empty() {
            self.violation = Some(format!("at {}: {why}", moment.pc));
            return;
        }
        self.steps += 1;
        (self.matching, self.from) = (fits, Some(moment.pc));
    }
}
