//! References: acquired by a callable, released by another, and never lost (verifier.md, 5.7 and
//! 5.9).

use probity_platform::{Code as Why, Rejection, Site};

use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;

impl<O: Observer> Walk<'_, O> {
    /// A new reference, held from here on.
    pub(super) fn acquire_reference(&mut self) -> u32 {
        let id = self.new_id();
        let pc = self.pc;
        self.state.references.acquire(id, pc);
        id
    }

    /// Gives a reference up: what derives from it is no pointer any more.
    pub(super) fn release_reference(&mut self, id: u32) -> bool {
        if !self.state.references.release(id) {
            return false;
        }
        let invalid = if self.policy.pointer_leaks { self.unknown() } else { Reg::NOT_INIT };
        self.state.for_each_reg(|reg| reg.ref_id == id, |reg| *reg = invalid);
        true
    }

    /// Nothing may be held where a program ends or is left.
    pub(super) fn check_no_references(&self, place: &str, site: Site) -> Result<(), Rejection> {
        self.check_no_lock(place, site)?;
        let held: Vec<_> = self.state.references.references().collect();
        if held.is_empty() {
            return self.check_no_region(place, site);
        }
        let mut message = String::new();
        for reference in &held {
            message
                .push_str(&format!("Unreleased reference id={} alloc_insn={}\n", reference.id, reference.pc));
        }
        message.push_str(&format!("{place} would lead to reference leak"));
        let acquired: Vec<String> =
            held.iter().map(|reference| format!("instruction {}", reference.pc)).collect();
        Err(Rejection::new(Why::ReferenceLeak, message)
            .facts(
                "everything that was acquired is released on this path",
                format!("still held: what was acquired by {}", acquired.join(", ")),
            )
            .at(site))
    }
}
