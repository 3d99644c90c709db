//! Lines about the liveness of stack slots. The kernel solves for whole functions, again and again
//! until nothing changes, and counts the rounds; the engine solves from what changed. What comes
//! out is the same, so the rounds are gone through here.

use std::fmt::Write;

use rustc_hash::FxHashMap;

use super::writer::Writer;
use crate::explore::stack_liveness::{InstanceId, Noted};
use crate::prepare::Code;

/// What was found of an instance so far.
#[derive(Debug, Default)]
pub(super) struct Solved {
    /// By frame and instruction from the function's first: the slots that are read at or after it,
    /// and the ones that are written at or after it on every path.
    frames: FxHashMap<(InstanceId, usize), Vec<(u64, u64)>>,
    /// The same for the slots that the instruction itself surely writes.
    writes: FxHashMap<(InstanceId, usize), Vec<u64>>,
    /// By function's first instruction: its instructions, each behind those that follow it.
    orders: FxHashMap<usize, Vec<usize>>,
}

impl Writer<'_> {
    pub(super) fn write_solving(&mut self, code: &Code, instance: Noted<'_>) {
        let range = instance.range();
        let mut solved = std::mem::take(&mut self.solved);
        let order = solved.orders.entry(range.start).or_insert_with(|| postorder(code, range.start));
        let callsites = instance.callsites();
        let name = if callsites.is_empty() {
            "(0)".to_owned()
        } else {
            let sites: Vec<String> = callsites.iter().map(usize::to_string).collect();
            format!("({},{})", sites.join(","), range.start)
        };
        let mut rounds = 0;
        let mut written_anew = false;
        let mut dropped = false;
        for frame in (0..=instance.depth()).filter(|&frame| instance.knows(frame)) {
            let found = solved.frames.entry((instance.id, frame)).or_default();
            found.resize(range.len(), (0, 0));
            let writes = solved.writes.entry((instance.id, frame)).or_default();
            writes.resize(range.len(), 0);
            for (pc, before) in range.clone().zip(writes) {
                let now = instance.marks(frame, pc).1;
                written_anew |= now != *before;
                dropped |= *before & !now != 0;
                *before = now;
            }
        }
        if dropped {
            // What is no longer surely written is found from the beginning, without a word.
            for frame in 0..=instance.depth() {
                for (_, written) in solved.frames.entry((instance.id, frame)).or_default() {
                    *written = 0;
                }
            }
        }
        loop {
            rounds += 1;
            let mut changed = false;
            for frame in (0..=instance.depth()).filter(|&frame| instance.knows(frame)) {
                let found = solved.frames.entry((instance.id, frame)).or_default();
                for &pc in order.iter() {
                    let (may_read, must_write) = instance.marks(frame, pc);
                    let (mut live, mut written) = (0, u64::MAX);
                    for next in code.neighbours.successors(pc) {
                        let (live_after, written_after) = found[next - range.start];
                        live |= live_after;
                        written &= written_after;
                    }
                    if code.neighbours.successors(pc).next().is_none() {
                        written = 0;
                    }
                    let now = ((live & !must_write) | may_read, written | must_write);
                    let before = std::mem::replace(&mut found[pc - range.start], now);
                    if now == before {
                        continue;
                    }
                    changed = true;
                    let shown =
                        may_read != 0 || must_write != 0 || pc == range.start || code.insns[pc].prune_point;
                    if !shown {
                        continue;
                    }
                    let prefix = format!("{name} frame {frame} insn {pc} ");
                    difference(&mut self.out, &prefix, "live", before.0, now.0);
                    difference(&mut self.out, &prefix, "written", before.1, now.1);
                }
            }
            if !changed {
                break;
            }
        }
        self.solved = solved;
        if rounds == 1 && !written_anew {
            // A read of what was known to be read sooner or later is no reason to solve.
            return;
        }
        let _ = writeln!(self.out, "{name} live stack update done in {rounds} iterations");
    }
}

/// What came and what went, as `+live -8 -live -16,-24`.
fn difference(out: &mut impl Write, prefix: &str, name: &str, before: u64, now: u64) {
    if before == now {
        return;
    }
    let list = |bits: u64| {
        let offs: Vec<String> =
            (0..64).filter(|slot| bits >> slot & 1 != 0).map(|slot| format!("-{}", (slot + 1) * 8)).collect();
        offs.join(",")
    };
    let _ = write!(out, "{prefix}");
    if now & !before != 0 {
        let _ = write!(out, "+{name} {} ", list(now & !before));
    }
    if before & !now != 0 {
        let _ = write!(out, "-{name} {}", list(before & !now));
    }
    let _ = writeln!(out);
}

/// A function's instructions, each behind the ones that may follow it unless they are on a loop.
fn postorder(code: &Code, start: usize) -> Vec<usize> {
    let mut order = Vec::new();
    let mut visited = vec![false; code.insns.len()];
    let mut path = vec![(start, 0)];
    visited[start] = true;
    while let Some((pc, step)) = path.last_mut() {
        // Where a jump leads comes before what stands behind it.
        let successors = code.neighbours.successors(*pc).count();
        let turned = successors.checked_sub(*step + 1);
        match turned.and_then(|index| code.neighbours.successors(*pc).nth(index)) {
            Some(next) => {
                *step += 1;
                if !std::mem::replace(&mut visited[next], true) {
                    path.push((next, 0));
                }
            }
            None => {
                order.push(*pc);
                path.pop();
            }
        }
    }
    order
}
