//! Sets of helpers, flattened: each becomes an ordered list of rows with guards.

use probity_platform::Version;

use crate::Diagnostic;
use crate::code::Code;
use crate::model::Guard;
use crate::syntax::ast::{Ident, Set, SetEntry, SetEntryKind, SetName};

use super::cx::Cx;
use super::guards::guard;
use super::helpers::{Built, Index};
use super::items::Collected;
use super::scope::Scope;

/// What a set offers: (callable, guard), in order of search.
pub(super) type List = Vec<(u16, Guard)>;

/// All sets, flat, by index; and `all`.
pub(super) struct Sets {
    lists: Vec<List>,
    all: List,
    /// The number of helpers; kfuncs stand behind them.
    count: u16,
}

impl Sets {
    /// The helpers of the set with a name.
    pub(super) fn helpers(&self, cx: &mut Cx<'_>, scope: &Scope, name: &Ident) -> List {
        let (helpers, kfuncs) = self.divided(cx, scope, name);
        if !kfuncs.is_empty() && name.name != "all" {
            let text = format!("the set `{}` has kfuncs among its helpers", name.name);
            cx.report(Diagnostic::new(Code::WrongSort, name.span, text).help("write `kfuncs SET;` for them"));
        }
        helpers
    }

    /// The kfuncs of the set with a name, by their index among kfuncs.
    pub(super) fn kfuncs(&self, cx: &mut Cx<'_>, scope: &Scope, name: &Ident) -> List {
        let (helpers, kfuncs) = self.divided(cx, scope, name);
        if !helpers.is_empty() && name.name != "all" {
            let text = format!("the set `{}` has helpers among its kfuncs", name.name);
            cx.report(
                Diagnostic::new(Code::WrongSort, name.span, text).help("write `helpers SET;` for them"),
            );
        }
        kfuncs.into_iter().map(|(at, guard)| (at - self.count, guard)).collect()
    }

    fn divided(&self, cx: &mut Cx<'_>, scope: &Scope, name: &Ident) -> (List, List) {
        self.find(cx, scope, name).unwrap_or_default().into_iter().partition(|(at, _)| *at < self.count)
    }

    /// The set with a name.
    fn find(&self, cx: &mut Cx<'_>, scope: &Scope, name: &Ident) -> Option<List> {
        if name.name == "all" && scope.sets.get("all").is_none() {
            return Some(self.all.clone());
        }
        let index = usize::try_from(scope.sets.find(cx, name)?).ok()?;
        self.lists.get(index).cloned()
    }
}

struct Flatten<'a, 'b> {
    all: &'b Collected<'a>,
    scope: &'b Scope,
    index: &'b Index,
    callables: &'b [Built],
    done: Vec<Option<List>>,
    open: Vec<usize>,
}

/// Flattens every set.
pub(super) fn sets(
    cx: &mut Cx<'_>,
    all: &Collected<'_>,
    scope: &Scope,
    index: &Index,
    callables: &[Built],
) -> Sets {
    let mut flatten =
        Flatten { all, scope, index, callables, done: vec![None; all.sets.len()], open: Vec::new() };
    for more in &all.more_sets {
        scope.sets.find(cx, &more.name);
    }
    let lists = (0..all.sets.len()).map(|set| flatten.set(cx, set)).collect();
    // A helper that is only overloads is offered in each; the first whose guard holds counts.
    let has_base = |name: &str| index.contains_key(&(name.to_owned(), None));
    let all = callables
        .iter()
        .enumerate()
        .filter(|(_, built)| !built.overload || !has_base(&built.row.name))
        .filter_map(|(at, built)| Some((u16::try_from(at).ok()?, built.row.guard.clone())))
        .collect();
    let count = callables.iter().take_while(|built| !built.kfunc).count();
    Sets { lists, all, count: u16::try_from(count).unwrap_or(u16::MAX) }
}

impl Flatten<'_, '_> {
    fn set(&mut self, cx: &mut Cx<'_>, at: usize) -> List {
        if let Some(done) = &self.done[at] {
            return done.clone();
        }
        let set = self.all.sets[at].0;
        self.open.push(at);
        let more = self.all.more_sets.iter().filter(|more| more.name.name == set.name.name);
        let list = self.entries(cx, set, set.entries.iter().chain(more.flat_map(|more| &more.entries)));
        self.open.pop();
        self.done[at] = Some(list.clone());
        list
    }

