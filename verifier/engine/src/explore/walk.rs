//! The main loop: depth first, the fall-through side of a branch first, the other side from a
//! stack (verifier.md, section 0 and appendix A).

use probity_platform::{Behaviour, Code as Why, KindId, Platform, Profile, ProgType, Rejection};
use probity_program::Program;

use super::checkpoint::{CheckpointId, Checkpoints};
use super::history::{History, HistoryHead, Linked};
use super::ids::IdMap;
use super::loops::Loops;
use super::precision::Followed;
use super::prune::Visit;
use super::stack_liveness::{InstanceId, Noted, StackLiveness};
use crate::facts::Facts;
use crate::prepare::Code;
use crate::prepare::Offered;
use crate::prepare::global_functions::Summary;
use crate::report::Stats;
use crate::state::{Ends, Frame, References, Reg, Stack, State};
use crate::transfer::callback::BoundedCall;

/// What may watch a walk. All methods do nothing unless they are overridden.
pub trait Observer {
    /// True when it looks at walks back for precision: none of their instructions is passed over
    /// then, and none ends early because walks before it found the same.
    const FOLLOWS: bool = false;

    /// The instruction at `pc` is about to run in `state`.
    fn step(&mut self, pc: usize, state: &State) {
        let _ = (pc, state);
    }

    /// The remembered state `by` stands for `state` at `pc`: its path ends.
    fn covered(&mut self, pc: usize, state: &State, by: CheckpointId) {
        let _ = (pc, state, by);
    }

    /// The walk over a function that is verified by itself begins.
    fn verifies(&mut self, function: usize) {
        let _ = function;
    }

    /// A path goes on at `pc`, taken from the stack of branches.
    fn resume(&mut self, pc: usize, state: &State) {
        let _ = (pc, state);
    }

    /// The walk begins: the program is decoded and its early checks passed.
    fn begin(&mut self, code: &Code) {
        let _ = code;
    }

    /// The running instruction reads or writes slots of a frame, given as bits.
    fn slots(&mut self, frame: usize, slots: u64) {
        let _ = (frame, slots);
    }

    /// A branch was put aside, to go on as if `prev_pc` had led to it.
    fn put_aside(&mut self, prev_pc: Option<usize>) {
        let _ = prev_pc;
    }

    /// The conditional jump at `pc` is done, and `state` is how the path goes on.
    fn jumped(&mut self, pc: usize, state: &State) {
        let _ = (pc, state);
    }

    /// The last frame of `state` was entered.
    fn called(&mut self, state: &State) {
        let _ = state;
    }

    /// The last frame of `state` is about to be left by the instruction at `pc`.
    fn leaving(&mut self, pc: usize, state: &State) {
        let _ = (pc, state);
    }

    /// A frame was left; the path goes on at `pc`.
    fn returned(&mut self, pc: usize, state: &State) {
        let _ = (pc, state);
    }

    /// Values are followed back.
    fn followed(&mut self, event: &Followed<'_>) {
        let _ = event;
    }

    /// A state was remembered.
    fn stored(&mut self, id: CheckpointId, state: &State) {
        let _ = (id, state);
    }

    /// Every path from a remembered state is explored.
    fn completed(&mut self, id: CheckpointId) {
        let _ = id;
    }

    /// The path ends at `old`, a state of the loop that it is in.
    fn back_edge(&mut self, old: &State) {
        let _ = old;
    }

    /// A frame was made for a path that waits.
    fn framed(&mut self) {}

    /// A call has called back as often as it may.
    fn rounds_done(&mut self, frame: usize, name: &str) {
        let _ = (frame, name);
    }

