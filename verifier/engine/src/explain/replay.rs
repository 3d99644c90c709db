//! The failing path, and its states: the walk is run again and watched. The first run notes which
//! instructions the last path went through; the second keeps the states along it.

use probity_isa::{Instruction, decode};
use probity_platform::{Platform, Profile};
use probity_program::Program;

use crate::explore::walk::Observer;
use crate::state::State;
use crate::verify::verify_observed;

/// States that are kept: the last of the path.
const KEPT: usize = 4096;

/// A point of the path: an instruction, and the state before it.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) pc: usize,
    pub(super) instruction: Option<Instruction>,
    pub(super) state: State,
}

/// The path that ended with the failure.
#[derive(Debug)]
pub(super) struct Path {
    /// Its end, oldest first. The last one is the failing instruction when `failed` says so.
    pub(super) moments: Vec<Moment>,
    /// True when `moments` begins with the program's entry.
    pub(super) whole: bool,
    /// True when an instruction failed, false when it was not run: when a limit or a check of the
    /// whole program ended the walk.
    failed: bool,
    /// By instruction: how often it was processed, over all paths.
    pub(super) visits: Vec<u32>,
}

impl Path {
    /// The failing instruction, when a path led to it.
    pub(super) fn failing(&self) -> Option<&Moment> {
        self.moments.last().filter(|_| self.failed)
    }
}

/// Finds the path that ends with a failure at `pc`; with its states only if they are wanted.
pub(super) fn failing_path(
    program: &Program,
    platform: &'static Platform,
    profile: &Profile,
    pc: usize,
    states: bool,
) -> Path {
    let mut trail = Trail { visits: vec![0; program.insns.len()], ..Trail::default() };
    verify_observed(program, platform, profile, &mut trail);
    let failed = states && trail.points.last().is_some_and(|point| point.pc as usize == pc);
    let first = trail.points.len().saturating_sub(KEPT);
    let mut keeper = Keeper { wanted: &trail.points[first..], kept: Vec::new(), time: 0 };
    if failed {
        verify_observed(program, platform, profile, &mut keeper);
    }
    let moments = keeper.kept.into_iter().map(|(pc, state)| Moment {
        pc,
        instruction: decode(&program.insns, pc).ok(),
        state,
    });
    Path { moments: moments.collect(), whole: first == 0, failed, visits: trail.visits }
}

/// An instruction of a path, and when it ran.
#[derive(Clone, Copy, Debug)]
struct Point {
    pc: u32,
    time: u32,
}

/// Notes the running path.
#[derive(Debug, Default)]
struct Trail {
    points: Vec<Point>,
    /// Lengths of the path where branches were put aside.
    forks: Vec<usize>,
    visits: Vec<u32>,
    time: u32,
}

impl Observer for Trail {
    fn step(&mut self, pc: usize, _state: &State) {
        self.points.push(Point { pc: pc as u32, time: self.time });
        self.time += 1;
        if let Some(visits) = self.visits.get_mut(pc) {
            *visits += 1;
        }
    }

    fn put_aside(&mut self, _prev_pc: Option<usize>) {
        self.forks.push(self.points.len());
    }

    fn resume(&mut self, _pc: usize, _state: &State) {
        let length = self.forks.pop().unwrap_or_default();
        self.points.truncate(length);
    }
}

/// Keeps the states of given steps.
#[derive(Debug)]
struct Keeper<'a> {
    /// The steps, ascending by time.
    wanted: &'a [Point],
    kept: Vec<(usize, State)>,
    time: u32,
}

impl Observer for Keeper<'_> {
    fn step(&mut self, pc: usize, state: &State) {
        if self.wanted.get(self.kept.len()).is_some_and(|point| point.time == self.time) {
            self.kept.push((pc, state.clone()));
        }
        self.time += 1;
    }
}
