//! A program: what is verified and run.

use std::sync::Arc;

use probity_isa::Insn;

use crate::{btf::Btf, map::MapDef};

/// One program with everything that its verification needs.
///
/// References are resolved inside `insns`, in the kernel's own encoding: an `ld_imm64` whose
/// source field is 1 (map) or 2 (map value) carries in `imm` an index into `maps`, and for 2 the
/// offset in the second `imm`; source 4 (function) carries a pc-relative target; a call with
/// source 1 a pc-relative target; a call with source 2 (kfunc) carries in `imm` an index into
/// `kfuncs`; an `ld_imm64` of source 3 (a kernel variable) an index into `ksyms`.
#[derive(Clone, Debug)]
pub struct Program {
    /// The name of its entry function.
    pub name: String,
    /// The section that it comes from; may be empty.
    pub section: String,
    /// The number of its program type, as the platform numbers them.
    pub prog_type: u32,
    /// The number of its expected attach type; 0 when it has none.
    pub attach_type: u32,
    /// What it attaches to (a function's or tracepoint's name), from the section; may be empty.
    pub attach_to: String,
    /// The function or hook of the target that it attaches to, by its name in the target's BTF
    /// (`bpf_lsm_file_open` of `lsm/file_open`); empty for types that attach to none. Of a program
    /// at a tracepoint it is the type of the tracepoint's functions, `btf_trace_sched_switch`.
    pub target: String,
    /// `BPF_F_*` flags of loading.
    pub flags: u32,
    /// The licence string of the object.
    pub license: String,
    /// The instructions: the entry function first, then every subprogram that it reaches.
    pub insns: Vec<Insn>,
    /// The maps that `insns` and map definitions refer to.
    pub maps: Vec<MapDef>,
    /// Names of the kernel functions that `insns` call.
    pub kfuncs: Vec<String>,
    /// Names of the kernel variables that `insns` load.
    pub ksyms: Vec<String>,
    /// Names of the functions that the entry's tags name as handlers of exceptions.
    pub exception_callbacks: Vec<String>,
    /// The functions in `insns`, ascending, the entry first. Empty when the object has no
    /// function information; the calls in `insns` say then where subprograms begin.
    pub funcs: Vec<FuncInfo>,
    /// Source lines, ascending by instruction. Empty when unknown.
    pub lines: Vec<LineInfo>,
    /// The object's BTF.
    pub btf: Option<Arc<Btf>>,
}

impl Program {
    /// A program of bare instructions: no maps, no BTF, licence "GPL".
    #[must_use]
    pub fn from_insns(prog_type: u32, insns: Vec<Insn>) -> Program {
        Program {
            name: String::new(),
            section: String::new(),
            prog_type,
            attach_type: 0,
            attach_to: String::new(),
            target: String::new(),
            flags: 0,
            license: "GPL".into(),
            insns,
            maps: Vec::new(),
            kfuncs: Vec::new(),
            ksyms: Vec::new(),
            exception_callbacks: Vec::new(),
            funcs: Vec::new(),
            lines: Vec::new(),
            btf: None,
        }
    }

    /// The source line of the instruction at `pc`: the last record at or before it.
    #[must_use]
    pub fn line(&self, pc: usize) -> Option<&LineInfo> {
        let after = self.lines.partition_point(|line| line.pc <= pc);
        after.checked_sub(1).map(|index| &self.lines[index])
    }
}

/// A function in a program's instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuncInfo {
    /// The index of its first instruction.
    pub pc: usize,
    /// Its name.
    pub name: String,
    /// The id of its FUNC in the program's BTF, 0 when there is none.
    pub btf_id: u32,
    /// How it is linked. A global function is verified by itself, from its prototype.
    pub linkage: Linkage,
}

/// The linkage of a function, as its BTF says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// Visible in its object only: verified at each call, in the caller's context.
    Static,
    /// Visible outside: verified once against its prototype.
    Global,
    /// Defined elsewhere.
    Extern,
}

/// A source line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineInfo {
    /// The index of the first instruction that it is about.
    pub pc: usize,
    /// The file, as the compiler was given it.
    pub file: Arc<str>,
    /// The text of the line.
    pub text: Arc<str>,
    /// The line's number, from 1.
    pub line: u32,
    /// The column, from 1; 0 when unknown.
    pub column: u32,
}
