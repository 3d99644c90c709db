//! Text to slots, in the notation that the disassembler prints.
//!
//! One instruction a line; `//` and `;` start a comment; `name:` names the place that follows.
//!
//! | text | instruction |
//! |---|---|
//! | `r1 = r2`, `w1 = -5`, `r1 = -r1`, `r1 = (s8)r2` | move, negate, move with sign |
//! | `r1 += 5`, `w1 s>>= w2` | arithmetic, with `+ - * / \| & << >> % ^ s>> s/ s%` |
//! | `r1 = be16 r1`, `r1 = le32 r1`, `r1 = bswap64 r1` | byte swap |
//! | `r1 = addr_space_cast(r2, 0, 1)` | change of address space |
//! | `r1 = 0x123456789 ll` | 64-bit number |
//! | `r1 = map[0] ll`, `r1 = map_value[0] + 8 ll` | map, place in a map's value; also `map_idx`, `map_idx_value` |
//! | `r1 = btf[5] ll`, `r1 = func[name] ll` | kernel variable, subprogram |
//! | `r1 = *(u32 *)(r2 +4)`, `r1 = *(s8 *)(r2 -1)` | load |
//! | `*(u64 *)(r10 -8) = r1`, `*(u8 *)(r10 -8) = 5` | store |
//! | `lock *(u64 *)(r1 +0) += r2` | atomic, also `\|= &= ^=` |
//! | `r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)` | fetching atomic; 32 bits without `64`; `or`, `and`, `xor` |
//! | `r2 = atomic64_xchg((u64 *)(r1 +0), r2)` | exchange |
//! | `r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)` | compare and exchange |
//! | `r1 = load_acquire((u8 *)(r2 +0))`, `store_release((u8 *)(r1 +0), r2)` | ordered load, store |
//! | `r0 = *(u16 *)skb[12]`, `r0 = *(u8 *)skb[r1 + 2]` | legacy packet access |
//! | `if r1 s> 5 goto name`, `if w1 & 0x4 goto pc+2` | jump, with `== > >= & != s> s>= < <= s< s<=` |
//! | `goto name`, `gotol pc-5`, `may_goto +3` | jump |
//! | `call 5`, `call bpf_ktime_get_ns#5`, `call bpf_ktime_get_ns` | helper |
//! | `call kfunc 1234`, `call kfunc bpf_rcu_read_lock#1234` | kernel function |
//! | `call name`, `call pc+2` | subprogram |
//! | `exit` | return |
//! | `raw 0xb7 1 0 0 5` | the fields of a slot: code, dst, src, off, imm |

mod lexer;
mod line;
mod statement;
mod value;

use std::collections::HashMap;

use thiserror::Error;

use crate::insn::Insn;
use crate::instruction::Instruction;
use crate::names::Names;

use statement::Statement;

/// Something wrong in a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}:{column}: {problem}")]
pub struct AssembleError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The text does not go on as it must.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What could stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// A jump or call to a place that has no such name.
    #[error("there is no label `{0}`")]
    UndefinedLabel(String),
    /// A second place with the same name.
    #[error("the label `{label}` is already on line {first}")]
    DuplicateLabel {
        /// The name.
        label: String,
        /// Where the first one is.
        first: usize,
    },
    /// A jump over more slots than its offset can say.
    #[error("the label `{label}` is {distance} slots away, too far for 16 bits")]
    TooFar {
        /// The name.
        label: String,
        /// From the next instruction.
        distance: i64,
    },
    /// A function called by name, and nobody knows its number.
    #[error("no label and no known helper is called `{0}`")]
    UnknownFunction(String),
}

/// Where a jump or call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// So many slots from the next instruction.
    Offset(i32),
    /// The place with this name.
    Label(String),
}

/// A place in the text, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn error(self, problem: Problem) -> AssembleError {
        AssembleError { line: self.line, column: self.column, problem }
    }
}

/// A label used before it can be looked up.
struct Use {
    slot: usize,
    field: Field,
    label: String,
    at: Position,
}

/// Which field of a slot a label's distance goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Off,
    Imm,
    /// A call by name: a subprogram if there is such a label, else a helper.
    Call,
}

/// The program so far.
#[derive(Default)]
struct Program {
    insns: Vec<Insn>,
    labels: HashMap<String, (usize, usize)>,
    uses: Vec<Use>,
    errors: Vec<AssembleError>,
}

/// Assembles a program. `names` is asked for helpers that are called by name alone; `&()` knows
/// none. Slots are not judged: what [`decode`](crate::decode()) refuses can be written as `raw`.
///
/// # Errors
/// Everything that is wrong, at most one thing an instruction, in the order of the text.
pub fn assemble<N: Names>(text: &str, names: &N) -> Result<Vec<Insn>, Vec<AssembleError>> {
    let mut program = Program::default();
    for (index, line) in text.lines().enumerate() {
        if let Err(error) = program.line(index + 1, line) {
            program.errors.push(error);
        }
    }
    program.link(names);
    if program.errors.is_empty() {
        Ok(program.insns)
    } else {
        program.errors.sort_by_key(|error| (error.line, error.column));
        Err(program.errors)
    }
}

impl Program {
    fn line(&mut self, number: usize, text: &str) -> Result<(), AssembleError> {
        let mut line = line::Line::new(number, text)?;
        while let Some((label, at)) = line.label() {
            let place = (self.insns.len(), number);
            if let Some(&(_, first)) = self.labels.get(&label) {
                let problem = Problem::DuplicateLabel { label, first };
                self.errors.push(at.error(problem));
            } else {
                self.labels.insert(label, place);
            }
        }
        if line.at_end() {
            return Ok(());
        }
        let statement = statement::parse(&mut line)?;
        line.end()?;
        self.statement(statement);
        Ok(())
    }

    fn statement(&mut self, statement: Statement) {
        let slot = self.insns.len();
        match statement {
            Statement::Plain(instruction) => self.instruction(instruction),
            Statement::Raw(insn) => self.insns.push(insn),
            Statement::Jump { instruction, field, label, at } => {
                self.instruction(instruction);
                self.uses.push(Use { slot, field, label, at });
            }
        }
    }

    fn instruction(&mut self, instruction: Instruction) {
        let (first, second) = instruction.encode();
        self.insns.push(first);
        self.insns.extend(second);
    }

    /// Fills in the distances to labels, now that all are known.
    fn link<N: Names>(&mut self, names: &N) {
        for Use { slot, field, label, at } in std::mem::take(&mut self.uses) {
            let Some(insn) = self.insns.get_mut(slot) else {
                continue;
            };
            let Some(&(place, _)) = self.labels.get(&label) else {
                let problem = match (field, names.helper_id(&label)) {
                    (Field::Call, Some(id)) => {
                        *insn = Instruction::CallHelper { id }.encode().0;
                        continue;
                    }
                    (Field::Call, None) => Problem::UnknownFunction(label),
                    _ => Problem::UndefinedLabel(label),
                };
                self.errors.push(at.error(problem));
                continue;
            };
            let distance = place as i64 - slot as i64 - 1;
            let fits = match field {
                Field::Off => i16::try_from(distance).map(|off| insn.off = off).is_ok(),
                Field::Imm | Field::Call => i32::try_from(distance).map(|imm| insn.imm = imm).is_ok(),
            };
            if !fits {
                let problem = Problem::TooFar { label, distance };
                self.errors.push(at.error(problem));
            }
        }
    }
}
