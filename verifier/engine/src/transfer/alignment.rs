//! Alignment, and that one instruction meets one type of pointer.

use probity_platform::{Behaviour, Code as Why, Rejection};

use super::denied;
use crate::domain::Tnum;
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::Reg;

/// What the network stack leaves in front of an Ethernet header so that IP is aligned.
const NET_IP_ALIGN: u64 = 2;

impl<O: Observer> Walk<'_, O> {
    /// The access is aligned, where it must be.
    pub(super) fn check_alignment(
        &self,
        reg: &Reg,
        off: i32,
        size: u32,
        always: bool,
    ) -> Result<(), Rejection> {
        let strict = self.strict_alignment || always || reg.behaviour == Some(Behaviour::Stack);
        if !strict || size == 1 || matches!(reg.behaviour, None | Some(Behaviour::Arena)) {
            return Ok(());
        }
        let packet = reg.behaviour == Some(Behaviour::Packet);
        let base = if packet { NET_IP_ALIGN } else { 0 };
        let fixed = i64::from(reg.off) + i64::from(off);
        let at = reg.val.tnum.add(Tnum::constant(fixed.cast_unsigned().wrapping_add(base)));
        if (at.value | at.mask) & (u64::from(size) - 1) == 0 {
            return Ok(());
        }
        let var = print::tnum(reg.val.tnum);
        let message = if packet {
            format!("misaligned packet access off {base}+{var}+{}+{off} size {size}", reg.off)
        } else {
            let what = match reg.behaviour {
                _ if reg.maybe_null() => String::new(),
                Some(Behaviour::Stack) => "stack ".to_owned(),
                Some(Behaviour::MapValue) => "value ".to_owned(),
                Some(Behaviour::MapKey) => "key ".to_owned(),
                Some(Behaviour::Context) => "context ".to_owned(),
                Some(Behaviour::View) => format!("{} ", self.view_name(reg)),
                _ => String::new(),
            };
            format!("misaligned {what}access off {var}+{}+{off} size {size}", reg.off)
        };
        Err(denied(Why::Misaligned, message)
            .facts(format!("an offset that is a multiple of {size}"), format!("offset {var} plus {fixed}")))
    }

    /// Where the kernel rewrites an access by the pointer's type, one instruction must not meet
    /// two of them.
    pub(super) fn same_pointer_type(&mut self, reg: &Reg) -> Result<(), Rejection> {
        let Some(behaviour) = reg.behaviour else { return Ok(()) };
        let rewritten = |behaviour| {
            matches!(behaviour, Behaviour::Context | Behaviour::View | Behaviour::Object | Behaviour::Arena)
        };
        self.facts.access(reg);
        let now = (behaviour, reg.kind);
        match self.facts.pointers[self.pc] {
            None => self.facts.pointers[self.pc] = Some(now),
            Some(seen) if seen != now && (rewritten(seen.0) || rewritten(behaviour)) => {
                return Err(Rejection::new(
                    Why::MixedPointers,
                    "same insn cannot be used with different pointers",
                ));
            }
            Some(_) => {}
        }
        Ok(())
    }
}
