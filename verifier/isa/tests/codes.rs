//! Every code and every field: what decodes, and that it encodes back to the same slot.

use probity_isa::{DecodeError, Disasm, Insn, assemble, decode, disassemble};
use proptest::prelude::*;

/// The codes that Linux 6.18 knows, written down by class rather than computed.
fn is_known(code: u8) -> bool {
    match code & 7 {
        // 64-bit immediate; absolute and indirect packet access of 4, 2 and 1 bytes.
        0 => matches!(code, 0x18 | 0x20 | 0x28 | 0x30 | 0x40 | 0x48 | 0x50),
        // MEM of all sizes, MEMSX of 4, 2 and 1 bytes.
        1 => matches!(code, 0x61 | 0x69 | 0x71 | 0x79 | 0x81 | 0x89 | 0x91),
        2 => matches!(code, 0x62 | 0x6a | 0x72 | 0x7a),
        3 => matches!(code, 0x63 | 0x6b | 0x73 | 0x7b | 0xc3 | 0xcb | 0xd3 | 0xdb),
        // ADD to END; NEG has no register form.
        4 => code < 0xe0 && code != 0x8c,
        // ... and in 64 bits the byte swap has no second direction.
        7 => code < 0xe0 && code != 0x8f && code != 0xdf,
        // JA, CALL, EXIT and JCOND have no register form.
        5 => code < 0xf0 && !matches!(code, 0x0d | 0x8d | 0x9d | 0xed),
        // The conditions, and `gotol`.
        _ => code < 0xe0 && !matches!(code, 0x0e | 0x86 | 0x8e | 0x96 | 0x9e),
    }
}

/// A value that every other field may have when all is well with this code.
fn plain(code: u8) -> Insn {
    let imm = if matches!(code, 0xd4 | 0xdc | 0xd7) { 16 } else { 0 };
    Insn::new(code, 0, 0, 0, imm)
}

#[test]
fn all_codes() {
    let mut known = 0;
    for code in 0..=u8::MAX {
        let program = [plain(code), Insn::default()];
        let found = decode(&program, 0);
        // Linux reads the mode of a load before it looks for the code.
        let bad_mode = code & 7 == 1 && !matches!(code & 0xe0, 0x60 | 0x80);
        if is_known(code) {
            known += 1;
            // The only code whose size depends on its immediate: no add of 1 or 2 bytes.
            if matches!(code, 0xcb | 0xd3) {
                assert_eq!(found, Err(DecodeError::InvalidAtomicSize));
                continue;
            }
            let instruction = found.unwrap_or_else(|error| panic!("{code:02x}: {error}"));
            let (first, second) = instruction.encode();
            if code != 0x06 {
                assert_eq!(first, program[0], "{code:02x}");
            }
            assert_eq!(second.is_some(), code == 0x18);
            assert_eq!(instruction.slots(), program[0].slots());
        } else if bad_mode {
            assert_eq!(found, Err(DecodeError::Reserved("BPF_LDX")), "{code:02x}");
        } else {
            assert_eq!(found, Err(DecodeError::UnknownOpcode(code)));
        }
    }
    assert_eq!(known, 7 + 7 + 4 + 8 + 27 + 26 + 26 + 23);
}

/// Which fields each code uses: all others must be 0. `off` of `exit` is the exception.
#[test]
fn unused_fields() {
    let error = |insn: Insn| decode(&[insn, Insn::default()], 0).err();
    for code in (0..=u8::MAX).filter(|code| is_known(*code)) {
        let class = code & 7;
        let operation = code & 0xf0;
        let arithmetic = matches!(class, 4 | 7);
        let jump = matches!(class, 5 | 6);
        let register = code & 8 != 0;
        let group = match (class, operation) {
            (4 | 7, 0x80) => "BPF_NEG",
            (4 | 7, 0xb0) => "BPF_MOV",
            (4 | 7, 0xd0) => "BPF_END",
            (4 | 7, _) => "BPF_ALU",
            (5 | 6, 0x00) => "BPF_JA",
            (5, 0x80) => "BPF_CALL",
            (5, 0x90) => "BPF_EXIT",
            (5 | 6, _) => "BPF_JMP/JMP32",
            (1, _) => "BPF_LDX",
            (2, _) => "BPF_ST",
            (3, _) => "BPF_STX",
            _ if code == 0x18 => "BPF_LD_IMM64",
            _ => "BPF_LD_[ABS|IND]",
        };
        let refused = Some(DecodeError::Reserved(group));
        let base = plain(code);
        let no_dst = jump && (matches!(operation, 0 | 0x80 | 0x90)) || class == 0 && code != 0x18;
        let unary = arithmetic && (operation == 0x80 || operation == 0xd0);
        if code == 0xe5 {
            for (dst, src, imm) in [(1, 0, 0), (0, 1, 0), (0, 0, 7)] {
                let insn = Insn { dst, src, imm, ..base };
                assert_eq!(error(insn), Some(DecodeError::InvalidMayGoto(imm)));
            }
            continue;
        }
        if matches!(code, 0xc3 | 0xcb | 0xd3 | 0xdb) {
            let insn = Insn { imm: 7, ..base };
            assert_eq!(error(insn), Some(DecodeError::InvalidAtomicOpcode(7)));
            continue;
        }
        assert_eq!(error(Insn { dst: 1, ..base }), refused.filter(|_| no_dst));
        let no_src = unary
            || (arithmetic || jump) && !register && code != 0x85
            || class == 2
            || class == 0 && code & 0xe0 == 0x20;
        assert_eq!(error(Insn { src: 2, ..base }), refused.filter(|_| no_src), "{code:02x}");
        let no_off = arithmetic || class == 0 || matches!(code, 0x06 | 0x85);
        assert_eq!(error(Insn { off: 3, ..base }), refused.filter(|_| no_off), "{code:02x}");
        let no_imm = (arithmetic || jump) && register
            || unary
            || matches!(code, 0x05 | 0x95)
            || matches!(class, 1 | 3);
        let no_imm = no_imm && !(arithmetic && operation == 0xd0);
        assert_eq!(error(Insn { imm: 16, ..base }), refused.filter(|_| no_imm), "{code:02x}");
    }
}

