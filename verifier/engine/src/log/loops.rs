//! Entering and leaving loops, as the log names them: by the calls that lead to them and by their
//! number.

use std::fmt::Write;

use super::writer::Writer;
use crate::explore::checkpoint::CheckpointId;
use crate::state::State;

impl Writer<'_> {
    /// A state was remembered: the first one inside a loop enters it.
    pub(super) fn enter_loop(&mut self, id: CheckpointId, state: &State) {
        let Some(name) = self.loop_of(state) else { return };
        if self.loops.iter().all(|(entered, _)| *entered != name) {
            let _ = writeln!(self.out, "SCC enter ({name})");
            self.loops.push((name, id));
        }
    }

    /// A path ends at a state of its own loop.
    pub(super) fn come_back(&mut self, old: &State) {
        if let Some(name) = self.loop_of(old) {
            let _ = writeln!(self.out, "SCC backedge ({name})");
        }
    }

    /// Everything from a remembered state on is explored.
    pub(super) fn leave_loop(&mut self, id: CheckpointId) {
        if let Some(index) = self.loops.iter().position(|&(_, entry)| entry == id) {
            let (name, _) = self.loops.remove(index);
            let _ = writeln!(self.out, "SCC exit ({name})");
        }
    }

    /// The outermost loop that a state is in: the calls that lead to it, and its number.
    fn loop_of(&self, state: &State) -> Option<String> {
        let mut name = String::new();
        let mut ended = false;
        for pc in state.callsites().chain([state.pc]) {
            let component = self.components.get(pc).copied().unwrap_or(0);
            if component != 0 {
                let _ = write!(name, "{component}");
                return Some(name);
            }
            // The kernel takes the first instruction for the end of the list.
            if pc == 0 {
                ended = true;
            }
            if !ended {
                let _ = write!(name, "{pc},");
            }
        }
        None
    }
}
