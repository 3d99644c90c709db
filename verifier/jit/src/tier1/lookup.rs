//! Lookups in arrays, where it is known which one: no call, but an address from the index.

use probity_platform::Intrinsic;
use probity_vm::maps::ArrayLayout;
use probity_vm::{Site, Target};

use super::Compiler;
use super::corner::What;
use crate::abi::{SCRATCH1, SCRATCH3, SLOT, reg};
use crate::encode::{Alu, Cond, Mem, Reg, Scale, Shift, Width};

impl Compiler<'_> {
    /// The layout of the array that a call is a lookup in.
    pub(super) fn array_of(&self, site: &Site) -> Option<ArrayLayout> {
        if site.target != Target::Body(Intrinsic::MapLookup) {
            return None;
        }
        let layout = self.unit.maps().get(site.map? as usize)?.array_layout()?;
        // Multiplication has its factors with a sign.
        let fits = |stride: u32| i32::try_from(stride).is_ok();
        (fits(layout.stride) && fits(layout.slot_stride)).then_some(layout)
    }

    /// r0 = the address of the value at the index that r2 points to, or 0.
    pub(super) fn array_lookup(&mut self, layout: ArrayLayout) {
        let back = self.asm.label();
        self.asm.load(Width::W32, Reg::Rax, Mem::at(reg(2), 0));
        self.asm.alu_imm(Alu::Cmp, Width::W32, Reg::Rax, layout.max_entries.cast_signed());
        self.corner(Cond::Ae, back, What::Zero, Reg::Rax);
        self.asm.mov_imm(SCRATCH3, layout.base);
        if layout.slot_stride != 0 {
            self.asm.load(Width::W32, SCRATCH1, SLOT);
            self.asm.imul_imm(Width::W64, SCRATCH1, SCRATCH1, layout.slot_stride.cast_signed());
            self.asm.alu(Alu::Add, Width::W64, SCRATCH3, SCRATCH1);
        }
        match Scale::by(layout.stride.into()) {
            Some(scale) => {
                self.asm.lea(Width::W64, Reg::Rax, Mem::indexed(SCRATCH3, Reg::Rax, scale, 0));
            }
            None => {
                if layout.stride.is_power_of_two() {
                    let count = layout.stride.trailing_zeros() as u8;
                    self.asm.shift_imm(Shift::Shl, Width::W64, Reg::Rax, count);
                } else {
                    self.asm.imul_imm(Width::W64, Reg::Rax, Reg::Rax, layout.stride.cast_signed());
                }
                self.asm.alu(Alu::Add, Width::W64, Reg::Rax, SCRATCH3);
            }
        }
        self.asm.bind(back);
    }
}