    /// What an instance noted of its stack slots is about to be solved for.
    fn solving(&mut self, code: &Code, instance: Noted<'_>) {
        let _ = (code, instance);
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// Where a path goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At this instruction.
    Go(usize),
    /// Nowhere.
    EndOfPath,
}

/// A branch that waits.
pub(super) struct Pending {
    pub(super) state: State,
    pc: usize,
    prev_pc: Option<usize>,
}

/// A walk over a program.
pub struct Walk<'a, O> {
    pub(crate) program: &'a Program,
    pub(crate) code: &'a Code,
    pub(crate) platform: &'static Platform,
    pub(crate) profile: &'a Profile,
    pub(crate) prog_type: &'static ProgType,
    pub(crate) offered: &'a Offered,
    pub(crate) kinds: Kinds,
    /// A state is remembered at every prune point.
    pub(crate) state_freq: bool,
    /// States are remembered, and stand for others.
    pub(crate) prunes: bool,
    /// They do only where each number is within the other's range, precise or not, dead slots too.
    pub(crate) within: bool,
    /// Every access must be aligned.
    pub(crate) strict_alignment: bool,
    /// The state on the path.
    pub(crate) state: State,
    /// The instruction that runs.
    pub(crate) pc: usize,
    pub(crate) prev_pc: Option<usize>,
    /// True when the running instruction has a note in the history.
    pub(crate) noted: bool,
    pub(crate) history: History,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) liveness: StackLiveness,
    pub(crate) loops: Loops,
    pub(crate) id_map: IdMap,
    /// What pointers of a host end with.
    pub(crate) ends: Ends,
    /// The register in which a state last differed from one that its path came from.
    pub(crate) loop_differs: usize,
    /// The last identity that was given out.
    pub(crate) last_id: u32,
    /// The counts of the run so far.
    pub(crate) stats: Stats,
    /// The counts when a state was last remembered.
    pub(crate) stored_at: Stats,
    /// What was found out that a runtime can use.
    pub(crate) facts: Facts,
    /// By function: bytes of stack that it uses.
    pub(crate) stack_depth: Vec<u32>,
    /// By function: bytes of stack that code for it needs beside its own.
    pub(crate) extra_stack: Vec<u32>,
    /// Calls that call back a bounded number of times, by instruction.
    pub(crate) bounded: rustc_hash::FxHashMap<usize, BoundedCall>,
    /// The function that is verified: the entry, or a global one.
    pub(crate) root: usize,
    /// The global function that was verified last; 0 for none.
    pub(crate) last_global: usize,
    /// By function: true for global ones that a path calls.
    pub(crate) called_globals: Vec<bool>,
    /// By function: true for those of them that are verified, or are being.
    pub(crate) verified_globals: Vec<bool>,
    /// What functions may do; empty until a global one is called.
    pub(crate) summaries: Vec<Summary>,
    /// By function: true when it is called later, on its own.
    pub(crate) called_later: Vec<bool>,
    /// By function: true when a path entered it.
    pub(crate) entered: Vec<bool>,
    pub(crate) observer: &'a mut O,
    pub(super) pending: Vec<Pending>,
}

/// The kinds that the engine itself creates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    pub(crate) scalar: KindId,
    pub(crate) stack: KindId,
    pub(crate) map: Option<KindId>,
    pub(crate) map_value: Option<KindId>,
}

impl Kinds {
    /// Looks them up; a platform without the first two can't run anything.
    pub(crate) fn of(platform: &Platform) -> Option<Kinds> {
        Some(Kinds {
            scalar: platform.kind_of(Behaviour::Scalar)?,
            stack: platform.kind_of(Behaviour::Stack)?,
            map: platform.kind_of(Behaviour::Map),
            map_value: platform.kind_of(Behaviour::MapValue),
        })
    }
}

/// What a walk is made for, beside the program.
pub(crate) struct Setting<'a> {
    pub(crate) platform: &'static Platform,
    pub(crate) profile: &'a Profile,
    pub(crate) prog_type: &'static ProgType,
    pub(crate) offered: &'a Offered,
    pub(crate) kinds: Kinds,
}

