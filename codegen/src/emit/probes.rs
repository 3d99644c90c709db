//! The list of what a target must answer as its spec says, a question and its answer a line: for
//! checking a kernel against a spec, and versions of a spec against each other.
//!
//! A line is a sort of question, what it is about, `:` and the answer; names carry their numbers,
//! `BPF_XDP=37`. Programs of a type are asked with each of its attach types, with 0 where others are
//! not refused, and once more as ones that may sleep. The loader has every capability and the target every
//! option; nothing is attached to, so that conditions on `target` don't hold.
//!
//! | sort | about | answer |
//! |---|---|---|
//! | `attach` | program type, attach type | `loads`, `refused` |
//! | `sleeps` | the same | `loads`, `refused` |
//! | `helper` | program, helper | `offered`, `gpl_only`, `denied` |
//! | `ctx` | program, `read` or `write`, offset, size | what a load gives, as states print it; `yes`; `refused` |
//! | `exit` | program, value | `accepted`, `refused` |
//! | `map` | map type, key size, value size, entries, flags | `created`, `refused` |
//! | `map_helper` | map type, helper | `goes`, `refused` |
//! | `kfunc` | program, kfunc | `offered`, `denied` |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use probity_platform::{ArgRole, CallableFlags, MapTraits, ProgFlags, SizeMask, TypeFlags, Version};

use crate::model::{
    Access, Comparison, Condition, Field, Guard, MapType, Model, Number, ProgType, Step, View,
};

/// Arrays are asked about at their first elements and at the last one.
const ELEMENTS: u32 = 4;
/// Attach types are numbers below this.
const ATTACH_TYPES: u32 = 61;
/// Instructions reach no further.
const REACH: u32 = 1 << 15;
/// The load flag of programs that may sleep.
const SLEEPABLE: u32 = 1 << 4;

/// The probes of a platform, in a version.
#[must_use]
pub fn probes(model: &Model, version: Version) -> String {
    let mut list = List { model, version, text: String::new() };
    for prog in &model.prog_types {
        let configs = list.configs(prog);
        let Some(first) = configs.first() else { continue };
        list.attach(first);
        for config in &configs {
            list.helpers(config);
            list.kfuncs(config);
            list.context(config);
            list.exits(config);
        }
    }
    for map in &model.map_types {
        if list.holds(&map.guard, None) {
            list.map(map);
            list.map_helpers(map);
        }
    }
    list.text
}

/// A program as it is loaded.
#[derive(Clone, Copy)]
struct Config<'a> {
    prog: &'a ProgType,
    attach: u32,
    sleepable: bool,
}

impl Config<'_> {
    /// `BPF_PROG_TYPE_XDP=6 BPF_XDP=37 0`: type, attach type, load flags.
    fn shown(&self) -> String {
        let named = self.prog.attach.iter().find(|(_, number)| *number == self.attach);
        let attach = named.map_or("none", |(name, _)| name);
        let flags = if self.sleepable { SLEEPABLE } else { 0 };
        format!("{}={} {attach}={} {flags:#x}", self.prog.name, self.prog.number, self.attach)
    }
}

struct List<'a> {
    model: &'a Model,
    version: Version,
    text: String,
}

impl<'a> List<'a> {
    fn line(&mut self, sort: &str, about: &str, answer: &str) {
        writeln!(self.text, "{sort} {about}: {answer}").expect("strings take everything");
    }

