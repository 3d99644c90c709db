//! Slots as text, in the notation of Linux's verifier log.

use std::fmt;

use crate::decode::decode;
use crate::insn::Insn;
use crate::instruction::{Instruction, wide_value};
use crate::names::Names;
use crate::op::{AluOp, AtomicOp, JumpOp, Size};
use crate::opcode::*;

/// One instruction as text. `Display` prints what Linux's verifier log has after the instruction's
/// place, `(bf) r6 = r0`, for any slot, valid or not; [`Disasm::assembly`] prints the notation that
/// [`assemble`](crate::assemble()) reads.
///
/// Where Linux prints the address of a map, a map's value or a kernel variable, which nobody else
/// knows, the assembler's notation stands: `(18) r1 = map[3] ll`.
pub struct Disasm<'a, N> {
    insns: &'a [Insn],
    pc: usize,
    names: &'a N,
    assembly: bool,
}

impl<'a, N: Names> Disasm<'a, N> {
    /// The instruction at slot `pc`, in the notation of the log. Pass `&()` for `names` when there
    /// are none: calls are then of `unknown`.
    #[must_use]
    pub fn new(insns: &'a [Insn], pc: usize, names: &'a N) -> Self {
        Disasm { insns, pc, names, assembly: false }
    }

    /// The same in the assembler's notation. It differs from the log's in that `(bf)` is missing,
    /// 64-bit numbers end in `ll`, calls of kernel functions say so, and a slot that is no valid
    /// instruction, or has fields that the text cannot show, is a `raw` line.
    #[must_use]
    pub fn assembly(self) -> Self {
        Disasm { assembly: true, ..self }
    }

    /// How many slots the text stands for.
    #[must_use]
    pub fn slots(&self) -> usize {
        match decode(self.insns, self.pc) {
            Ok(instruction) => instruction.slots(),
            Err(_) => 1,
        }
    }
}

/// A whole program in the assembler's notation, one instruction a line. Whatever the slots,
/// [`assemble`](crate::assemble()) gives them back.
#[must_use]
pub fn disassemble<N: Names>(insns: &[Insn], names: &N) -> String {
    let mut text = String::new();
    let mut pc = 0;
    while pc < insns.len() {
        let line = Disasm::new(insns, pc, names).assembly();
        text.push_str(&format!("{line}\n"));
        pc += line.slots();
    }
    text
}

impl<N: Names> fmt::Display for Disasm<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(insn) = self.insns.get(self.pc) else {
            return write!(f, "no instruction at {}", self.pc);
        };
        if self.assembly {
            return if self.has_exact_text(insn) {
                self.instruction(f, insn)
            } else {
                let Insn { code, dst, src, off, imm } = insn;
                write!(f, "raw {code:#04x} {dst} {src} {off} {imm}")
            };
        }
        if is_bug(insn) {
            return write!(f, "BUG_{:02x}", insn.code);
        }
        write!(f, "({:02x}) ", insn.code)?;
        self.instruction(f, insn)
    }
}