impl<'a, O: Observer> Walk<'a, O> {
    pub(crate) fn new(
        program: &'a Program,
        code: &'a Code,
        setting: Setting<'a>,
        observer: &'a mut O,
    ) -> Walk<'a, O> {
        let len = code.insns.len();
        let mut walk = Walk {
            program,
            code,
            platform: setting.platform,
            profile: setting.profile,
            prog_type: setting.prog_type,
            offered: setting.offered,
            kinds: setting.kinds,
            state_freq: program.flags & probity_program::flags::TEST_STATE_FREQ != 0,
            prunes: true,
            within: false,
            strict_alignment: strict_alignment(program.flags, setting.platform.policy.unaligned),
            state: State {
                frames: smallvec::SmallVec::new(),
                references: References::default(),
                pc: 0,
                last_pc: None,
                first_pc: 0,
                depth: 0,
                may_gotos: 0,
                called_back: 0,
                parent: None,
                history: HistoryHead::EMPTY,
            },
            pc: 0,
            prev_pc: None,
            noted: false,
            history: History::default(),
            checkpoints: Checkpoints::new(len),
            liveness: StackLiveness::new(code),
            loops: Loops::default(),
            id_map: IdMap::default(),
            ends: Ends::default(),
            loop_differs: 0,
            last_id: 0,
            stats: Stats::default(),
            stored_at: Stats::default(),
            facts: Facts::new(len),
            stack_depth: vec![0; code.functions.len()],
            extra_stack: vec![0; code.functions.len()],
            bounded: rustc_hash::FxHashMap::default(),
            root: 0,
            last_global: 0,
            called_globals: vec![false; code.functions.len()],
            verified_globals: vec![false; code.functions.len()],
            summaries: Vec::new(),
            called_later: vec![false; code.functions.len()],
            entered: vec![false; code.functions.len()],
            observer,
            pending: Vec::new(),
        };
        let frame = walk.entry_frame();
        walk.state.frames.push(std::rc::Rc::new(frame));
        walk
    }

    fn entry_frame(&self) -> Frame {
        let mut frame = self.empty_frame(Frame::NO_CALL, 0, InstanceId::ENTRY, 0);
        let view = u32::from(self.prog_type.ctx);
        for &(reg, ty) in self.prog_type.entry {
            let kind = self.platform.kind(ty.kind);
            frame.regs[usize::from(reg)] = match kind.behaviour {
                Behaviour::Scalar => self.unknown(),
                // The context as plain memory.
                Behaviour::Region => {
                    let size = self.platform.views[usize::from(self.prog_type.ctx)].size;
                    Reg { data: size, ..Reg::pointer(Behaviour::Region, ty) }
                }
                behaviour => Reg { data: view, ..Reg::pointer(behaviour, ty) },
            };
        }
        frame
    }

    /// A frame in which only the frame pointer is set.
    pub(crate) fn empty_frame(
        &self,
        callsite: usize,
        subprog: usize,
        instance: InstanceId,
        number: usize,
    ) -> Frame {
        let mut regs = [Reg::NOT_INIT; 11];
        let ty = probity_platform::RegType { kind: self.kinds.stack, flags: Default::default() };
        regs[10] = Reg { data: number as u32, ..Reg::pointer(Behaviour::Stack, ty) };
        Frame {
            regs,
            stack: Stack::default(),
            callsite,
            subprog,
            callback: None,
            called_back: 0,
            entries: 0,
            instance,
        }
    }

    /// A scalar of which nothing is known.
    pub(crate) fn unknown(&self) -> Reg {
        Reg { kind: self.kinds.scalar, ..Reg::unknown() }
    }

    /// A new identity.
    pub(crate) fn new_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    /// Walks every path of the entry, then of each global function that is called.
    pub(crate) fn run(&mut self) -> Result<(), Rejection> {
        self.walk_function()?;
        while let Some(function) = self.next_global() {
            self.enter_global(function)?;
            self.walk_function()?;
        }
        Ok(())
    }

    fn walk_function(&mut self) -> Result<(), Rejection> {
        let code = self.code;
        let limit = u64::from(self.platform.limits.processed);
        loop {
            self.stats.processed += 1;
            if self.stats.processed > limit {
                return Err(too_large(self.stats.processed));
            }
            let insn = &code.insns[self.pc];
            self.state.pc = self.pc;
            self.noted = false;
            if self.prunes && insn.prune_point && self.visit_prune_point()? == Visit::Covered {
                if !self.next_path()? {
                    return Ok(());
                }
                continue;
            }
            if insn.jump_point {
                self.note();
            }
            self.observer.step(self.pc, &self.state);
            self.facts.seen[self.pc] = true;
            self.stats.jumps += u64::from(insn.is_jump);
            if insn.may_write_stack {
                self.liveness.begin(self.state.frame().instance, self.pc);
            }
            let next = self.step(insn)?;
            if insn.may_write_stack {
                self.liveness.commit();
            }
            match next {
                Next::Go(pc) => {
                    self.prev_pc = Some(self.pc);
                    self.pc = pc;
                }
                Next::EndOfPath => {
                    if !self.next_path()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Leaves the path and takes up a waiting one; false when none waits.
    fn next_path(&mut self) -> Result<bool, Rejection> {
        self.end_path()?;
        self.liveness.update(self.code, self.state.frame().instance, self.observer);
        let Some(pending) = self.pending.pop() else { return Ok(false) };
        self.state = pending.state;
        self.pc = pending.pc;
        self.prev_pc = pending.prev_pc;
        self.observer.resume(self.pc, &self.state);
        Ok(true)
    }

    /// The path has ended: what hung on it alone is explored now.
    fn end_path(&mut self) -> Result<(), Rejection> {
        let mut parent = self.state.parent;
        while let Some(id) = parent {
            if !self.checkpoints.path_ended(id) {
                break;
            }
            self.observer.completed(id);
            if !self.code.components.is_empty() {
                self.leave_loop(id)?;
            }
            let state = &self.checkpoints.get(id).state;
            parent = state.parent;
            let keep = self.loops.is_incomplete(self.code, state);
            self.checkpoints.completed(id, keep);
        }
        Ok(())
    }

    /// Puts a copy of the state on the stack of branches, to go on at `pc` as if the running
    /// instruction had led there.
    pub(crate) fn push_branch(&mut self, pc: usize, prev_pc: Option<usize>) -> Result<&mut State, Rejection> {
        self.check_pending()?;
        if let Some(parent) = self.state.parent {
            self.checkpoints.get_mut(parent).branches += 1;
        }
        self.observer.put_aside(prev_pc);
        self.pending.push(Pending { state: self.state.clone(), pc, prev_pc });
        let last = self.pending.len() - 1;
        Ok(&mut self.pending[last].state)
    }

    /// Puts a state on the stack of branches that hangs on nothing before it, to go on at `pc`.
    pub(crate) fn push_apart(&mut self, state: State, pc: usize) -> Result<(), Rejection> {
        self.check_pending()?;
        self.observer.put_aside(Some(self.pc));
        self.pending.push(Pending { state, pc, prev_pc: Some(self.pc) });
        Ok(())
    }

    fn check_pending(&self) -> Result<(), Rejection> {
        let limit = self.platform.limits.pending as usize;
        if self.pending.len() < limit {
            return Ok(());
        }
        let message = format!("The sequence of {} jumps is too complex.", limit + 1);
        Err(Rejection::new(Why::TooManyBranches, message))
    }

    /// The state that `push_branch` put on the stack last.
    pub(crate) fn last_branch(&mut self) -> Option<&mut State> {
        self.pending.last_mut().map(|pending| &mut pending.state)
    }

    /// Notes where the running instruction came from, once.
    #[inline]
    pub(crate) fn note(&mut self) {
        if !self.noted || self.state.history.is_empty() {
            self.state.history = self.history.push(self.state.history, self.pc, self.prev_pc);
            self.noted = true;
        }
    }

    /// Notes the frame and slot that the running instruction spills to or fills from.
    pub(crate) fn note_slot(&mut self, frame: usize, slot: usize) {
        self.note();
        self.history.add_slot(self.state.history, frame as u8, slot as u8);
    }

    /// Notes the linked scalars that the running instruction refines.
    pub(crate) fn note_linked(&mut self, linked: Linked) {
        self.note();
        self.history.add_linked(self.state.history, linked);
    }
}

/// Whether every access must be aligned. The flag for any alignment wins over the one for strict.
fn strict_alignment(flags: u32, platform_allows: bool) -> bool {
    use probity_program::flags::{ANY_ALIGNMENT, STRICT_ALIGNMENT};
    flags & ANY_ALIGNMENT == 0 && (flags & STRICT_ALIGNMENT != 0 || !platform_allows)
}

fn too_large(processed: u64) -> Rejection {
    Rejection::new(Why::TooComplex, format!("BPF program is too large. Processed {processed} insn"))
        .facts("all paths together stay within the limit of processed instructions", "they do not")
}
