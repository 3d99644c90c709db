//! The Linux tables against what a running 6.18 kernel answered. Without the facts at
//! `../shared/facts` (or `$PROBITY_FACTS`) there is nothing to compare with and each test says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use probity_linux::PLATFORM;
use probity_platform::{Callable, CallableFlags, GuardEnv, Profile, ProgType, RetType, Version, View};
use serde_json::Value;

fn facts(name: &str) -> Option<Value> {
    let folder = std::env::var_os("PROBITY_FACTS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/facts")),
        PathBuf::from,
    );
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Some(serde_json::from_str(&text).expect("facts are JSON")),
        Err(_) => {
            eprintln!("skipped: no {name} in {}", folder.display());
            None
        }
    }
}

/// A configuration of the probes, `XDP/BPF_XDP_DEVMAP`; None when its program type is not described.
struct Config {
    prog: &'static ProgType,
    attach: u32,
    sleepable: bool,
}

fn config(name: &str) -> Option<Config> {
    let (prog, rest) = name.split_once('/').unwrap_or((name, ""));
    let prog = PLATFORM.prog_type_named(prog)?;
    let attach = match rest {
        "" | "sleepable" => 0,
        name => prog.attach.iter().find(|attach| attach.name == name).expect("a known attach type").number,
    };
    Some(Config { prog, attach, sleepable: rest == "sleepable" })
}

impl Config {
    fn env<'a>(&self, profile: &'a Profile) -> GuardEnv<'a> {
        GuardEnv { profile, prog_type: self.prog.number, attach: self.attach, sleepable: self.sleepable }
    }

    /// What the configuration offers: the first row for a number whose guard holds.
    fn offers(&self, profile: &Profile) -> BTreeMap<&'static str, &'static Callable> {
        let env = self.env(profile);
        let mut offered = BTreeMap::new();
        for entry in self.prog.callables.iter().filter(|entry| entry.guard.holds(&env)) {
            let callable = &PLATFORM.callables[usize::from(entry.callable)];
            offered.entry(callable.name.strip_prefix("bpf_").unwrap_or(callable.name)).or_insert(callable);
        }
        offered
    }
}

