//! The optimising compiler: functions become values in static single assignment, passes make fewer and
//! cheaper ones of them, and registers are chosen for whole functions.
//!
//! | module | subject |
//! |---|---|
//! | `cfg` | the blocks of a function's instructions, and which registers are live |
//! | `ir` | values and blocks |
//! | `build` | from instructions to values |
//! | `fold` | operations whose operands are known in part |
//! | `analysis` | order, dominators, loops |
//! | `bits` | how many bits of a value can be other than 0 |
//! | `escape` | which part of the frame is only reached directly |
//! | `promote` | slots of the frame become values |
//! | `simplify` | what bits tell, divisions by numbers, equal operations |
//! | `convert` | small branches become selections |
//! | `unroll` | several rounds of a loop at once |
//! | `edges` | edges that copies have no place on |
//! | `lir` | instructions of the machine |
//! | `select` | from values to instructions of the machine |
//! | `address` | what becomes part of addresses and comparisons |
//! | `layout` | the order of blocks |
//! | `live` | where registers are live |
//! | `coalesce` | copies that share a register |
//! | `alloc` | registers of the machine |
//! | `emit` | frames, blocks, copies |
//! | `operate` | single instructions |

mod address;
mod alloc;
mod analysis;
mod bits;
mod build;
mod cfg;
mod coalesce;
mod convert;
mod edges;
mod emit;
mod escape;
mod fold;
mod ir;
mod layout;
mod lir;
mod live;
mod operate;
mod promote;
mod select;
mod simplify;
mod unroll;

use std::sync::Arc;

use probity_platform::Intrinsic;
use probity_vm::maps::ArrayLayout;
use probity_vm::{Executable, Function, Map, Op, Site, Target, Unit};
use thiserror::Error;

use crate::abi::{Frames, RUN};
use crate::encode::{Assembler, Reg};
use crate::error::JitError;
use crate::listing::{Part, listing};
use crate::memory::ExecutableMemory;
use crate::native::NativeCode;
use crate::options::Options;
use analysis::Analysis;
use build::Functions;
use cfg::{Regs, Spans};
use emit::{Output, Stack};
use ir::{Func, Inst, Term};
use lir::set;

