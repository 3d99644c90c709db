//! Locks: special fields of map values that a call takes and another gives back (verifier.md, 5.9).

use probity_platform::{Code as Why, Region, Rejection, Site, Subject};

use crate::explore::walk::{Observer, Walk};
use crate::state::{Lock, Reg};

use super::effects::Call;

impl<O: Observer> Walk<'_, O> {
    /// An argument is a special field: the pointer leads to where one is.
    pub(super) fn check_field(
        &self,
        call: &Call,
        index: usize,
        regno: u8,
        reg: &Reg,
    ) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let Subject::Field(field) = arg.subject else {
            return Err(crate::unsupported(format!("{} without its field", arg.name)).at(arg.site));
        };
        let row = &self.platform.special_fields[usize::from(field)];
        let name = row.name;
        let wrong = |message: String| {
            Err(Rejection::new(Why::SpecialField, message)
                .facts(format!("r{regno} points to the struct {name} of a map's value"), self.type_of(regno))
                .at(arg.site))
        };
        let Some(offset) = reg.val.is_const() else {
            let message =
                format!("R{regno} doesn't have constant offset. {name} has to be at the constant offset");
            return wrong(message);
        };
        let map = &self.program.maps[reg.map()];
        let fields = &self.code.special_fields[reg.map()];
        if fields.untyped {
            return wrong(format!("map '{}' has to have BTF in order to use {name}", map.name));
        }
        let Some(at) = fields.find(field) else {
            return wrong(format!("map '{}' has no valid {name}", map.name));
        };
        let offset = offset.cast_signed().wrapping_add(i64::from(reg.off));
        if offset != i64::from(at.offset) {
            return wrong(format!("off {offset} doesn't point to 'struct {name}' that is at {}", at.offset));
        }
        Ok(())
    }

    /// Special fields are no bytes of the program: an access must not touch one.
    pub(super) fn check_beside_fields(&self, reg: &Reg, off: i64, size: u32) -> Result<(), Rejection> {
        for field in &self.code.special_fields[reg.map()].fields {
            let low = off.saturating_add(reg.val.smin);
            let high = off.saturating_add(reg.val.umax.cast_signed()).saturating_add(i64::from(size));
            let (begin, end) = (i64::from(field.offset), i64::from(field.offset + field.row.size));
            if low < end && begin < high {
                let message = format!("{} cannot be accessed directly by load/store", field.row.name);
                return Err(super::denied(Why::SpecialField, message)
                    .facts(
                        format!("the access leaves out bytes {begin} to {}", end - 1),
                        format!("it may touch bytes {low} to {}", high - 1),
                    )
                    .at(field.row.site));
            }
        }
        Ok(())
    }

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
