//! Every row of the encoder with registers, memory operands and immediates of all shapes, read back by
//! a foreign disassembler: mnemonic, operands and length are the same.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use probity_jit::encode::{Alu, Assembler, Cond, Mem, Reg, Rm, Scale, Shift, ShiftX, Unary, Width};

const WIDTHS: [Width; 4] = [Width::W8, Width::W16, Width::W32, Width::W64];
const WIDE: [Width; 2] = [Width::W32, Width::W64];
const IMMEDIATES: [i32; 9] = [0, 1, -1, 127, -128, 128, -129, i32::MAX, i32::MIN];

/// An operand that is expected.
#[derive(Clone, Copy, Debug)]
enum Operand {
    R(Width, Reg),
    M(Width, Place),
    /// A number, and how many bits of it are stored or taken.
    I(i64, u32),
}

use Operand::{I, M, R};

/// A memory operand, in the terms of this test.
#[derive(Clone, Copy, Debug)]
struct Place {
    base: Option<Reg>,
    index: Option<(Reg, u32)>,
    disp: i32,
}

impl Place {
    fn mem(self) -> Mem {
        let scale = |factor: u32| Scale::by(factor.into()).expect("a scale");
        match (self.base, self.index) {
            (Some(base), None) => Mem::at(base, self.disp),
            (Some(base), Some((index, factor))) => Mem::indexed(base, index, scale(factor), self.disp),
            (None, Some((index, factor))) => Mem::scaled(index, scale(factor), self.disp),
            (None, None) => unreachable!("no such operand"),
        }
    }
}

/// Memory operands of every shape: all bases and all indices with displacements of every length.
fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for disp in [0, 8, -8, 127, 128, -129, 0x1234_5678] {
        for base in Reg::ALL {
            places.push(Place { base: Some(base), index: None, disp });
        }
        for (factor, index) in [1, 2, 4, 8].iter().cycle().zip(Reg::ALL) {
            if index == Reg::Rsp {
                continue;
            }
            let index = Some((index, *factor));
            places.push(Place { base: None, index, disp });
            for base in [Reg::Rax, Reg::Rsp, Reg::Rbp, Reg::R12, Reg::R13, Reg::R15] {
                places.push(Place { base: Some(base), index, disp });
            }
        }
    }
    places
}

/// Few memory operands, for rows that differ in nothing else.
fn few_places() -> Vec<Place> {
    vec![
        Place { base: Some(Reg::Rbp), index: None, disp: 0 },
        Place { base: Some(Reg::R12), index: None, disp: -8 },
        Place { base: Some(Reg::Rsi), index: Some((Reg::R9, 8)), disp: 1000 },
        Place { base: None, index: Some((Reg::R13, 4)), disp: 4 },
    ]
}

fn register(width: Width, reg: Reg) -> Register {
    let number = u32::from(reg.number());
    match width {
        Width::W8 if number < 4 => Register::AL + number,
        Width::W8 => Register::SPL + (number - 4),
        Width::W16 => Register::AX + number,
        Width::W32 => Register::EAX + number,
        Width::W64 => Register::RAX + number,
    }
}

fn decode(code: &[u8]) -> Instruction {
    let mut decoder = Decoder::with_ip(64, code, 0x1000, DecoderOptions::NONE);
    let instruction = decoder.decode();
    assert_ne!(instruction.code(), Code::INVALID, "{code:02x?}");
    instruction
}

/// The bytes that `emit` makes.
fn assemble(emit: impl FnOnce(&mut Assembler)) -> Vec<u8> {
    let mut asm = Assembler::new();
    emit(&mut asm);
    let image = asm.layout().expect("labels are bound");
    let mut code = vec![0xcc; image.size()];
    image.write(&mut code);
    code
}

