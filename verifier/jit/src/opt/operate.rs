//! Writes instructions of which the registers are known.

use probity_isa::AtomicOp;

use super::alloc::{Place, SCRATCH};
use super::emit::{Corner, Emitter, From};
use super::lir::{ARGUMENTS, Addr, Compare, Lir, Src, Vreg, commutes};
use crate::abi::RUN;
use crate::encode::{Alu, Cond, Mem, Reg, Rm, Scale, Shift, ShiftX, Unary, Width};

impl Emitter<'_, '_> {
    pub(super) fn lir(&mut self, lir: &Lir, flags: Option<(Vreg, Width)>, next: Option<u32>) {
        match *lir {
            Lir::Params(ref params) => {
                let copies =
                    params.iter().map(|&(reg, from)| (self.place(reg), From::Place(Place::Reg(from))));
                self.copy_all(copies.collect());
            }
            Lir::Const { dst, value } => self.constant(dst, value),
            Lir::FuncAddr { dst, function } => {
                let (reg, label) = (self.dst(dst), self.entries.at(function as usize));
                self.asm.lea_label(reg, label);
                self.done(dst, reg);
            }
            Lir::Copy { width, dst, src } => {
                let (src, reg) = (self.rm(src, SCRATCH[0]), self.dst(dst));
                self.asm.movzx(width, reg, src);
                self.done(dst, reg);
            }
            Lir::Alu { op, width, dst, a, ref b } => self.alu(op, width, dst, a, b),
            Lir::Mul { width, dst, a, ref b } => self.mul(width, dst, a, b),
            Lir::Lea { width, dst, ref addr } => {
                let (mem, reg) = (self.mem(addr), self.dst(dst));
                self.asm.lea(width, reg, mem);
                self.done(dst, reg);
            }
            Lir::Shift { op, width, dst, a, count } => self.shift(op, width, dst, a, count),
            Lir::ShiftBy { op, width, dst, a, count } => self.shift_by(op, width, dst, a, count),
            Lir::Neg { width, dst, a } => self.unary(Unary::Neg, width, dst, a),
            Lir::Not { width, dst, a } => self.unary(Unary::Not, width, dst, a),
            Lir::Swap { bits, dst, a } => {
                let (reg, width) = (self.dst(dst), if bits == 64 { Width::W64 } else { Width::W32 });
                self.fetch_reg(width, reg, a);
                self.asm.bswap(width, reg);
                if bits == 16 {
                    self.asm.shift_imm(Shift::Shr, Width::W32, reg, 16);
                }
                self.done(dst, reg);
            }
            Lir::Extend { size, sign, dst, ref src } => {
                let src: Rm = match src {
                    Src::Mem(addr) => self.mem(addr).into(),
                    Src::Reg(reg) => self.rm(*reg, SCRATCH[0]),
                    _ => return,
                };
                let reg = self.dst(dst);
                match sign {
                    Some(to) => self.asm.movsx(to, size.into(), reg, src),
                    None => self.asm.movzx(size.into(), reg, src),
                }
                self.done(dst, reg);
            }
            Lir::Store { size, ref addr, ref src } => {
                let mem = self.mem(addr);
                match *src {
                    Src::Imm(imm) => self.asm.store_imm(size.into(), mem, imm),
                    Src::Reg(reg) => {
                        let reg = self.reg_in(reg, SCRATCH[1]);
                        self.asm.store(size.into(), mem, reg);
                    }
                    _ => {}
                }
            }
            Lir::AluStore { op, width, ref addr, ref src } => {
                let mem = self.mem(addr);
                match *src {
                    Src::Imm(imm) => self.asm.alu_imm(op, width, mem, imm),
                    Src::Reg(reg) => {
                        let reg = self.reg_in(reg, SCRATCH[1]);
                        self.asm.alu_store(op, width, mem, reg);
                    }
                    _ => {}
                }
            }
            Lir::MulHigh { dst, a, b } => self.mul_high(dst, a, b),
            Lir::Divide { width, signed, remainder, plain, dst, a, b } => {
                self.divide(width, signed, remainder, plain, [dst, a, b]);
            }
            Lir::Select { ref cmp, dst, ref t, ref e } => self.select(cmp, dst, t, e),
            Lir::Atomic { width, op, dst, ref addr, value, expected } => {
                self.atomic(width, op, dst, addr, value, expected);
            }
            Lir::LoadPacket { size, ref index, imm, dst } => {
                self.copy_all(vec![(Place::Reg(Reg::Rdi), self.from(index))]);
                self.asm.mov_imm(Reg::Rsi, imm.cast_unsigned().into());
                self.asm.mov_imm(Reg::Rdx, size.bytes().into());
                self.asm.mov(Width::W64, Reg::Rcx, RUN);
                self.asm.call_address(probity_vm::native::load_packet as *const () as u64);
                let inside = self.asm.label();
                self.asm.test(Width::W64, Reg::Rdx, Reg::Rdx);
                self.asm.jcc(Cond::E, inside);
                self.asm.zero(Reg::Rax);
                self.epilogue();
                self.asm.ret();
                self.asm.bind(inside);
                self.done(dst, Reg::Rax);
            }
            Lir::Burn => {
                self.asm.dec(Width::W64, crate::abi::FUEL);
                self.asm.jcc(Cond::S, self.no_fuel);
            }
            Lir::Call { site, ref args, dst } => {
                self.arguments(args);
                let site = &self.sites[site as usize];
                self.asm.mov(Width::W64, Reg::R9, RUN);
                self.asm.call_address(site.raw as *const () as u64);
                if site.may_leave {
                    self.asm.test(Width::W64, Reg::Rdx, Reg::Rdx);
                    self.asm.jcc(Cond::Ne, self.frames.exit);
                }
                self.done(dst, Reg::Rax);
            }
            Lir::CallFn { function, ref args, dst } => {
                self.arguments(args);
                self.asm.call(self.functions.at(function as usize));
                crate::abi::restore_unit(self.asm, self.unit_behind_calls);
                self.done(dst, Reg::Rax);
            }
            Lir::Copies(ref copies) => {
                let copies = copies.iter().map(|(dst, src)| (self.place(*dst), self.from(src)));
                self.copy_all(copies.collect());
            }
            Lir::Jump(block) => self.jump(block, next),
            Lir::Branch(ref cmp, t, e) => self.branch(cmp, [t, e], flags, next),
            Lir::Return(ref src) => {
                self.copy_all(vec![(Place::Reg(Reg::Rax), self.from(src))]);
                self.epilogue();
                self.asm.ret();
            }
            Lir::TailCall { site, ref args, next: block } => {
                self.tail_call(site, args, block);
                self.jumped = true;
            }
            Lir::Unreachable => self.asm.ud2(),
        }
    }

