//! Where a value came from: the failing path is walked backwards from the failure, and every
//! instruction that made, moved or bounded the value is a step.

use probity_isa::{Instruction, Source};
use probity_platform::{Code, Rejection};

use super::replay::{Moment, Path};
use super::step::{Step, What};
use super::subject::Subject;
use super::value::Values;
use crate::state::stack::SLOT;
use crate::state::{Reg, State};

/// Steps that are told at most: the newest ones and the oldest ones.
const NEWEST: usize = 8;
const OLDEST: usize = 2;
/// Steps after which nobody looks further.
const ENOUGH: usize = 256;
/// Branches that are told when the path itself is the reason.
const BRANCHES: usize = 3;

/// A history, oldest step first.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) steps: Vec<Step>,
    pub(super) left_out: usize,
}

/// Where a value is kept: the frame, and the register or slot of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Reg(usize, u8),
    Slot(usize, usize),
}

/// The history of what failed.
pub(super) fn trace(
    values: Values<'_>,
    path: &Path,
    subject: Option<&Subject>,
    rejection: &Rejection,
) -> Told {
    let mut tracer = Tracer { values, wants: Vec::new(), steps: Vec::new(), at: 0 };
    let Some((last, before)) = path.moments.split_last() else { return Told::default() };
    if rejection.code == Code::ReferenceLeak {
        return tracer.held(path, last);
    }
    match subject {
        Some(&Subject::Reg(10)) | None => return Told::default(),
        Some(&Subject::Reg(reg)) => tracer.wants.push(Place::Reg(last.state.current(), reg)),
        Some(&Subject::Stack { frame, off }) => {
            tracer.wants.push(Place::Slot(frame, slot_of(off)));
        }
    }
    let unwritten = matches!(rejection.code, Code::UninitializedStack | Code::UninitializedRegister);
    let mut next = last;
    for (index, moment) in before.iter().enumerate().rev() {
        tracer.at = index;
        if tracer.wants.is_empty() || tracer.steps.len() > ENOUGH {
            break;
        }
        tracer.undo(moment, next, rejection.code == Code::UninitializedStack);
        next = moment;
    }
    if path.whole {
        tracer.begin(next, subject);
    }
    if unwritten {
        tracer.branches(path, 0);
    }
    tracer.told()
}

/// The instructions that the walk processed most often.
pub(super) fn hottest(values: Values<'_>, path: &Path) -> Vec<Step> {
    let tracer = Tracer { values, wants: Vec::new(), steps: Vec::new(), at: 0 };
    let mut counted: Vec<(u32, usize)> =
        path.visits.iter().enumerate().map(|(pc, &visits)| (visits, pc)).collect();
    counted.sort_by_key(|&(visits, pc)| (std::cmp::Reverse(visits), pc));
    // One instruction a line tells enough.
    let mut steps: Vec<Step> = Vec::new();
    for (visits, pc) in counted.into_iter().filter(|&(visits, _)| visits > 1) {
        let step = tracer.step(pc, What::Repeated, format!("processed {visits} times"));
        if step.line.is_none() || steps.iter().all(|other| other.line != step.line) {
            steps.push(step);
        }
        if steps.len() == BRANCHES {
            break;
        }
    }
    steps
}

pub(super) fn slot_of(off: i64) -> usize {
    usize::try_from(-off - 1).unwrap_or_default() / SLOT
}

/// What a place holds in a state.
pub(super) fn look(state: &State, place: Place) -> Option<&Reg> {
    match place {
        Place::Reg(frame, reg) => state.frames.get(frame).map(|frame| &frame.regs[usize::from(reg)]),
        Place::Slot(frame, slot) => state.frames.get(frame).map(|frame| &frame.stack.slot(slot).reg),
    }
}

pub(super) fn name(place: Place) -> String {
    match place {
        Place::Reg(_, reg) => format!("r{reg}"),
        Place::Slot(_, slot) => format!("the stack at fp-{}", (slot + 1) * SLOT),
    }
}

pub(super) struct Tracer<'a> {
    pub(super) values: Values<'a>,
    /// Values whose origin is looked for.
    pub(super) wants: Vec<Place>,
    /// What was found, and at which moment of the path.
    steps: Vec<(usize, Step)>,
    /// The moment that is undone.
    at: usize,
}