/// One instruction, alone: it has this mnemonic and these operands, and no byte more.
fn check(mnemonic: Mnemonic, operands: &[Operand], emit: impl FnOnce(&mut Assembler)) -> Instruction {
    let code = assemble(emit);
    let found = decode(&code);
    let told = || format!("{code:02x?} is {found}, expected {mnemonic:?} {operands:x?}");
    assert_eq!(found.len(), code.len(), "{}", told());
    assert_eq!(found.mnemonic(), mnemonic, "{}", told());
    assert_eq!(found.op_count() as usize, operands.len(), "{}", told());
    for (at, operand) in (0..).zip(operands) {
        match *operand {
            R(width, reg) => {
                assert_eq!(found.op_kind(at), OpKind::Register, "{}", told());
                assert_eq!(found.op_register(at), register(width, reg), "{}", told());
            }
            M(width, place) => {
                assert_eq!(found.op_kind(at), OpKind::Memory, "{}", told());
                let base = place.base.map_or(Register::None, |base| register(Width::W64, base));
                let index = place.index.map_or(Register::None, |(index, _)| register(Width::W64, index));
                assert_eq!(found.memory_base(), base, "{}", told());
                assert_eq!(found.memory_index(), index, "{}", told());
                let factor = place.index.map_or(1, |(_, factor)| factor);
                assert_eq!(found.memory_index_scale(), factor, "{}", told());
                assert_eq!(found.memory_displacement64(), i64::from(place.disp) as u64, "{}", told());
                if mnemonic != Mnemonic::Lea {
                    assert_eq!(found.memory_size().size() * 8, width.bits() as usize, "{}", told());
                }
            }
            I(value, bits) => {
                let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                assert_eq!(found.immediate(at) & mask, value as u64 & mask, "{}", told());
            }
        }
    }
    found
}

fn operands(width: Width) -> Vec<(Operand, Rm)> {
    let registers = Reg::ALL.map(|reg| (R(width, reg), Rm::Reg(reg)));
    let places = few_places().into_iter().map(|place| (M(width, place), Rm::Mem(place.mem())));
    registers.into_iter().chain(places).collect()
}

const ALU: [(Alu, Mnemonic); 8] = [
    (Alu::Add, Mnemonic::Add),
    (Alu::Or, Mnemonic::Or),
    (Alu::Adc, Mnemonic::Adc),
    (Alu::Sbb, Mnemonic::Sbb),
    (Alu::And, Mnemonic::And),
    (Alu::Sub, Mnemonic::Sub),
    (Alu::Xor, Mnemonic::Xor),
    (Alu::Cmp, Mnemonic::Cmp),
];

#[test]
fn memory_operands_of_every_shape() {
    for place in places() {
        for width in WIDTHS {
            for reg in [Reg::Rax, Reg::Rdi, Reg::R15] {
                check(Mnemonic::Mov, &[M(width, place), R(width, reg)], |asm| {
                    asm.store(width, place.mem(), reg);
                });
            }
            check(Mnemonic::Mov, &[M(width, place), I(-2, 8)], |asm| asm.store_imm(width, place.mem(), -2));
        }
        check(Mnemonic::Lea, &[R(Width::W64, Reg::R9), M(Width::W64, place)], |asm| {
            asm.lea(Width::W64, Reg::R9, place.mem());
        });
        check(Mnemonic::Lea, &[R(Width::W32, Reg::Rcx), M(Width::W64, place)], |asm| {
            asm.lea(Width::W32, Reg::Rcx, place.mem());
        });
    }
}

#[test]
fn moves() {
    for a in Reg::ALL {
        for b in Reg::ALL {
            for width in WIDTHS {
                check(Mnemonic::Mov, &[R(width, a), R(width, b)], |asm| asm.mov(width, a, b));
                check(Mnemonic::Xchg, &[R(width, a), R(width, b)], |asm| asm.swap(width, a, b));
            }
        }
    }
    for dst in Reg::ALL {
        for (src, rm) in operands(Width::W8) {
            for to in WIDE {
                check(Mnemonic::Movsx, &[R(to, dst), src], |asm| asm.movsx(to, Width::W8, dst, rm));
            }
            check(Mnemonic::Movzx, &[R(Width::W32, dst), src], |asm| asm.movzx(Width::W8, dst, rm));
        }
        for (src, rm) in operands(Width::W16) {
            for to in WIDE {
                check(Mnemonic::Movsx, &[R(to, dst), src], |asm| asm.movsx(to, Width::W16, dst, rm));
            }
            check(Mnemonic::Movzx, &[R(Width::W32, dst), src], |asm| asm.movzx(Width::W16, dst, rm));
        }
        for (src, rm) in operands(Width::W32) {
            check(Mnemonic::Movsxd, &[R(Width::W64, dst), src], |asm| {
                asm.movsx(Width::W64, Width::W32, dst, rm);
            });
            check(Mnemonic::Mov, &[R(Width::W32, dst), src], |asm| asm.movzx(Width::W32, dst, rm));
        }
        for (src, rm) in operands(Width::W64) {
            check(Mnemonic::Mov, &[R(Width::W64, dst), src], |asm| asm.movzx(Width::W64, dst, rm));
        }
        for place in few_places() {
            check(Mnemonic::Mov, &[R(Width::W64, dst), M(Width::W64, place)], |asm| {
                asm.load(Width::W64, dst, place.mem());
            });
        }
    }
}

