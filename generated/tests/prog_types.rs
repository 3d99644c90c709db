//! The program types of the Linux tables against what a running 6.18 kernel answered, load for load,
//! and against libbpf's section names. The answers are in `tests/data/linux`; its README says how
//! they are written.

mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use probity_linux::PLATFORM;
use probity_platform::{
    Callable, CallableFlags, GuardEnv, PacketAccess, Profile, ProgFlags, ProgType, TypeFlags, Version, View,
};
use serde_json::Value;

use recorded::{data, list, number, text};

/// Where the tables differ from the kernel on purpose: (configuration, what, why).
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "STRUCT_OPS/tcp_congestion_ops.release",
        "49",
        "denied to one member of a struct, which no guard asks for",
    ),
    (
        "STRUCT_OPS/tcp_congestion_ops.release",
        "57",
        "denied to one member of a struct, which no guard asks for",
    ),
    ("STRUCT_OPS", "gpl_only", "the whole program must be under the GPL, not the helpers alone"),
    (
        "RAW_TRACEPOINT_WRITABLE",
        "read 1@1-7 2@2-6 4@4",
        "parts of the buffer's address, from the kernel's check of offset 0 alone",
    ),
];

/// The numbers of `1-3 8-16 24`, in steps.
fn numbers(ranges: &Value, step: usize) -> BTreeSet<u32> {
    let range = |range: &str| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let [low, high] = [low, high].map(|bound| bound.parse::<u32>().expect("a number"));
        (low..=high).step_by(step)
    };
    ranges.as_str().unwrap_or("").split_whitespace().flat_map(range).collect()
}

struct Config {
    name: String,
    /// What `TRACING/ITER(tcp)` attaches to: `bpf_iter_tcp`.
    target: String,
    prog: &'static ProgType,
    attach: u32,
    sleepable: bool,
}

impl Config {
    /// `["XDP/BPF_XDP_DEVMAP", 6, 33, false]`
    fn new(row: &Value) -> Config {
        let prog = PLATFORM.prog_type(number(&row[1])).unwrap_or_else(|| panic!("no program type {row}"));
        let (name, sleepable) = (text(&row[0]).to_owned(), row[3].as_bool().expect("a boolean"));
        let iterator = name.split_once("ITER(").and_then(|(_, rest)| rest.strip_suffix(')'));
        let target = iterator.map_or_else(String::new, |iterator| format!("bpf_iter_{iterator}"));
        Config { name, target, prog, attach: number(&row[2]), sleepable }
    }

    fn env<'a>(&'a self, profile: &'a Profile) -> GuardEnv<'a> {
        let (prog_type, attach, sleepable) = (self.prog.number, self.attach, self.sleepable);
        GuardEnv { profile, prog_type, attach, sleepable, target: &self.target }
    }

    /// What it offers: the first row for a number whose guard holds.
    fn offers(&self, profile: &Profile) -> BTreeMap<u32, &'static Callable> {
        let env = self.env(profile);
        let mut offered = BTreeMap::new();
        for entry in self.prog.callables.iter().filter(|entry| entry.guard.holds(&env)) {
            let callable = &PLATFORM.callables[usize::from(entry.callable)];
            if callable.guard.holds(&env) {
                offered.entry(callable.number).or_insert(callable);
            }
        }
        offered
    }
}

/// Every group of the file with each of its configurations.
fn each(file: &Value, mut ask: impl FnMut(&Config, &Value)) -> usize {
    let mut asked = 0;
    for group in list(&file["groups"]) {
        for row in list(&group["configs"]) {
            ask(&Config::new(row), group);
            asked += 1;
        }
    }
    asked
}

fn except(config: &Config) -> BTreeSet<u32> {
    let of = EXCEPTIONS.iter().filter(|(name, _, _)| *name == config.name);
    of.filter_map(|(_, what, _)| what.parse().ok()).collect()
}