    fn holds(&self, guard: &Guard, config: Option<&Config<'_>>) -> bool {
        let is = |test: &dyn Fn(&Config<'_>) -> bool| config.is_some_and(test);
        match guard {
            Guard::Always | Guard::Cap(_) | Guard::Config(_) => true,
            Guard::Since(at) => self.version >= *at,
            Guard::Until(at) => self.version < *at,
            Guard::Attach(list) => is(&|config| list.contains(&config.attach)),
            Guard::ProgType(list) => is(&|config| list.contains(&config.prog.number)),
            Guard::Sleepable => is(&|config| config.sleepable),
            Guard::Arch(name) => name == "x86_64",
            Guard::Target(_) => false,
            Guard::Not(inner) => !self.holds(inner, config),
            Guard::All(list) => list.iter().all(|inner| self.holds(inner, config)),
            Guard::Any(list) => list.iter().any(|inner| self.holds(inner, config)),
        }
    }

    /// How programs of a type are loaded.
    fn configs(&self, prog: &'a ProgType) -> Vec<Config<'a>> {
        let mut attach: Vec<u32> = prog.attach.iter().map(|(_, number)| *number).collect();
        if !prog.flags.contains(ProgFlags::ATTACH_CHECKED) || attach.is_empty() {
            attach.insert(0, 0);
            attach.dedup();
        }
        let configs = attach
            .into_iter()
            .flat_map(|attach| [false, true].map(|sleepable| Config { prog, attach, sleepable }));
        configs.filter(|config| self.holds(&prog.guard, Some(config)) && self.loads(config)).collect()
    }

    /// True when programs are loaded so: what is sleepable must be allowed to, and what must be, is.
    fn loads(&self, config: &Config<'_>) -> bool {
        let holds = |guard: &Guard| self.holds(guard, Some(config));
        match config.sleepable {
            true => config.prog.may_sleep.as_ref().is_some_and(holds),
            false => !config.prog.must_sleep.as_ref().is_some_and(|(guard, _)| holds(guard)),
        }
    }

    fn attach(&mut self, first: &Config<'_>) {
        let prog = first.prog;
        for number in 0..ATTACH_TYPES {
            let attach = if number == 0 { prog.default_attach.unwrap_or(0) } else { number };
            let known = prog.attach.iter().any(|(_, known)| *known == attach)
                || (prog.attach.is_empty() && attach == 0);
            let taken = known || !prog.flags.contains(ProgFlags::ATTACH_CHECKED);
            let about = format!("{}={} {number}", prog.name, prog.number);
            for (sort, sleepable) in [("attach", false), ("sleeps", true)] {
                let loads = taken && self.loads(&Config { prog, attach, sleepable });
                self.line(sort, &about, if loads { "loads" } else { "refused" });
            }
        }
    }

    fn helpers(&mut self, config: &Config<'_>) {
        let model = self.model;
        // The first that is offered under a number is the one.
        let mut offered: BTreeMap<u32, &str> = BTreeMap::new();
        for (index, guard) in &config.prog.callables {
            let Some(row) = model.callables.get(usize::from(*index)) else { continue };
            if !self.holds(guard, Some(config)) || !self.holds(&row.guard, Some(config)) {
                continue;
            }
            let allowed = row.allowed.as_ref().is_none_or(|(guard, _)| self.holds(guard, Some(config)));
            let gpl_only = row.flags.contains(CallableFlags::GPL_ONLY);
            let answer = match (allowed, gpl_only) {
                (false, _) => "denied",
                (true, true) => "gpl_only",
                (true, false) => "offered",
            };
            offered.entry(row.number).or_insert(answer);
        }
        let mut known = BTreeSet::new();
        for row in &model.callables {
            if self.holds(&row.guard, Some(config)) && known.insert(row.number) {
                let answer = offered.get(&row.number).copied().unwrap_or("denied");
                self.line("helper", &format!("{} {}={}", config.shown(), row.name, row.number), answer);
            }
        }
    }

    fn kfuncs(&mut self, config: &Config<'_>) {
        let model = self.model;
        let offered: BTreeSet<usize> = config
            .prog
            .kfuncs
            .iter()
            .filter(|(_, guard)| self.holds(guard, Some(config)))
            .map(|(index, _)| usize::from(*index))
            .collect();
        let mut known = BTreeSet::new();
        for (at, row) in model.kfuncs.iter().enumerate() {
            if !self.holds(&row.guard, Some(config)) || !known.insert(&row.name) {
                continue;
            }
            let answer = if offered.contains(&at) { "offered" } else { "denied" };
            self.line("kfunc", &format!("{} {}", config.shown(), row.name), answer);
        }
    }

    fn context(&mut self, config: &Config<'_>) {
        let Some(view) = self.model.views.get(usize::from(config.prog.ctx)) else { return };
        for offset in offsets(view) {
            for size in [1, 2, 4, 8].into_iter().filter(|&size| offset.is_multiple_of(size)) {
                for (word, write) in [("read", false), ("write", true)] {
                    let about = format!("{} {word} {offset} {size}", config.shown());
                    let answer = match self.access(config, view, (offset, size), write) {
                        None => "refused".to_owned(),
                        Some(_) if write => "yes".to_owned(),
                        Some(rule) => self.printed(rule),
                    };
                    self.line("ctx", &about, &answer);
                }
            }
        }
    }

    /// The rule that allows an access of the context.
    fn access<'v>(
        &self,
        config: &Config<'_>,
        view: &'v View,
        (offset, size): (u32, u32),
        write: bool,
    ) -> Option<&'v Access> {
        let inside = |field: &&Field| (field.offset..field.offset + field.size).contains(&offset);
        let field = view.fields.iter().find(inside)?;
        let begin = offset - field.offset;
        let rule = field.access.iter().find(|rule| self.holds(&rule.guard, Some(config)))?;
        let sizes = if write { rule.write } else { rule.read };
        let allowed = sizes.intersects(SizeMask::of(size))
            && size <= field.size - begin
            && (size == field.size || begin < rule.narrow);
        allowed.then_some(rule)
    }