#[test]
fn numbers_are_loaded_in_the_shortest_way() {
    for dst in Reg::ALL {
        let rex = usize::from(dst.number() >= 8);
        for (value, width, len) in [
            (0, Width::W32, 5 + rex),
            (0x7fff_ffff, Width::W32, 5 + rex),
            (0xffff_ffff, Width::W32, 5 + rex),
            (0x1_0000_0000, Width::W64, 10),
            (u64::MAX, Width::W64, 7),
            (i64::MIN as u64, Width::W64, 10),
            (-0x8000_0000_i64 as u64, Width::W64, 7),
            (0x1234_5678_9abc_def0, Width::W64, 10),
        ] {
            let operands = [R(width, dst), I(value as i64, 64)];
            assert_eq!(check(Mnemonic::Mov, &operands, |asm| asm.mov_imm(dst, value)).len(), len);
        }
        check(Mnemonic::Xor, &[R(Width::W32, dst), R(Width::W32, dst)], |asm| asm.zero(dst));
    }
}

#[test]
fn the_stack() {
    for (operand, rm) in operands(Width::W64) {
        check(Mnemonic::Push, &[operand], |asm| asm.push(rm));
        check(Mnemonic::Pop, &[operand], |asm| asm.pop(rm));
    }
}

#[test]
fn binary_operators() {
    for (op, mnemonic) in ALU {
        for width in WIDTHS {
            for reg in Reg::ALL {
                for (operand, rm) in operands(width) {
                    check(mnemonic, &[R(width, reg), operand], |asm| asm.alu(op, width, reg, rm));
                }
                for place in few_places() {
                    check(mnemonic, &[M(width, place), R(width, reg)], |asm| {
                        asm.alu_store(op, width, place.mem(), reg);
                    });
                }
            }
            for (operand, rm) in operands(width) {
                for imm in IMMEDIATES {
                    let bits = width.bits().min(32);
                    check(mnemonic, &[operand, I(imm.into(), bits)], |asm| asm.alu_imm(op, width, rm, imm));
                }
            }
        }
    }
}

#[test]
fn tests_and_unary_operators() {
    let unary = [
        (Unary::Not, Mnemonic::Not),
        (Unary::Neg, Mnemonic::Neg),
        (Unary::Mul, Mnemonic::Mul),
        (Unary::Imul, Mnemonic::Imul),
        (Unary::Div, Mnemonic::Div),
        (Unary::Idiv, Mnemonic::Idiv),
    ];
    for width in WIDTHS {
        for (operand, rm) in operands(width) {
            for reg in Reg::ALL {
                check(Mnemonic::Test, &[operand, R(width, reg)], |asm| asm.test(width, rm, reg));
            }
            for imm in IMMEDIATES {
                let bits = width.bits().min(32);
                check(Mnemonic::Test, &[operand, I(imm.into(), bits)], |asm| asm.test_imm(width, rm, imm));
            }
            for (op, mnemonic) in unary {
                check(mnemonic, &[operand], |asm| asm.unary(op, width, rm));
            }
            check(Mnemonic::Inc, &[operand], |asm| asm.inc(width, rm));
            check(Mnemonic::Dec, &[operand], |asm| asm.dec(width, rm));
        }
    }
    check(Mnemonic::Cdq, &[], |asm| asm.sign_to_rdx(Width::W32));
    check(Mnemonic::Cqo, &[], |asm| asm.sign_to_rdx(Width::W64));
}