#[test]
fn helpers_are_offered_where_the_kernel_offers_them() {
    let profile = PLATFORM.profile(Version::new(6, 18));
    let asked = each(&data("helpers"), |config, known| {
        let offered = config.offers(&profile);
        let ours: BTreeSet<u32> = offered.keys().copied().collect();
        let theirs = numbers(&known["offers"], 1);
        let differ: BTreeSet<u32> = ours.symmetric_difference(&theirs).copied().collect();
        let name = |number: &u32| {
            let row = PLATFORM.callables.iter().find(|row| row.number == *number);
            format!("{}{}", if ours.contains(number) { "+" } else { "-" }, row.map_or("?", |row| row.name))
        };
        let names: Vec<String> = differ.iter().map(name).collect();
        assert_eq!(differ, except(config), "{}: {names:?}", config.name);
        let (gpl_only, sleep) = (numbers(&known["gpl_only"], 1), numbers(&known["sleep"], 1));
        // The kernel loads implementations of its tables under the GPL only, whatever they call.
        let struct_ops = config.prog.name == "BPF_PROG_TYPE_STRUCT_OPS";
        for (number, callable) in offered.iter().filter(|(number, _)| theirs.contains(number)) {
            let only = callable.flags.contains(CallableFlags::GPL_ONLY);
            assert_eq!(
                only || struct_ops,
                gpl_only.contains(number),
                "{}: {}: GPL",
                config.name,
                callable.name
            );
            let sleeps = callable.flags.contains(CallableFlags::MIGHT_SLEEP);
            assert!(sleeps || !sleep.contains(number), "{}: {}: sleeps", config.name, callable.name);
            assert!(
                !sleeps || config.sleepable || sleep.contains(number),
                "{}: {}",
                config.name,
                callable.name
            );
        }
    });
    assert_eq!(asked, 85);
}

#[test]
fn every_helper_is_for_the_gpl_alone_or_not() {
    let file = data("helpers");
    let mut gpl_only = numbers(&file["not_asked"]["gpl_only"], 1);
    let mut decided = &gpl_only | &numbers(&file["not_asked"]["free"], 1);
    assert_eq!(decided.len(), 13);
    each(&file, |config, known| {
        decided.extend(numbers(&known["offers"], 1));
        // A program of that type is under the GPL whatever it calls.
        if config.prog.name != "BPF_PROG_TYPE_STRUCT_OPS" {
            gpl_only.extend(numbers(&known["gpl_only"], 1));
        }
    });
    assert_eq!(decided, (1..=211).collect());
    let ours = PLATFORM.callables.iter().filter(|row| row.flags.contains(CallableFlags::GPL_ONLY));
    assert_eq!(ours.map(|row| row.number).collect::<BTreeSet<_>>(), gpl_only);
}

