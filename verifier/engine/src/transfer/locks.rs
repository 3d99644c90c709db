//! Locks: special fields of map values that a call takes and another gives back (verifier.md, 5.9).

use probity_platform::{Code as Why, Region, Rejection, Site};

use crate::explore::walk::{Observer, Walk};
use crate::state::{Lock, Reg};

impl<O: Observer> Walk<'_, O> {
    /// While a lock is held nothing is called but what its region allows.
    pub(super) fn check_call_under_lock(&self, name: &str, site: Site) -> Result<(), Rejection> {
        let Some(lock) = self.state.references.lock() else { return Ok(()) };
        let region = &self.platform.regions[usize::from(lock.region)];
        if region.allows.contains(&name) {
            return Ok(());
        }
        let message = "function calls are not allowed while holding a lock";
        Err(Rejection::new(Why::CallUnderLock, message)
            .facts(format!("only {} is called while the lock is held", region.allows.join(", ")), name)
            .at(site))
    }

    /// Takes a lock.
    pub(super) fn lock(&mut self, region: u16, reg: &Reg, site: Site) -> Result<(), Rejection> {
        let row = self.region(region);
        if self.state.references.lock().is_some() {
            let message = format!("Locking two {}s are not allowed", row.prints);
            return Err(Rejection::new(Why::CallUnderLock, message).at(site));
        }
        let pc = self.pc;
        self.state.references.acquire_lock(reg.id, pc, Lock { region, map: reg.data });
        Ok(())
    }

    /// Gives a lock back: the same one.
    pub(super) fn unlock(&mut self, region: u16, reg: &Reg, name: &str, site: Site) -> Result<(), Rejection> {
        let held = Lock { region, map: reg.data };
        let Some(lock) = self.state.references.lock() else {
            let message = format!("{name} without taking a lock");
            return Err(Rejection::new(Why::NotLocked, message)
                .facts("a lock that is held", "none is")
                .at(site));
        };
        if lock != held || !self.state.references.release_lock(reg.id, held) {
            let message = format!("{name} of different lock");
            return Err(Rejection::new(Why::NotLocked, message)
                .facts("the lock that was taken on this path", "another lookup's value, or another map's")
                .at(site));
        }
        Ok(())
    }

    pub(super) fn region(&self, region: u16) -> &'static Region {
        &self.platform.regions[usize::from(region)]
    }

    /// No lock is held where a program ends or is left.
    pub(super) fn check_no_lock(&self, place: &str, site: Site) -> Result<(), Rejection> {
        let Some(lock) = self.state.references.lock() else { return Ok(()) };
        let row = self.region(lock.region);
        let message = format!("{place} cannot be used inside {}-ed region", row.prints);
        Err(Rejection::new(Why::LockHeld, message)
            .facts(format!("the {} was given back on this path", row.name), "it is held")
            .at(if site == Site::NONE { row.site } else { site }))
    }
}
