//! What fills the blanks of the table of advice: names and numbers of the failure at hand.

use std::collections::BTreeMap;

use probity_isa::{Instruction, Size};
use probity_platform::{Arg, ArgRole, Behaviour, Callable, Code, GuardEnv, Profile, ProgType, TypeFlags};
use probity_program::LineInfo;

use super::expression;
use super::replay::Moment;
use super::step::{Step, What};
use super::subject::Subject;
use super::value::Values;
use crate::report::Finding;
use crate::state::Reg;

/// Blanks, by name; `advice` says what they mean.
pub(super) struct Facts<'a> {
    values: Values<'a>,
    profile: &'a Profile,
    code: Code,
    line: Option<&'a LineInfo>,
    found: BTreeMap<&'static str, String>,
}

impl<'a> Facts<'a> {
    /// What is known without a path.
    pub(super) fn new(values: Values<'a>, profile: &'a Profile, finding: &Finding) -> Facts<'a> {
        let program = values.program;
        let line = finding.pc.and_then(|pc| program.line(pc));
        let mut facts = Facts { values, profile, code: finding.rejection.code, line, found: BTreeMap::new() };
        let limits = &values.platform.limits;
        facts.set("limit_stack", limits.stack);
        facts.set("limit_frames", limits.frames);
        facts.set("limit_processed", limits.processed);
        facts.set("limit_pending", limits.pending);
        facts.set("license", format!("{:?}", program.license));
        if let Some(line) = line.filter(|line| line.line > 0) {
            facts.set("line", line.line);
        }
        if let Some(row) = values.platform.prog_type(program.prog_type) {
            facts.set("prog_type", row.name);
            facts.exit(row);
        }
        let instruction = finding.pc.and_then(|pc| probity_isa::decode(&program.insns, pc).ok());
        if let Some(Instruction::CallHelper { id }) = instruction
            && let Some(row) = facts.row(id)
        {
            facts.set("callable", row.name);
        }
        facts
    }

    /// The value of a blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.found.get(name).map(String::as_str)
    }

    fn set(&mut self, name: &'static str, value: impl ToString) {
        self.found.insert(name, value.to_string());
    }

    fn maybe(&mut self, name: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn row(&self, id: i32) -> Option<&'static Callable> {
        self.values.platform.callables.iter().find(|row| row.number.cast_signed() == id)
    }

    fn env(&self, prog_type: &ProgType) -> GuardEnv<'a> {
        crate::prepare::guard_env(self.values.program, prog_type, self.profile)
    }

    fn exit(&mut self, row: &ProgType) {
        let env = self.env(row);
        let exit = row.exit.iter().find(|exit| exit.guard.holds(&env));
        if let Some((low, high)) = exit.and_then(|exit| exit.range) {
            if low == high {
                self.set("exit_only", low);
            }
            self.set("exit_low", low);
            self.set("exit_high", high);
        }
    }

    /// What the failing moment tells.
    pub(super) fn see(&mut self, failing: &Moment, subject: Option<&Subject>, history: &[Step]) {
        let reg = match subject {
            Some(&Subject::Reg(reg)) => Some(reg),
            _ => None,
        };
        if let Some(reg) = reg {
            self.set("reg", format!("r{reg}"));
            self.holds(failing.state.reg(reg));
        }
        match failing.instruction {
            Some(Instruction::Load { size, src, off, .. }) => {
                self.access(failing.state.reg(src), off, size, false);
            }
            Some(Instruction::Store { size, dst, off, .. }) => {
                self.access(failing.state.reg(dst), off, size, true);
            }
            Some(Instruction::CallHelper { id }) => self.call(failing, id, reg),
            _ => {}
        }
        if !matches!(failing.instruction, Some(Instruction::CallHelper { .. })) {
            self.maybe("var", self.line.and_then(expression::name));
            let index = self.line.and_then(expression::index);
            self.maybe("index", index.filter(|index| !index.chars().all(|c| c.is_ascii_digit())));
            if self.code == Code::PointerOffset {
                // What moves the pointer is meant, and that is its index.
                self.found.remove("var");
            }
        }
        let told = |what: What| history.iter().rev().find(|step| step.what == what);
        let origin = [What::Returned, What::Loaded].into_iter().find_map(told).or(history.first());
        self.maybe("origin_line", origin.and_then(|step| step.line));
        self.maybe("lost_line", told(What::Lost).and_then(|step| step.line));
        if let Some(step) = told(What::Acquired) {
            let line = step.line.filter(|&line| self.line.is_none_or(|own| own.line != line));
            self.maybe("acquired_line", line);
            self.acquired(step.pc);
        }
    }

    /// Where the walk spent its time.
    pub(super) fn see_hottest(&mut self, history: &[Step]) {
        self.maybe("hot_line", history.first().and_then(|step| step.line));
    }

    fn holds(&mut self, reg: &Reg) {
        if !matches!(reg.behaviour, Some(Behaviour::Map | Behaviour::MapKey | Behaviour::MapValue)) {
            return;
        }
        if let Some(map) = self.values.program.maps.get(reg.map()) {
            if !map.name.is_empty() {
                self.set("map", &map.name);
            }
            self.set("value_size", map.value_size);
        }
    }

    fn access(&mut self, base: &Reg, off: i16, size: Size, write: bool) {
        self.set("size", size.bytes());
        let end = i64::from(base.off) + i64::from(off) + i64::from(size.bytes());
        if base.behaviour == Some(Behaviour::Packet) && end > 0 {
            self.set("end", end);
        }
        if base.behaviour == Some(Behaviour::Region) {
            self.set("region", base.region_size());
        }
        let at = u32::try_from(i64::from(base.off) + i64::from(off)).ok();
        if base.behaviour == Some(Behaviour::Context)
            && let Some(view) = self.values.platform.views.get(base.data as usize)
        {
            self.set("view", view.name);
            if let Some(field) = at.and_then(|at| view.field_at(at)) {
                self.set("field", field.name);
                let row = self.values.platform.prog_type(self.values.program.prog_type);
                let allowed = |write| {
                    row.is_some_and(|row| {
                        view.access(field.offset, field.size, write, &self.env(row)).is_some()
                    })
                };
                match (allowed(write), allowed(false)) {
                    (true, _) => self.set("field_size", field.size),
                    (false, true) => self.set("field_read_only", field.name),
                    (false, false) => {}
                }
            }
        }
    }

    fn call(&mut self, failing: &Moment, id: i32, reg: Option<u8>) {
        let Some(row) = self.row(id) else { return };
        let index = reg.and_then(|reg| usize::from(reg).checked_sub(1));
        let Some((index, arg)) = index.and_then(|index| Some((index, row.args.get(index)?))) else { return };
        self.set("arg", arg.name);
        let text = self.line.and_then(|line| expression::argument(line, index));
        self.maybe("arg_text", text);
        self.maybe("var", text.and_then(expression::plain));
        if let Some(needed) = self.needed_memory(failing, row, arg) {
            self.set("needed_memory", needed);
        }
    }

    /// How many bytes a callable uses behind an argument.
    fn needed_memory(&self, failing: &Moment, row: &Callable, arg: &Arg) -> Option<u64> {
        let map = || {
            let at = row.args.iter().position(|arg| self.role(arg) == Some(ArgRole::Map))?;
            self.values.program.maps.get(failing.state.reg(at as u8 + 1).map())
        };
        match self.role(arg)? {
            ArgRole::MapKey => Some(u64::from(map()?.key_size)),
            ArgRole::MapValue => Some(u64::from(map()?.value_size)),
            ArgRole::Mem => match arg.relation {
                probity_platform::Relation::SizedBy(size) => {
                    let size = failing.state.reg(size + 1);
                    (size.is_scalar() && size.val.umax < u64::from(u32::MAX)).then_some(size.val.umax)
                }
                _ => (arg.size > 0).then_some(u64::from(arg.size)),
            },
            _ => None,
        }
    }

    fn role(&self, arg: &Arg) -> Option<ArgRole> {
        self.values.platform.arg_classes.get(usize::from(arg.class)).map(|class| class.role)
    }

    /// What was acquired by a call, and what releases it.
    fn acquired(&mut self, pc: usize) {
        let Ok(Instruction::CallHelper { id }) = probity_isa::decode(&self.values.program.insns, pc) else {
            return;
        };
        let Some(row) = self.row(id) else { return };
        self.set("acquirer", row.name);
        let probity_platform::RetType::Pointer(mut ty) = row.ret.ty else { return };
        ty.flags.remove(TypeFlags::PTR_MAYBE_NULL);
        let releases = |row: &&Callable| {
            row.args.iter().any(|arg| {
                let class = self.values.platform.arg_classes.get(usize::from(arg.class));
                arg.flags.contains(TypeFlags::OBJ_RELEASE)
                    && class.is_some_and(|class| class.accepts.contains(&ty))
            })
        };
        let offered = self.values.platform.prog_type(self.values.program.prog_type);
        let release = offered.and_then(|row| {
            let rows = row
                .callables
                .iter()
                .map(|entry| &self.values.platform.callables[usize::from(entry.callable)]);
            rows.filter(|row| releases(row)).map(|row| row.name).next()
        });
        self.maybe("release", release);
    }
}
