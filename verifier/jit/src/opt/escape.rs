//! Which part of the frame is only reached by direct accesses.
//!
//! Addresses that are computed can reach anything from the lowest number that they are made of
//! upwards, and the verifier showed that they stay inside of the frame. So what is below all of them
//! is only reached by accesses that name it.

use std::collections::BTreeMap;

use probity_isa::{Size, Width};
use probity_platform::callable::Concepts;

use super::Code;
use super::analysis::Analysis;
use super::bits::known_bits;
use super::ir::{BinOp, Func, Inst, Term, Value};

/// Not an address of the frame.
const OTHER: i64 = i64::MAX;

/// Below this no address is looked at.
const DEEPEST: i64 = -(1 << 16);

/// A place in the frame that direct accesses name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) off: i32,
    pub(super) size: Size,
}

/// The slots that can be values, ascending.
pub(super) fn free_slots(code: &Code<'_>, func: &Func, analysis: &Analysis) -> Vec<Slot> {
    let slots = direct(func, analysis);
    if slots.is_empty() {
        return slots;
    }
    let Some(lowest) = lowest_escape(code, func, analysis, &slots) else { return Vec::new() };
    let below = |slot: &Slot| i64::from(slot.off) + i64::from(slot.size.bytes()) <= lowest;
    let free: Vec<Slot> = slots.iter().copied().filter(below).collect();
    // What frame addresses were stored to must be free, or they may come back from anywhere.
    let keeps = |slot: &Slot| free.contains(slot);
    let kept = stored_addresses(func, analysis, &slots).iter().all(keeps);
    if kept { free } else { Vec::new() }
}

/// The address of a direct access.
fn place(func: &Func, base: Value, off: i32) -> Option<i32> {
    match func.inst(base) {
        Inst::Frame(from) => from.checked_add(off),
        _ => None,
    }
}

/// Slots that are accessed directly, always in the same way.
fn direct(func: &Func, analysis: &Analysis) -> Vec<Slot> {
    let mut found: BTreeMap<i32, Option<Size>> = BTreeMap::new();
    let mut note = |off: Option<i32>, size: Size, good: bool| {
        let Some(off) = off else { return };
        let entry = found.entry(off).or_insert(good.then_some(size));
        if *entry != Some(size) || !good {
            // Widest, so that it overlaps all that it may.
            *entry = None;
        }
    };
    for &block in &analysis.order {
        for &value in &func.blocks[block as usize].insts {
            match *func.inst(value) {
                Inst::Load { size, base, off, .. } | Inst::Store { size, base, off, .. } => {
                    note(place(func, base, off), size, true);
                }
                Inst::Atomic { size, base, off, .. } => note(place(func, base, off), size, false),
                _ => {}
            }
        }
    }
    let all: Vec<(i32, Option<Size>)> = found.into_iter().collect();
    let bytes = |size: Option<Size>| size.map_or(8, Size::bytes) as i32;
    let mut slots = Vec::new();
    for (at, &(off, size)) in all.iter().enumerate() {
        let Some(size) = size else { continue };
        // None is longer than 8 bytes: neighbours that overlap are near.
        let before = all[..at].iter().rev().take(8).any(|&(other, size)| other + bytes(size) > off);
        let behind = all[at + 1..].first().is_some_and(|&(other, _)| off + bytes(Some(size)) > other);
        if !before && !behind {
            slots.push(Slot { off, size });
        }
    }
    slots
}

/// Slots that addresses of the frame are stored to.
fn stored_addresses(func: &Func, analysis: &Analysis, slots: &[Slot]) -> Vec<Slot> {
    let lower = Lower::new(func, analysis, slots);
    let Some(lower) = lower else { return slots.to_vec() };
    slots.iter().zip(&lower.slots).filter(|(_, lower)| **lower != OTHER).map(|(slot, _)| *slot).collect()
}

