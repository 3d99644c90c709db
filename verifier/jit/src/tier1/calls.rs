//! Calls: of what the platform offers, of functions of the program, of other programs.

use probity_isa::Size;
use probity_vm::{Errno, Site, native};

use super::Compiler;
use crate::abi::{KEPT, RUN, SCRATCH1, in_run, reg, restore_unit};
use crate::encode::{Cond, Mem, Reg, Width};
use crate::error::JitError;

impl Compiler<'_> {
    /// A call of a callable: its arguments are in place.
    pub(super) fn call(&mut self, site: u32) {
        let site = &self.unit.sites()[site as usize];
        self.burn();
        if let Some(layout) = self.array_of(site) {
            return self.array_lookup(layout);
        }
        if let Some(offset) = in_run(site) {
            return self.asm.load(Width::W32, Reg::Rax, Mem::at(RUN, offset));
        }
        self.raw(site);
        if site.may_leave {
            self.asm.test(Width::W64, Reg::Rdx, Reg::Rdx);
            self.asm.jcc(Cond::Ne, self.frames.exit);
        }
    }

    /// A call of a function of the program.
    pub(super) fn call_subprog(&mut self, pc: usize, target: u32) -> Result<(), JitError> {
        self.burn();
        let index = self.unit.function_at(target).ok_or(JitError::NoFunction { pc, target })?;
        self.asm.call(self.functions.at(index));
        restore_unit(&mut self.asm, self.unit_behind_calls);
        Ok(())
    }

    /// The value of a function of the program: where it is called back.
    pub(super) fn function_value(&mut self, pc: usize, dst: u8, target: u32) -> Result<(), JitError> {
        let index = self.unit.function_at(target).ok_or(JitError::NoFunction { pc, target })?;
        self.asm.lea_label(reg(dst), self.entries.at(index));
        Ok(())
    }

    /// Another program in the place of this function, with its r1. The raw function says where its code
    /// begins.
    pub(super) fn tail_call(&mut self, site: u32) {
        let site = &self.unit.sites()[site as usize];
        self.burn();
        self.asm.store(Width::W64, KEPT, Reg::Rdi);
        self.raw(site);
        let none = self.asm.label();
        self.asm.test(Width::W64, Reg::Rax, Reg::Rax);
        self.asm.jcc(Cond::E, none);
        self.asm.load(Width::W64, Reg::Rdi, KEPT);
        self.give_back();
        self.asm.jmp_to(Reg::Rax);
        self.asm.bind(none);
        self.asm.mov_imm(Reg::Rax, Errno::ENOENT.to_r0());
    }

    /// Calls a raw function, whose arguments are in place.
    fn raw(&mut self, site: &Site) {
        // The run is the sixth argument.
        self.asm.mov(Width::W64, SCRATCH1, RUN);
        self.asm.call_address(site.raw as *const () as u64);
    }

    /// A number of the packet, or the end of the function.
    pub(super) fn load_packet(&mut self, size: Size, index: Option<u8>, imm: i32) {
        match index {
            Some(index) => self.asm.mov(Width::W32, Reg::Rdi, reg(index)),
            None => self.asm.zero(Reg::Rdi),
        }
        self.asm.mov_imm(Reg::Rsi, imm.cast_unsigned().into());
        self.asm.mov_imm(Reg::Rdx, size.bytes().into());
        self.asm.mov(Width::W64, Reg::Rcx, RUN);
        self.asm.call_address(native::load_packet as *const () as u64);
        let inside = self.asm.label();
        self.asm.test(Width::W64, Reg::Rdx, Reg::Rdx);
        self.asm.jcc(Cond::E, inside);
        self.asm.zero(Reg::Rax);
        self.leave();
        self.asm.bind(inside);
    }
}
