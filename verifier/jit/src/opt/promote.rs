//! Slots of the frame that are never reached by address become values.

use probity_isa::{Size, Width};

use super::Code;
use super::analysis::Analysis;
use super::escape::{Slot, free_slots};
use super::fold::Folded;
use super::ir::{BinOp, Func, Inst, UnOp, Value};

/// How many slots are looked at: one bit each.
const MOST: usize = 64;

struct Promotion<'a> {
    func: &'a mut Func,
    analysis: &'a Analysis,
    slots: Vec<Slot>,
}

/// Turns slots into values; phis arise where paths meet.
pub(super) fn promote_slots(code: &Code<'_>, func: &mut Func, analysis: &Analysis) {
    let mut slots = free_slots(code, func, analysis);
    slots.truncate(MOST);
    if slots.is_empty() {
        return;
    }
    let mut promotion = Promotion { func, analysis, slots };
    let live = promotion.live();
    promotion.rename(&live);
    promotion.func.drop_trivial_phis();
}

impl Promotion<'_> {
    /// The slot of an access.
    fn slot(&self, base: Value, off: i32) -> Option<usize> {
        let Inst::Frame(from) = *self.func.inst(base) else { return None };
        let off = from.checked_add(off)?;
        self.slots.binary_search_by_key(&off, |slot| slot.off).ok()
    }

    /// The slots whose value at a block's start is used.
    fn live(&self) -> Vec<u64> {
        let count = self.func.blocks.len();
        let (mut used, mut written) = (vec![0_u64; count], vec![0_u64; count]);
        for &block in &self.analysis.order {
            let at = block as usize;
            for &value in &self.func.blocks[at].insts {
                match *self.func.inst(value) {
                    Inst::Load { base, off, .. } => {
                        if let Some(slot) = self.slot(base, off) {
                            used[at] |= 1 << slot & !written[at];
                        }
                    }
                    Inst::Store { base, off, .. } => {
                        if let Some(slot) = self.slot(base, off) {
                            written[at] |= 1 << slot;
                        }
                    }
                    _ => {}
                }
            }
        }
        let mut live = used.clone();
        let mut changed = true;
        while changed {
            changed = false;
            for &block in self.analysis.order.iter().rev() {
                let at = block as usize;
                let out =
                    self.func.blocks[at].term.successors().fold(0, |out, next| out | live[next as usize]);
                let new = used[at] | out & !written[at];
                changed |= new != live[at];
                live[at] = new;
            }
        }
        live
    }

    /// Walks the blocks in their order and replaces loads by what was stored.
    fn rename(&mut self, live: &[u64]) {
        let analysis = self.analysis;
        let zero = self.func.constant(0);
        let mut states: Vec<Option<Vec<Value>>> = vec![None; self.func.blocks.len()];
        let mut phis = Vec::new();
        for &block in &analysis.order {
            let at = block as usize;
            let mut state = vec![zero; self.slots.len()];
            let preds = self.func.blocks[at].preds.clone();
            for (slot, value) in state.iter_mut().enumerate() {
                if live[at] & 1 << slot == 0 || preds.is_empty() {
                    continue;
                }
                let mut values =
                    preds.iter().map(|&pred| states[pred as usize].as_ref().map(|state| state[slot]));
                let first = values.next().flatten();
                *value = match first {
                    Some(first) if values.all(|value| value == Some(first)) => first,
                    _ => {
                        let phi = self.func.add_phi(block);
                        phis.push((phi, block, slot));
                        phi
                    }
                };
            }
            self.block(block, &mut state);
            states[at] = Some(state);
        }
        for (phi, block, slot) in phis {
            let preds = self.func.blocks[block as usize].preds.clone();
            let value = |pred: u32| states[pred as usize].as_ref().map_or(zero, |state| state[slot]);
            self.func.set_args(phi, preds.into_iter().map(value).collect());
        }
    }

    fn block(&mut self, block: u32, state: &mut [Value]) {
        let insts = std::mem::take(&mut self.func.blocks[block as usize].insts);
        for value in insts {
            match *self.func.inst(value) {
                Inst::Load { size, sign, base, off, .. } if self.slot(base, off).is_some() => {
                    let slot = self.slot(base, off).unwrap_or(0);
                    let loaded = self.extended(block, state[slot], size, sign);
                    self.func.replace(value, loaded);
                }
                Inst::Store { base, off, value: stored, .. } if self.slot(base, off).is_some() => {
                    let slot = self.slot(base, off).unwrap_or(0);
                    state[slot] = self.func.resolve(stored);
                }
                _ => self.func.blocks[block as usize].insts.push(value),
            }
        }
    }

    /// A stored value as a load of a size gives it.
    fn extended(&mut self, block: u32, value: Value, size: Size, sign: bool) -> Value {
        let inst = match (size, sign) {
            (Size::Dw, _) => return value,
            (_, true) => Inst::Un(UnOp::Sext(size, Width::W64), value),
            (_, false) => {
                let mask = self.func.constant(u64::MAX >> (64 - size.bytes() * 8));
                Inst::Bin(BinOp::And, Width::W64, value, mask)
            }
        };
        match self.func.fold(inst) {
            Folded::Value(value) => value,
            Folded::Inst(inst) => self.func.push(block, inst),
        }
    }
}