/// The lowest place that is reached otherwise; None when that may be anywhere.
fn lowest_escape(code: &Code<'_>, func: &Func, analysis: &Analysis, slots: &[Slot]) -> Option<i64> {
    let lower = Lower::new(func, analysis, slots)?;
    let mut lowest = 0;
    let has_functions = func.insts.iter().any(|inst| matches!(inst, Inst::FuncAddr(_)));
    for &block in &analysis.order {
        let block = &func.blocks[block as usize];
        for &value in &block.insts {
            let mut reach = |value: Value, off: i64| {
                if value != Value::NONE && lower.of(value) != OTHER {
                    lowest = lowest.min(lower.of(value) + off);
                }
            };
            match *func.inst(value) {
                Inst::Load { base, off, .. } | Inst::Store { base, off, .. }
                    if place(func, base, off).is_none() =>
                {
                    reach(base, off.into());
                }
                Inst::Atomic { base, off, value, expected, .. } => {
                    reach(base, off.into());
                    if lower.of(value) != OTHER || lower.of(expected) != OTHER {
                        return None;
                    }
                }
                // It may take the address of anything near.
                Inst::CallFn { args, .. }
                    if args.iter().any(|&arg| arg != Value::NONE && lower.of(arg) != OTHER) =>
                {
                    return None;
                }
                Inst::Call { site, args } => {
                    let concepts = code.sites[site as usize].callable.concepts;
                    let calls_back =
                        has_functions || concepts.intersects(Concepts::CALLBACK | Concepts::ASYNC_CALLBACK);
                    for arg in args {
                        reach(arg, 0);
                        if calls_back && arg != Value::NONE && lower.of(arg) != OTHER {
                            return None;
                        }
                    }
                }
                _ => {}
            }
            if let Inst::Store { base, off, value, size } = *func.inst(value)
                && lower.of(value) != OTHER
            {
                let slot = place(func, base, off).map(|off| Slot { off, size });
                if !slot.is_some_and(|slot| size == Size::Dw && slots.contains(&slot)) {
                    return None;
                }
            }
        }
        if let Term::TailCall { args, .. } = block.term
            && args.iter().any(|&arg| lower.of(arg) != OTHER)
        {
            return None;
        }
    }
    Some(lowest)
}

/// The lowest address of the frame that each value may be.
struct Lower {
    values: Vec<i64>,
    slots: Vec<i64>,
}

impl Lower {
    fn of(&self, value: Value) -> i64 {
        self.values[value.index()]
    }

    /// None when some may be anywhere.
    fn new(func: &Func, analysis: &Analysis, slots: &[Slot]) -> Option<Lower> {
        let bits = known_bits(func, analysis);
        let leaf = |inst: &Inst| match inst {
            Inst::Frame(off) => i64::from(*off),
            _ => OTHER,
        };
        let values = func.insts.iter().map(leaf).collect();
        let mut lower = Lower { values, slots: vec![OTHER; slots.len()] };
        // Each round lowers some by a byte at least, and below the deepest it is over.
        for _ in 0..1000 {
            let mut changed = false;
            for &block in &analysis.order {
                let block = &func.blocks[block as usize];
                for &value in block.phis.iter().chain(&block.insts) {
                    let new = lower.next(func, value, slots, &bits)?;
                    if new < DEEPEST {
                        return None;
                    }
                    if new < lower.values[value.index()] {
                        lower.values[value.index()] = new;
                        changed = true;
                    }
                    if let Inst::Store { base, off, value, .. } = *func.inst(value)
                        && let Some(off) = place(func, base, off)
                        && let Ok(at) = slots.binary_search_by_key(&off, |slot| slot.off)
                        && lower.of(value) < lower.slots[at]
                    {
                        lower.slots[at] = lower.of(value);
                        changed = true;
                    }
                }
            }
            if !changed {
                return Some(lower);
            }
        }
        None
    }

    fn next(&self, func: &Func, value: Value, slots: &[Slot], bits: &[u8]) -> Option<i64> {
        // What is added is not negative when it has no sign.
        let positive = |value: Value| bits[value.index()] <= 62;
        Some(match *func.inst(value) {
            Inst::Phi(_) => func.args_of(value).iter().map(|&arg| self.of(arg)).min().unwrap_or(OTHER),
            Inst::Select(_, t, e) => self.of(t).min(self.of(e)),
            Inst::Bin(BinOp::Add, Width::W64, a, b) => match (self.of(a), self.of(b)) {
                (OTHER, OTHER) => OTHER,
                (at, OTHER) => match func.as_const(b) {
                    Some(number) => at.checked_add(number as i64)?,
                    None if positive(b) => at,
                    None => return None,
                },
                (OTHER, at) if positive(a) => at,
                _ => return None,
            },
            Inst::Bin(BinOp::Sub, Width::W64, a, b) if self.of(a) != OTHER && self.of(b) == OTHER => {
                return None;
            }
            Inst::Load { size: Size::Dw, base, off, .. } => {
                let at = place(func, base, off)
                    .and_then(|off| slots.binary_search_by_key(&off, |slot| slot.off).ok());
                at.map_or(OTHER, |at| self.slots[at])
            }
            _ => self.of(value),
        })
    }
}
