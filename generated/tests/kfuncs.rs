//! The kfuncs of the Linux tables: where a running 6.18 kernel offers them, and whether names, first
//! versions and flags are those of 6.12's declarations and of published lists. The facts are in
//! `tests/data/linux`; its README says how they are written.

mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use probity_linux::PLATFORM;
use probity_platform::{Callable, CallableFlags, Guard, GuardEnv, KfuncFlags, Profile, Version};
use serde_json::Value;

use recorded::{data, list, number, text};

/// Options that the kernel of the facts was built without.
const OFF: &[&str] = &[
    "CONFIG_SCHED_CLASS_EXT",
    "CONFIG_HID_BPF",
    "CONFIG_TCP_CONG_DCTCP",
    "CONFIG_NET_FOU",
    "CONFIG_XFRM_INTERFACE",
    "CONFIG_NF_FLOW_TABLE",
    "CONFIG_NET_SCH_BPF",
    "CONFIG_FS_VERITY",
    "CONFIG_CRASH_DUMP",
    "CONFIG_SYSTEM_DATA_VERIFICATION",
];

/// The numbers of `1-3 8`.
fn numbers(ranges: &Value) -> impl Iterator<Item = usize> {
    text(ranges).split_whitespace().flat_map(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let [low, high] = [low, high].map(|bound| bound.parse::<usize>().expect("a number"));
        low..=high
    })
}

fn kernel() -> Profile {
    let mut profile = PLATFORM.profile(Version::new(6, 18));
    profile.config_off = OFF.iter().map(|&name| name.to_owned()).collect();
    profile
}

#[test]
fn kfuncs_are_offered_where_the_kernel_offers_them() {
    let profile = kernel();
    let file = data("kfuncs");
    let names: Vec<&str> = list(&file["kfuncs"]).iter().map(text).collect();
    let (mut asked, mut answers) = (0, 0);
    for group in list(&file["groups"]) {
        let named = |ranges: &Value| numbers(ranges).map(|at| names[at]).collect::<BTreeSet<&str>>();
        let (theirs, sleepable_only) = (named(&group["offers"]), named(&group["sleepable_only"]));
        for config in list(&group["configs"]) {
            let prog = PLATFORM.prog_type(number(&config[1])).expect("a program type");
            let (attach, sleepable) = (number(&config[2]), config[3].as_bool().expect("a boolean"));
            let env = GuardEnv { profile: &profile, prog_type: prog.number, attach, sleepable, target: "" };
            let offered = prog.kfuncs.iter().filter(|entry| entry.guard.holds(&env));
            let offered = offered.map(|entry| &PLATFORM.kfuncs[usize::from(entry.callable)]);
            let offered: BTreeMap<&str, &Callable> =
                offered.filter(|row| row.guard.holds(&env)).map(|row| (row.name, row)).collect();
            let ours: BTreeSet<&str> = offered.keys().copied().collect();
            let more: Vec<_> = ours.difference(&theirs).collect();
            let less: Vec<_> = theirs.difference(&ours).collect();
            assert!(more.is_empty() && less.is_empty(), "{config}: more {more:?}, less {less:?}");
            for (name, row) in offered {
                let refused = row.flags.contains(CallableFlags::MIGHT_SLEEP) && !sleepable;
                assert_eq!(refused, sleepable_only.contains(name), "{config}: {name} sleeps");
            }
            asked += 1;
            answers += names.len();
        }
    }
    assert_eq!((asked, answers), (86, 86 * 203));
}

fn version(text: &str) -> Version {
    let (major, minor) = text.split_once('.').expect("a version");
    let [major, minor] = [major, minor].map(|part| part.parse().expect("a number"));
    Version::new(major, minor)
}

/// The first version of a guard.
fn since(guard: &Guard) -> Option<Version> {
    match guard {
        Guard::Since(version) => Some(*version),
        Guard::All(parts) => parts.iter().find_map(since),
        _ => None,
    }
}

