//! Why an object or a program cannot be loaded: the place, the reason, what to do.

use probity_program::btf::BtfError;

/// Why an object cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The bytes are not an ELF file, or a damaged one.
    #[error(
        "not an ELF object that can be read: {reason}: give the `.o` file that `clang -target bpf -c` writes"
    )]
    Elf {
        /// What is wrong.
        reason: String,
    },
    /// The file is for another machine.
    #[error("the ELF header says {found}, not 64-bit little-endian BPF: compile with `-target bpfel`")]
    Machine {
        /// What it is for.
        found: String,
    },
    /// There is more of something than is accepted.
    #[error("{what}: there are more than {max}: split the object")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many are accepted.
        max: usize,
    },
    /// A section is damaged.
    #[error("section {section}: {reason}: the object is damaged; compile it again")]
    Section {
        /// The section's name.
        section: String,
        /// What is wrong.
        reason: String,
    },
    /// A symbol is damaged.
    #[error("symbol {symbol} in section {section}: {reason}: the object is damaged; compile it again")]
    Symbol {
        /// The symbol's name.
        symbol: String,
        /// The section that it is in.
        section: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The section `.BTF` is damaged.
    #[error("section .BTF: {0}")]
    Btf(#[from] BtfError),
    /// The section `.BTF.ext` is damaged.
    #[error("section .BTF.ext at offset {offset:#x}: {reason}: the object is damaged; compile it again")]
    BtfExt {
        /// Where.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A map's definition cannot be understood.
    #[error("map {map} in section {section}: {reason}: {remedy}")]
    Map {
        /// The map's name.
        map: String,
        /// The section that it is in.
        section: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// Why a program of an object cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no such program.
    #[error(
        "program {program}: the object has none of this name: a program is a function that is not static, in a section other than .text"
    )]
    NotFound {
        /// The name asked for.
        program: String,
    },
    /// The section's name does not say the program type.
    #[error(
        "program {program}: its section {section} does not say a program type: rename the section or give the type"
    )]
    UnknownSection {
        /// The program.
        program: String,
        /// Its section.
        section: String,
    },
    /// The program uses something that is not supported here.
    #[error("program {program}: unsupported: {name}, at instruction {pc} of section {section}: {remedy}")]
    Unsupported {
        /// The program.
        program: String,
        /// What is not supported.
        name: String,
        /// The section of the instruction.
        section: String,
        /// The instruction, counted from the start of the section.
        pc: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// An instruction refers to something that cannot be found.
    #[error(
        "program {program}: instruction {pc} of section {section} refers to {symbol}: {reason}: {remedy}"
    )]
    Relocation {
        /// The program.
        program: String,
        /// The section of the instruction.
        section: String,
        /// The instruction, counted from the start of the section.
        pc: usize,
        /// What it refers to.
        symbol: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// There is more of something than is accepted.
    #[error("program {program}: {what}: there are more than {max}: make it smaller")]
    Limit {
        /// The program.
        program: String,
        /// Of what.
        what: &'static str,
        /// How many are accepted.
        max: u64,
    },
}