#[test]
fn multiplication_and_bits() {
    for width in [Width::W16, Width::W32, Width::W64] {
        for dst in Reg::ALL {
            for (operand, rm) in operands(width) {
                check(Mnemonic::Imul, &[R(width, dst), operand], |asm| asm.imul(width, dst, rm));
                for imm in IMMEDIATES {
                    let bits = width.bits().min(32);
                    check(Mnemonic::Imul, &[R(width, dst), operand, I(imm.into(), bits)], |asm| {
                        asm.imul_imm(width, dst, rm, imm);
                    });
                }
                check(Mnemonic::Popcnt, &[R(width, dst), operand], |asm| asm.popcnt(width, dst, rm));
                check(Mnemonic::Tzcnt, &[R(width, dst), operand], |asm| asm.tzcnt(width, dst, rm));
                check(Mnemonic::Lzcnt, &[R(width, dst), operand], |asm| asm.lzcnt(width, dst, rm));
            }
        }
    }
    for width in WIDE {
        for dst in Reg::ALL {
            for other in Reg::ALL {
                for (operand, rm) in operands(width) {
                    let operands = [R(width, dst), R(width, other), operand];
                    check(Mnemonic::Mulx, &operands, |asm| asm.mulx(width, dst, other, rm));
                    check(Mnemonic::Andn, &operands, |asm| asm.andn(width, dst, other, rm));
                }
            }
        }
    }
}

#[test]
fn shifts() {
    let shifts = [
        (Shift::Rol, Mnemonic::Rol),
        (Shift::Ror, Mnemonic::Ror),
        (Shift::Shl, Mnemonic::Shl),
        (Shift::Shr, Mnemonic::Shr),
        (Shift::Sar, Mnemonic::Sar),
    ];
    for (op, mnemonic) in shifts {
        for width in WIDTHS {
            for (operand, rm) in operands(width) {
                for count in [0, 1, 2, 31, 63] {
                    check(mnemonic, &[operand, I(count.into(), 8)], |asm| {
                        asm.shift_imm(op, width, rm, count);
                    });
                }
                check(mnemonic, &[operand, R(Width::W8, Reg::Rcx)], |asm| asm.shift_cl(op, width, rm));
            }
        }
    }
    let shifts =
        [(ShiftX::Shlx, Mnemonic::Shlx), (ShiftX::Shrx, Mnemonic::Shrx), (ShiftX::Sarx, Mnemonic::Sarx)];
    for width in WIDE {
        for dst in Reg::ALL {
            for (operand, rm) in operands(width) {
                for (op, mnemonic) in shifts {
                    for count in Reg::ALL {
                        check(mnemonic, &[R(width, dst), operand, R(width, count)], |asm| {
                            asm.shiftx(op, width, dst, rm, count);
                        });
                    }
                }
                check(Mnemonic::Rorx, &[R(width, dst), operand, I(13, 8)], |asm| {
                    asm.rorx(width, dst, rm, 13);
                });
            }
        }
    }
}

#[test]
fn bytes_in_another_order() {
    for reg in Reg::ALL {
        for width in WIDE {
            check(Mnemonic::Bswap, &[R(width, reg)], |asm| asm.bswap(width, reg));
        }
        for width in [Width::W16, Width::W32, Width::W64] {
            for place in few_places() {
                let (memory, register) = (M(width, place), R(width, reg));
                check(Mnemonic::Movbe, &[register, memory], |asm| asm.movbe_load(width, reg, place.mem()));
                check(Mnemonic::Movbe, &[memory, register], |asm| asm.movbe_store(width, place.mem(), reg));
            }
        }
    }
}

#[test]
fn conditions() {
    use Mnemonic::*;
    let sets = [
        Seto, Setno, Setb, Setae, Sete, Setne, Setbe, Seta, Sets, Setns, Setp, Setnp, Setl, Setge, Setle,
        Setg,
    ];
    let moves = [
        Cmovo, Cmovno, Cmovb, Cmovae, Cmove, Cmovne, Cmovbe, Cmova, Cmovs, Cmovns, Cmovp, Cmovnp, Cmovl,
        Cmovge, Cmovle, Cmovg,
    ];
    for ((cond, set), cmov) in Cond::ALL.into_iter().zip(sets).zip(moves) {
        for (operand, rm) in operands(Width::W8) {
            check(set, &[operand], |asm| asm.setcc(cond, rm));
        }
        for width in WIDE {
            for dst in Reg::ALL {
                for (operand, rm) in operands(width) {
                    check(cmov, &[R(width, dst), operand], |asm| asm.cmov(cond, width, dst, rm));
                }
            }
        }
    }
}