    /// What a load yields, as states print it.
    fn printed(&self, rule: &Access) -> String {
        let ty = rule.yields;
        let trusted = if ty.flags.contains(TypeFlags::PTR_TRUSTED) { "trusted_" } else { "" };
        let null = if ty.maybe_null() { "_or_null" } else { "" };
        let kind = self.model.kinds.get(usize::from(ty.kind.0)).map_or("scalar", |kind| &kind.prints);
        format!("{trusted}{kind}{null}")
    }

    fn exits(&mut self, config: &Config<'_>) {
        let rule = config.prog.exit.iter().find(|rule| self.holds(&rule.guard, Some(config)));
        let range = rule.and_then(|rule| rule.range);
        let values = match range {
            None => BTreeSet::from([-1, 0, 1, i64::from(i32::MAX)]),
            Some((low, high)) => BTreeSet::from([low - 1, low, high, high + 1]),
        };
        for value in values {
            let inside = range.is_none_or(|(low, high)| (low..=high).contains(&value));
            let answer = if inside { "accepted" } else { "refused" };
            self.line("exit", &format!("{} {value}", config.shown()), answer);
        }
    }

    fn map(&mut self, map: &MapType) {
        let required = map.flags.iter().filter(|(_, _, required)| *required);
        let required: u32 = required.map(|(_, mask, _)| mask).sum();
        let entries = |map: &MapType| {
            let least = map.max_entries.iter().map(|range| range.low).max().unwrap_or(1);
            if map.max_entries.iter().any(|range| range.contains(4)) { 4 } else { least }
        };
        let least = |list: &[probity_platform::SizeRange]| {
            if list.iter().any(|range| range.contains(8)) {
                return 8;
            }
            list.iter().map(|range| range.low).min().unwrap_or(0)
        };
        let value = map.value.iter().find(|(with, _)| *with & required == *with);
        let plain = Shape {
            key: least(&map.key),
            value: value.map_or(0, |(_, list)| least(list)),
            entries: entries(map),
            flags: required,
        };
        let mut shapes = vec![plain];
        // Without types and inner maps none of these is created, whatever its shape.
        let bare = !map.traits.intersects(MapTraits::OF_MAPS.union(MapTraits::TYPED));
        if bare {
            self.shapes(plain, &mut shapes);
        }
        let mut known = BTreeSet::new();
        for shape in shapes {
            if known.insert((shape.key, shape.value, shape.entries, shape.flags)) {
                let Shape { key, value, entries, flags } = shape;
                let about = format!("{}={} {key} {value} {entries} {flags:#x}", map.name, map.number);
                self.line("map", &about, if bare && shape.fits(map) { "created" } else { "refused" });
            }
        }
    }