/// Every name: (the row, its guard, whether it is the row's own).
fn names() -> BTreeMap<&'static str, (&'static Callable, &'static Guard, bool)> {
    let own = PLATFORM.kfuncs.iter().map(|row| (row.name, (row, &row.guard, true)));
    let aliases = PLATFORM
        .kfuncs
        .iter()
        .flat_map(|row| row.aliases.iter().map(move |alias| (alias.name, (row, &alias.guard, false))));
    own.chain(aliases).collect()
}

#[test]
fn names_and_versions_are_those_of_the_facts() {
    let file = data("kfuncs_flags");
    let facts = file["kfuncs"].as_object().expect("an object");
    let ours = names();
    let known: BTreeSet<&str> = facts.keys().map(String::as_str).collect();
    let declared: BTreeSet<&str> = ours.keys().copied().collect();
    let more: Vec<_> = declared.difference(&known).collect();
    let less: Vec<_> = known.difference(&declared).collect();
    assert!(more.is_empty() && less.is_empty(), "more {more:?}, less {less:?}");
    for (name, fact) in facts {
        let theirs = fact[0].as_str().map(version);
        assert_eq!(since(ours[name.as_str()].1), theirs, "{name}");
    }
    // Those of the module of the kernel's tests are left out: no kernel has them by itself.
    let left_out: Vec<&str> = list(&file["left_out"]).iter().map(text).collect();
    assert!(left_out.iter().all(|name| !declared.contains(name)));
    assert_eq!((facts.len(), left_out.len()), (325, 54));
}

#[test]
fn a_kernel_has_the_kfuncs_of_its_version_and_options() {
    let profile = kernel();
    let env = GuardEnv { profile: &profile, prog_type: 0, attach: 0, sleepable: false, target: "" };
    let file = data("kfuncs_btf");
    let theirs: BTreeSet<&str> =
        file["kfuncs"].as_object().expect("an object").keys().map(String::as_str).collect();
    let ours = PLATFORM.kfuncs.iter().filter(|row| row.guard.holds(&env)).map(|row| row.name);
    // This one carries no tag that says that it is a kfunc.
    let ours: BTreeSet<&str> = ours.filter(|name| *name != "update_socket_protocol").collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    let less: Vec<_> = theirs.difference(&ours).collect();
    assert!(more.is_empty() && less.is_empty(), "more {more:?}, less {less:?}");
}

#[test]
fn flags_are_those_of_the_facts() {
    let file = data("kfuncs_flags");
    let ours = names();
    let flags = |fact: &Value| {
        fact.as_str().map(|words| {
            words.split_whitespace().fold(KfuncFlags::empty(), |all, word| {
                all | KfuncFlags::from_name(word).unwrap_or_else(|| panic!("no flag {word}"))
            })
        })
    };
    let (mut asked, mut wrong) = (0, Vec::new());
    for (name, fact) in file["kfuncs"].as_object().expect("an object") {
        let (row, _, _) = ours[name.as_str()];
        // What 6.12 declares, what later lists add to it, and what only 6.18 itself told.
        let theirs = [1, 2, 3].into_iter().filter_map(|at| flags(&fact[at]));
        let theirs = theirs.fold(KfuncFlags::empty(), |all, some| all | some);
        if row.kfunc != theirs {
            wrong.push(format!("{name}: {:?}, not {theirs:?}", row.kfunc));
        }
        asked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked, 325);
}

#[test]
fn kfuncs_are_of_gpl_programs() {
    for row in PLATFORM.kfuncs {
        assert!(row.flags.contains(CallableFlags::GPL_ONLY), "{}", row.name);
        assert_eq!(
            row.flags.contains(CallableFlags::MIGHT_SLEEP),
            row.kfunc.contains(KfuncFlags::KF_SLEEPABLE),
            "{}",
            row.name
        );
    }
}