/// Something that the optimising compiler leaves to the other one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the optimising compiler does not take {0}")]
pub struct Unhandled(pub &'static str);

/// Why there is no optimised code.
#[derive(Debug, Error)]
pub enum OptError {
    /// The program has something that only the other compiler takes.
    #[error(transparent)]
    Unhandled(#[from] Unhandled),
    /// As with the other compiler.
    #[error(transparent)]
    Jit(#[from] JitError),
}

/// What is compiled.
pub(crate) struct Code<'a> {
    ops: &'a [Op],
    functions: &'a [Function],
    sites: &'a [Site],
    maps: &'a [Arc<Map>],
    zeroes_stack: bool,
    /// Counts back edges and calls.
    fuel: bool,
}

impl<'a> Code<'a> {
    fn of(unit: &'a Unit, options: &Options) -> Code<'a> {
        Code {
            ops: unit.ops(),
            functions: unit.functions(),
            sites: unit.sites(),
            maps: unit.maps(),
            zeroes_stack: unit.zeroes_stack(),
            fuel: options.fuel,
        }
    }

    fn function_at(&self, start: u32) -> Option<usize> {
        self.functions.binary_search_by_key(&start, |function| function.start).ok()
    }
}

/// The layout of the array that a call is a lookup in.
fn array_of(code: &Code<'_>, site: u32) -> Option<ArrayLayout> {
    let site = &code.sites[site as usize];
    if site.target != Target::Body(Intrinsic::MapLookup) {
        return None;
    }
    code.maps.get(site.map? as usize)?.array_layout()
}

/// Loops in loops beyond this are left alone.
const DEEPEST: u32 = 64;

/// Makes optimised machine code of an executable.
///
/// # Errors
/// When the program has something that this compiler does not take ([`Unhandled`]: the other one does),
/// there is no compiler for this machine, or no memory.
pub fn compile(executable: &Executable, options: &Options) -> Result<NativeCode, OptError> {
    if cfg!(not(all(target_arch = "x86_64", unix))) {
        let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
        return Err(JitError::Target { arch, os }.into());
    }
    let code = Code::of(executable.unit(), options);
    let mut asm = Assembler::with_capacity(256 + 8 * code.ops.len());
    let functions = asm.labels(code.functions.len());
    let entries = asm.labels(code.functions.len());
    let frames = Frames::new(&mut asm);
    let entry = frames.entry(&mut asm, functions.at(0));
    for op in code.ops {
        if let Op::Func { target, .. } = *op
            && let Some(index) = code.function_at(target)
            && !asm.is_bound(entries.at(index))
        {
            frames.call_back(&mut asm, entries.at(index), functions.at(index));
        }
    }
    let no_fuel = asm.label();
    let bmi2 = options.features.bmi2;
    let mut output = Output {
        asm: &mut asm,
        frames,
        sites: code.sites,
        unit_behind_calls: crate::abi::unit_behind_calls(executable.unit()),
        functions,
        entries,
        bmi2,
        no_fuel,
        is_bare: false,
    };
    program(&code, &mut output)?;
    // What keeps to registers that callers don't want kept is entered as it is.
    let entry = if output.is_bare { functions.at(0) } else { entry };
    if code.fuel {
        emit::out_of_fuel(&mut output);
    }
    let image = asm.layout().map_err(JitError::from)?;
    let memory = ExecutableMemory::new(image.size(), |bytes| image.write(bytes)).map_err(JitError::from)?;
    let at = |label| image.offset(label).unwrap_or(0);
    let listing = options.listing.then(|| {
        let mut parts = vec![(at(frames.exit), Part::Named("exit")), (at(entry), Part::Named("entry"))];
        let made = (0..code.functions.len())
            .filter_map(|index| image.offset(functions.at(index)).map(|at| (index, at)));
        let name = |index| if index == 0 { "main program" } else { "subprogram" };
        parts.extend(made.map(|(index, at)| (at, Part::Named(name(index)))));
        parts.sort_by_key(|part| part.0);
        listing(executable.unit(), &memory.bytes()[..image.code_size()], &parts)
    });
    let (entry, tail_entry) = (at(entry), at(functions.at(0)));
    Ok(NativeCode::new(executable, memory, entry, tail_entry, options, listing))
}

/// Makes optimised machine code of an executable, or that of [the other compiler](crate::compile())
/// where the program has something that this one does not take.
///
/// # Errors
/// As the other compiler.
pub fn compile_any(executable: &Executable, options: &Options) -> Result<NativeCode, JitError> {
    match compile(executable, options) {
        Ok(code) => Ok(code),
        Err(OptError::Unhandled(_)) => crate::compile(executable, options),
        Err(OptError::Jit(error)) => Err(error),
    }
}

fn program(code: &Code<'_>, output: &mut Output<'_>) -> Result<(), Unhandled> {
    // Each function has a budget of its own.
    let main = code.functions.first().map_or(0, |function| function.end as usize);
    if code.ops.iter().skip(main).any(|op| matches!(op, Op::MayGoto { .. })) {
        return Err(Unhandled("may_goto outside of the main function"));
    }
    let spans = code.functions.iter().map(|function| Spans::new(code.ops, function.start as usize));
    let mut spans = spans.collect::<Result<Vec<_>, _>>()?;
    // Which arguments functions take depends on those that they call.
    let mut takes: Vec<Regs> = vec![0; spans.len()];
    loop {
        let mut changed = false;
        for (spans, at) in spans.iter_mut().zip(0..) {
            spans.find_live(code, &takes);
            let live = spans.all[spans.first].live & cfg::ARGS;
            changed |= std::mem::replace(&mut takes[at], live) != live;
        }
        if !changed {
            break;
        }
    }
    let mut calls = vec![0; spans.len()];
    let mut wanted = vec![0];
    for op in code.ops {
        match *op {
            Op::CallSubprog { target } => {
                code.function_at(target).into_iter().for_each(|index| calls[index] += 1);
            }
            Op::Func { target, .. } => {
                code.function_at(target).into_iter().for_each(|index| calls[index] += 2);
                wanted.extend(code.function_at(target));
            }
            _ => {}
        }
    }
    let functions = Functions { spans: &spans, takes: &takes, calls: &calls };
    let mut made = vec![false; spans.len()];
    while let Some(index) = wanted.pop() {
        if std::mem::replace(&mut made[index], true) {
            continue;
        }
        let mut func = build::build(code, &functions, index)?;
        optimise(code, &mut func)?;
        for block in &func.blocks {
            for &value in &block.insts {
                if let Inst::CallFn { function, .. } = *func.inst(value) {
                    wanted.push(function as usize);
                }
            }
        }
        generate(code, &func, index, output)?;
    }
    Ok(())
}

/// The passes.
fn optimise(code: &Code<'_>, func: &mut Func) -> Result<(), Unhandled> {
    simplify::clean(func);
    let analysis = Analysis::new(func);
    if analysis.depth.iter().any(|&depth| depth > DEEPEST) {
        return Err(Unhandled("loops nested so deep"));
    }
    promote::promote_slots(code, func, &analysis);
    simplify::simplify(func, &analysis);
    simplify::clean(func);
    let analysis = Analysis::new(func);
    convert::convert_branches(func, &analysis);
    simplify::clean(func);
    let analysis = Analysis::new(func);
    simplify::simplify(func, &analysis);
    simplify::clean(func);
    let analysis = Analysis::new(func);
    unroll::unroll(func, &analysis);
    simplify::clean(func);
    let analysis = Analysis::new(func);
    simplify::simplify(func, &analysis);
    simplify::clean(func);
    edges::split_edges(func);
    Ok(())
}

/// Code of a function that went through the passes.
fn generate(code: &Code<'_>, func: &Func, index: usize, output: &mut Output<'_>) -> Result<(), Unhandled> {
    let main = index == 0;
    let analysis = Analysis::new(func);
    let mut tail_calls = false;
    let (mut calls, mut counts, mut uses_run, mut uses_frame) = (false, false, false, false);
    for &block in &analysis.order {
        let block = &func.blocks[block as usize];
        if matches!(block.term, Term::TailCall { .. }) {
            (calls, tail_calls) = (true, true);
        }
        let mut look = |value: ir::Value| {
            if value != ir::Value::NONE {
                uses_run |= matches!(func.inst(value), Inst::Run);
                uses_frame |= matches!(func.inst(value), Inst::Frame(_));
            }
        };
        block.term.for_each(&mut look);
        for &value in &block.insts {
            calls |=
                matches!(func.inst(value), Inst::Call { .. } | Inst::CallFn { .. } | Inst::LoadPacket { .. });
            counts |= matches!(func.inst(value), Inst::Burn);
            func.inst(value).for_each(&mut look);
        }
        for &phi in &block.phis {
            func.args_of(phi).iter().copied().for_each(&mut look);
        }
    }
    let bmi2 = output.bmi2;
    let selected = select::select(func, &analysis, main);
    let layout = layout::layout(func, &analysis, &selected);
    let preds: Vec<Vec<u32>> = func.blocks.iter().map(|block| block.preds.clone()).collect();
    let live = live::liveness(&selected, &preds, &layout, &analysis.depth, bmi2)?;
    let classes = coalesce::Classes::new(live, &selected, &layout.order, &analysis.depth);
    let mut reserved = set(Reg::Rsp);
    if calls || counts || uses_run {
        reserved |= set(RUN);
    }
    let allocate = |reserved| alloc::allocate(&classes, &selected, &layout, &analysis.depth, reserved, bmi2);
    let mut places = allocate(reserved);
    if places.scratch {
        // Some live in the frame: then operands come from there by way of scratch registers.
        let scratch = set(alloc::SCRATCH[0]) | set(alloc::SCRATCH[1]);
        places = allocate(reserved | scratch);
    }
    if main {
        let runs = calls || counts || uses_run;
        output.is_bare = !runs && alloc::callee_saved(places.used).count() == 0;
    }
    let bpf = if uses_frame { func.stack } else { 0 };
    let stack = Stack::new(&places, main || tail_calls, bpf, code.zeroes_stack, calls);
    emit::emit(output, &selected, &layout, &places, stack, &analysis.depth, (index, tail_calls));
    Ok(())
}