    fn constant(&mut self, dst: Vreg, value: u64) {
        match (self.place(dst), value) {
            (Place::Number(_), _) => {}
            (Place::Reg(reg), 0) => self.asm.zero(reg),
            (place, _) => self.copy_all(vec![(place, From::Place(Place::Number(value)))]),
        }
    }

    fn alu(&mut self, op: Alu, width: Width, dst: Vreg, a: Vreg, b: &Src) {
        let (to, left) = (self.place(dst), self.place(a));
        if let (Place::Slot(slot), Width::W64) = (to, width)
            && to == left
        {
            match *b {
                Src::Imm(imm) => return self.asm.alu_imm(op, width, Self::slot(slot), imm),
                Src::Reg(reg) => {
                    let reg = self.reg_in(reg, SCRATCH[1]);
                    return self.asm.alu_store(op, width, Self::slot(slot), reg);
                }
                _ => {}
            }
        }
        let reg = self.dst(dst);
        match *b {
            Src::Imm(imm) => {
                if let (Alu::Add, Place::Reg(left)) = (op, left)
                    && left != reg
                {
                    self.asm.lea(width, reg, Mem::at(left, imm));
                    return self.done(dst, reg);
                }
                self.fetch(width, reg, left);
                self.asm.alu_imm(op, width, reg, imm);
            }
            Src::Reg(right) => {
                if self.place(right) == Place::Reg(reg) && left != Place::Reg(reg) && commutes(op) {
                    let left = self.rm(a, SCRATCH[0]);
                    self.asm.alu(op, width, reg, left);
                } else if let (Alu::Add, Place::Reg(left), Place::Reg(right)) = (op, left, self.place(right))
                    && left != reg
                {
                    // rbp and r13 as base take a byte more.
                    let (left, right) =
                        if matches!(left, Reg::Rbp | Reg::R13) { (right, left) } else { (left, right) };
                    self.asm.lea(width, reg, Mem::indexed(left, right, Scale::One, 0));
                    return self.done(dst, reg);
                } else {
                    self.fetch(width, reg, left);
                    let right = self.rm(right, SCRATCH[0]);
                    self.asm.alu(op, width, reg, right);
                }
            }
            Src::Mem(ref addr) => {
                let mem = self.mem(addr);
                self.fetch(width, reg, left);
                self.asm.alu(op, width, reg, mem);
            }
            _ => {}
        }
        self.done(dst, reg);
        self.flags = Some((dst, width));
    }