impl<N: Names> Disasm<'_, N> {
    /// Whether the assembler would make the same slot of the instruction's text.
    fn has_exact_text(&self, insn: &Insn) -> bool {
        match decode(self.insns, self.pc) {
            Ok(Instruction::CallKfunc { off, .. }) => off == 0,
            Ok(Instruction::Ja { .. }) => true,
            Ok(instruction) => instruction.encode().0 == *insn,
            Err(_) => false,
        }
    }

    /// The text by class; total, since Linux prints an instruction before it judges its fields.
    fn instruction(&self, f: &mut fmt::Formatter<'_>, insn: &Insn) -> fmt::Result {
        match insn.code & BPF_CLASS_MASK {
            BPF_LD => self.load_special(f, insn),
            BPF_LDX => {
                let sign = if insn.code & BPF_MODE_MASK == BPF_MEMSX { 's' } else { 'u' };
                let bits = size(insn.code).bits();
                let Insn { dst, src, off, .. } = insn;
                write!(f, "r{dst} = *({sign}{bits} *)(r{src} {off:+})")
            }
            BPF_ST => write!(f, "*{} = {}", Place(insn, insn.dst), insn.imm),
            BPF_STX if insn.code & BPF_MODE_MASK == BPF_ATOMIC => atomic(f, insn),
            BPF_STX => write!(f, "*{} = r{}", Place(insn, insn.dst), insn.src),
            BPF_ALU | BPF_ALU64 => arithmetic(f, insn),
            _ => self.jump(f, insn),
        }
    }

    fn load_special(&self, f: &mut fmt::Formatter<'_>, insn: &Insn) -> fmt::Result {
        let Insn { dst, src, imm, .. } = *insn;
        let bits = size(insn.code).bits();
        match insn.code & BPF_MODE_MASK {
            BPF_ABS => return write!(f, "r0 = *(u{bits} *)skb[{imm}]"),
            BPF_IND => return write!(f, "r0 = *(u{bits} *)skb[r{src} + {imm}]"),
            _ => {}
        }
        let next_imm = match self.insns.get(self.pc.wrapping_add(1)) {
            Some(next) => next.imm,
            None => 0,
        };
        let value = wide_value(imm, next_imm);
        match src {
            BPF_PSEUDO_MAP_FD => write!(f, "r{dst} = map[{imm}] ll"),
            BPF_PSEUDO_MAP_VALUE => write!(f, "r{dst} = map_value[{imm}] + {next_imm} ll"),
            BPF_PSEUDO_BTF_ID => write!(f, "r{dst} = btf[{imm}] + {next_imm} ll"),
            BPF_PSEUDO_MAP_IDX => write!(f, "r{dst} = map_idx[{imm}] ll"),
            BPF_PSEUDO_MAP_IDX_VALUE => {
                write!(f, "r{dst} = map_idx_value[{imm}] + {next_imm} ll")
            }
            BPF_PSEUDO_FUNC if self.assembly => {
                write!(f, "r{dst} = func[pc{imm:+}] + {next_imm} ll")
            }
            _ if self.assembly => write!(f, "r{dst} = {value:#x} ll"),
            _ => write!(f, "r{dst} = {value:#x}"),
        }
    }

    fn jump(&self, f: &mut fmt::Formatter<'_>, insn: &Insn) -> fmt::Result {
        let Insn { code, dst, src, off, imm } = *insn;
        match code & !BPF_SRC_MASK {
            0x85 => self.call(f, insn),
            0x95 => f.write_str("exit"),
            0x05 => write!(f, "goto pc{off:+}"),
            0x06 => write!(f, "gotol pc{imm:+}"),
            0xe5 if src == BPF_MAY_GOTO => write!(f, "may_goto pc{off:+}"),
            _ => {
                let letter = if code & BPF_CLASS_MASK == BPF_JMP32 { 'w' } else { 'r' };
                let sign = jump_op(code & BPF_OP_MASK).map_or("(null)", JumpOp::sign);
                write!(f, "if {letter}{dst} {sign} ")?;
                if code & BPF_SRC_MASK == BPF_X {
                    write!(f, "{letter}{src}")?;
                } else {
                    write!(f, "{imm:#x}")?;
                }
                write!(f, " goto pc{off:+}")
            }
        }
    }

    fn call(&self, f: &mut fmt::Formatter<'_>, insn: &Insn) -> fmt::Result {
        let Insn { src, off, imm, .. } = *insn;
        let (kind, name) = match src {
            BPF_PSEUDO_CALL => return write!(f, "call pc{imm:+}"),
            BPF_PSEUDO_KFUNC_CALL if self.assembly => ("kfunc ", self.names.kfunc(imm, off)),
            BPF_PSEUDO_KFUNC_CALL => ("", self.names.kfunc(imm, off)),
            _ => ("", self.names.helper(imm)),
        };
        write!(f, "call {kind}{}#{imm}", name.unwrap_or("unknown"))
    }
}