#[test]
fn locked_instructions() {
    for width in WIDTHS {
        for place in few_places() {
            for reg in Reg::ALL {
                let operands = [M(width, place), R(width, reg)];
                let mem = place.mem();
                let mut found = vec![
                    check(Mnemonic::Xadd, &operands, |asm| asm.lock_xadd(width, mem, reg)),
                    check(Mnemonic::Cmpxchg, &operands, |asm| asm.lock_cmpxchg(width, mem, reg)),
                ];
                for (op, mnemonic) in ALU.into_iter().filter(|(op, _)| *op != Alu::Cmp) {
                    found.push(check(mnemonic, &operands, |asm| asm.lock_alu(op, width, mem, reg)));
                }
                assert!(found.iter().all(Instruction::has_lock_prefix));
                check(Mnemonic::Xchg, &operands, |asm| asm.xchg(width, mem, reg));
            }
        }
    }
}

#[test]
fn control() {
    for (operand, rm) in operands(Width::W64) {
        check(Mnemonic::Jmp, &[operand], |asm| asm.jmp_to(rm));
        check(Mnemonic::Call, &[operand], |asm| asm.call_to(rm));
    }
    check(Mnemonic::Ret, &[], Assembler::ret);
    check(Mnemonic::Ud2, &[], Assembler::ud2);
    check(Mnemonic::Pause, &[], Assembler::pause);
    for len in 1..40 {
        let code = assemble(|asm| asm.nops(len));
        assert_eq!(code.len(), len);
        let mut decoder = Decoder::new(64, &code, DecoderOptions::NONE);
        assert!(decoder.iter().all(|found| found.mnemonic() == Mnemonic::Nop), "{code:02x?}");
    }
}

/// What is at an offset of the code.
fn at(code: &[u8], offset: usize) -> Instruction {
    let mut decoder = Decoder::with_ip(64, &code[offset..], offset as u64, DecoderOptions::NONE);
    decoder.decode()
}

#[test]
fn labels_are_reached_over_every_distance() {
    for gap in (0..300).chain([1000, 40_000]) {
        // Forward.
        let mut asm = Assembler::new();
        let label = asm.label();
        asm.jmp(label);
        asm.nops(gap);
        asm.bind(label);
        asm.ret();
        let image = asm.layout().expect("bound");
        let target = image.offset(label).expect("bound");
        let mut code = vec![0; image.size()];
        image.write(&mut code);
        assert_eq!(at(&code, 0).len(), if gap <= 127 { 2 } else { 5 }, "{gap}");
        assert_eq!(at(&code, 0).near_branch_target(), target as u64);
        assert_eq!(at(&code, target).mnemonic(), Mnemonic::Ret);
        // Backward.
        let mut asm = Assembler::new();
        let label = asm.here();
        asm.nops(gap);
        asm.jcc(Cond::A, label);
        let image = asm.layout().expect("bound");
        let mut code = vec![0; image.size()];
        image.write(&mut code);
        let jump = at(&code, gap);
        assert_eq!((jump.mnemonic(), jump.near_branch_target()), (Mnemonic::Ja, 0), "{gap}");
        assert_eq!(jump.len(), if gap <= 126 { 2 } else { 6 }, "{gap}");
    }
}

#[test]
fn calls_and_addresses_of_labels() {
    for reg in Reg::ALL {
        let mut asm = Assembler::new();
        let label = asm.label();
        asm.lea_label(reg, label);
        asm.call(label);
        asm.nops(7);
        asm.bind(label);
        let image = asm.layout().expect("bound");
        assert_eq!(image.offset(label), Some(19));
        let mut code = vec![0; image.size()];
        image.write(&mut code);
        let lea = at(&code, 0);
        assert_eq!(lea.op0_register(), register(Width::W64, reg));
        assert_eq!((lea.is_ip_rel_memory_operand(), lea.ip_rel_memory_address()), (true, 19));
        assert_eq!(at(&code, 7).near_branch_target(), 19);
    }
}

