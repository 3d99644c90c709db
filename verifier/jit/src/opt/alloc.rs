//! Registers of the machine for virtual ones: those that are used most for their length first, each
//! one that is free over all of its ranges; what is left lives in the frame.

use std::collections::BTreeMap;

use super::coalesce::Classes;
use super::layout::Layout;
use super::lir::{ARGUMENTS, CALLER_SAVED, Lir, RegSet, Src, Vreg, commutes, set};
use super::live::{Range, clobbered, frequency};
use super::select::Selected;
use crate::encode::{Reg, Shift};

/// Where a virtual register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Reg(Reg),
    /// A word of the frame, by its number.
    Slot(u32),
    /// A number that is made anew at each use.
    Number(u64),
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) of: Vec<Place>,
    pub(super) slots: u32,
    /// The registers that are in use.
    pub(super) used: RegSet,
    /// Whether the scratch registers are kept for what is in the frame.
    pub(super) scratch: bool,
}

/// The registers in which operands from the frame are worked on.
pub(super) const SCRATCH: [Reg; 2] = [Reg::R10, Reg::R11];

/// The order in which registers are tried when nothing speaks for one: those first that need no saving.
const ORDER: [Reg; 15] = [
    Reg::Rax,
    Reg::Rcx,
    Reg::Rdx,
    Reg::Rsi,
    Reg::Rdi,
    Reg::R8,
    Reg::R9,
    Reg::R10,
    Reg::R11,
    Reg::Rbx,
    Reg::Rbp,
    Reg::R14,
    Reg::R15,
    Reg::R13,
    Reg::R12,
];

enum Hint {
    Same(Vreg),
    Reg(Reg),
}

struct Allocator<'a> {
    classes: &'a Classes,
    hints: Vec<Vec<(Hint, f32)>>,
    /// By registers' numbers: what is taken, ends by starts.
    taken: [BTreeMap<u32, u32>; 16],
    chosen: Vec<Option<Reg>>,
}

/// Chooses registers; `reserved` ones are never used.
pub(super) fn allocate(
    classes: &Classes,
    selected: &Selected,
    layout: &Layout,
    depth: &[u32],
    reserved: RegSet,
    bmi2: bool,
) -> Places {
    let mut order: Vec<Vreg> =
        (0..selected.vregs as Vreg).filter(|&reg| !classes.ranges[reg as usize].is_empty()).collect();
    let numbers = numbers(selected, classes);
    let density = |reg: Vreg| {
        let length: u32 = classes.ranges[reg as usize].iter().map(|(start, end)| end - start).sum();
        let weight = classes.weights[reg as usize];
        // What can be made anew costs less to lose.
        let weight = if numbers.contains_key(&reg) { weight / 2.0 } else { weight };
        weight / (length as f32 / 4.0 + 1.0)
    };
    let densities: Vec<f32> = (0..selected.vregs as Vreg).map(density).collect();
    order.sort_by(|&a, &b| densities[b as usize].total_cmp(&densities[a as usize]).then(a.cmp(&b)));
    let taken = clobbers(selected, layout, bmi2);
    let hints = hints(classes, selected, layout, depth, bmi2);
    let mut allocator = Allocator { classes, hints, taken, chosen: vec![None; selected.vregs] };
    let mut places = vec![Place::Number(0); selected.vregs];
    let (mut slots, mut used, mut scratch) = (0, 0, reserved & set(SCRATCH[0]) != 0);
    for class in order {
        places[class as usize] = match allocator.choose(class, reserved) {
            Some(reg) => {
                used |= set(reg);
                Place::Reg(reg)
            }
            None => {
                scratch = true;
                match numbers.get(&class) {
                    Some(&number) => Place::Number(number),
                    None => {
                        slots += 1;
                        Place::Slot(slots - 1)
                    }
                }
            }
        };
    }
    let of = (0..selected.vregs as Vreg).map(|reg| places[classes.of(reg) as usize]).collect();
    Places { of, slots, used, scratch }
}

/// Classes that are one number.
fn numbers(selected: &Selected, classes: &Classes) -> BTreeMap<Vreg, u64> {
    let mut numbers = BTreeMap::new();
    let mut other = vec![false; selected.vregs];
    for lir in selected.blocks.iter().flatten() {
        match lir {
            Lir::Const { dst, value } => {
                if classes.of(*dst) != *dst || numbers.insert(*dst, *value).is_some() {
                    other[classes.of(*dst) as usize] = true;
                }
            }
            lir => lir.visit(true, &mut |role, reg| {
                if matches!(role, super::lir::Role::Def | super::lir::Role::EarlyDef) {
                    other[classes.of(reg) as usize] = true;
                }
            }),
        }
    }
    numbers.retain(|reg, _| !other[*reg as usize]);
    numbers
}

fn clobbers(selected: &Selected, layout: &Layout, bmi2: bool) -> [BTreeMap<u32, u32>; 16] {
    let mut taken: [BTreeMap<u32, u32>; 16] = Default::default();
    for &block in &layout.order {
        for (index, lir) in selected.blocks[block as usize].iter().enumerate() {
            let set = lir.clobbers(bmi2);
            let (start, end) = clobbered(layout.first[block as usize] + index as u32);
            for (number, taken) in taken.iter_mut().enumerate() {
                if set & 1 << number != 0 {
                    taken.insert(start, end);
                }
            }
        }
    }
    taken
}