    /// Shapes that differ in one number or flag from a plain one.
    fn shapes(&self, plain: Shape, shapes: &mut Vec<Shape>) {
        let small = [0, 1, 4, 5, 8, 16, 17];
        shapes.extend(small.into_iter().chain([260, 261, 512, 513]).map(|key| Shape { key, ..plain }));
        shapes.extend(small.into_iter().chain([64, 4096]).map(|value| Shape { value, ..plain }));
        shapes.extend([0, 1, 2, 3, 4, 4096, 4097].map(|entries| Shape { entries, ..plain }));
        for (_, mask, _) in &self.model.map_flags {
            shapes.push(Shape { flags: plain.flags ^ mask, ..plain });
        }
    }

    fn map_helpers(&mut self, map: &MapType) {
        let model = self.model;
        for (at, row) in model.callables.iter().enumerate() {
            let role = |class: u8| model.arg_classes.get(usize::from(class)).map(|class| class.role);
            let takes_map = row.args.iter().any(|arg| role(arg.class) == Some(ArgRole::Map));
            if !takes_map || row.overload.is_some() || !self.holds(&row.guard, None) {
                continue;
            }
            let listed = |list: &Vec<u16>| list.iter().any(|caller| usize::from(*caller) == at);
            let taken = map.callers.as_ref().is_none_or(listed);
            let accepted = row.steps.iter().all(|(when, step)| when.is_some() || takes(step, map.number));
            let answer = if taken && accepted { "goes" } else { "refused" };
            let about = format!("{}={} {}={}", map.name, map.number, row.name, row.number);
            self.line("map_helper", &about, answer);
        }
    }
}

/// False when a step demands another map type.
fn takes(step: &Step, map_type: u32) -> bool {
    match step {
        Step::MapType { allowed, .. } => allowed.contains(&map_type),
        Step::Require { condition: Condition::Compare(Comparison::Equal, left, right), .. } => {
            match (left, right) {
                (Number::MapType(_), Number::Literal(number)) => *number == i128::from(map_type),
                _ => true,
            }
        }
        _ => true,
    }
}

/// What a map is created from.
#[derive(Clone, Copy)]
struct Shape {
    key: u64,
    value: u64,
    entries: u64,
    flags: u32,
}

impl Shape {
    fn fits(&self, map: &MapType) -> bool {
        let within =
            |list: &[probity_platform::SizeRange], number| list.iter().any(|range| range.contains(number));
        let taken: u32 = map.flags.iter().map(|(_, mask, _)| mask).sum();
        let required = map.flags.iter().filter(|(_, _, required)| *required);
        let value = map.value.iter().find(|(with, _)| *with & self.flags == *with);
        within(&map.key, self.key)
            && value.is_some_and(|(_, list)| within(list, self.value))
            && map.element.contains(self.key + self.value)
            && within(&map.max_entries, self.entries)
            && self.flags & !taken == 0
            && required.map(|(_, mask, _)| mask).all(|mask| self.flags & mask != 0)
            && !map.exclusive.iter().any(|mask| self.flags & mask == *mask)
    }
}

/// Where a view is asked about: in all fields, in holes between them, and behind the end.
fn offsets(view: &View) -> BTreeSet<u32> {
    let mut offsets: BTreeSet<u32> = (view.size..view.size.saturating_add(8)).collect();
    let mut end = 0u32;
    for field in &view.fields {
        offsets.extend(end..field.offset.min(end.saturating_add(8)));
        let whole = field.offset..field.offset + field.size;
        let first = whole.start..whole.end.min(whole.start + ELEMENTS * field.element.max(1));
        offsets.extend(first);
        offsets.extend(whole.end.saturating_sub(field.element).max(whole.start)..whole.end);
        end = whole.end;
    }
    offsets.retain(|offset| *offset < REACH);
    offsets
}
