//! Guards in words: what of a guard is left for one version, and which program types it leaves.

use probity_platform::Version;

use crate::model::{Guard, Model, ProgType};

/// A guard that never holds.
fn never() -> Guard {
    Guard::Any(Vec::new())
}

fn is_never(guard: &Guard) -> bool {
    matches!(guard, Guard::Any(list) if list.is_empty())
}

/// What is left of a guard when the version and the program type are known; None when it does not
/// hold.
pub(crate) fn at(guard: &Guard, version: Option<Version>, prog_type: Option<u32>) -> Option<Guard> {
    let left = reduce(guard, version, prog_type);
    (!is_never(&left)).then_some(left)
}

fn reduce(guard: &Guard, version: Option<Version>, prog_type: Option<u32>) -> Guard {
    let known = |holds: bool| if holds { Guard::Always } else { never() };
    match (guard, version, prog_type) {
        (Guard::Since(since), Some(version), _) => known(version >= *since),
        (Guard::Until(until), Some(version), _) => known(version < *until),
        (Guard::ProgType(list), _, Some(number)) => known(list.contains(&number)),
        (Guard::Not(inner), ..) => match reduce(inner, version, prog_type) {
            Guard::Always => never(),
            left if is_never(&left) => Guard::Always,
            left => left.negate(),
        },
        (Guard::All(list), ..) => {
            let mut all = Guard::Always;
            for inner in list {
                let left = reduce(inner, version, prog_type);
                if is_never(&left) {
                    return left;
                }
                all = all.and(left);
            }
            all
        }
        (Guard::Any(list), ..) => either(list.iter().map(|inner| reduce(inner, version, prog_type))),
        (other, ..) => other.clone(),
    }
}

/// One of several guards holds.
pub(crate) fn either(guards: impl IntoIterator<Item = Guard>) -> Guard {
    let mut any = Vec::new();
    for guard in guards {
        match guard {
            Guard::Always => return Guard::Always,
            left if is_never(&left) || any.contains(&left) => {}
            left => any.push(left),
        }
    }
    if any.len() == 1 { any.remove(0) } else { Guard::Any(any) }
}

/// The versions that a guard of `since` and `until` speaks of, in words.
pub(super) fn versions(guard: &Guard) -> Vec<String> {
    match guard {
        Guard::Since(at) => vec![format!("since {at}")],
        Guard::Until(at) => vec![format!("until {at}")],
        Guard::All(list) => list.iter().flat_map(versions).collect(),
        _ => Vec::new(),
    }
}

/// A guard as the spec writes it; empty for one that always holds.
pub(crate) fn words(model: &Model, prog: Option<&ProgType>, guard: &Guard) -> String {
    if *guard == Guard::Always { String::new() } else { text(model, prog, guard, 0) }
}

/// `strength`: how strongly what stands around binds: 1 for `&&`, 2 for `!`.
fn text(model: &Model, prog: Option<&ProgType>, guard: &Guard, strength: u8) -> String {
    let join = |list: &[Guard], word: &str, own: u8| {
        let list: Vec<String> = list.iter().map(|inner| text(model, prog, inner, own)).collect();
        let joined = list.join(word);
        if strength > own || (strength == 2 && list.len() > 1) { format!("({joined})") } else { joined }
    };
    let among = |what: &str, names: Vec<String>| {
        let said = match names.as_slice() {
            [one] => format!("{what} == {one}"),
            names => format!("{what} in {{ {} }}", names.join(", ")),
        };
        if strength == 2 { format!("({said})") } else { said }
    };
    match guard {
        Guard::Always => "always".into(),
        Guard::Since(at) => format!("since {at}"),
        Guard::Until(at) => format!("until {at}"),
        Guard::Attach(list) => {
            among("attach", list.iter().map(|number| attach_name(model, prog, *number)).collect())
        }
        Guard::ProgType(list) => among(
            "prog.type",
            list.iter()
                .map(|number| {
                    let row = model.prog_types.iter().find(|row| row.number == *number);
                    row.map_or_else(|| number.to_string(), |row| row.name.clone())
                })
                .collect(),
        ),
        Guard::Sleepable => "sleepable".into(),
        Guard::Cap(name) => format!("cap({name})"),
        Guard::Config(name) => format!("config({name})"),
        Guard::Arch(name) => format!("arch({name})"),
        Guard::Target(list) => among("target", list.clone()),
        Guard::Not(inner) => format!("!{}", text(model, prog, inner, 2)),
        Guard::All(list) => join(list, " && ", 1),
        Guard::Any(list) if list.is_empty() => "never".into(),
        Guard::Any(list) => join(list, " || ", 0),
    }
}

fn attach_name(model: &Model, prog: Option<&ProgType>, number: u32) -> String {
    let rows = prog.into_iter().chain(&model.prog_types).flat_map(|row| &row.attach);
    let mut named = rows.filter(|(_, known)| *known == number);
    named.next().map_or_else(|| number.to_string(), |(name, _)| name.clone())
}

/// Which program types offer something, and when beyond its own existence.
pub(super) fn available(model: &Model, own: &Guard, offered: impl Fn(&ProgType) -> Option<Guard>) -> String {
    let mut offers = Vec::new();
    for prog in &model.prog_types {
        let Some(guard) = offered(prog) else { continue };
        let Some(guard) = at(&guard, None, Some(prog.number)) else { continue };
        let words = words(model, Some(prog), &without(guard, own));
        let when = if words.is_empty() { words } else { format!(" when `{words}`") };
        offers.push(format!("`{}`{when}", prog.name));
    }
    match offers.len() {
        0 => "no program type".into(),
        count if count == model.prog_types.len() && offers.iter().all(|text| !text.contains(' ')) => {
            "every program type".into()
        }
        _ => offers.join("; "),
    }
}

/// A guard without what another says already.
fn without(guard: Guard, said: &Guard) -> Guard {
    match guard {
        guard if guard == *said => Guard::Always,
        Guard::All(list) => {
            let said = match said {
                Guard::All(list) => list.as_slice(),
                one => std::slice::from_ref(one),
            };
            let left = list.into_iter().filter(|guard| !said.contains(guard));
            left.fold(Guard::Always, Guard::and)
        }
        Guard::Any(list) => either(list.into_iter().map(|guard| without(guard, said))),
        guard => guard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_left_out() {
        let v6 = Guard::Since(Version::new(6, 0));
        let both = Guard::All(vec![v6.clone(), Guard::Sleepable]);
        assert_eq!(at(&both, Some(Version::new(6, 1)), None), Some(Guard::Sleepable));
        assert_eq!(at(&both, Some(Version::new(5, 19)), None), None);
        assert_eq!(at(&both, None, None), Some(both.clone()));
        let not = Guard::Not(Box::new(both));
        assert_eq!(at(&not, Some(Version::new(5, 19)), None), Some(Guard::Always));
        assert_eq!(at(&Guard::ProgType(vec![6]), None, Some(6)), Some(Guard::Always));
        assert_eq!(at(&Guard::ProgType(vec![6]), None, Some(5)), None);
        assert_eq!(either([v6.clone(), Guard::Always]), Guard::Always);
        assert_eq!(either([v6.clone(), v6.clone()]), v6);
    }
}