impl Allocator<'_> {
    /// A register that is free where a class is live, the most wanted one.
    fn choose(&mut self, class: Vreg, reserved: RegSet) -> Option<Reg> {
        let mut scores = [0.0_f32; 16];
        for (hint, weight) in &self.hints[class as usize] {
            let reg = match hint {
                Hint::Reg(reg) => Some(*reg),
                Hint::Same(other) => self.chosen[*other as usize],
            };
            if let Some(reg) = reg {
                scores[usize::from(reg.number())] += weight;
            }
        }
        let mut order = ORDER;
        order.sort_by(|a, b| scores[usize::from(b.number())].total_cmp(&scores[usize::from(a.number())]));
        let ranges = &self.classes.ranges[class as usize];
        let free = order.into_iter().find(|&reg| {
            reserved & set(reg) == 0 && is_free(&self.taken[usize::from(reg.number())], ranges)
        })?;
        for &(start, end) in ranges {
            self.taken[usize::from(free.number())].insert(start, end);
        }
        self.chosen[class as usize] = Some(free);
        Some(free)
    }
}

fn is_free(taken: &BTreeMap<u32, u32>, ranges: &[Range]) -> bool {
    ranges.iter().all(|&(start, end)| taken.range(..end).next_back().is_none_or(|(_, &until)| until <= start))
}

/// What speaks for registers.
fn hints(
    classes: &Classes,
    selected: &Selected,
    layout: &Layout,
    depth: &[u32],
    bmi2: bool,
) -> Vec<Vec<(Hint, f32)>> {
    let mut hints: Vec<Vec<(Hint, f32)>> = Vec::new();
    hints.resize_with(selected.vregs, Vec::new);
    for &block in &layout.order {
        let weight = frequency(depth[block as usize]);
        for lir in &selected.blocks[block as usize] {
            let mut same = |a: Vreg, b: Vreg| {
                let (a, b) = (classes.of(a), classes.of(b));
                if a != b {
                    hints[a as usize].push((Hint::Same(b), weight));
                    hints[b as usize].push((Hint::Same(a), weight));
                }
            };
            match lir {
                Lir::Copy { dst, src, .. } => same(*dst, *src),
                Lir::Alu { op, dst, a, b, .. } => {
                    same(*dst, *a);
                    if let (Src::Reg(b), true) = (b, commutes(*op)) {
                        same(*dst, *b);
                    }
                }
                Lir::Mul { dst, a, b, .. } => {
                    if !matches!(b, Src::Imm(_)) {
                        same(*dst, *a);
                    }
                    if let Src::Reg(b) = b {
                        same(*dst, *b);
                    }
                }
                Lir::Shift { op, dst, a, .. } if *op != Shift::Rol || !bmi2 => same(*dst, *a),
                Lir::Neg { dst, a, .. } | Lir::Not { dst, a, .. } | Lir::Swap { dst, a, .. } => {
                    same(*dst, *a);
                }
                Lir::Select { dst, t, e, .. } => {
                    for src in [t, e] {
                        if let Src::Reg(src) = src {
                            same(*dst, *src);
                        }
                    }
                }
                Lir::Copies(copies) => {
                    for (dst, src) in copies {
                        if let Src::Reg(src) = src {
                            same(*dst, *src);
                        }
                    }
                }
                _ => {}
            }
            fixed(lir, bmi2, &mut |reg, machine| {
                hints[classes.of(reg) as usize].push((Hint::Reg(machine), weight));
            });
        }
    }
    hints
}

/// Where instructions want their operands.
fn fixed(lir: &Lir, bmi2: bool, f: &mut impl FnMut(Vreg, Reg)) {
    match lir {
        Lir::Params(params) => params.iter().for_each(|&(reg, machine)| f(reg, machine)),
        Lir::MulHigh { a, .. } if bmi2 => f(*a, Reg::Rdx),
        Lir::MulHigh { dst, a, .. } => {
            f(*a, Reg::Rax);
            f(*dst, Reg::Rdx);
        }
        Lir::Divide { remainder, dst, a, .. } => {
            f(*a, Reg::Rax);
            f(*dst, if *remainder { Reg::Rdx } else { Reg::Rax });
        }
        Lir::Atomic { expected, dst, op: probity_isa::AtomicOp::Cmpxchg, .. } => {
            f(*expected, Reg::Rax);
            if let Some(dst) = dst {
                f(*dst, Reg::Rax);
            }
        }
        Lir::Call { args, dst, .. } | Lir::CallFn { args, dst, .. } => {
            for (arg, reg) in args.iter().zip(ARGUMENTS) {
                if let Some(Src::Reg(arg)) = arg {
                    f(*arg, reg);
                }
            }
            f(*dst, Reg::Rax);
        }
        Lir::Return(Src::Reg(reg)) => f(*reg, Reg::Rax),
        Lir::ShiftBy { count, .. } if !bmi2 => f(*count, Reg::Rcx),
        _ => {}
    }
}

/// The registers of a set that calls keep.
pub(super) fn callee_saved(used: RegSet) -> impl DoubleEndedIterator<Item = Reg> {
    Reg::ALL.into_iter().filter(move |&reg| used & set(reg) & !CALLER_SAVED != 0)
}