/// Many jumps among each other, with paddings between them: all land where their labels are.
#[test]
fn random_jumps_land() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % below
    };
    for _ in 0..300 {
        let count = 1 + random(60);
        let mut asm = Assembler::new();
        let labels = asm.labels(count);
        let mut jumps = Vec::new();
        for number in 0..count {
            asm.bind(labels.at(number));
            // A mark that tells the label's number.
            asm.mov_imm(Reg::Rax, number as u64);
            asm.nops(random(40));
            let start = asm.here();
            let target = random(count);
            match random(4) {
                0 => asm.jmp(labels.at(target)),
                1 => asm.jcc(Cond::Ne, labels.at(target)),
                2 => asm.call(labels.at(target)),
                _ => {
                    asm.align([1, 2, 16, 64][random(4)]);
                    continue;
                }
            }
            jumps.push((start, target));
        }
        let image = asm.layout().expect("bound");
        let mut code = vec![0; image.size()];
        image.write(&mut code);
        for (start, target) in jumps {
            let jump = at(&code, image.offset(start).expect("bound"));
            let mark = at(&code, jump.near_branch_target() as usize);
            assert_eq!((mark.mnemonic(), mark.immediate32() as usize), (Mnemonic::Mov, target));
        }
    }
}

#[test]
fn padding_aligns() {
    for before in 0..70 {
        for multiple in [1, 2, 4, 8, 16, 32, 64] {
            let mut asm = Assembler::new();
            asm.nops(before);
            asm.align(multiple);
            let label = asm.here();
            asm.ret();
            let image = asm.layout().expect("bound");
            let offset = image.offset(label).expect("bound");
            assert_eq!(offset, before.next_multiple_of(multiple as usize));
            let mut code = vec![0; image.size()];
            image.write(&mut code);
            assert!(Decoder::new(64, &code, 0).iter().all(|found| !found.is_invalid()));
        }
    }
}

#[test]
fn a_label_that_is_nowhere_is_an_error() {
    let mut asm = Assembler::new();
    let label = asm.label();
    asm.jmp(label);
    let error = asm.layout().expect_err("unbound");
    assert_eq!(error.to_string(), "label 0 is used, and bound nowhere");
    asm.bind(label);
    assert_eq!(asm.layout().map(|image| image.size()), Ok(2));
}

#[test]
fn an_assembler_can_be_used_again() {
    let mut asm = Assembler::with_capacity(8);
    asm.jmp_to(Reg::Rax);
    asm.clear();
    let label = asm.here();
    asm.jmp(label);
    let image = asm.layout().expect("bound");
    let mut code = vec![0; image.size()];
    image.write(&mut code);
    assert_eq!(code, [0xeb, 0xfe]);
}

#[test]
fn addresses_are_called_from_near_and_far() {
    let mut room = vec![0_u8; 256];
    let start = room.as_ptr() as u64;
    // The first instruction ends at 6, the second at 12.
    let reach = i64::from(i32::MAX);
    for (target, near) in [
        (start + 0x1000, true),
        (start.wrapping_add_signed(6 + reach), true),
        (start.wrapping_add_signed(7 + reach), false),
        (start.wrapping_add_signed(5 - reach), true),
        (start.wrapping_add_signed(4 - reach), false),
        (start.wrapping_add(1 << 62), false),
    ] {
        let mut asm = Assembler::new();
        asm.call_address(target);
        asm.call_address(start + 6);
        asm.ret();
        let image = asm.layout().expect("no labels");
        assert_eq!((image.code_size(), image.size()), (13, 32));
        let code = &mut room[..32];
        image.write(code);
        assert_eq!(code[13..16], [0xcc; 3]);
        let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
        let call = decoder.decode();
        assert_eq!((call.mnemonic(), call.len()), (Mnemonic::Call, 6), "{call}");
        if near {
            assert_eq!(call.near_branch_target(), target, "{call}");
        } else {
            assert!(call.is_ip_rel_memory_operand(), "{call}");
            let at = (call.ip_rel_memory_address() - start) as usize;
            assert_eq!(code[at..at + 8], target.to_le_bytes(), "{call}");
        }
        assert_eq!(decoder.decode().near_branch_target(), start + 6);
    }
    // Each address stands there once.
    let mut asm = Assembler::new();
    for target in [1, 2, 1, 2, 2] {
        asm.call_address(target);
    }
    assert_eq!(asm.layout().expect("no labels").size(), 32 + 16);
}