impl Tracer<'_> {
    fn step(&self, pc: usize, what: What, text: String) -> Step {
        Step { pc, line: self.values.program.line(pc).map(|line| line.line), what, text }
    }

    pub(super) fn push(&mut self, pc: usize, what: What, text: String) {
        let step = self.step(pc, what, text);
        self.steps.push((self.at, step));
    }

    /// True when the place is looked for; it no longer is then.
    pub(super) fn take(&mut self, place: Place) -> bool {
        let before = self.wants.len();
        self.wants.retain(|&want| want != place);
        self.wants.len() != before
    }

    pub(super) fn want(&mut self, place: Place) {
        // The frame pointer comes from nowhere.
        if !self.wants.contains(&place) && !matches!(place, Place::Reg(_, 10..)) {
            self.wants.push(place);
        }
    }

    pub(super) fn want_source(&mut self, frame: usize, src: Source) {
        if let Source::Reg(reg) = src {
            self.want(Place::Reg(frame, reg));
        }
    }

    pub(super) fn holds(&self, state: &State, place: Place) -> String {
        let reg = look(state, place).copied().unwrap_or(Reg::NOT_INIT);
        self.values.describe(&reg, state.current())
    }

    pub(super) fn callable(&self, id: i32) -> String {
        let row = self.values.platform.callables.iter().find(|row| row.number.cast_signed() == id);
        row.map_or_else(|| format!("#{id}"), |row| row.name.to_owned())
    }

    /// What is left when the beginning of the program is reached.
    fn begin(&mut self, first: &Moment, subject: Option<&Subject>) {
        for place in std::mem::take(&mut self.wants) {
            let written = look(&first.state, place).is_some_and(|reg| reg.behaviour.is_some());
            if written {
                let holds = self.holds(&first.state, place);
                let text = format!("{} is {holds} when the program begins", name(place));
                self.push(first.pc, What::Entry, text);
            } else {
                let what = match (place, subject) {
                    (Place::Slot(..), Some(subject)) => format!("the byte at {}", subject.name()),
                    _ => name(place),
                };
                let text = format!("nothing on this path writes {what}");
                self.push(first.pc, What::NeverWritten, text);
            }
        }
    }

    /// The last conditional branches of a path, from a moment on.
    fn branches(&mut self, path: &Path, from: usize) {
        let pairs = path.moments.windows(2).enumerate().skip(from);
        let taken: Vec<(usize, Step)> = pairs
            .filter(|(_, pair)| matches!(pair[0].instruction, Some(Instruction::Jump { .. })))
            .filter(|(_, pair)| self.steps.iter().all(|(_, step)| step.pc != pair[0].pc))
            .map(|(index, pair)| {
                let text = self.condition(&pair[0], &pair[1]);
                (index, self.step(pair[0].pc, What::Branched, format!("the path goes where {text}")))
            })
            .collect();
        let first = taken.len().saturating_sub(BRANCHES);
        self.steps.extend(taken.into_iter().skip(first));
    }

    /// What was acquired and is still held, and the branches since.
    fn held(mut self, path: &Path, last: &Moment) -> Told {
        let held = last.state.references.held();
        let mut earliest = 0;
        for reference in held.iter().rev() {
            let made = path.moments.iter().rposition(|moment| moment.pc == reference.pc);
            earliest = made.unwrap_or(0);
            self.at = earliest;
            let callee = match made.and_then(|index| path.moments[index].instruction) {
                Some(Instruction::CallHelper { id }) => format!("`{}`", self.callable(id)),
                _ => "a call".into(),
            };
            self.push(
                reference.pc,
                What::Acquired,
                format!("{callee} gives something that must be released"),
            );
        }
        self.branches(path, earliest + 1);
        self.told()
    }

    /// Oldest first; without repetitions and without what says nothing.
    fn told(mut self) -> Told {
        self.steps.sort_by_key(|&(at, _)| std::cmp::Reverse(at));
        let mut steps: Vec<Step> = Vec::new();
        let mut left_out = 0;
        for (_, step) in self.steps {
            let seen = steps.iter().any(|other| other.pc == step.pc && other.what == step.what);
            // Moves between registers within one C line are the compiler's affair.
            let moved = step.what == What::Copied
                && step.line.is_some()
                && steps.last().is_some_and(|newer| newer.line == step.line);
            if seen {
                left_out += 1;
            } else if !moved {
                steps.push(step);
            }
        }
        if steps.len() > NEWEST + OLDEST {
            let oldest = steps.len() - OLDEST;
            left_out += oldest - NEWEST;
            steps.drain(NEWEST..oldest);
        }
        steps.reverse();
        Told { steps, left_out }
    }
}