    fn entries<'e>(
        &mut self,
        cx: &mut Cx<'_>,
        set: &Set,
        entries: impl Iterator<Item = &'e SetEntry>,
    ) -> List {
        let mut list = List::new();
        for entry in entries {
            let when = match &entry.when {
                None => Guard::Always,
                Some(when) => match guard(cx, self.scope, when) {
                    Some(guard) => guard,
                    None => continue,
                },
            };
            match &entry.kind {
                SetEntryKind::Names(names) => {
                    for name in names {
                        self.name(cx, name, &when, &mut list);
                    }
                }
                SetEntryKind::Include(names) => {
                    for name in names {
                        let Some(included) = self.include(cx, set, name) else { continue };
                        list.extend(included.into_iter().map(|(row, guard)| (row, guard.and(when.clone()))));
                    }
                }
                SetEntryKind::Exclude(names) => {
                    for name in names {
                        self.exclude(cx, name, &when, &mut list);
                    }
                }
            }
        }
        // The same row under the same guard is found once.
        let mut unique = List::new();
        for entry in list {
            if !unique.contains(&entry) {
                unique.push(entry);
            }
        }
        unique
    }

    fn name(&self, cx: &mut Cx<'_>, name: &SetName, when: &Guard, list: &mut List) {
        if self.scope.helpers.find(cx, &name.name).is_none() {
            return;
        }
        let key = (name.name.name.clone(), name.overload.as_ref().map(|overload| overload.name.clone()));
        let Some(&at) = self.index.get(&key) else {
            let helper = &name.name.name;
            let names: Vec<&str> = self
                .index
                .keys()
                .filter(|(known, _)| known == helper)
                .filter_map(|(_, overload)| overload.as_deref())
                .collect();
            // A helper with errors of its own has no row.
            match &name.overload {
                Some(overload) => {
                    let (word, span) = (&overload.name, overload.span);
                    cx.report(Diagnostic::unknown(Code::UnknownName, "overload", word, span, names));
                }
                None if !names.is_empty() => {
                    let text = format!("`{helper}` has overloads only");
                    cx.report(
                        Diagnostic::new(Code::UnknownName, name.span, text)
                            .help(format!("write `{helper} as {}`", names[0])),
                    );
                }
                None => {}
            }
            return;
        };
        let guard = self.callables[usize::from(at)].row.guard.clone().and(when.clone());
        if !possible(&guard) {
            let text = format!("`{}` is never there when this holds", name.name.name);
            let found = Diagnostic::new(Code::NeverAvailable, name.span, text)
                .with(self.callables[usize::from(at)].span, "declared here");
            cx.report(found);
            return;
        }
        if let Some((_, known)) = list.iter().find(|(row, _)| *row == at)
            && *known == guard
        {
            let text = format!("`{}` is listed twice", name.name.name);
            cx.report(Diagnostic::new(Code::DuplicateName, name.span, text));
            return;
        }
        list.push((at, guard));
    }

    fn include(&mut self, cx: &mut Cx<'_>, set: &Set, name: &Ident) -> Option<List> {
        let at = usize::try_from(self.scope.sets.find(cx, name)?).ok()?;
        if self.open.contains(&at) {
            let text = format!("set `{}` includes itself", name.name);
            let mut found = Diagnostic::new(Code::SetCycle, name.span, text);
            if name.name != set.name.name {
                found = found.with(self.all.sets[at].0.name.span, "by way of this set");
            }
            cx.report(found);
            return None;
        }
        Some(self.set(cx, at))
    }

    fn exclude(&self, cx: &mut Cx<'_>, name: &Ident, when: &Guard, list: &mut List) {
        if self.scope.helpers.find(cx, name).is_none() {
            return;
        }
        let is = |row: u16| self.callables[usize::from(row)].row.name == name.name;
        if !list.iter().any(|(row, _)| is(*row)) {
            let text = format!("`{}` is not in the set here: there is nothing to exclude", name.name);
            cx.report(Diagnostic::new(Code::ExclusionOfNothing, name.span, text));
            return;
        }
        if *when == Guard::Always {
            list.retain(|(row, _)| !is(*row));
            return;
        }
        for (_, guard) in list.iter_mut().filter(|(row, _)| is(*row)) {
            *guard = guard.clone().and(when.clone().negate());
        }
    }
}

/// False when no version can satisfy a guard's parts together.
fn possible(guard: &Guard) -> bool {
    let mut least = Version::new(0, 0);
    let mut end = Version::new(u16::MAX, u16::MAX);
    let parts = match guard {
        Guard::All(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    for part in parts {
        match part {
            Guard::Since(version) => least = least.max(*version),
            Guard::Until(version) => end = end.min(*version),
            _ => {}
        }
    }
    least < end
}