    fn mul(&mut self, width: Width, dst: Vreg, a: Vreg, b: &Src) {
        let reg = self.dst(dst);
        match *b {
            Src::Imm(imm) => {
                let a = self.rm(a, SCRATCH[0]);
                self.asm.imul_imm(width, reg, a, imm);
            }
            Src::Reg(right) if self.place(right) == Place::Reg(reg) => {
                let a = self.rm(a, SCRATCH[0]);
                self.asm.imul(width, reg, a);
            }
            Src::Reg(right) => {
                self.fetch_reg(width, reg, a);
                let right = self.rm(right, SCRATCH[0]);
                self.asm.imul(width, reg, right);
            }
            Src::Mem(ref addr) => {
                let mem = self.mem(addr);
                self.fetch_reg(width, reg, a);
                self.asm.imul(width, reg, mem);
            }
            _ => {}
        }
        self.done(dst, reg);
    }

    fn shift(&mut self, op: Shift, width: Width, dst: Vreg, a: Vreg, count: u8) {
        let (reg, from) = (self.dst(dst), self.place(a));
        match (op, from) {
            (Shift::Rol, _) if self.bmi2 && from != Place::Reg(reg) => {
                let from = self.rm(a, SCRATCH[0]);
                self.asm.rorx(width, reg, from, (width.bits() as u8 - count) & (width.bits() as u8 - 1));
            }
            (Shift::Shl, Place::Reg(from)) if count == 1 && from != reg => {
                self.asm.lea(width, reg, Mem::indexed(from, from, Scale::One, 0));
            }
            _ => {
                self.fetch(width, reg, from);
                self.asm.shift_imm(op, width, reg, count);
            }
        }
        self.done(dst, reg);
    }

    fn shift_by(&mut self, op: Shift, width: Width, dst: Vreg, a: Vreg, count: Vreg) {
        let reg = self.dst(dst);
        if self.bmi2 {
            let op = match op {
                Shift::Shl => ShiftX::Shlx,
                Shift::Shr => ShiftX::Shrx,
                _ => ShiftX::Sarx,
            };
            let count = self.reg_in(count, SCRATCH[0]);
            let a = self.rm(a, SCRATCH[1]);
            self.asm.shiftx(op, width, reg, a, count);
        } else {
            self.fetch_reg(Width::W32, Reg::Rcx, count);
            self.fetch_reg(width, reg, a);
            self.asm.shift_cl(op, width, reg);
        }
        self.done(dst, reg);
    }

    fn unary(&mut self, op: Unary, width: Width, dst: Vreg, a: Vreg) {
        let reg = self.dst(dst);
        self.fetch_reg(width, reg, a);
        self.asm.unary(op, width, reg);
        self.done(dst, reg);
    }

    fn mul_high(&mut self, dst: Vreg, a: Vreg, b: Vreg) {
        if self.bmi2 {
            self.fetch_reg(Width::W64, Reg::Rdx, a);
            let (b, reg) = (self.rm(b, SCRATCH[0]), self.dst(dst));
            self.asm.mulx(Width::W64, reg, reg, b);
            return self.done(dst, reg);
        }
        self.fetch_reg(Width::W64, Reg::Rax, a);
        let b = self.rm(b, SCRATCH[0]);
        self.asm.unary(Unary::Mul, Width::W64, b);
        self.done(dst, Reg::Rdx);
    }

    fn divide(&mut self, width: Width, signed: bool, remainder: bool, plain: bool, [dst, a, b]: [Vreg; 3]) {
        let divisor = self.reg_in(b, SCRATCH[0]);
        self.fetch_reg(width, Reg::Rax, a);
        let back = self.asm.label();
        if !plain {
            let at = self.asm.label();
            if signed {
                // 0 and -1 are 1 and 0 then.
                self.asm.lea(width, Reg::Rdx, Mem::at(divisor, 1));
                self.asm.alu_imm(Alu::Cmp, width, Reg::Rdx, 1);
                self.asm.jcc(Cond::Be, at);
            } else {
                self.asm.test(width, divisor, divisor);
                self.asm.jcc(Cond::E, at);
            }
            self.corners.push(Corner { at, back, width, signed, remainder, divisor });
        }
        if signed {
            self.asm.sign_to_rdx(width);
            self.asm.unary(Unary::Idiv, width, divisor);
        } else {
            self.asm.zero(Reg::Rdx);
            self.asm.unary(Unary::Div, width, divisor);
        }
        self.asm.bind(back);
        self.done(dst, if remainder { Reg::Rdx } else { Reg::Rax });
    }

