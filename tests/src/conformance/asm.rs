//! The assembler's dialect that the vectors are written in: `mov %r0, 1`, `ldxb %r0, [%r1+2]`,
//! `lock fetch add32 [%r10-4], %r1`, `jne %r0, 0x10, fail`. A label that is called `exit` and stands
//! nowhere is the last `exit` of the program.

use std::collections::BTreeMap;

use probity_isa::{Insn, opcode::*};

/// A call of the function whose address is in a register: no part of RFC 9669.
pub const CALL_REGISTER: u8 = BPF_JMP | BPF_CALL | BPF_X;

/// Instructions from text.
///
/// # Errors
///
/// The line that is not understood, and why.
pub fn assemble(text: &str) -> Result<Vec<Insn>, String> {
    let mut labels = BTreeMap::new();
    let mut lines = Vec::new();
    let mut slot = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(label) = line.strip_suffix(':') {
            labels.insert(label, slot);
            continue;
        }
        let line = Line::of(line);
        lines.push((slot, line));
        slot += if lines.last().is_some_and(|(_, line)| line.words == ["lddw"]) { 2 } else { 1 };
    }
    let exit = lines.iter().rev().find(|(_, line)| line.words == ["exit"]);
    if let Some(&(slot, _)) = exit {
        labels.entry("exit").or_insert(slot);
    }
    let mut insns = Vec::with_capacity(slot);
    for (slot, line) in &lines {
        let made = Assembler { labels: &labels, slot: *slot }.line(line);
        insns.extend(made.map_err(|error| format!("`{}`: {error}", line.text))?);
    }
    Ok(insns)
}

/// A number: decimal or, behind `0x`, hexadecimal; with or without a sign.
///
/// # Errors
///
/// When it is none, or has more than 64 bits.
pub fn number(text: &str) -> Result<u64, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let value = value.map_err(|error| format!("{text}: {error}"))?;
    Ok(if negative { value.wrapping_neg() } else { value })
}

/// A line: its words before the operands, and the operands.
struct Line<'a> {
    text: &'a str,
    words: Vec<&'a str>,
    operands: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Line<'a> {
        let mut words = vec![text];
        let mut rest = "";
        if let Some((word, behind)) = text.split_once(char::is_whitespace) {
            (words, rest) = (vec![word], behind.trim());
        }
        // `lock fetch add [...]` and `call local name`: words that are no operands.
        while words == ["lock"]
            || words == ["lock", "fetch"]
            || (words == ["call"] && rest.starts_with("local "))
        {
            let Some((word, behind)) = rest.split_once(char::is_whitespace) else { break };
            words.push(word);
            rest = behind.trim();
        }
        let operands = rest.split(',').map(str::trim).filter(|operand| !operand.is_empty()).collect();
        Line { text, words, operands }
    }
}

/// A register or a number.
enum Operand {
    Register(u8),
    Number(i32),
}

impl Operand {
    /// The bit of `code`, `src` and `imm`.
    fn fields(&self) -> (u8, u8, i32) {
        match *self {
            Operand::Register(register) => (BPF_X, register, 0),
            Operand::Number(number) => (BPF_K, 0, number),
        }
    }
}

struct Assembler<'a> {
    labels: &'a BTreeMap<&'a str, usize>,
    slot: usize,
}

impl Assembler<'_> {
    fn line(&self, line: &Line<'_>) -> Result<Vec<Insn>, String> {
        let operands = line.operands.as_slice();
        let insn = match (line.words.as_slice(), operands) {
            (["exit"], []) => Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
            (["lddw"], [dst, value]) => return wide(register(dst)?, number(value)?),
            (["call", "local"], [target]) => {
                Insn::new(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, self.distance(target)?)
            }
            (["call"], [target]) => match operand(target)? {
                Operand::Register(register) => Insn::new(CALL_REGISTER, register, 0, 0, 0),
                Operand::Number(number) => Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, number),
            },
            (["ja"], [target]) => Insn::new(BPF_JMP | BPF_JA, 0, 0, self.near(target)?, 0),
            (["ja32"], [target]) => Insn::new(BPF_JMP32 | BPF_JA, 0, 0, 0, self.distance(target)?),
            (["lock"], _) => return Err("lock of what?".into()),
            (["lock", .., op], [place, src]) => {
                let (op, size) = sized(op);
                let fetch = line.words.contains(&"fetch");
                let (base, off) = place_of(place)?;
                Insn::new(BPF_STX | BPF_ATOMIC | size, base, register(src)?, off, atomic(op, fetch)?)
            }
            ([name], [dst]) => unary(name, register(dst)?)?,
            ([name], [first, second]) => binary(name, first, second)?,
            ([name], [dst, second, target]) => {
                let (op, width) = name.strip_suffix("32").map_or((*name, BPF_JMP), |name| (name, BPF_JMP32));
                let (source, src, imm) = operand(second)?.fields();
                Insn::new(width | jump(op)? | source, register(dst)?, src, self.near(target)?, imm)
            }
            _ => return Err("no such statement".into()),
        };
        Ok(vec![insn])
    }

    /// Slots from behind this instruction to a label, or as many as it says.
    fn distance(&self, target: &str) -> Result<i32, String> {
        match self.labels.get(target) {
            Some(&slot) => Ok(slot as i32 - self.slot as i32 - 1),
            None => immediate(target),
        }
    }

    fn near(&self, target: &str) -> Result<i16, String> {
        i16::try_from(self.distance(target)?).map_err(|_| format!("{target} is too far away"))
    }
}