#[test]
fn overloads_are_those_of_the_configuration() {
    let profile = PLATFORM.profile(Version::new(6, 18));
    let overloads = |helper: u32| PLATFORM.callables.iter().filter(move |row| row.number == helper);
    let mut seen = BTreeSet::new();
    each(&data("helpers"), |config, _| {
        seen.extend(config.offers(&profile).values().map(|row| std::ptr::from_ref(*row).addr()));
    });
    // The first argument by helper and program type, where prototypes differ.
    let first = |helper: u32, prog: &str, attach: u32| {
        let prog = PLATFORM.prog_type_named(prog).expect("a program type");
        let config = Config { name: String::new(), target: String::new(), prog, attach, sleepable: false };
        let row = config.offers(&profile)[&helper];
        row.args.first().map_or("", |arg| PLATFORM.arg_classes[usize::from(arg.class)].name)
    };
    const COOKIE: u32 = 46;
    const SETSOCKOPT: u32 = 49;
    const CLASSID: u32 = 17;
    for (helper, prog, attach, class) in [
        (COOKIE, "SOCKET_FILTER", 0, "ARG_PTR_TO_CTX"),
        (COOKIE, "CGROUP_SOCK", 2, "ARG_PTR_TO_CTX"),
        (COOKIE, "SK_REUSEPORT", 39, "ARG_PTR_TO_BTF_ID_SOCK_COMMON"),
        (COOKIE, "TRACING", 24, "ARG_PTR_TO_BTF_ID_SOCK_COMMON"),
        (SETSOCKOPT, "SOCK_OPS", 3, "ARG_PTR_TO_CTX"),
        (SETSOCKOPT, "CGROUP_SOCK_ADDR", 10, "ARG_PTR_TO_CTX"),
        (SETSOCKOPT, "CGROUP_SOCKOPT", 22, "ARG_PTR_TO_BTF_ID_SOCK_COMMON"),
        (SETSOCKOPT, "STRUCT_OPS", 0, "ARG_PTR_TO_BTF_ID_SOCK_COMMON"),
        (CLASSID, "SCHED_CLS", 0, "ARG_PTR_TO_CTX"),
        (CLASSID, "LWT_OUT", 0, "ARG_PTR_TO_CTX"),
        (CLASSID, "CGROUP_SOCK", 2, ""),
        (CLASSID, "SK_MSG", 7, ""),
        (CLASSID, "XDP", 37, ""),
    ] {
        assert_eq!(first(helper, prog, attach), class, "{helper} in {prog}");
    }
    // Each overload is some configuration's.
    for row in overloads(COOKIE).chain(overloads(SETSOCKOPT)).chain(overloads(CLASSID)) {
        assert!(
            seen.contains(&std::ptr::from_ref(row).addr()),
            "{}: an overload that nothing offers",
            row.name
        );
    }
}

/// The accesses that a view allows, by size.
fn allowed(view: &View, env: &GuardEnv<'_>, end: u32, write: bool) -> BTreeMap<u32, BTreeSet<u32>> {
    let of = |size: u32| {
        (0..end).filter(|&offset| view.access(offset, size, write, env).is_some()).collect::<BTreeSet<u32>>()
    };
    [1, 2, 4, 8].into_iter().map(|size| (size, of(size))).filter(|(_, set)| !set.is_empty()).collect()
}

fn known_accesses(by_size: &Value, unaligned: bool) -> BTreeMap<u32, BTreeSet<u32>> {
    let sizes = by_size.as_object().expect("an object").iter();
    sizes
        .map(|(size, ranges)| {
            let size: u32 = size.parse().expect("a size");
            (size, numbers(ranges, if unaligned { 1 } else { size as usize }))
        })
        .filter(|(_, set)| !set.is_empty())
        .collect()
}

#[test]
fn contexts_are_accessible_as_the_kernel_answers() {
    let profile = PLATFORM.profile(Version::new(6, 18));
    let mut facts = 0;
    let asked = each(&data("contexts"), |config, known| {
        let env = config.env(&profile);
        let view = &PLATFORM.views[usize::from(config.prog.ctx)];
        // Offsets of instructions have 16 bits with a sign: nobody can ask beyond 32767.
        let end = view.size.max(number(&known["size"])).min(1 << 15);
        facts += 8 * end;
        let mut theirs = known_accesses(&known["read"], false);
        if config.name == "RAW_TRACEPOINT_WRITABLE" {
            for (size, set) in &mut theirs {
                set.retain(|offset| *offset >= 8 || *size == 8);
            }
        }
        assert_eq!(allowed(view, &env, end, false), theirs, "{}: reads", config.name);
        let theirs = known_accesses(&known["write"], false);
        assert_eq!(allowed(view, &env, end, true), theirs, "{}: writes", config.name);
        for offset in 0..end {
            let Some(rule) = [8, 4, 2, 1].iter().find_map(|&size| view.access(offset, size, false, &env))
            else {
                continue;
            };
            let kind = PLATFORM.kind(rule.yields.kind);
            let trusted = if rule.yields.flags.contains(TypeFlags::PTR_TRUSTED) { "trusted_" } else { "" };
            let null = if rule.yields.maybe_null() { "_or_null" } else { "" };
            let ours = format!("{trusted}{}{null}", kind.prints);
            let theirs = known["yields"][offset.to_string()].as_str().unwrap_or("scalar");
            // Which struct an object is, is not said by its kind.
            let theirs = if theirs.starts_with("trusted_ptr_") { "trusted_ptr_" } else { theirs };
            assert_eq!(ours, theirs, "{} at {offset}", config.name);
        }
    });
    assert_eq!(asked, 62);
    assert!(facts > 100_000, "{facts} accesses");
}