    /// Divisions by 0 and -1.
    pub(super) fn write_corners(&mut self) {
        for corner in std::mem::take(&mut self.corners) {
            let Corner { at, back, width, signed, remainder, divisor } = corner;
            self.asm.bind(at);
            if signed {
                let zero = self.asm.label();
                self.asm.test(width, divisor, divisor);
                self.asm.jcc(Cond::E, zero);
                if remainder {
                    self.asm.zero(Reg::Rdx);
                } else {
                    self.asm.unary(Unary::Neg, width, Reg::Rax);
                }
                self.asm.jmp(back);
                self.asm.bind(zero);
            }
            if remainder {
                self.asm.mov(width, Reg::Rdx, Reg::Rax);
            } else {
                self.asm.zero(Reg::Rax);
            }
            self.asm.jmp(back);
        }
    }

    /// Sets the flags; gives the condition.
    fn compare(&mut self, cmp: &Compare) -> Cond {
        let Compare { op, test, width, ref a, ref b } = *cmp;
        let [first, second] = SCRATCH;
        match (a, b) {
            (Src::Reg(a), Src::Imm(imm)) if test => {
                let a = self.reg_in(*a, first);
                let width = if (0..=0x7f).contains(imm) { Width::W8 } else { width };
                self.asm.test_imm(width, a, *imm);
            }
            (Src::Reg(a), Src::Reg(b)) if test => {
                let (a, b) = (self.reg_in(*a, first), self.reg_in(*b, second));
                self.asm.test(width, a, b);
            }
            (Src::Reg(a), Src::Imm(0)) => {
                let a = self.reg_in(*a, first);
                self.asm.test(width, a, a);
            }
            (Src::Reg(a), Src::Imm(imm)) => {
                let a = self.rm(*a, first);
                self.asm.alu_imm(Alu::Cmp, width, a, *imm);
            }
            (Src::Reg(a), Src::Reg(b)) => {
                let a = self.reg_in(*a, first);
                let b = self.rm(*b, second);
                self.asm.alu(Alu::Cmp, width, a, b);
            }
            (Src::Reg(a), Src::Mem(addr)) => {
                let mem = self.mem(addr);
                let a = self.reg_in(*a, second);
                self.asm.alu(Alu::Cmp, width, a, mem);
            }
            (Src::Mem(addr), Src::Imm(imm)) => {
                let mem = self.mem(addr);
                self.asm.alu_imm(Alu::Cmp, width, mem, *imm);
            }
            (Src::Mem(addr), Src::Reg(b)) => {
                let mem = self.mem(addr);
                let b = self.reg_in(*b, second);
                self.asm.alu_store(Alu::Cmp, width, mem, b);
            }
            _ => {}
        }
        op.into()
    }

    fn branch(&mut self, cmp: &Compare, [t, e]: [u32; 2], flags: Option<(Vreg, Width)>, next: Option<u32>) {
        if self.label(t) == self.label(e) {
            return self.jump(t, next);
        }
        let cond = Cond::from(cmp.op);
        // After arithmetic the flags say whether the result is 0.
        let known = match (flags, &cmp.a) {
            (Some((reg, width)), Src::Reg(a)) => {
                let zero = cmp.b == Src::Imm(0) && !cmp.test || cmp.test && cmp.b == cmp.a;
                self.place(*a) == self.place(reg)
                    && matches!(self.place(reg), Place::Reg(_))
                    && zero
                    && matches!(cond, Cond::E | Cond::Ne)
                    && (width == cmp.width || width == Width::W32)
            }
            _ => false,
        };
        let cond = if known { cond } else { self.compare(cmp) };
        let (yes, no) = (self.label(t), self.label(e));
        if self.is_next(t, next) {
            self.asm.jcc(cond.negate(), no);
        } else if !self.is_next(e, next) && self.goes_back(e) {
            // Loops go round more often than out.
            self.asm.jcc(cond.negate(), no);
            self.jump(t, next);
        } else {
            self.asm.jcc(cond, yes);
            self.jump(e, next);
        }
    }

