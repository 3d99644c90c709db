//! A run that is held against a record: at every instruction the state is a member of an abstract one
//! on the path that the run takes, in functions that callables call too; of a walk that prunes, of any
//! one at that instruction, as far as pointers go.
//!
//! A callable that calls functions of the program stands in the record before each round, and once
//! more before the program goes on. The machine comes by there without a step; so it is looked at
//! when a round ends.

use std::ops::AddAssign;

use probity_isa::opcode::*;
use probity_program::{Linkage, Program};
use probity_vm::{Moment, Run, Watch};

use super::check::{Place, Registers, misfit};
use super::record::{Record, Walked};
use super::references::difference;

/// The number of the helper that goes on in another program.
const TAIL_CALL: i32 = 12;

/// Instructions that were held against a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// All.
    pub all: usize,
    /// In functions that callables call.
    pub called_back: usize,
    /// In global functions.
    pub global: usize,
    /// While a reference or a lock was held.
    pub holding: usize,
    /// Rounds of callables that call back.
    pub rounds: usize,
}

impl AddAssign for Steps {
    fn add_assign(&mut self, other: Steps) {
        self.all += other.all;
        self.called_back += other.called_back;
        self.global += other.global;
        self.holding += other.holding;
        self.rounds += other.rounds;
    }
}

/// A function that is verified by itself: the entry, or a global one.
#[derive(Debug)]
struct Root {
    /// How many calls led to it.
    depth: usize,
    /// The steps of the record that the run may be at.
    matching: Vec<usize>,
    /// The records that were held when it began.
    records: Vec<u64>,
    /// It is global.
    global: bool,
}

/// Watches a run.
#[derive(Debug)]
pub struct Monitor<'a> {
    record: &'a Record,
    /// What was held against a state.
    pub steps: Steps,
    /// The first that no state allows.
    pub violation: Option<String>,
    /// The program that is watched; others that it calls are not.
    unit: Option<usize>,
    /// By callable that is on: the calls that led to the function that it called.
    nested: Vec<Vec<usize>>,
    /// The calls that led to this instruction, and to the one before.
    chain: Vec<usize>,
    before: Vec<usize>,
    frames: Vec<Registers>,
    roots: Vec<Root>,
    last: Option<usize>,
    /// Another program is on, with so many calls before it.
    away: Option<usize>,
}

/// How the machine came to an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// As the record has it.
    Along,
    /// A function begins that is verified by itself.
    Into,
    /// A round of a callable is over.
    Back,
}

