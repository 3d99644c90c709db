//! The stack that chains of calls need together (verifier.md, section 1 row 18 and 7.1).

use probity_isa::Instruction;
use probity_isa::opcode::BPF_PSEUDO_FUNC;
use probity_platform::{Code as Why, Platform, ProgFlags, ProgType, Rejection};

use crate::prepare::Code;

struct Check<'a> {
    code: &'a Code,
    later: &'a [bool],
    depth: &'a [u32],
    platform: &'a Platform,
    private: bool,
    /// The functions from the entry to the one that is looked at.
    chain: Vec<usize>,
    /// By function: a frame may come from more than one place, but never from itself.
    budget: u32,
}

/// Walks the call graph from the entry and adds up.
pub(crate) fn check(
    code: &Code,
    later: &[bool],
    depth: &[u32],
    platform: &Platform,
    prog_type: &ProgType,
) -> Result<(), (usize, Rejection)> {
    // A tail call keeps its program on the shared stack.
    let private = prog_type.flags.contains(ProgFlags::PRIVATE_STACK)
        && !code.functions.iter().any(|function| function.tail_call);
    let budget = platform.limits.processed;
    let mut check = Check { code, later, depth, platform, private, chain: Vec::new(), budget };
    let roots = (0..code.functions.len()).filter(|&function| function == 0 || later[function]);
    for root in roots {
        check.chain = vec![root];
        check.walk()?;
    }
    Ok(())
}

impl Check<'_> {
    fn rounded(&self, function: usize) -> u32 {
        self.depth[function].next_multiple_of(self.platform.limits.stack_align.max(1))
    }

    fn walk(&mut self) -> Result<(), (usize, Rejection)> {
        let function = self.chain[self.chain.len() - 1];
        let start = self.code.functions[function].start;
        let limits = &self.platform.limits;
        let total: u32 = self.chain.iter().map(|&function| self.rounded(function)).sum();
        let frames = self.chain.len();
        let own = self.rounded(function);
        let too_much = if self.private { own > limits.stack } else { total > limits.stack };
        if too_much {
            let message = format!("combined stack size of {frames} calls is {total}. Too large");
            return Err((
                start,
                Rejection::new(Why::StackDepth, message).facts(
                    format!("at most {} bytes of stack", limits.stack),
                    format!("{total} bytes over {frames} functions"),
                ),
            ));
        }
        let callers = total - own;
        if self.code.functions[function].tail_call && frames > 1 && callers >= limits.tail_call_stack {
            let message = format!(
                "tail_calls are not allowed when call stack of previous frames is {callers} bytes. Too large"
            );
            return Err((start, Rejection::new(Why::StackDepth, message)));
        }
        self.walk_callees(function)
    }

    fn walk_callees(&mut self, function: usize) -> Result<(), (usize, Rejection)> {
        let code = self.code;
        for pc in code.functions[function].start..code.functions[function].end {
            let (off, called) = match code.instruction(pc) {
                Some(&Instruction::CallSubprog { off }) => (off, true),
                Some(&Instruction::LoadImm64 { pseudo: BPF_PSEUDO_FUNC, imm, .. }) => (imm, false),
                _ => continue,
            };
            let target = pc as i64 + i64::from(off) + 1;
            let Some(callee) = usize::try_from(target).ok().and_then(|at| code.function_at(at)) else {
                continue;
            };
            // What is called later has the stack for itself.
            if !called && self.later[callee] {
                continue;
            }
            if self.chain.len() >= self.platform.limits.frames as usize || self.budget == 0 {
                let frames = self.chain.len();
                let message = format!("the call stack of {frames} frames is too deep !");
                return Err((pc, Rejection::new(Why::CallDepth, message)));
            }
            self.budget -= 1;
            self.chain.push(callee);
            self.walk()?;
            self.chain.pop();
        }
        Ok(())
    }
}