#[test]
fn helpers_are_offered_where_the_kernel_offers_them() {
    let (Some(facts), Some(gpl)) = (facts("probe_helpers_6.18.json"), facts("probe_helpers_gpl_6.18.json"))
    else {
        return;
    };
    let profile = PLATFORM.profile(Version::new(6, 18));
    let mut compared = 0;
    for (name, known) in facts["helpers"].as_object().expect("an object") {
        let Some(config) = config(name) else { continue };
        let offered = config.offers(&profile);
        let ours: BTreeSet<&str> = offered.keys().copied().collect();
        let theirs: BTreeSet<&str> =
            known.as_object().expect("an object").keys().map(String::as_str).collect();
        let missing: Vec<_> = theirs.difference(&ours).collect();
        let extra: Vec<_> = ours.difference(&theirs).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{name}: missing {missing:?}, too many {extra:?}");
        for (helper, callable) in &offered {
            let theirs = match &gpl[*helper] {
                Value::Bool(only) => *only,
                Value::Object(by) => {
                    let only = by.get("True").and_then(Value::as_array);
                    only.is_some_and(|list| list.iter().any(|entry| entry == name))
                }
                other => panic!("{helper}: {other}"),
            };
            assert_eq!(callable.flags.contains(CallableFlags::GPL_ONLY), theirs, "{name}: {helper}: GPL");
            let sleeps = known[*helper] == "sleepable_only" && !config.sleepable;
            if sleeps {
                assert!(callable.flags.contains(CallableFlags::MIGHT_SLEEP), "{name}: {helper}: sleeps");
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 17, "configurations of the described program types");
}

#[test]
fn every_helper_of_linux_is_declared() {
    let Some(facts) = facts("helper_ids_6.12.json") else { return };
    for (name, number) in facts.as_object().expect("an object") {
        if name == "unspec" {
            continue;
        }
        let rows: Vec<_> = PLATFORM
            .callables
            .iter()
            .filter(|row| u64::from(row.number) == number.as_u64().unwrap_or(0))
            .collect();
        assert!(!rows.is_empty(), "{name} is not declared");
        assert!(rows.iter().all(|row| row.name == format!("bpf_{name}")), "{name} has another's number");
    }
}

/// Accesses that a view allows: (offset, size), reads and writes.
type Accesses = (BTreeSet<(u64, u64)>, BTreeSet<(u64, u64)>);

fn allowed(view: &View, env: &GuardEnv<'_>) -> Accesses {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    for offset in 0..view.size {
        for size in [1, 2, 4, 8] {
            if view.access(offset, size, false, env).is_some() {
                reads.insert((offset.into(), size.into()));
            }
            if view.access(offset, size, true, env).is_some() {
                writes.insert((offset.into(), size.into()));
            }
        }
    }
    (reads, writes)
}

fn pairs(field: &Value, what: &str) -> Vec<(u64, u64)> {
    let base = field["off"].as_u64().expect("an offset");
    // Fields that no access was granted to have no lists.
    let list = field[what].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(|pair| (base + pair[0].as_u64().unwrap_or(0), pair[1].as_u64().unwrap_or(0))).collect()
}

#[test]
fn contexts_are_accessible_as_the_kernel_answers() {
    let Some(facts) = facts("probe_ctx_6.18.json") else { return };
    let profile = PLATFORM.profile(Version::new(6, 18));
    let mut compared = 0;
    for (name, known) in facts["ctx"].as_object().expect("an object") {
        let Some(config) = config(name) else { continue };
        let env = config.env(&profile);
        let view = &PLATFORM.views[usize::from(config.prog.ctx)];
        let ours = allowed(view, &env);
        let mut theirs: Accesses = Default::default();
        for field in known["fields"].as_array().expect("a list") {
            theirs.0.extend(pairs(field, "read"));
            theirs.1.extend(pairs(field, "write"));
            let result = field["result"][0].as_str().unwrap_or("?");
            let offset = u32::try_from(field["off"].as_u64().unwrap_or(0)).expect("a small offset");
            let row = view.field_at(offset).expect("a field");
            let Some(rule) = row.access.iter().find(|rule| rule.guard.holds(&env)) else { continue };
            let kind = PLATFORM.kind(rule.yields.kind);
            let null = if rule.yields.maybe_null() { "_or_null" } else { "" };
            let prints = format!("{}{null}", kind.prints);
            if result != "?" {
                assert_eq!(prints, result, "{name}: {}", row.name);
            } else {
                assert_eq!(prints, "scalar", "{name}: {}", row.name);
            }
        }
        assert_eq!(ours.0, theirs.0, "{name}: reads");
        assert_eq!(ours.1, theirs.1, "{name}: writes");
        compared += 1;
    }
    assert_eq!(compared, 17);
}

#[test]
fn sockets_are_readable_as_the_kernel_answers() {
    let Some(facts) = facts("probe_ptr_access_6.18.json") else { return };
    let profile = PLATFORM.profile(Version::new(6, 18));
    let env = GuardEnv { profile: &profile, prog_type: 3, attach: 0, sleepable: false };
    let mut compared = 0;
    for (name, list) in facts.as_object().expect("an object") {
        let name = name.split('(').next().unwrap_or(name);
        let Some(kind) = PLATFORM.kinds.iter().find(|kind| kind.name == name) else { continue };
        let view = &PLATFORM.views[usize::from(kind.view.expect("a view"))];
        let (reads, writes) = allowed(view, &env);
        assert!(writes.is_empty(), "{name}: writable");
        let mut theirs = BTreeSet::new();
        for row in list.as_array().expect("a list") {
            if row[0] == "r" {
                theirs.insert((row[1].as_u64().unwrap_or(0), row[2].as_u64().unwrap_or(0)));
            }
        }
        assert_eq!(reads, theirs, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn tables_hang_together() {
    assert!(PLATFORM.callables.is_sorted_by_key(|row| row.number));
    assert!(PLATFORM.map_types.is_sorted_by_key(|row| row.number));
    assert!(PLATFORM.prog_types.is_sorted_by_key(|row| row.number));
    for view in PLATFORM.views {
        assert!(view.fields.is_sorted_by_key(|field| field.offset), "{}", view.name);
    }
    for row in PLATFORM.callables {
        assert!(row.args.len() <= 5, "{}", row.name);
        if let RetType::Pointer(ty) = row.ret.ty {
            let kind = PLATFORM.kind(ty.kind);
            let of_map = kind.behaviour == probity_platform::Behaviour::MapValue;
            assert_eq!(row.ret.map.is_some(), of_map, "{}", row.name);
        }
    }
    // A helper that is modelled has all of its arguments in classes that the engine checks.
    let modelled = PLATFORM
        .prog_types
        .iter()
        .flat_map(|prog| prog.callables)
        .map(|entry| &PLATFORM.callables[usize::from(entry.callable)])
        .filter(|row| !row.flags.contains(CallableFlags::UNSUPPORTED))
        .map(|row| row.number)
        .collect::<BTreeSet<_>>();
    assert!(modelled.len() >= 60, "{} helpers are modelled", modelled.len());
}

#[test]
fn numbers_are_those_of_the_kernel() {
    let Some(facts) = facts("btf_enums_6.18.json") else { return };
    let known = |list: &str, name: &str| facts[list]["values_6.18"][name].as_u64();
    for row in PLATFORM.prog_types {
        assert_eq!(known("bpf_prog_type", row.name), Some(row.number.into()), "{}", row.name);
        for attach in row.attach {
            assert_eq!(known("bpf_attach_type", attach.name), Some(attach.number.into()), "{}", attach.name);
        }
    }
    for row in PLATFORM.map_types {
        assert_eq!(known("bpf_map_type", row.name), Some(row.number.into()), "{}", row.name);
    }
}

/// The rows that libbpf has for the described program types: `name+` is the name alone or with
/// `/` and more behind it. Of each: program type, attach type, flags.
const SECTIONS: &[(&str, u32, u32, u32)] = &[
    ("socket", 1, 0, 0),
    ("kprobe+", 2, 0, 0),
    ("uprobe+", 2, 0, 0),
    ("uprobe.s+", 2, 0, SLEEPABLE),
    ("kretprobe+", 2, 0, 0),
    ("uretprobe+", 2, 0, 0),
    ("uretprobe.s+", 2, 0, SLEEPABLE),
    ("kprobe.multi+", 2, 42, 0),
    ("kretprobe.multi+", 2, 42, 0),
    ("kprobe.session+", 2, 56, 0),
    ("uprobe.multi+", 2, 48, 0),
    ("uretprobe.multi+", 2, 48, 0),
    ("uprobe.session+", 2, 57, 0),
    ("uprobe.multi.s+", 2, 48, SLEEPABLE),
    ("uretprobe.multi.s+", 2, 48, SLEEPABLE),
    ("uprobe.session.s+", 2, 57, SLEEPABLE),
    ("ksyscall+", 2, 0, 0),
    ("kretsyscall+", 2, 0, 0),
    ("usdt+", 2, 0, 0),
    ("usdt.s+", 2, 0, SLEEPABLE),
    ("tc/ingress", 3, 46, 0),
    ("tc/egress", 3, 47, 0),
    ("tcx/ingress", 3, 46, 0),
    ("tcx/egress", 3, 47, 0),
    ("tc", 3, 0, 0),
    ("classifier", 3, 0, 0),
    ("action", 4, 0, 0),
    ("netkit/primary", 3, 54, 0),
    ("netkit/peer", 3, 55, 0),
    ("xdp.frags/devmap", 6, 33, FRAGS),
    ("xdp/devmap", 6, 33, 0),
    ("xdp.frags/cpumap", 6, 35, FRAGS),
    ("xdp/cpumap", 6, 35, 0),
    ("xdp.frags", 6, 37, FRAGS),
    ("xdp", 6, 37, 0),
];

const SLEEPABLE: u32 = 1 << 4;
const FRAGS: u32 = 1 << 5;

#[test]
fn sections_give_program_types_as_libbpf_does() {
    fn of(name: &str) -> Option<(u32, u32, u32, &str)> {
        PLATFORM.section(name).map(|(row, rest)| (row.prog_type, row.attach, row.flags, rest))
    }
    let mut rows = 0;
    for &(name, prog_type, attach, flags) in SECTIONS {
        let base = name.trim_end_matches('+');
        assert_eq!(of(base), Some((prog_type, attach, flags, "")), "{base}");
        let more = format!("{base}/x/y:z");
        let found = (base != name).then_some((prog_type, attach, flags, "x/y:z"));
        assert_eq!(of(&more), found, "{more}");
        assert_eq!(of(&format!("{base}2")), None, "{base}2");
        rows += if base == name { 1 } else { 2 };
    }
    assert_eq!(PLATFORM.sections.len(), rows, "section rows that libbpf does not have");
    for name in ["", "prog", "kprobes", "kprobe.s/x", "kprobe.multi.s/x", "tc/", "xdp/", "xdp/x", "tcx"] {
        assert_eq!(of(name), None, "{name}");
    }
}
