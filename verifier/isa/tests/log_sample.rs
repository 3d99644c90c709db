//! A line of Linux's log for each form of instruction, with the slot that it was printed for.

use probity_isa::{Disasm, Insn, Names, assemble};

struct Few;

impl Names for Few {
    fn helper(&self, id: i32) -> Option<&str> {
        (id == 5).then_some("bpf_ktime_get_ns")
    }

    fn kfunc(&self, id: i32, off: i16) -> Option<&str> {
        (id == 1234 && off == 0).then_some("bpf_iter_num_next")
    }

    fn helper_id(&self, name: &str) -> Option<i32> {
        (name == "bpf_ktime_get_ns").then_some(5)
    }
}

/// Code, dst, src, off, imm, and what Linux 6.18.44 printed.
type Row = (u8, u8, u8, i16, i32, &'static str);

/// Forms that also assemble as they are printed.
const VALID: [Row; 58] = [
    (0x04, 6, 0, 0, -256, "(04) w6 += -256"),
    (0x05, 0, 0, -3, 0, "(05) goto pc-3"),
    (0x06, 0, 0, 0, 0, "(06) gotol pc+0"),
    (0x0f, 6, 2, 0, 0, "(0f) r6 += r2"),
    (0x15, 1, 0, 1, 0, "(15) if r1 == 0x0 goto pc+1"),
    (0x16, 0, 0, 1, 0, "(16) if w0 == 0x0 goto pc+1"),
    (0x17, 6, 0, 0, 256, "(17) r6 -= 256"),
    (0x1c, 1, 2, 0, 0, "(1c) w1 -= w2"),
    (0x1d, 0, 9, 1, 0, "(1d) if r0 == r9 goto pc+1"),
    (0x20, 0, 0, 0, 0, "(20) r0 = *(u32 *)skb[0]"),
    (0x25, 0, 0, -1, 5, "(25) if r0 > 0x5 goto pc-1"),
    (0x26, 6, 0, 1, i32::MIN, "(26) if w6 > 0x80000000 goto pc+1"),
    (0x27, 6, 0, 0, -3, "(27) r6 *= -3"),
    (0x2e, 3, 7, 1, 0, "(2e) if w3 > w7 goto pc+1"),
    (0x34, 6, 0, 0, 4, "(34) w6 /= 4"),
    (0x34, 6, 0, 1, 4, "(34) w6 s/= 4"),
    (0x3d, 6, 7, 1, 0, "(3d) if r6 >= r7 goto pc+1"),
    (0x44, 6, 0, 0, i32::MIN, "(44) w6 |= -2147483648"),
    (0x46, 6, 0, 1, 6, "(46) if w6 & 0x6 goto pc+1"),
    (0x5f, 6, 7, 0, 0, "(5f) r6 &= r7"),
    (0x61, 1, 10, -8, 0, "(61) r1 = *(u32 *)(r10 -8)"),
    (0x62, 10, 0, -8, -1, "(62) *(u32 *)(r10 -8) = -1"),
    (0x63, 10, 6, -8, 0, "(63) *(u32 *)(r10 -8) = r6"),
    (0x65, 6, 0, 4, 100, "(65) if r6 s> 0x64 goto pc+4"),
    (0x67, 6, 0, 0, 64, "(67) r6 <<= 64"),
    (0x6a, 10, 0, -8, 74565, "(6a) *(u16 *)(r10 -8) = 74565"),
    (0x74, 6, 0, 0, 28, "(74) w6 >>= 28"),
    (0x79, 1, 0, 40, 0, "(79) r1 = *(u64 *)(r0 +40)"),
    (0x7b, 10, 6, 0, 0, "(7b) *(u64 *)(r10 +0) = r6"),
    (0x81, 1, 8, 76, 0, "(81) r1 = *(s32 *)(r8 +76)"),
    (0x84, 6, 0, 0, 0, "(84) w6 = -w6"),
    (0x85, 0, 0, 0, 5, "(85) call bpf_ktime_get_ns#5"),
    (0x85, 0, 0, 0, 99, "(85) call unknown#99"),
    (0x85, 0, 1, 0, 2, "(85) call pc+2"),
    (0x87, 6, 0, 0, 0, "(87) r6 = -r6"),
    (0x91, 2, 1, 0, 0, "(91) r2 = *(s8 *)(r1 +0)"),
    (0x95, 0, 0, 0, 0, "(95) exit"),
    (0x97, 6, 0, 1, 4, "(97) r6 s%= 4"),
    (0xa7, 1, 0, 0, 8, "(a7) r1 ^= 8"),
    (0xb4, 6, 0, 0, 100, "(b4) w6 = 100"),
    (0xb7, 2, 0, 0, -256, "(b7) r2 = -256"),
    (0xbc, 6, 7, 8, 0, "(bc) w6 = (s8)w7"),
    (0xbf, 3, 3, 1, 1, "(bf) r3 = addr_space_cast(r3, 0, 1)"),
    (0xc3, 2, 8, 0, 0x100, "(c3) r2 = load_acquire((u32 *)(r8 +0))"),
    (0xc3, 8, 2, 0, 0, "(c3) lock *(u32 *)(r8 +0) += r2"),
    (0xc3, 10, 2, -8, 0xf1, "(c3) r0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r2)"),
    (0xc4, 6, 0, 0, 28, "(c4) w6 s>>= 28"),
    (0xc5, 6, 0, 5, -5, "(c5) if r6 s< 0xfffffffb goto pc+5"),
    (0xd3, 2, 10, -8, 0x100, "(d3) r2 = load_acquire((u8 *)(r10 -8))"),
    (0xd4, 6, 0, 0, 16, "(d4) r6 = le16 r6"),
    (0xd7, 6, 0, 0, 16, "(d7) r6 = bswap16 r6"),
    (0xdb, 10, 2, -8, 0, "(db) lock *(u64 *)(r10 -8) += r2"),
    (0xdb, 10, 2, -8, 1, "(db) r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)"),
    (0xdb, 10, 8, -8, 0xe1, "(db) r8 = atomic64_xchg((u64 *)(r10 -8), r8)"),
    (0xdb, 10, 2, -8, 0x110, "(db) store_release((u64 *)(r10 -8), r2)"),
    (0xdc, 6, 0, 0, 16, "(dc) r6 = be16 r6"),
    (0xe5, 0, 0, 2, 0, "(e5) may_goto pc+2"),
    (0xbf, 0, 12, 0, 0, "(bf) r0 = r12"),
];

/// Slots that Linux printed before it refused them, and what the assembler's notation does not say
/// in the same words.
const ODD: [Row; 12] = [
    (0x37, 0, 0, 2, 1, "(37) r0 /= 1"),
    (0x05, 1, 0, 0, 0, "(05) goto pc+0"),
    (0x63, 10, 0, -4, 5, "(63) *(u32 *)(r10 -4) = r0"),
    (0xb7, 6, 0, 8, 0, "(b7) r6 = 0"),
    (0xbc, 6, 7, 32, 0, "(bc) w6 = (s32)w7"),
    (0xbf, 6, 7, 64, 0, "(bf) r6 = r7"),
    (0xcb, 10, 2, -8, 0, "(cb) lock *(u16 *)(r10 -8) += r2"),
    (0xd4, 0, 0, 0, 24, "(d4) r0 = le24 r0"),
    (0xd7, 6, 0, 0, 8, "(d7) r6 = bswap8 r6"),
    (0xdb, 10, 2, -8, 7, "BUG_db"),
    (0xe5, 0, 2, 0, 0, "(e5) if r0 (null) 0x0 goto pc+0"),
    (0x85, 0, 2, 0, 1234, "(85) call bpf_iter_num_next#1234"),
];

#[test]
fn printed_as_linux_prints() {
    for (code, dst, src, off, imm, text) in VALID.into_iter().chain(ODD) {
        let insns = [Insn::new(code, dst, src, off, imm)];
        assert_eq!(Disasm::new(&insns, 0, &Few).to_string(), text);
    }
}

#[test]
fn the_printed_text_assembles() {
    for (code, dst, src, off, imm, text) in VALID {
        let source = &text["(xx) ".len()..];
        let expected = vec![Insn::new(code, dst, src, off, imm)];
        assert_eq!(assemble(source, &Few), Ok(expected), "{source}");
    }
}

#[test]
fn odd_slots_are_assembled_from_raw_lines() {
    for (code, dst, src, off, imm, text) in ODD {
        let insns = [Insn::new(code, dst, src, off, imm)];
        let assembly = Disasm::new(&insns, 0, &Few).assembly().to_string();
        if text.contains("1234") {
            assert_eq!(assembly, "call kfunc bpf_iter_num_next#1234");
        } else {
            assert!(assembly.starts_with("raw "), "{assembly}");
        }
        assert_eq!(assemble(&assembly, &Few), Ok(insns.to_vec()));
    }
}

#[test]
fn wide_immediates() {
    let rows = [
        (0, 0, i32::MIN, "r2 = 0x8000000000000000"),
        (0, -1, 0, "r2 = 0xffffffff"),
        (4, 6, 0, "r2 = 0x6"),
        (1, 3, 0, "r2 = map[3] ll"),
        (2, 3, 8, "r2 = map_value[3] + 8 ll"),
    ];
    for (src, imm, next_imm, text) in rows {
        let insns = [Insn::new(0x18, 2, src, 0, imm), Insn::new(0, 0, 0, 0, next_imm)];
        assert_eq!(Disasm::new(&insns, 0, &()).to_string(), format!("(18) {text}"));
    }
}