#[test]
fn pointers_are_accessible_as_the_kernel_answers() {
    let profile = PLATFORM.profile(Version::new(6, 18));
    let env = GuardEnv { profile: &profile, prog_type: 3, attach: 0, sleepable: false, target: "" };
    let file = data("pointers");
    for known in list(&file["kinds"]) {
        let kind = PLATFORM.kinds.iter().find(|kind| kind.name == text(&known["kind"])).expect("a kind");
        let view = &PLATFORM.views[usize::from(kind.view.expect("a view"))];
        let unaligned = known["unaligned"] == true;
        for (what, write) in [("read", false), ("write", true)] {
            let ours = allowed(view, &env, view.size, write);
            assert_eq!(ours, known_accesses(&known[what], unaligned), "{}: {what}", kind.name);
        }
    }
    assert_eq!(list(&file["kinds"]).len(), 5);
}

#[test]
fn exit_values_are_those_of_the_kernel() {
    let profile = PLATFORM.profile(Version::new(6, 18));
    let asked = each(&data("exits"), |config, known| {
        let env = config.env(&profile);
        let rule = config.prog.exit.iter().find(|rule| rule.guard.holds(&env));
        let theirs = match &known["range"] {
            Value::String(_) => None,
            range => Some((range[0].as_i64().expect("a number"), range[1].as_i64().expect("a number"))),
        };
        assert_eq!(rule.and_then(|rule| rule.range), theirs, "{}", config.name);
    });
    assert_eq!(asked, 67);
}

#[test]
fn program_types_are_those_of_the_kernel() {
    let file = data("prog_types");
    let rows = list(&file["rows"]);
    assert_eq!(PLATFORM.prog_types.len(), rows.len());
    for row in rows {
        let name = format!("BPF_PROG_TYPE_{}", text(&row[0]));
        let prog = PLATFORM.prog_type(number(&row[1])).unwrap_or_else(|| panic!("{name} is not declared"));
        assert_eq!(prog.name, name);
        let (major, minor) = text(&row[2]).split_once('.').expect("a version");
        let [major, minor] = [major, minor].map(|part| part.parse().expect("a number"));
        assert_eq!(prog.guard, probity_platform::Guard::Since(Version::new(major, minor)), "{name}");
        let may = |word| text(&row[3]).split(' ').any(|access| access == word);
        assert_eq!(prog.packet.contains(PacketAccess::READ), may("read"), "{name}: reads packets");
        assert_eq!(prog.packet.contains(PacketAccess::WRITE), may("write"), "{name}: writes packets");
        assert_eq!(prog.flags.contains(ProgFlags::LD_ABS), row[4] == true, "{name}: LD_ABS");
        for (attach, value) in row[5].as_object().expect("an object") {
            let ours = prog.attach.iter().find(|row| row.name == attach).map(|row| row.number);
            assert_eq!(ours, Some(number(value)), "{name}: {attach}");
        }
    }
    let private: Vec<u32> = PLATFORM
        .prog_types
        .iter()
        .filter(|prog| prog.flags.contains(ProgFlags::PRIVATE_STACK))
        .map(|prog| prog.number)
        .collect();
    assert_eq!(private, [2, 5, 7, 17], "program types whose functions have stacks of their own");
    let unsupported = |profile: &Profile| -> Vec<u32> {
        PLATFORM.prog_types.iter().filter(|prog| !prog.is_modelled(profile)).map(|prog| prog.number).collect()
    };
    let root = PLATFORM.default_profile();
    assert_eq!(unsupported(&root), [24, 26, 27, 28, 29], "program types that the engine does not model");
    let caps = root.caps.iter().filter(|name| *name != "CAP_PERFMON").cloned().collect();
    let without = Profile { caps, ..root };
    let perfmon = [2, 5, 7, 17, 24, 26, 27, 28, 29];
    assert_eq!(unsupported(&without), perfmon, "and those that take CAP_PERFMON to load");
}