impl<'a> Monitor<'a> {
    /// A monitor at the beginning of a run.
    #[must_use]
    pub fn new(record: &'a Record) -> Monitor<'a> {
        Monitor {
            record,
            steps: Steps::default(),
            violation: None,
            unit: None,
            nested: vec![Vec::new()],
            chain: Vec::new(),
            before: Vec::new(),
            frames: Vec::new(),
            roots: Vec::new(),
            last: None,
            away: None,
        }
    }

    /// Whether the last instruction was the end of the function that a callable called, or of the entry.
    fn ended(&self, program: &Program) -> bool {
        let outermost = self.nested.last().is_some_and(|calls| calls.len() == self.chain.len());
        outermost && self.last.is_some_and(|pc| program.insns[pc].code == BPF_JMP | BPF_EXIT)
    }

    /// Notes where the machine is; how it came there, or None where it is not looked at.
    fn arrive(&mut self, moment: &Moment<'_>, run: &Run<'_>) -> Option<Came> {
        let level = moment.nested(run) as usize;
        let known = self.nested.get(level).map(|calls| calls.len() + moment.callsites.len());
        let unit = std::ptr::from_ref(moment.unit) as usize;
        if *self.unit.get_or_insert(unit) != unit {
            self.away = self.away.into_iter().chain(known).min();
            return None;
        }
        if let Some(away) = self.away {
            if known.is_none_or(|known| known >= away) {
                return None;
            }
            self.away = None;
        }
        let program = moment.unit.program();
        let ended = self.ended(program);
        let before = (self.nested.len() - 1, self.chain.len());
        if level == self.nested.len() {
            let calls = self.chain.iter().copied().chain(self.last).collect();
            self.nested.push(calls);
        }
        self.nested.truncate(level + 1);
        let mut chain = self.nested[level].clone();
        chain.extend_from_slice(moment.callsites);
        let depth = chain.len();
        while self.roots.last().is_some_and(|root| root.depth > depth) {
            self.roots.pop();
        }
        let begins = |linkage| program.funcs.iter().any(|f| f.pc == moment.pc && f.linkage == linkage);
        let last = self.last.map(|pc| program.insns[pc]);
        let tail = last.is_some_and(|insn| {
            insn.code == BPF_JMP | BPF_CALL && insn.src == 0 && insn.imm == TAIL_CALL && moment.pc == 0
        });
        let called = level == before.0 && depth > before.1 && begins(Linkage::Global);
        let came = if self.last.is_none() || called || (tail && depth == before.1) {
            Came::Into
        } else if ended && before.0 > 0 && (level, depth) <= before {
            // What tail calls put in the place of the function is over too.
            while self.roots.last().is_some_and(|root| root.depth >= before.1) {
                self.roots.pop();
            }
            Came::Back
        } else {
            Came::Along
        };
        if came == Came::Into {
            let records = moment.records(run).to_vec();
            let global = depth > 0 && begins(Linkage::Global);
            self.roots.push(Root { depth, matching: Vec::new(), records, global });
        }
        self.before = std::mem::replace(&mut self.chain, chain);
        Some(came)
    }

    /// Those of `candidates` that allow the machine as it is with its first frames, at `pc`.
    fn fitting(
        &self,
        candidates: &[usize],
        moment: &Moment<'_>,
        run: &mut Run<'_>,
        calls: &[usize],
        pc: usize,
    ) -> Result<Vec<usize>, String> {
        let Some(root) = self.roots.last() else { return Err("no function began".to_owned()) };
        let loose = self.record.walked() == Walked::Pruned;
        let place = Place { moment, frames: &self.frames[..=calls.len()], base: root.depth, pc };
        let live = |pc| self.record.live(pc);
        let mut why = "no path leads here".to_owned();
        let (mut fits, mut goes_on) = (Vec::new(), false);
        for &index in candidates {
            let state = &self.record.steps[index].state;
            if !state.callsites().eq(calls[root.depth..].iter().copied()) {
                continue;
            }
            let wrong = misfit(&place, run, state, live, loose)
                .or_else(|| difference(&place, run, state, &root.records, live, loose));
            if let Some(wrong) = wrong {
                why = wrong;
                continue;
            }
            fits.push(index);
            goes_on |= loose || !self.record.is_end(index);
            if loose {
                break;
            }
        }
        if goes_on { Ok(fits) } else { Err(format!("at {pc}: {why}")) }
    }

    /// The steps of the record that the run may be at, from those at which it was.
    fn follow(&mut self, came: Came, moment: &Moment<'_>, run: &mut Run<'_>) -> Result<Vec<usize>, String> {
        let record = self.record;
        let any = record.walked() == Walked::Pruned;
        let mut matching =
            self.roots.last_mut().map_or_else(Vec::new, |root| std::mem::take(&mut root.matching));
        if came == Came::Back
            && let Some((&call, calls)) = self.before.split_last()
        {
            self.steps.rounds += 1;
            let candidates = if any { record.at(call).to_vec() } else { record.following(&matching, call) };
            matching = self
                .fitting(&candidates, moment, run, calls, call)
                .map_err(|why| format!("a round ended: {why}"))?;
        }
        let values = std::array::from_fn(|index| moment.regs[index]);
        self.frames.truncate(self.chain.len());
        self.frames.push(Registers { values, written: moment.written });
        let candidates = match came {
            _ if any => record.at(moment.pc).to_vec(),
            Came::Into => record.begun_at(moment.pc),
            _ => record.following(&matching, moment.pc),
        };
        self.fitting(&candidates, moment, run, &self.chain, moment.pc)
    }

    fn count(&mut self, moment: &Moment<'_>, run: &Run<'_>) {
        let steps = &mut self.steps;
        steps.all += 1;
        steps.called_back += usize::from(self.nested.len() > 1);
        steps.global += usize::from(self.roots.iter().any(|root| root.global));
        steps.holding += usize::from(!moment.records(run).is_empty() || !moment.locks(run).is_empty());
    }

    /// Nothing is held where a function ends that is verified by itself.
    fn leak(&self, moment: &Moment<'_>, run: &Run<'_>) -> Option<String> {
        let root = self.roots.last().filter(|root| root.depth == self.chain.len())?;
        let ends = moment.unit.program().insns[moment.pc].code == BPF_JMP | BPF_EXIT;
        let (records, locks) = (moment.records(run), moment.locks(run));
        let own = records.iter().filter(|record| !root.records.contains(record)).count();
        (ends && (own > 0 || !locks.is_empty()))
            .then(|| format!("at {}: {own} records and {} locks are held at the end", moment.pc, locks.len()))
    }
}

impl Watch for Monitor<'_> {
    fn step(&mut self, moment: &Moment<'_>, run: &mut Run<'_>) {
        if self.violation.is_some() {
            return;
        }
        let Some(came) = self.arrive(moment, run) else { return };
        match self.follow(came, moment, run) {
            Ok(fits) => {
                if let Some(root) = self.roots.last_mut() {
                    root.matching = fits;
                }
                self.violation = self.leak(moment, run);
                self.count(moment, run);
                self.last = Some(moment.pc);
            }
            Err(why) => self.violation = Some(why),
        }
    }
}