fn wide(dst: u8, value: u64) -> Result<Vec<Insn>, String> {
    let (low, high) = (value as u32, (value >> 32) as u32);
    Ok(vec![
        Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, low.cast_signed()),
        Insn::new(0, 0, 0, 0, high.cast_signed()),
    ])
}

fn unary(name: &str, dst: u8) -> Result<Insn, String> {
    let (code, bits) = match name {
        "neg" => (BPF_ALU64 | BPF_NEG, 0),
        "neg32" => (BPF_ALU | BPF_NEG, 0),
        "le16" => (BPF_ALU | BPF_END | BPF_TO_LE, 16),
        "le32" => (BPF_ALU | BPF_END | BPF_TO_LE, 32),
        "le64" => (BPF_ALU | BPF_END | BPF_TO_LE, 64),
        "be16" => (BPF_ALU | BPF_END | BPF_TO_BE, 16),
        "be32" => (BPF_ALU | BPF_END | BPF_TO_BE, 32),
        "be64" => (BPF_ALU | BPF_END | BPF_TO_BE, 64),
        "swap16" | "bswap16" => (BPF_ALU64 | BPF_END, 16),
        "swap32" | "bswap32" => (BPF_ALU64 | BPF_END, 32),
        "swap64" | "bswap64" => (BPF_ALU64 | BPF_END, 64),
        _ => return Err("no such operation on one register".into()),
    };
    Ok(Insn::new(code, dst, 0, 0, bits))
}

fn binary(name: &str, first: &str, second: &str) -> Result<Insn, String> {
    if let Some(name) = name.strip_prefix("ldxs") {
        let (base, off) = place_of(second)?;
        return Ok(Insn::new(BPF_LDX | BPF_MEMSX | size(name)?, register(first)?, base, off, 0));
    }
    if let Some(name) = name.strip_prefix("ldx") {
        let (base, off) = place_of(second)?;
        return Ok(Insn::new(BPF_LDX | BPF_MEM | size(name)?, register(first)?, base, off, 0));
    }
    if let Some(size) = name.strip_prefix("stx").and_then(|name| size(name).ok()) {
        let (base, off) = place_of(first)?;
        return Ok(Insn::new(BPF_STX | BPF_MEM | size, base, register(second)?, off, 0));
    }
    if let Some(size) = name.strip_prefix("st").and_then(|name| size(name).ok()) {
        let (base, off) = place_of(first)?;
        return Ok(Insn::new(BPF_ST | BPF_MEM | size, base, 0, off, immediate(second)?));
    }
    let dst = register(first)?;
    let (source, src, imm) = operand(second)?.fields();
    let extending = match name {
        "movsx832" => Some((BPF_ALU, 8)),
        "movsx1632" => Some((BPF_ALU, 16)),
        "movsx864" => Some((BPF_ALU64, 8)),
        "movsx1664" => Some((BPF_ALU64, 16)),
        "movsx3264" => Some((BPF_ALU64, 32)),
        _ => None,
    };
    if let Some((class, from)) = extending {
        return Ok(Insn::new(class | BPF_MOV | source, dst, src, from, imm));
    }
    let (op, class) = name.strip_suffix("32").map_or((name, BPF_ALU64), |name| (name, BPF_ALU));
    let (op, off) = arithmetic(op)?;
    Ok(Insn::new(class | op | source, dst, src, off, imm))
}

fn arithmetic(name: &str) -> Result<(u8, i16), String> {
    Ok(match name {
        "add" => (BPF_ADD, 0),
        "sub" => (BPF_SUB, 0),
        "mul" => (BPF_MUL, 0),
        "div" => (BPF_DIV, 0),
        "sdiv" => (BPF_DIV, 1),
        "or" => (BPF_OR, 0),
        "and" => (BPF_AND, 0),
        "lsh" => (BPF_LSH, 0),
        "rsh" => (BPF_RSH, 0),
        "mod" => (BPF_MOD, 0),
        "smod" => (BPF_MOD, 1),
        "xor" => (BPF_XOR, 0),
        "mov" => (BPF_MOV, 0),
        "arsh" => (BPF_ARSH, 0),
        _ => return Err("no such operation".into()),
    })
}

