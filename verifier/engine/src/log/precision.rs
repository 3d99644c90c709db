//! Lines about values that are followed back.

use std::fmt::Write;

use super::writer::Writer;
use crate::explore::backtrack::Wants;
use crate::explore::precision::Followed;

/// Registers and slots as a list: `r1,r2` and `-8,-16`.
fn regs(bits: u16) -> String {
    let names: Vec<String> =
        (0..10).filter(|reg| bits >> reg & 1 != 0).map(|reg| format!("r{reg}")).collect();
    names.join(",")
}

fn slots(bits: u64) -> String {
    let names: Vec<String> =
        (0..64).filter(|slot| bits >> slot & 1 != 0).map(|slot| format!("-{}", (slot + 1) * 8)).collect();
    names.join(",")
}

fn wanted(wants: &Wants, frame: usize) -> String {
    format!("regs={} stack={}", regs(wants.regs[frame]), slots(wants.slots[frame]))
}

impl Writer<'_> {
    pub(super) fn write_followed(&mut self, event: &Followed<'_>) {
        match *event {
            Followed::Covered { frame, regs, slots } => {
                let regs = (0..10).filter(|reg| regs >> reg & 1 != 0).map(|reg| format!("r{reg}"));
                let slots = (0..64)
                    .filter(|slot| slots >> slot & 1 != 0)
                    .map(|slot| format!("fp-{}", (slot + 1) * 8));
                let places: Vec<String> = regs.chain(slots).collect();
                let _ = writeln!(self.out, "frame {frame}: propagating {}", places.join(","));
            }
            Followed::Segment { wants, last, first, after } => {
                let frame = wants.frame;
                let after = after.map_or_else(|| "-1".into(), |pc| pc.to_string());
                let _ = writeln!(
                    self.out,
                    "mark_precise: frame{frame}: last_idx {last} first_idx {first} subseq_idx {after} "
                );
            }
            Followed::Instruction { wants, pc } => {
                let frame = wants.frame;
                let text = self.insn(pc);
                let wanted = wanted(wants, frame);
                let _ = writeln!(self.out, "mark_precise: frame{frame}: {wanted} before {pc}: {text}");
            }
            Followed::Checkpoint { wants, checkpoint } => {
                let last = checkpoint.state.frames.len() - 1;
                for frame in (0..=wants.frame.min(last)).rev() {
                    let precise = checkpoint.precise[frame];
                    let state = self.printer.frame_of(&checkpoint.state, frame, precise);
                    let wanted = wanted(wants, frame);
                    let _ = writeln!(self.out, "mark_precise: frame{frame}: parent state {wanted}: {state}");
                }
            }
            Followed::Lost { wants } => {
                let frame = wants.frame;
                let _ = writeln!(
                    self.out,
                    "mark_precise: frame{frame}: falling back to forcing all scalars precise"
                );
            }
            Followed::Forced { frame, regs, slots } => {
                for reg in (0..10).filter(|reg| regs >> reg & 1 != 0) {
                    let _ = writeln!(self.out, "force_precise: frame{frame}: forcing r{reg} to be precise");
                }
                for slot in (0..64).filter(|slot| slots >> slot & 1 != 0) {
                    let off = (slot + 1) * 8;
                    let _ = writeln!(self.out, "force_precise: frame{frame}: forcing fp-{off} to be precise");
                }
            }
        }
    }
}
