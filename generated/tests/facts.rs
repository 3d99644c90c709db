//! The names and numbers of the Linux tables against those of a 6.18 kernel. Without the facts at
//! `../shared/facts` (or `$PROBITY_FACTS`) there is nothing to compare with and each test says so.

use std::collections::BTreeSet;
use std::path::PathBuf;

use probity_linux::PLATFORM;
use probity_platform::{CallableFlags, RetType};
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
