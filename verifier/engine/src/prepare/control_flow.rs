//! Reachability, back edges, and where states are compared.
//!
//! Prune points: the target of every jump, every conditional jump itself, every function's entry,
//! the instruction after a call, and a static call itself. Jump points, where the predecessor on a
//! path must be recorded: the same but for conditional jumps and static calls themselves
//! (verifier.md, section 1.1). All by the raw instruction: a malformed one counts as what it looks
//! like until a path gets there.

use probity_isa::opcode::{
    BPF_CALL, BPF_EXIT, BPF_JA, BPF_JCOND, BPF_JMP, BPF_JMP32, BPF_MAY_GOTO, BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC,
};
use probity_isa::{Insn, Instruction};
use probity_platform::{Callable, Code as Why, Concepts, KfuncFlags, Policy, Rejection};

use super::{Code, Offered, Widens};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Done,
}

/// Where control goes from an instruction: behind it, and elsewhere.
struct Edges {
    next: Option<usize>,
    branch: Option<usize>,
}

/// By the raw instruction: one with a field that must be 0 and is not still leads where it says.
fn edges(raw: &[Insn], pc: usize) -> Edges {
    let insn = raw[pc];
    let at = |off: i64| usize::try_from(pc as i64 + off + 1).ok();
    let near = at(i64::from(insn.off));
    let far = at(i64::from(insn.imm));
    let next = Some(pc + insn.slots());
    let class = insn.code & 0x07;
    if class != BPF_JMP && class != BPF_JMP32 {
        let function = insn.slots() == 2 && insn.src == BPF_PSEUDO_FUNC;
        return Edges { next, branch: far.filter(|_| function) };
    }
    match insn.code & 0xf0 {
        BPF_EXIT => Edges { next: None, branch: None },
        BPF_CALL => Edges { next, branch: far.filter(|_| insn.src == BPF_PSEUDO_CALL) },
        BPF_JA => Edges { next: None, branch: if class == BPF_JMP32 { far } else { near } },
        _ => Edges { next, branch: near },
    }
}

/// What is left to do of an instruction on the way back from where it leads.
struct Visit {
    pc: usize,
    edges: Edges,
}

/// Walks the program, marks its points, and refuses what no path reaches.
pub(super) fn check(
    code: &mut Code,
    raw: &[Insn],
    policy: Policy,
    offered: &Offered,
) -> Result<(), (usize, Rejection)> {
    let len = code.insns.len();
    let mut marks = vec![Mark::New; len];
    let mut stack = Vec::new();
    let mut next = Some(0);
    loop {
        if let Some(pc) = next.take() {
            marks[pc] = Mark::OnPath;
            let edges = edges(raw, pc);
            mark_points(code, offered, raw, pc, edges.branch);
            stack.push(Visit { pc, edges });
        }
        let Some(visit) = stack.last_mut() else { break };
        let pc = visit.pc;
        let Some(target) = visit.edges.next.take().or_else(|| visit.edges.branch.take()) else {
            marks[pc] = Mark::Done;
            stack.pop();
            continue;
        };
        match marks.get(target) {
            Some(Mark::New) => next = Some(target),
            Some(Mark::OnPath) if !policy.loops => {
                let message = format!("back-edge from insn {pc} to {target}");
                return Err((pc, Rejection::new(Why::BackEdge, message)));
            }
            Some(Mark::OnPath | Mark::Done) => {}
            None => {
                let message = format!("jump out of range from insn {pc} to {target}");
                return Err((pc, Rejection::new(Why::JumpOutOfRange, message)));
            }
        }
    }
    check_reached(code, &marks)
}

fn check_reached(code: &Code, marks: &[Mark]) -> Result<(), (usize, Rejection)> {
    let mut pc = 0;
    while pc < marks.len() {
        if marks[pc] != Mark::Done {
            let message = format!("unreachable insn {pc}");
            return Err((pc, Rejection::new(Why::UnreachableInsn, message)));
        }
        if code.insns[pc].slots == 2 {
            if marks.get(pc + 1).is_some_and(|&mark| mark != Mark::New) {
                let message = format!("jump into the middle of ldimm64 insn {pc}");
                return Err((pc, Rejection::new(Why::JumpIntoLoadImm64, message)));
            }
            pc += 1;
        }
        pc += 1;
    }
    Ok(())
}

/// What an instruction calls, when it is a callable.
fn called(code: &Code, offered: &Offered, pc: usize) -> Option<&'static Callable> {
    match code.instruction(pc)? {
        Instruction::CallHelper { id } => offered.callable(*id),
        Instruction::CallKfunc { id, .. } => offered.kfunc(*id).map(|kfunc| kfunc.row),
        _ => None,
    }
}

/// Whether paths may come back to an instruction any number of times.
fn widens(code: &Code, offered: &Offered, pc: usize) -> Option<Widens> {
    if let Some(Instruction::MayGoto { .. }) = code.instruction(pc) {
        return Some(Widens::MayGoto);
    }
    let callable = called(code, offered, pc)?;
    if callable.kfunc.contains(KfuncFlags::KF_ITER_NEXT) {
        return Some(Widens::Advance);
    }
    callable.concepts.contains(Concepts::CALLBACK).then_some(Widens::CallBack)
}

fn sets_callback(code: &Code, offered: &Offered, pc: usize) -> bool {
    called(code, offered, pc).is_some_and(|callable| callable.concepts.contains(Concepts::ASYNC_CALLBACK))
}

fn mark_points(code: &mut Code, offered: &Offered, raw: &[Insn], pc: usize, target: Option<usize>) {
    let target = target.filter(|&target| target < code.insns.len());
    let insn = raw[pc];
    let class = insn.code & 0x07;
    let jump = class == BPF_JMP || class == BPF_JMP32;
    let (own, after) = match insn.code & 0xf0 {
        _ if !jump => (false, false),
        BPF_EXIT | BPF_JA => (false, false),
        BPF_CALL => (insn.src == BPF_PSEUDO_CALL, true),
        _ => (true, false),
    };
    let widens = widens(code, offered, pc);
    code.insns[pc].widens = widens;
    // Also a malformed one.
    let may_goto = insn.code == BPF_JMP | BPF_JCOND && insn.src == BPF_MAY_GOTO;
    code.insns[pc].checkpoint = may_goto || widens.is_some();
    // The function behind an address is entered from where the address is taken.
    let address = !jump && insn.slots() == 2 && insn.src == BPF_PSEUDO_FUNC;
    if widens == Some(Widens::CallBack) {
        code.insns[pc].jump_point = true;
    }
    if own || address || widens.is_some() || sets_callback(code, offered, pc) {
        code.insns[pc].prune_point = true;
    }
    let joins = target.into_iter().chain((after || address).then_some(pc + insn.slots()));
    for join in joins {
        if let Some(insn) = code.insns.get_mut(join) {
            insn.prune_point = true;
            insn.jump_point = true;
        }
    }
}
