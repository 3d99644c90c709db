//! One instruction of a path undone: what it did to the values that are looked for.

use probity_isa::{AtomicOp, Disasm, Instruction, JumpOp, Source, Width};
use probity_platform::Behaviour;

use super::history::{Place, Tracer, look, name, slot_of};
use super::replay::Moment;
use super::step::What;
use super::value::bytes;
use crate::state::{Reg, State};

impl Tracer<'_> {
    /// Undoes one instruction of the path: `moment` is before it, `next` behind it.
    pub(super) fn undo(&mut self, moment: &Moment, next: &Moment, unwritten: bool) {
        let (pc, frame) = (moment.pc, moment.state.current());
        let Some(instruction) = moment.instruction else { return };
        let result = |dst: u8| Place::Reg(frame, dst);
        match instruction {
            Instruction::Mov { dst, src, sign_extend, .. } => {
                if self.take(result(dst)) {
                    let (what, text) = match src {
                        Source::Reg(src) if sign_extend.is_none() => {
                            (What::Copied, format!("r{dst} is a copy of r{src}"))
                        }
                        Source::Reg(_) => (What::Computed, self.becomes(moment, next, dst)),
                        Source::Imm(_) => {
                            let holds = self.holds(&next.state, result(dst));
                            (What::Constant, format!("r{dst} is set to {holds}"))
                        }
                    };
                    self.push(pc, what, text);
                    self.want_source(frame, src);
                }
            }
            Instruction::LoadImm64 { dst, .. } => {
                if self.take(result(dst)) {
                    let text = format!("r{dst} is set to {}", self.holds(&next.state, result(dst)));
                    self.push(pc, What::Constant, text);
                }
            }
            Instruction::Alu { dst, src, .. } => {
                if self.wants.contains(&result(dst)) {
                    let text = self.becomes(moment, next, dst);
                    self.push(pc, What::Computed, text);
                    self.want_source(frame, src);
                }
            }
            Instruction::Neg { dst, .. } | Instruction::End { dst, .. } => {
                if self.wants.contains(&result(dst)) {
                    let text = self.becomes(moment, next, dst);
                    self.push(pc, What::Computed, text);
                }
            }
            Instruction::AddrSpaceCast { dst, src, .. } => {
                if self.take(result(dst)) {
                    self.push(pc, What::Computed, format!("r{dst} is r{src} in another address space"));
                    self.want(result(src));
                }
            }
            Instruction::Load { dst, src, off, size, .. }
            | Instruction::LoadAcquire { dst, src, off, size } => {
                if self.take(result(dst)) {
                    self.loaded(moment, next, dst, src, off, size.bytes());
                }
            }
            Instruction::Store { dst, off, size, src } => {
                self.stored(moment, next, dst, off, size.bytes(), src, unwritten);
            }
            Instruction::StoreRelease { dst, off, size, src } => {
                self.stored(moment, next, dst, off, size.bytes(), Source::Reg(src), unwritten);
            }
            Instruction::Atomic { op, fetch, src, .. } => {
                let fetched = if op == AtomicOp::Cmpxchg { 0 } else { src };
                if fetch && self.take(result(fetched)) {
                    self.push(pc, What::Loaded, format!("r{fetched} is what the atomic instruction found"));
                }
                self.written(moment, next, "the atomic instruction");
            }
            Instruction::LoadAbs { .. } | Instruction::LoadInd { .. } => {
                if self.take(result(0)) {
                    self.push(pc, What::Loaded, "r0 is read from the packet".into());
                }
                self.lost(pc, frame, "reading the packet so");
            }
            Instruction::Jump { .. } => self.compared(moment, next),
            Instruction::CallHelper { id } => {
                let name = format!("`{}`", self.callable(id));
                self.returned(moment, next, &name);
            }
            Instruction::CallKfunc { id, .. } => {
                let known = usize::try_from(id).ok().and_then(|id| self.values.program.kfuncs.get(id));
                let name = known.map_or_else(|| format!("#{id}"), |name| format!("`{name}`"));
                self.returned(moment, next, &name);
            }
            Instruction::CallSubprog { .. } => self.entered(pc, frame, next),
            Instruction::Exit => self.left(moment, next),
            Instruction::Ja { .. } | Instruction::MayGoto { .. } => {}
        }
    }

    /// `r2 += r3 makes r2 a number from 0 to 255`
    fn becomes(&self, moment: &Moment, next: &Moment, dst: u8) -> String {
        let place = Place::Reg(moment.state.current(), dst);
        format!("`{}` makes r{dst} {}", self.text(moment.pc), self.holds(&next.state, place))
    }

    fn loaded(&mut self, moment: &Moment, next: &Moment, dst: u8, src: u8, off: i16, size: u32) {
        let (pc, frame) = (moment.pc, moment.state.current());
        let base = moment.state.reg(src);
        if let Some(at) = stack_offset(base, off) {
            let text = format!("r{dst} is loaded back from the stack at fp{at:+}");
            self.push(pc, What::Filled, text);
            self.want(Place::Slot(base.frame(), slot_of(at)));
            return;
        }
        let holds = self.holds(&next.state, Place::Reg(frame, dst));
        let text = format!("r{dst} is read from {}: {holds}", self.memory(base, off, size));
        self.push(pc, What::Loaded, text);
    }

    /// What memory a load reads.
    fn memory(&self, base: &Reg, off: i16, size: u32) -> String {
        let at = i64::from(base.off) + i64::from(off);
        let index = match base.behaviour {
            Some(Behaviour::Context) => Some(base.data),
            Some(Behaviour::View) => self.values.platform.kind(base.kind).view.map(u32::from),
            _ => None,
        };
        let view = index.and_then(|index| self.values.platform.views.get(index as usize));
        if let Some(view) = view {
            return match u32::try_from(at).ok().and_then(|at| view.field_at(at)) {
                Some(field) => format!("field `{}` of `{}`", field.name, view.name),
                None => format!("`{}`", view.name),
            };
        }
        let pointer = Reg { flags: probity_platform::TypeFlags::empty(), ..*base };
        match base.behaviour {
            Some(Behaviour::Packet) => format!("the packet ({})", bytes(size)),
            Some(Behaviour::MapValue) => {
                let map = self.values.program.maps.get(base.map()).map_or("?", |map| map.name.as_str());
                format!("a value of map `{map}`")
            }
            _ => {
                let text = self.values.describe(&pointer, base.frame());
                text.strip_prefix("a pointer to ").map_or_else(|| text.clone(), str::to_owned)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a store")]
    fn stored(
        &mut self,
        moment: &Moment,
        next: &Moment,
        dst: u8,
        off: i16,
        size: u32,
        src: Source,
        unwritten: bool,
    ) {
        let base = moment.state.reg(dst);
        let Some(at) = stack_offset(base, off) else {
            self.written(moment, next, "a store at a variable offset");
            return;
        };
        let frame = base.frame();
        // A store may reach over two slots where alignment is not asked for.
        let slots = [slot_of(at), slot_of(at + i64::from(size) - 1)];
        for slot in slots {
            let place = Place::Slot(frame, slot);
            if unwritten && self.wants.contains(&place) {
                let text = format!("{} at fp{at:+} are written, and no more", bytes(size));
                self.push(moment.pc, What::Written, text);
                return;
            }
            if !unwritten && self.take(place) {
                match src {
                    Source::Reg(reg) => {
                        let text = format!("r{reg} is stored on the stack at fp{at:+}");
                        self.push(moment.pc, What::Spilled, text);
                        self.want(Place::Reg(moment.state.current(), reg));
                    }
                    Source::Imm(imm) => {
                        let text = format!("the stack at fp{at:+} is set to {imm}");
                        self.push(moment.pc, What::Constant, text);
                    }
                }
            }
        }
    }

    /// Slots that something else wrote.
    fn written(&mut self, moment: &Moment, next: &Moment, by: &str) {
        let changed = |place: &Place| match *place {
            Place::Slot(frame, slot) => {
                let slot = |state: &State| state.frames.get(frame).map(|frame| *frame.stack.slot(slot));
                slot(&moment.state) != slot(&next.state)
            }
            Place::Reg(..) => false,
        };
        let found: Vec<Place> = self.wants.iter().copied().filter(changed).collect();
        for place in found {
            self.take(place);
            self.push(moment.pc, What::Written, format!("{by} writes {}", name(place)));
        }
    }

    /// A call made r1 to r5 unusable.
    fn lost(&mut self, pc: usize, frame: usize, by: &str) {
        for reg in 1..=5 {
            if self.take(Place::Reg(frame, reg)) {
                self.push(pc, What::Lost, format!("{by} makes r{reg} unusable, as it does r1 to r5"));
            }
        }
    }

    fn returned(&mut self, moment: &Moment, next: &Moment, callee: &str) {
        let (pc, frame) = (moment.pc, moment.state.current());
        if self.take(Place::Reg(frame, 0)) {
            let holds = self.holds(&next.state, Place::Reg(frame, 0));
            self.push(pc, What::Returned, format!("r0 is what {callee} returns: {holds}"));
        }
        self.lost(pc, frame, &format!("the call of {callee}"));
        self.written(moment, next, callee);
        // Calls that change the packet make pointers into it stale; others end what a host gave out.
        self.stale(moment, next, |place| {
            format!("the call of {callee} makes {place} stale: it is no pointer any more")
        });
    }

    /// Pointers that are none behind an instruction which writes them nothing.
    fn stale(&mut self, moment: &Moment, next: &Moment, text: impl Fn(&str) -> String) {
        let stale = |place: &Place| {
            let (old, new) = (look(&moment.state, *place), look(&next.state, *place));
            matches!((old, new), (Some(old), Some(new)) if old.is_pointer() && !new.is_pointer())
        };
        let found: Vec<Place> = self.wants.iter().copied().filter(stale).collect();
        for place in found {
            self.take(place);
            self.push(moment.pc, What::Lost, text(&name(place)));
        }
    }

    fn compared(&mut self, moment: &Moment, next: &Moment) {
        let changed = |place: &Place| {
            let (old, new) = (look(&moment.state, *place), look(&next.state, *place));
            let facts = |reg: &Reg| (reg.behaviour, reg.kind, reg.flags, reg.data, reg.val);
            old.map(facts) != new.map(facts)
        };
        let found: Vec<Place> = self.wants.iter().copied().filter(changed).collect();
        for place in found {
            let holds = self.holds(&next.state, place);
            let text = format!("{}: {} is {holds}", self.condition(moment, next), name(place));
            self.push(moment.pc, What::Compared, text);
        }
    }

    /// `if r2 > 255` does not hold
    pub(super) fn condition(&self, moment: &Moment, next: &Moment) -> String {
        let Some(Instruction::Jump { width, op, dst, src, .. }) = moment.instruction else {
            return format!("`{}`", self.text(moment.pc));
        };
        let letter = if width == Width::W32 { 'w' } else { 'r' };
        let right = match src {
            Source::Reg(reg) => format!("{letter}{reg}"),
            Source::Imm(imm) => immediate(op, width, imm),
        };
        let holds = if next.pc == moment.pc + 1 { "does not hold" } else { "holds" };
        format!("`if {letter}{dst} {} {right}` {holds}", sign(op))
    }

    /// From a function's beginning to its call.
    fn entered(&mut self, pc: usize, frame: usize, next: &Moment) {
        let callee = self.function(next.pc);
        for reg in 0..10 {
            if self.take(Place::Reg(frame + 1, reg)) {
                if (1..=5).contains(&reg) {
                    self.push(pc, What::Passed, format!("r{reg} is passed to {callee}"));
                    self.want(Place::Reg(frame, reg));
                } else {
                    self.push(pc, What::NeverWritten, format!("{callee} begins without a value in r{reg}"));
                }
            }
        }
        self.wants.retain(|want| !matches!(want, Place::Slot(owner, _) if *owner > frame));
    }

    /// From behind a call to the exit of what was called.
    fn left(&mut self, moment: &Moment, next: &Moment) {
        let (callee, caller) = (moment.state.current(), next.state.current());
        if caller >= callee {
            return;
        }
        if self.take(Place::Reg(caller, 0)) {
            self.push(moment.pc, What::Returned, "r0 is what the function returns".into());
            self.want(Place::Reg(callee, 0));
        }
        self.stale(moment, next, |place| {
            let ends = "the function that was called back ends, and with it what it was given";
            format!("{ends}: {place} is no pointer any more")
        });
        self.lost(next.pc.saturating_sub(1), caller, "the call of a function");
    }

    /// The instruction as text, without its opcode.
    fn text(&self, pc: usize) -> String {
        let text = Disasm::new(&self.values.program.insns, pc, &()).to_string();
        match text.split_once(") ") {
            Some((_, rest)) => rest.to_owned(),
            None => text,
        }
    }

    fn function(&self, pc: usize) -> String {
        let function = self.values.program.funcs.iter().find(|function| function.pc == pc);
        function.map_or_else(|| format!("the function at {pc}"), |function| format!("`{}`", function.name))
    }
}

/// An immediate as its comparison reads it.
fn immediate(op: JumpOp, width: Width, imm: i32) -> String {
    let signed = matches!(op, JumpOp::Jsgt | JumpOp::Jsge | JumpOp::Jslt | JumpOp::Jsle);
    let equality = matches!(op, JumpOp::Jeq | JumpOp::Jne);
    match width {
        _ if imm >= 0 || signed || equality => imm.to_string(),
        Width::W32 => imm.cast_unsigned().to_string(),
        Width::W64 => format!("{:#x}", i64::from(imm)),
    }
}

/// A condition as C writes it; signed ones say so.
fn sign(op: JumpOp) -> &'static str {
    match op {
        JumpOp::Jeq => "==",
        JumpOp::Jne => "!=",
        JumpOp::Jset => "&",
        JumpOp::Jgt => ">",
        JumpOp::Jge => ">=",
        JumpOp::Jlt => "<",
        JumpOp::Jle => "<=",
        JumpOp::Jsgt => "(signed) >",
        JumpOp::Jsge => "(signed) >=",
        JumpOp::Jslt => "(signed) <",
        JumpOp::Jsle => "(signed) <=",
    }
}

/// The offset below a frame's end that an access of the stack begins at, when it is known.
fn stack_offset(base: &Reg, off: i16) -> Option<i64> {
    if base.behaviour != Some(Behaviour::Stack) {
        return None;
    }
    let at = i64::from(base.off) + base.val.is_const()?.cast_signed() + i64::from(off);
    (at < 0).then_some(at)
}
