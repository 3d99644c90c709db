//! LD_ABS and LD_IND: packet loads from before packet pointers (verifier.md, section 4).

use probity_platform::{Behaviour, Code as Why, ProgFlags, Rejection};

use crate::explore::walk::{Next, Observer, Walk};
use crate::state::Reg;

impl<O: Observer> Walk<'_, O> {
    /// r0 becomes packet bytes; `index` is the register of LD_IND. A load outside the packet ends
    /// the program with 0, so there is an exit here too.
    pub(super) fn load_packet(&mut self, index: Option<u8>) -> Result<Next, Rejection> {
        if !self.prog_type.flags.contains(ProgFlags::LD_ABS) {
            let message = "BPF_LD_[ABS|IND] instructions not allowed for this program type";
            return Err(Rejection::new(Why::NotAllowed, message)
                .facts("a program type with LD_ABS", self.prog_type.name)
                .at(self.prog_type.site));
        }
        self.check_no_references("BPF_LD_[ABS|IND]", self.prog_type.site)?;
        self.check_readable(6)?;
        if self.state.reg(6).behaviour != Some(Behaviour::Context) {
            let message = "at the time of BPF_LD_ABS|IND R6 != pointer to skb";
            return Err(Rejection::new(Why::NotAllowed, message).facts("r6 is the context", self.type_of(6)));
        }
        if let Some(index) = index {
            self.check_readable(index)?;
        }
        let context = *self.state.reg(6);
        self.check_unmodified(6, &context)?;
        for reg in 0..6 {
            *self.state.reg_mut(reg) = Reg::NOT_INIT;
        }
        *self.state.reg_mut(0) = self.unknown();
        if self.state.current() == 0 {
            return Ok(Next::Go(self.pc + 1));
        }
        // Outside the packet the function ends with 0; inside, the path goes on.
        let pc = self.pc;
        self.push_branch(pc + 1, Some(pc))?;
        *self.state.reg_mut(0) = self.constant(0);
        self.return_to_caller()
    }
}