#[test]
fn attach_types_are_checked_and_programs_sleep_where_the_kernel_says_so() {
    let file = data("attach");
    let profile = PLATFORM.profile(Version::new(6, 18));
    let mut checked = 0;
    for prog in PLATFORM.prog_types {
        let name = prog.name.trim_start_matches("BPF_PROG_TYPE_");
        let known = |what: &str| file[what].get(name).map(|ranges| numbers(ranges, 1));
        checked += usize::from(prog.flags.contains(ProgFlags::ATTACH_CHECKED));
        for attach in 0..=60 {
            let takes = known("takes").is_none_or(|list| list.contains(&attach));
            assert_eq!(prog.takes_attach(prog.attach_type(attach)), takes, "{name}: {attach}");
            let env =
                GuardEnv { profile: &profile, prog_type: prog.number, attach, sleepable: true, target: "" };
            let may = prog.sleep.may.is_some_and(|guard| guard.holds(&env));
            assert_eq!(may, known("sleeps").is_some_and(|list| list.contains(&attach)), "{name}: {attach}");
        }
        assert_eq!(prog.sleep.must.is_some(), name == "SYSCALL", "{name}");
    }
    assert_eq!(checked, 9);
    assert_eq!(file["takes"].as_object().map(serde_json::Map::len), Some(9));
}