    fn select(&mut self, cmp: &Compare, dst: Vreg, t: &Src, e: &Src) {
        let cond = self.compare(cmp);
        let (reg, wide, scratch) = (self.dst(dst), Width::W64, SCRATCH[0]);
        let number = |imm: i32| i64::from(imm) as u64;
        match (*t, *e) {
            (Src::Imm(t), Src::Imm(_)) => {
                self.asm.setcc(if t == 1 { cond } else { cond.negate() }, reg);
                self.asm.movzx(Width::W8, reg, reg);
            }
            (Src::Reg(t), Src::Imm(e)) => {
                self.asm.mov_imm(reg, number(e));
                let t = self.rm(t, scratch);
                self.asm.cmov(cond, wide, reg, t);
            }
            (Src::Imm(t), Src::Reg(e)) => {
                self.asm.mov_imm(reg, number(t));
                let e = self.rm(e, scratch);
                self.asm.cmov(cond.negate(), wide, reg, e);
            }
            (Src::Reg(t), Src::Reg(e)) if self.place(t) == Place::Reg(reg) => {
                let e = self.rm(e, scratch);
                self.asm.cmov(cond.negate(), wide, reg, e);
            }
            (Src::Reg(t), Src::Reg(e)) => {
                self.fetch_reg(wide, reg, e);
                let t = self.rm(t, scratch);
                self.asm.cmov(cond, wide, reg, t);
            }
            _ => {}
        }
        self.done(dst, reg);
    }

    fn atomic(
        &mut self,
        width: Width,
        op: AtomicOp,
        dst: Option<Vreg>,
        addr: &Addr,
        value: Vreg,
        expected: Vreg,
    ) {
        let mem = self.mem(addr);
        let scratch = SCRATCH[1];
        let alu = match op {
            AtomicOp::Add => Some(Alu::Add),
            AtomicOp::Or => Some(Alu::Or),
            AtomicOp::And => Some(Alu::And),
            AtomicOp::Xor => Some(Alu::Xor),
            AtomicOp::Xchg | AtomicOp::Cmpxchg => None,
        };
        match (op, dst, alu) {
            (_, None, Some(alu)) => {
                let value = self.reg_in(value, scratch);
                self.asm.lock_alu(alu, width, mem, value);
            }
            (AtomicOp::Cmpxchg, _, _) => {
                self.fetch_reg(width, Reg::Rax, expected);
                let value = self.reg_in(value, scratch);
                self.asm.lock_cmpxchg(width, mem, value);
                if let Some(dst) = dst {
                    if width == Width::W32 {
                        // Where it was equal, the upper half is still that of what was expected.
                        self.asm.mov(width, Reg::Rax, Reg::Rax);
                    }
                    self.done(dst, Reg::Rax);
                }
            }
            (AtomicOp::And | AtomicOp::Or | AtomicOp::Xor, Some(dst), Some(alu)) => {
                let value = self.reg_in(value, scratch);
                self.asm.load(width, Reg::Rax, mem);
                let again = self.asm.here();
                self.asm.mov(width, Reg::Rdx, Reg::Rax);
                self.asm.alu(alu, width, Reg::Rdx, value);
                self.asm.lock_cmpxchg(width, mem, Reg::Rdx);
                self.asm.jcc(Cond::Ne, again);
                self.done(dst, Reg::Rax);
            }
            (_, Some(dst), _) => {
                let reg = self.dst(dst);
                self.fetch_reg(width, reg, value);
                if op == AtomicOp::Add {
                    self.asm.lock_xadd(width, mem, reg);
                } else {
                    self.asm.xchg(width, mem, reg);
                }
                self.done(dst, reg);
            }
            _ => {}
        }
    }

    fn arguments(&mut self, args: &[Option<Src>; 5]) {
        let copies = args.iter().zip(ARGUMENTS).filter_map(|(arg, reg)| {
            let arg = arg.as_ref()?;
            Some((Place::Reg(reg), self.from(arg)))
        });
        self.copy_all(copies.collect());
    }

    /// Another program in the place of this one, with its r1.
    fn tail_call(&mut self, site: u32, args: &[Src; 3], block: u32) {
        self.arguments(&[Some(args[0]), Some(args[1]), Some(args[2]), None, None]);
        self.asm.mov(Width::W64, Reg::R9, RUN);
        self.asm.call_address(self.sites[site as usize].raw as *const () as u64);
        self.asm.test(Width::W64, Reg::Rax, Reg::Rax);
        let none = self.label(block);
        self.asm.jcc(Cond::E, none);
        self.copy_all(vec![(Place::Reg(Reg::Rdi), self.from(&args[0]))]);
        self.epilogue();
        self.asm.jmp_to(Reg::Rax);
    }
}
