//! The assembler: what the notation means, and what it says when a text is wrong.

use probity_isa::{AluOp, Insn, Instruction, JumpOp, Names, Source, Width, assemble, decode, disassemble};

struct OneHelper;

impl Names for OneHelper {
    fn helper_id(&self, name: &str) -> Option<i32> {
        (name == "bpf_map_lookup_elem").then_some(1)
    }
}

fn instructions(text: &str) -> Vec<Instruction> {
    let insns = assemble(text, &OneHelper).expect("the text is right");
    let mut found = Vec::new();
    let mut pc = 0;
    while pc < insns.len() {
        let instruction = decode(&insns, pc).expect("the slots are right");
        pc += instruction.slots();
        found.push(instruction);
    }
    found
}

fn errors(text: &str) -> Vec<String> {
    let errors = assemble(text, &OneHelper).expect_err("the text is wrong");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn labels_count_slots() {
    let text = "
        start: r1 = 0x1ffffffff ll   ; two slots
        if r1 s> -5 goto end         // over three
        goto start
        gotol end
        may_goto end
    end:
    also_end: exit";
    let jump =
        Instruction::Jump { width: Width::W64, op: JumpOp::Jsgt, dst: 1, src: Source::Imm(-5), off: 3 };
    let found = instructions(text);
    assert_eq!(found[0].value(), Some(0x1_ffff_ffff));
    assert_eq!(found[1], jump);
    assert_eq!(found[2], Instruction::Ja { off: -4 });
    assert_eq!(found[3], Instruction::Ja { off: 1 });
    assert_eq!(found[4], Instruction::MayGoto { off: 0 });
    assert_eq!(assemble(text, &()).expect("right")[4].code, 0x06);
}

#[test]
fn calls_go_to_labels_helpers_and_kernel_functions() {
    let text = "call sub\ncall bpf_map_lookup_elem\ncall any#7\ncall 8\ncall kfunc f#9
        call kfunc 10\ncall pc-2\nr2 = func[sub] ll\nexit\nsub: exit";
    let found = instructions(text);
    let expected = [
        Instruction::CallSubprog { off: 9 },
        Instruction::CallHelper { id: 1 },
        Instruction::CallHelper { id: 7 },
        Instruction::CallHelper { id: 8 },
        Instruction::CallKfunc { id: 9, off: 0 },
        Instruction::CallKfunc { id: 10, off: 0 },
        Instruction::CallSubprog { off: -2 },
        Instruction::LoadImm64 { dst: 2, pseudo: 4, imm: 2, next_imm: 0 },
    ];
    assert_eq!(found[..8], expected);
}

#[test]
fn a_label_hides_a_helper() {
    let found = instructions("call bpf_map_lookup_elem\nexit\nbpf_map_lookup_elem: exit");
    assert_eq!(found[0], Instruction::CallSubprog { off: 1 });
}

#[test]
fn maps_and_variables() {
    let load = |dst, pseudo, imm, next_imm| Instruction::LoadImm64 { dst, pseudo, imm, next_imm };
    let text = "r1 = map[0] ll\nr1 = map_value[0] + 8 ll\nr1 = map_value[2] ll
        r1 = map_idx[1] ll\nr1 = map_idx_value[1] +4 ll\nr1 = btf[77] ll\nr1 = -1 ll";
    let expected = [
        load(1, 1, 0, 0),
        load(1, 2, 0, 8),
        load(1, 2, 2, 0),
        load(1, 5, 1, 0),
        load(1, 6, 1, 4),
        load(1, 3, 77, 0),
        load(1, 0, -1, -1),
    ];
    assert_eq!(instructions(text), expected);
}

#[test]
fn a_number_without_ll_is_a_move_in_either_radix() {
    let mov = |width, imm| Instruction::Mov { width, dst: 1, src: Source::Imm(imm), sign_extend: None };
    assert_eq!(instructions("r1 = 0x10"), [mov(Width::W64, 16)]);
    assert_eq!(instructions("w1 = 0xffffffff"), [mov(Width::W32, -1)]);
    assert_eq!(instructions("w1 = 4294967295"), [mov(Width::W32, -1)]);
    let text = "r1 = 0xffffffff";
    let expected = "expected a number from -2147483648 to 2147483647, found `0xffffffff`";
    assert_eq!(errors(text), [format!("1:6: {expected}")]);
}

#[test]
fn blanks_do_not_matter() {
    let add = Instruction::Alu { width: Width::W64, op: AluOp::Add, dst: 2, src: Source::Imm(-8) };
    assert_eq!(instructions("r2+=-8"), [add]);
    assert_eq!(instructions("\t r2  +=  - 8 //x"), [add]);
    let compact = assemble("r0=*(u8*)(r1+4)\n*(u8*)(r1)=r0", &());
    let loose = assemble("r0 = *(u8 *)(r1 + 4)\n*(u8 *)(r1 +0) = r0", &());
    assert!(compact.is_ok());
    assert_eq!(compact, loose);
}

#[test]
fn every_error_is_reported_where_it_is() {
    let text = "r1 = 5\nr1 ? 5\n  goto nowhere\nx: exit\nx: exit\nw1 = r2\nif r1 5 goto x\ncall foo
        lock *(u8 *)(r1 +0) += r2\nr1 = -r2\nr16 = 0\ngoto 40000\nexit now\n*(u64 *)(r1 +99999) = 0";
    let expected = [
        "2:4: expected a word, a number or an operator, found `?`",
        "3:8: there is no label `nowhere`",
        "5:1: the label `x` is already on line 4",
        "6:6: expected a number of 32 bits, found `r2`",
        "7:7: expected a condition as `==`, `s<` or `&`, found `5`",
        "8:6: no label and no known helper is called `foo`",
        "9:16: expected a size of atomics: `u32` or `u64`, found `u8`",
        "10:7: expected `r1`, as on the left, found `r2`",
        "11:1: expected an instruction, found `r16`",
        "12:6: expected an offset of 16 bits, found `40000`",
        "13:6: expected the end of the line, found `now`",
        "14:13: expected an offset of 16 bits, found `+99999`",
    ];
    assert_eq!(errors(text), expected);
}

#[test]
fn the_end_of_a_line_is_a_place_too() {
    let end = "found the end of the line";
    assert_eq!(
        errors("r1 ="),
        [format!("1:5: expected a value: a register, a number, memory or an operation, {end}")]
    );
    assert_eq!(errors("goto  ; x"), [format!("1:5: expected a label or an offset as `pc+1`, {end}")]);
}

#[test]
fn far_labels_need_gotol() {
    let far = "r0 = 0\n".repeat(40000);
    let text = format!("goto end\n{far}end: exit");
    let expected = "1:6: the label `end` is 40000 slots away, too far for 16 bits";
    assert_eq!(errors(&text), [expected]);
    let text = format!("gotol end\n{far}end: exit");
    assert_eq!(decode(&assemble(&text, &()).expect("right"), 0), Ok(Instruction::Ja { off: 40000 }));
}

#[test]
fn nothing_is_a_program_of_no_slots() {
    assert_eq!(assemble("", &()), Ok(Vec::new()));
    assert_eq!(assemble("; only\n // comments\n\n", &()), Ok(Vec::new()));
    assert_eq!(disassemble(&[], &()), "");
}

#[test]
fn programs_are_printed_a_line_an_instruction() {
    let text = "r1 = map[0] ll\nif r1 == 0x0 goto pc+1\ncall unknown#5\nexit\nraw 0xff 1 2 3 4\n";
    let insns = assemble(text, &()).expect("the text is right");
    assert_eq!(insns[5], Insn::new(0xff, 1, 2, 3, 4));
    assert_eq!(disassemble(&insns, &()), text);
}
