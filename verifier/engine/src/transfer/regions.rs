//! Regions that a call enters and another leaves: RCU sections, preemption or interrupts off
//! (verifier.md, 5.9). Locks are in `locks`.

use probity_platform::{Code as Why, RegionFlags, Rejection, Site, TypeFlags};

use super::denied;
use super::objects::ObjectAt;
use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;
use crate::state::object::ObjectSlot;

impl<O: Observer> Walk<'_, O> {
    /// Enters a region without lock or flag; `name` is what is called.
    pub(super) fn enter_region(&mut self, region: u16, name: &str, site: Site) -> Result<(), Rejection> {
        let row = self.region(region);
        if row.flags.contains(RegionFlags::FORBIDS_NESTING) && self.state.references.is_inside(region) {
            let message = format!("nested {} (kernel function {name})", words(row.prints));
            return Err(Rejection::new(Why::Region, message)
                .facts(format!("a path that is in no {} region", row.name), "it is in one")
                .at(site));
        }
        self.state.references.enter(region);
        Ok(())
    }

    /// Leaves one.
    pub(super) fn leave_region(&mut self, region: u16, name: &str, site: Site) -> Result<(), Rejection> {
        let row = self.region(region);
        if !self.state.references.leave(region) {
            let what = if row.flags.contains(RegionFlags::COUNTED) {
                "attempt to enable preemption".to_owned()
            } else {
                words(name)
            };
            let message = format!("unmatched {what} (kernel function {name})");
            return Err(Rejection::new(Why::Region, message)
                .facts(format!("a path that is in the region {}", row.name), "it is not")
                .at(site));
        }
        if !self.state.references.is_inside(region) {
            self.forget_pointers(region);
        }
        Ok(())
    }

    /// Enters a region whose flag, just made, keeps how things were.
    pub(super) fn enter_by_flag(&mut self, region: u16, at: ObjectAt, object: u16) {
        let id = self.new_id();
        let pc = self.pc;
        self.state.references.acquire_flag(id, pc, region);
        if let Some(slot) = self.object_at(at, object) {
            let state = ObjectSlot::of(&slot.reg).state;
            self.put_object(at, object, state, 0, id);
        }
    }

    /// Leaves the region of a flag: the one that was entered last.
    pub(super) fn leave_by_flag(
        &mut self,
        region: u16,
        at: ObjectAt,
        object: u16,
        site: Site,
    ) -> Result<(), Rejection> {
        let held = self.object_at(at, object).map_or(0, |slot| slot.reg.ref_id);
        if let Some((last, _)) = self.state.references.flag()
            && last.id != held
        {
            let message = format!(
                "cannot restore irq state out of order, expected id={} acquired at insn_idx={}",
                last.id, last.pc
            );
            return Err(denied(Why::Region, message)
                .facts("the flag that was made last on this path", "another one")
                .at(site));
        }
        self.state.references.release_flag(held, region);
        Ok(())
    }

    /// What leaving a region does to pointers.
    pub(super) fn forget_pointers(&mut self, region: u16) {
        let unknown = self.unknown();
        for rule in self.region(region).on_leave {
            let changed = |reg: &Reg| reg.is_pointer() && reg.flags.contains(rule.from);
            self.state.for_each_reg(changed, |reg| {
                if rule.to.is_empty() {
                    *reg = unknown;
                } else {
                    reg.flags.remove(rule.from | TypeFlags::PTR_MAYBE_NULL);
                    reg.flags.insert(rule.to);
                }
            });
            self.state.for_each_object_slot(|slot| {
                if slot.reg.flags.contains(rule.from) {
                    slot.reg.flags.remove(rule.from);
                    slot.reg.flags.insert(rule.to);
                }
            });
        }
    }

    /// What may sleep is not called inside some regions; `says` makes the message of the place.
    pub(super) fn check_sleep_region(
        &self,
        says: impl Fn(&str) -> String,
        errno: i32,
        site: Site,
    ) -> Result<(), Rejection> {
        let references = &self.state.references;
        let entered = references.inside().iter().map(|&(region, _)| region);
        let region = entered
            .chain(references.flag().map(|(_, region)| region))
            .map(|region| self.region(region))
            .find(|row| row.flags.contains(RegionFlags::FORBIDS_SLEEP));
        let Some(row) = region else { return Ok(()) };
        Err(Rejection::new(Why::Region, says(row.inside))
            .errno(errno)
            .facts(format!("a path that is in no {}", row.inside), "it is in one")
            .at(site))
    }

    /// No region is open where a program ends or is left: first those with flags.
    pub(super) fn check_no_region(&self, place: &str, site: Site) -> Result<(), Rejection> {
        let references = &self.state.references;
        let flag = references.flag().map(|(_, region)| region);
        let Some(region) = flag.or_else(|| references.inside().first().map(|&(region, _)| region)) else {
            return Ok(());
        };
        let row = self.region(region);
        let message = format!("{place} cannot be used inside {}-ed region", row.prints);
        Err(Rejection::new(Why::Region, message)
            .facts(format!("the region {} was left on this path", row.name), "it was not")
            .at(if site == Site::NONE { row.site } else { site }))
    }
}

/// The name of a callable in words, without what all names begin with.
fn words(name: &str) -> String {
    name.split_once('_').map_or(name, |(_, rest)| rest).replace('_', " ")
}