#[test]
fn wide_immediates() {
    let load = |src, off| Insn::new(0x18, 1, src, off, 5);
    let next = |imm| Insn::new(0, 0, 0, 0, imm);
    for src in 0..=6 {
        assert!(decode(&[load(src, 0), next(0)], 0).is_ok());
        let offset = decode(&[load(src, 0), next(8)], 0);
        if matches!(src, 1 | 5) {
            assert_eq!(offset, Err(DecodeError::UnrecognizedLdImm64));
        } else {
            assert!(offset.is_ok());
        }
    }
    let unknown = decode(&[load(7, 1), next(0)], 0);
    assert_eq!(unknown, Err(DecodeError::UnrecognizedLdImm64));
    assert_eq!(decode(&[load(7, 1)], 0), Err(DecodeError::InvalidLdImm64));
    for second in [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]] {
        let [code, dst, src, off] = second;
        let second = Insn::new(code, dst, src, off.into(), 0);
        assert_eq!(decode(&[load(0, 0), second], 0), Err(DecodeError::InvalidLdImm64));
    }
}

#[test]
fn the_end_of_the_program() {
    let exit = [Insn::new(0x95, 0, 0, 0, 0)];
    for pc in [1, 2, usize::MAX] {
        assert_eq!(decode(&exit, pc), Err(DecodeError::OutOfProgram(pc)));
        assert_eq!(Disasm::new(&exit, pc, &()).slots(), 1);
    }
}

#[test]
fn linux_says_it_so() {
    let said = |error: DecodeError| error.to_string();
    assert_eq!(said(DecodeError::UnknownOpcode(0)), "unknown opcode 00");
    assert_eq!(said(DecodeError::Reserved("BPF_JA")), "BPF_JA uses reserved fields");
    let atomic = "BPF_ATOMIC uses invalid atomic opcode";
    assert_eq!(said(DecodeError::InvalidAtomicOpcode(7)), format!("{atomic} 07"));
    assert_eq!(said(DecodeError::InvalidAtomicOpcode(-1)), format!("{atomic} ffffffff"));
    assert_eq!(said(DecodeError::InvalidMayGoto(-3)), "invalid may_goto imm -3");
    assert!(DecodeError::Reserved("BPF_LDX").is_early());
    assert!(!DecodeError::Reserved("BPF_LD_IMM64").is_early());
}

/// Any slot, with small values more often than they come by chance.
fn slot() -> impl Strategy<Value = Insn> {
    let off = prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(8), 1 => Just(32), 2 => any::<i16>()];
    let imm = prop_oneof![
        4 => Just(0),
        1 => prop_oneof![Just(16), Just(32), Just(64), Just(0x100), Just(0x110)],
        1 => prop_oneof![Just(1), Just(0x41), Just(0xa0), Just(0xe1), Just(0xf1)],
        3 => any::<i32>(),
    ];
    let src = prop_oneof![2 => Just(0), 3 => 0_u8..16];
    (any::<u8>(), 0_u8..16, src, off, imm)
        .prop_map(|(code, dst, src, off, imm)| Insn::new(code, dst, src, off, imm))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn bytes_round_trip(bytes in any::<[u8; 8]>()) {
        prop_assert_eq!(Insn::from_bytes(bytes).to_bytes(), bytes);
    }

    #[test]
    fn instructions_round_trip(first in slot(), second in slot()) {
        let next = if first.code == 0x18 { Insn::new(0, 0, 0, 0, second.imm) } else { second };
        if let Ok(instruction) = decode(&[first, next], 0) {
            let (one, two) = instruction.encode();
            let again: Vec<Insn> = [Some(one), two].into_iter().flatten().collect();
            prop_assert_eq!(decode(&again, 0), Ok(instruction));
            prop_assert_eq!(again.len(), instruction.slots());
            let loose = matches!(first.code, 0x06 | 0x95);
            prop_assert!(one == first || loose, "{:?} {:?}", one, first);
        }
    }

    #[test]
    fn programs_round_trip_through_text(program in prop::collection::vec(slot(), 0..12)) {
        let text = disassemble(&program, &());
        prop_assert_eq!(assemble(&text, &()), Ok(program), "{}", text);
    }

    #[test]
    fn the_log_has_text_for_every_slot(program in prop::collection::vec(slot(), 1..3)) {
        let shown = Disasm::new(&program, 0, &()).to_string();
        let code = program[0].code;
        let prefix = format!("({code:02x}) ");
        let bug = format!("BUG_{code:02x}");
        prop_assert!(shown.starts_with(&prefix) || shown == bug);
    }

    #[test]
    fn no_text_panics(text in "([ -~\n\u{e4}]|r1 |= |goto |\\*\\(u8 |if |call |atomic_|ll){0,30}") {
        if let Err(errors) = assemble(&text, &()) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                let line = text.lines().nth(error.line - 1).unwrap_or_default();
                prop_assert!((1..=line.chars().count() + 1).contains(&error.column));
            }
        }
    }
}
