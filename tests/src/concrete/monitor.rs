//! A run that is held against a record: at every instruction the state is a member of an abstract one
//! on the path that the run takes; of a walk that prunes, of any one at that instruction, as far as
//! pointers go.

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
}

impl<'a> Monitor<'a> {
    /// A monitor at the beginning of a run.
    #[must_use]
    pub fn new(record: &'a Record) -> Monitor<'a> {
        Monitor { record, matching: Vec::new(), from: None, steps: 0, violation: None, unit: None }
    }
}

impl Watch for Monitor<'_> {
    fn step(&mut self, moment: &Moment<'_>, run: &mut Run<'_>) {
        let unit = std::ptr::from_ref(moment.unit) as usize;
        if self.violation.is_some() || *self.unit.get_or_insert(unit) != unit || run.nested != 0 {
            return;
        }
        let mut why = "no path leads here".to_owned();
        let mut fits = Vec::new();
        let pruned = self.record.is_pruned();
        let candidates: Vec<usize> = if pruned {
            self.record.at(moment.pc).to_vec()
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
