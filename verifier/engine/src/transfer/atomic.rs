//! Atomic instructions (verifier.md, section 4).

use probity_isa::{AtomicOp, Size};
use probity_platform::{Behaviour, Code as Why, Policy, Rejection, Switches};

use super::denied;
use super::memory::{Access, Stored};
use crate::explore::walk::{Observer, Walk};

impl<O: Observer> Walk<'_, O> {
    pub(super) fn atomic(
        &mut self,
        size: Size,
        op: AtomicOp,
        fetch: bool,
        dst: u8,
        src: u8,
        off: i16,
    ) -> Result<(), Rejection> {
        self.check_policy()?;
        self.check_readable(src)?;
        self.check_readable(dst)?;
        if op == AtomicOp::Cmpxchg {
            self.check_readable(0)?;
            if self.leaks(0) {
                return Err(denied(Why::PointerLeak, "R0 leaks addr into mem"));
            }
        }
        if self.leaks(src) {
            return Err(denied(Why::PointerLeak, format!("R{src} leaks addr into mem")));
        }
        self.check_target(dst, "stores into")?;
        let fetched = match op {
            AtomicOp::Cmpxchg => Some(0),
            _ if fetch => {
                self.check_writable(src)?;
                Some(src)
            }
            _ => None,
        };
        let base = *self.state.reg(dst);
        let off = i32::from(off);
        // Checked as a read first and then as a write; the read counts only when it fetches.
        self.access(dst, off, size.bytes(), Access::Read(None), false, true)?;
        let before = fetched.map(|reg| *self.state.reg(reg));
        if let Some(reg) = fetched {
            // The pointer may be the register that is fetched into: access through a copy.
            self.access(dst, off, size.bytes(), Access::Read(Some(reg)), false, true)?;
        }
        let loaded = fetched.map(|reg| *self.state.reg(reg));
        if let (Some(reg), Some(before)) = (fetched, before) {
            *self.state.reg_mut(reg) = before;
        }
        self.access(dst, off, size.bytes(), Access::Write(Stored::Unknown), false, true)?;
        if let (Some(reg), Some(loaded)) = (fetched, loaded) {
            *self.state.reg_mut(reg) = loaded;
        }
        self.same_pointer_type(&base)
    }

    pub(super) fn load_acquire(&mut self, size: Size, dst: u8, src: u8, off: i16) -> Result<(), Rejection> {
        self.check_policy()?;
        self.check_readable(src)?;
        self.check_writable(dst)?;
        let base = *self.state.reg(src);
        let late = self.profile.switches.contains(Switches::LATE_ACQUIRE_CHECK);
        if !late {
            self.check_target(src, "loads from")?;
        }
        self.access(src, i32::from(off), size.bytes(), Access::Read(Some(dst)), false, true)?;
        // The register is loaded already: what is loaded over its own address passes, whatever the
        // memory.
        if late {
            self.check_target(src, "loads from")?;
        }
        self.same_pointer_type(&base)
    }

    pub(super) fn store_release(&mut self, size: Size, dst: u8, src: u8, off: i16) -> Result<(), Rejection> {
        self.check_policy()?;
        self.check_readable(src)?;
        self.check_readable(dst)?;
        let base = *self.state.reg(dst);
        let write = Access::Write(Stored::Reg(src));
        self.access(dst, i32::from(off), size.bytes(), write, false, true)?;
        self.check_target(dst, "stores into")?;
        self.same_pointer_type(&base)
    }

    fn check_policy(&self) -> Result<(), Rejection> {
        if self.policy.atomics {
            return Ok(());
        }
        let message = format!("{} does not allow atomic instructions", self.platform.name);
        Err(Rejection::new(Why::NotAllowed, message)
            .at(self.platform.policy_site(Policy { atomics: true, ..Policy::default() })))
    }

    fn check_target(&self, regno: u8, what: &str) -> Result<(), Rejection> {
        let reg = self.state.reg(regno);
        let forbidden =
            matches!(reg.behaviour, Some(Behaviour::Context | Behaviour::Packet | Behaviour::View));
        if !forbidden {
            return Ok(());
        }
        let message = format!("BPF_ATOMIC {what} R{regno} {} is not allowed", self.type_of(regno));
        Err(denied(Why::InvalidAtomic, message)
            .facts("memory of a map, of the stack, of a region", self.type_of(regno)))
    }
}