#[test]
fn what_a_program_attaches_to_decides() {
    let profile = PLATFORM.profile(Version::new(6, 18));
    let of = |prog: &str, attach, target: &str, sleepable| Config {
        name: target.to_owned(),
        target: target.to_owned(),
        prog: PLATFORM.prog_type_named(prog).expect("a program type"),
        attach,
        sleepable,
    };
    let sleeps =
        |config: &Config| config.prog.sleep.may.is_some_and(|guard| guard.holds(&config.env(&profile)));
    const LSM_MAC: u32 = 27;
    const LSM_CGROUP: u32 = 43;
    assert!(sleeps(&of("LSM", LSM_MAC, "bpf_lsm_file_open", true)));
    assert!(!sleeps(&of("LSM", LSM_MAC, "bpf_lsm_task_free", true)));
    assert!(!sleeps(&of("LSM", LSM_CGROUP, "bpf_lsm_file_open", true)));
    let may_call = |config: &Config, helper: u32| {
        let row = config.offers(&profile).get(&helper).copied();
        row.map(|row| row.allowed.is_none_or(|(guard, _)| guard.holds(&config.env(&profile))))
    };
    const SETSOCKOPT: u32 = 49;
    const D_PATH: u32 = 147;
    const SK_STORAGE_GET: u32 = 107;
    const IMA_INODE_HASH: u32 = 161;
    for (config, helper, expected) in [
        (of("LSM", LSM_CGROUP, "bpf_lsm_sock_graft", false), SETSOCKOPT, Some(true)),
        (of("LSM", LSM_CGROUP, "bpf_lsm_socket_post_create", false), SETSOCKOPT, Some(true)),
        (of("LSM", LSM_CGROUP, "bpf_lsm_file_open", false), SETSOCKOPT, None),
        (of("LSM", LSM_MAC, "bpf_lsm_sock_graft", false), SETSOCKOPT, None),
        (of("TRACING", 28, "bpf_iter_tcp", false), SETSOCKOPT, Some(true)),
        (of("TRACING", 28, "bpf_iter_udp", false), SETSOCKOPT, None),
        (of("TRACING", 28, "bpf_iter_task", false), D_PATH, Some(true)),
        (of("TRACING", 24, "vfs_truncate", false), D_PATH, Some(true)),
        (of("TRACING", 24, "vfs_read", false), D_PATH, Some(false)),
        (of("TRACING", 23, "btf_trace_task_newtask", false), D_PATH, Some(false)),
        (of("LSM", LSM_MAC, "bpf_lsm_file_open", false), D_PATH, Some(true)),
        (of("LSM", LSM_MAC, "bpf_lsm_task_free", false), D_PATH, Some(false)),
        (of("TRACING", 23, "btf_trace_task_newtask", false), SK_STORAGE_GET, Some(true)),
        (of("TRACING", 24, "tcp_connect", false), SK_STORAGE_GET, Some(true)),
        (of("TRACING", 24, "bpf_sk_storage_free", false), SK_STORAGE_GET, Some(false)),
        (of("SYSCALL", 0, "", true), SK_STORAGE_GET, Some(false)),
        (of("XDP", 37, "", false), SK_STORAGE_GET, None),
        (of("LSM", LSM_MAC, "bpf_lsm_file_open", true), IMA_INODE_HASH, Some(true)),
        (of("LSM", LSM_MAC, "bpf_lsm_task_free", false), IMA_INODE_HASH, Some(false)),
    ] {
        assert_eq!(may_call(&config, helper), expected, "{helper} at {}", config.name);
    }
    let exit = |config: &Config| {
        config
            .prog
            .exit
            .iter()
            .find(|rule| rule.guard.holds(&config.env(&profile)))
            .and_then(|rule| rule.range)
    };
    assert_eq!(exit(&of("LSM", LSM_MAC, "bpf_lsm_audit_rule_known", false)), Some((0, 1)));
    assert_eq!(exit(&of("LSM", LSM_MAC, "bpf_lsm_file_open", false)), Some((-4095, 0)));
    assert_eq!(exit(&of("LSM", LSM_MAC, "bpf_lsm_task_free", false)), None);
    assert_eq!(exit(&of("LSM", LSM_CGROUP, "bpf_lsm_file_open", false)), Some((0, 1)));
    assert_eq!(exit(&of("LSM", LSM_CGROUP, "bpf_lsm_sock_graft", false)), Some((1, 1)));
    let target = |section: &str| PLATFORM.section(section).map(|(row, rest)| row.target(rest));
    for (section, name) in [
        ("lsm/file_open", "bpf_lsm_file_open"),
        ("lsm.s/file_open", "bpf_lsm_file_open"),
        ("lsm_cgroup/sock_graft", "bpf_lsm_sock_graft"),
        ("iter/tcp", "bpf_iter_tcp"),
        ("tp_btf/sched_switch", "btf_trace_sched_switch"),
        ("fentry.s/do_unlinkat", "do_unlinkat"),
        ("kprobe/do_unlinkat", ""),
        ("xdp", ""),
    ] {
        assert_eq!(target(section).as_deref(), Some(name), "{section}");
    }
}

#[test]
fn sections_give_program_types_as_libbpf_does() {
    fn of(name: &str) -> Option<(u32, u32, u32, &str)> {
        PLATFORM.section(name).map(|(row, rest)| (row.prog_type, row.attach, row.flags, rest))
    }
    let file = data("sections");
    let mut rows = 0;
    for row in list(&file["rows"]) {
        let name = text(&row[0]);
        let [prog_type, attach, flags] = [1, 2, 3].map(|at| number(&row[at]));
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

#[test]
fn exceptions_are_few_and_have_reasons() {
    assert!(EXCEPTIONS.len() <= 25);
    for (config, what, why) in EXCEPTIONS {
        assert!(!what.is_empty() && why.len() > 20, "{config}");
    }
}