/// Memory, as `(u64 *)(r10 -8)`.
struct Place<'a>(&'a Insn, u8);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place(insn, reg) = self;
        let bits = size(insn.code).bits();
        write!(f, "(u{bits} *)(r{reg} {:+})", insn.off)
    }
}

/// Whether the log has `BUG_` and the code for it: nothing that Linux can print otherwise.
fn is_bug(insn: &Insn) -> bool {
    let mode = insn.code & BPF_MODE_MASK;
    match insn.code & BPF_CLASS_MASK {
        BPF_LD => !matches!((mode, insn.code & BPF_SIZE_MASK), (BPF_ABS | BPF_IND, _) | (BPF_IMM, BPF_DW)),
        BPF_LDX => !matches!(mode, BPF_MEM | BPF_MEMSX),
        BPF_ST => mode != BPF_MEM,
        BPF_STX if mode == BPF_ATOMIC => {
            !matches!(insn.imm, BPF_LOAD_ACQ | BPF_STORE_REL) && atomic_op(insn.imm).is_none()
        }
        BPF_STX => mode != BPF_MEM,
        BPF_ALU | BPF_ALU64 => insn.code >= 0xe0,
        _ => false,
    }
}

fn atomic(f: &mut fmt::Formatter<'_>, insn: &Insn) -> fmt::Result {
    let Insn { dst, src, .. } = *insn;
    let place = Place(insn, dst);
    let wide = if size(insn.code) == Size::Dw { "64" } else { "" };
    match insn.imm {
        BPF_LOAD_ACQ => return write!(f, "r{dst} = load_acquire({})", Place(insn, src)),
        BPF_STORE_REL => return write!(f, "store_release({place}, r{src})"),
        _ => {}
    }
    let Some((op, fetch)) = atomic_op(insn.imm) else {
        return write!(f, "BUG_{:02x}", insn.code);
    };
    match op {
        AtomicOp::Cmpxchg => write!(f, "r0 = atomic{wide}_cmpxchg({place}, r0, r{src})"),
        AtomicOp::Xchg => write!(f, "r{src} = atomic{wide}_xchg({place}, r{src})"),
        _ if fetch => {
            let name = op.name();
            write!(f, "r{src} = atomic{wide}_fetch_{name}({place}, r{src})")
        }
        _ => write!(f, "lock *{place} {} r{src}", op.sign()),
    }
}

fn arithmetic(f: &mut fmt::Formatter<'_>, insn: &Insn) -> fmt::Result {
    let Insn { code, dst, src, off, imm } = *insn;
    let wide = code & BPF_CLASS_MASK == BPF_ALU64;
    let letter = if wide { 'r' } else { 'w' };
    let from_register = code & BPF_SRC_MASK == BPF_X;
    let sign = match code & BPF_OP_MASK {
        BPF_END => {
            let name = match (wide, from_register) {
                (true, _) => "bswap",
                (false, false) => "le",
                (false, true) => "be",
            };
            return write!(f, "r{dst} = {name}{imm} r{dst}");
        }
        BPF_NEG => return write!(f, "{letter}{dst} = -{letter}{dst}"),
        BPF_MOV if from_register && wide && off == BPF_ADDR_SPACE_CAST => {
            let (to, from) = ((imm as u32) >> 16, imm & 0xffff);
            return write!(f, "r{dst} = addr_space_cast(r{src}, {to}, {from})");
        }
        BPF_MOV if from_register && matches!(off, 8 | 16 | 32) => {
            return write!(f, "{letter}{dst} = (s{off}){letter}{src}");
        }
        BPF_MOV => "=",
        bits => match (alu_op(bits), off) {
            (Some(AluOp::Div), 1) => AluOp::Sdiv.sign(),
            (Some(AluOp::Mod), 1) => AluOp::Smod.sign(),
            (Some(op), _) => op.sign(),
            (None, _) => return write!(f, "BUG_{code:02x}"),
        },
    };
    if from_register {
        write!(f, "{letter}{dst} {sign} {letter}{src}")
    } else {
        write!(f, "{letter}{dst} {sign} {imm}")
    }
}