/// The operation bits of a condition by its name.
///
/// # Errors
///
/// For a name that none has.
pub fn jump(name: &str) -> Result<u8, String> {
    Ok(match name {
        "jeq" => BPF_JEQ,
        "jgt" => BPF_JGT,
        "jge" => BPF_JGE,
        "jset" => BPF_JSET,
        "jne" => BPF_JNE,
        "jsgt" => BPF_JSGT,
        "jsge" => BPF_JSGE,
        "jlt" => BPF_JLT,
        "jle" => BPF_JLE,
        "jslt" => BPF_JSLT,
        "jsle" => BPF_JSLE,
        _ => return Err("no such jump".into()),
    })
}

fn atomic(name: &str, fetch: bool) -> Result<i32, String> {
    let code = match name {
        "add" => BPF_ADD.into(),
        "or" => BPF_OR.into(),
        "and" => BPF_AND.into(),
        "xor" => BPF_XOR.into(),
        "xchg" => BPF_XCHG,
        "cmpxchg" => BPF_CMPXCHG,
        _ => return Err("no such atomic operation".into()),
    };
    Ok(if fetch { code | BPF_FETCH } else { code })
}

/// The name of an atomic operation without its width, and the width.
fn sized(name: &str) -> (&str, u8) {
    name.strip_suffix("32").map_or((name, BPF_DW), |name| (name, BPF_W))
}

fn size(letters: &str) -> Result<u8, String> {
    match letters {
        "b" => Ok(BPF_B),
        "h" => Ok(BPF_H),
        "w" => Ok(BPF_W),
        "dw" => Ok(BPF_DW),
        _ => Err(format!("{letters} is no size")),
    }
}

/// `[%r1+2]`.
fn place_of(text: &str) -> Result<(u8, i16), String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("{text} is no place in memory"))?;
    let at = inner.find(['+', '-']).unwrap_or(inner.len());
    let (base, off) = inner.split_at(at);
    let off = if off.is_empty() { 0 } else { immediate(off)? };
    Ok((register(base)?, i16::try_from(off).map_err(|_| format!("{off} is too far"))?))
}

fn register(text: &str) -> Result<u8, String> {
    let number = text.trim().strip_prefix("%r").and_then(|number| number.parse().ok());
    number.filter(|&number: &u8| number < 16).ok_or_else(|| format!("{text} is no register"))
}

fn operand(text: &str) -> Result<Operand, String> {
    if text.starts_with('%') {
        register(text).map(Operand::Register)
    } else {
        immediate(text).map(Operand::Number)
    }
}

/// 32 bits, with a sign or without.
fn immediate(text: &str) -> Result<i32, String> {
    let value = number(text)?.cast_signed();
    let number = i32::try_from(value).ok();
    let number = number.or_else(|| u32::try_from(value).ok().map(u32::cast_signed));
    number.ok_or_else(|| format!("{text} has more than 32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements() {
        let words = |text: &str| -> Vec<[u8; 8]> {
            assemble(text).expect("a program").into_iter().map(Insn::to_bytes).collect()
        };
        assert_eq!(words("mov %r0, 0xffffffff"), [[0xb7, 0, 0, 0, 255, 255, 255, 255]]);
        assert_eq!(words("lock fetch add32 [%r10-4], %r1"), [[0xc3, 0x1a, 0xfc, 0xff, 1, 0, 0, 0]]);
        assert_eq!(words("lock cmpxchg [%r1], %r2"), [[0xdb, 0x21, 0, 0, 0xf1, 0, 0, 0]]);
        let jump = words("jsle32 %r1, -2, exit\nmov %r0, %r1\nexit");
        assert_eq!(jump[0], [0xd6, 1, 1, 0, 0xfe, 255, 255, 255]);
        assert_eq!(words("call local f\nexit\nf:\nexit")[0], [0x85, 0x10, 0, 0, 1, 0, 0, 0]);
        assert_eq!(words("smod32 %r3, %r4"), [[0x9c, 0x43, 1, 0, 0, 0, 0, 0]]);
        assert_eq!(words("lddw %r0, 0x1122334455667788")[1], [0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11]);
        assert!(assemble("hop %r0").is_err());
        assert!(assemble("mov %r0, 0x100000000").is_err());
    }
}
