//! Map types of Linux against a running 6.18 kernel: which maps it creates, and which helpers take
//! them. `tests/data/linux/README.md` says where the data come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use probity_linux::{PLATFORM, map_flags, map_types};
use probity_platform::{
    ArgRole, Callable, Callers, Code, Driver, Effects, Guard, MapRefusal, MapShape, MapTraits, MapType,
    NullCheckYields, PointerClass, RegType, Rejection, Site, Version,
};
use serde_json::Value;

fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/linux").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn map_type(number: u32) -> &'static MapType {
    PLATFORM.map_type(number).expect("a map type")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn narrow(value: &Value) -> u32 {
    u32::try_from(number(value)).expect("32 bits")
}

/// A record that the tables may answer otherwise: the kernel was built for 256 processors at most,
/// and the spec takes what the largest build does.
fn is_exception(row: &MapType, shape: &MapShape) -> bool {
    row.number == map_types::BPF_MAP_TYPE_CPUMAP && (257..=8192).contains(&shape.max_entries)
}

#[test]
fn all_map_types_are_declared() {
    let numbers: Vec<u32> = PLATFORM.map_types.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=33).collect::<Vec<u32>>());
}

#[test]
fn maps_are_created_as_the_kernel_creates_them() {
    let (mut records, mut created, mut exceptions) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for line in data("maps_create.jsonl").lines() {
        let of_type: Value = serde_json::from_str(line).expect("a line is JSON");
        let row = map_type(narrow(&of_type["type"]));
        assert_eq!(of_type["name"], row.name);
        seen.insert(row.number);
        for record in of_type["rows"].as_array().expect("a list") {
            let shape = MapShape {
                key_size: narrow(&record[0]),
                value_size: narrow(&record[1]),
                max_entries: narrow(&record[2]),
                flags: narrow(&record[3]),
                extra: number(&record[4]),
                typed: of_type["typed"] == true,
                inner: of_type["inner"] == true,
            };
            let (ours, theirs) = (row.check(&shape), number(&record[5]));
            records += 1;
            created += usize::from(theirs == 0);
            if is_exception(row, &shape) {
                assert!(ours.is_ok() && theirs != 0, "{}: {shape:?}: no exception any more", row.name);
                exceptions += 1;
            } else if ours.is_ok() != (theirs == 0) {
                wrong.push(format!("{}: {shape:?}: {ours:?}, the kernel: {theirs}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} of {records} records", wrong.join("\n"), wrong.len());
    assert_eq!((seen.len(), exceptions), (33, 5));
    assert!(records >= 3500 && created >= 1000, "{created} of {records} are created");
    println!("{created} of {records} are created");
}

/// The values of a list of the probes' own records.
fn listed(of_type: &Value, list: &str) -> Option<BTreeSet<u64>> {
    Some(of_type[list].as_array()?.iter().map(number).collect())
}

/// Changes one number of a shape.
type Set = fn(&mut MapShape, u64);

#[test]
fn the_probes_of_creation_are_answered_alike() {
    let folder = std::env::var_os("PROBITY_FACTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/facts"),
        |folder| Path::new(&folder).to_owned(),
    );
    let Ok(text) = std::fs::read_to_string(folder.join("probe_mapcreate_6.18.json")) else {
        eprintln!("skipped: no probe_mapcreate_6.18.json in {}", folder.display());
        return;
    };
    let facts: Value = serde_json::from_str(&text).expect("facts are JSON");
    let facts = facts.as_object().expect("an object");
    // What was tried: for each list, all that some type took, and 0.
    let tried = |list: &str| -> BTreeSet<u64> {
        facts.values().filter_map(|of_type| listed(of_type, list)).flatten().chain([0]).collect()
    };
    let (mut records, mut exceptions) = (0, 0);
    let mut check = |row: &MapType, shape: MapShape, theirs: bool| {
        records += 1;
        let ours = row.check(&shape);
        if is_exception(row, &shape) {
            exceptions += 1;
        } else {
            assert_eq!(ours.is_ok(), theirs, "{}: {shape:?}: {ours:?}", row.name);
        }
    };
    for (name, of_type) in facts {
        let row = map_type(narrow(&of_type["id"]));
        let inner = row.traits.contains(MapTraits::OF_MAPS);
        let Some(base) = of_type["base"].as_array() else {
            // Without BTF no such map was created.
            let shape = MapShape { key_size: 4, value_size: 4, flags: 1, ..MapShape::default() };
            check(row, shape, false);
            check(row, MapShape { max_entries: 1, flags: 0, ..shape }, false);
            continue;
        };
        let base = MapShape {
            key_size: narrow(&base[0]),
            value_size: narrow(&base[1]),
            max_entries: narrow(&base[2]),
            flags: narrow(&base[3]),
            inner,
            ..MapShape::default()
        };
        check(row, base, true);
        let lists: [(&str, Set); 4] = [
            ("key_sizes", |shape, value| shape.key_size = u32::try_from(value).expect("32 bits")),
            ("value_sizes", |shape, value| shape.value_size = u32::try_from(value).expect("32 bits")),
            ("max_entries", |shape, value| shape.max_entries = u32::try_from(value).expect("32 bits")),
            ("map_extra", |shape, value| shape.extra = value),
        ];
        for (list, set) in lists {
            let theirs = listed(of_type, list).unwrap_or_else(|| panic!("{name}: no {list}"));
            for value in tried(list) {
                let mut shape = base;
                set(&mut shape, value);
                check(row, shape, theirs.contains(&value) || list == "map_extra" && value == 0);
            }
        }
        let addable = listed(of_type, "flags_addable").expect("a list");
        let required = listed(of_type, "flags_required").expect("a list");
        for bit in 0..19 {
            let flags = base.flags ^ 1 << bit;
            let theirs = addable.contains(&bit) || base.flags & 1 << bit != 0 && !required.contains(&bit);
            check(row, MapShape { flags, ..base }, theirs);
        }
    }
    assert_eq!(exceptions, 4, "capacities of a map of processors");
    assert!(records >= 1900, "{records} records");
    println!("{records} records");
}

#[test]
fn a_refusal_says_what_is_wrong_first() {
    let shape = |key_size, value_size, max_entries| MapShape {
        key_size,
        value_size,
        max_entries,
        ..MapShape::default()
    };
    let check = |number, shape: MapShape| map_type(number).check(&shape);
    use map_types::*;
    assert_eq!(check(BPF_MAP_TYPE_HASH, shape(4, 8, 1)), Ok(()));
    assert_eq!(check(BPF_MAP_TYPE_HASH, shape(0, 0, 0)), Err(MapRefusal::KeySize(0)));
    assert_eq!(check(BPF_MAP_TYPE_HASH, shape(4, 0, 0)), Err(MapRefusal::ValueSize(0)));
    assert_eq!(check(BPF_MAP_TYPE_HASH, shape(4, 4, 0)), Err(MapRefusal::MaxEntries(0)));
    let wide = shape(3_000_000, 3_000_000, 1);
    assert_eq!(check(BPF_MAP_TYPE_HASH, wide), Err(MapRefusal::ElementSize(6_000_000)));
    let with = |shape, flags| MapShape { flags, ..shape };
    let mmapable = map_flags::BPF_F_MMAPABLE;
    let refused = check(BPF_MAP_TYPE_HASH, with(shape(4, 4, 1), mmapable));
    assert_eq!(refused, Err(MapRefusal::Flags(mmapable)));
    assert_eq!(refused.expect_err("refused").to_string(), "flags 0x400 are none of this map type");
    let both = map_flags::BPF_F_RDONLY | map_flags::BPF_F_WRONLY;
    let refused = check(BPF_MAP_TYPE_ARRAY, with(shape(4, 4, 1), both | mmapable));
    assert_eq!(refused, Err(MapRefusal::ExclusiveFlags(both)));
    let refused = check(BPF_MAP_TYPE_LPM_TRIE, shape(8, 4, 1));
    assert_eq!(refused, Err(MapRefusal::MissingFlag("BPF_F_NO_PREALLOC")));
    let filter = shape(0, 4, 1);
    assert_eq!(check(BPF_MAP_TYPE_BLOOM_FILTER, MapShape { extra: 15, ..filter }), Ok(()));
    let refused = check(BPF_MAP_TYPE_BLOOM_FILTER, MapShape { extra: 16, ..filter });
    assert_eq!(refused, Err(MapRefusal::Extra(16)));
    let storage = with(shape(4, 8, 0), map_flags::BPF_F_NO_PREALLOC);
    assert_eq!(check(BPF_MAP_TYPE_TASK_STORAGE, storage), Err(MapRefusal::Untyped));
    assert_eq!(check(BPF_MAP_TYPE_TASK_STORAGE, MapShape { typed: true, ..storage }), Ok(()));
    assert_eq!(check(BPF_MAP_TYPE_ARRAY_OF_MAPS, shape(4, 4, 1)), Err(MapRefusal::NoInner));
}

#[test]
fn versions_are_those_of_the_first_kernels() {
    let exists = |number, at| {
        let profile = PLATFORM.profile(at);
        let env = probity_platform::GuardEnv {
            profile: &profile,
            prog_type: 6,
            attach: 0,
            sleepable: false,
            target: "",
        };
        map_type(number).guard.holds(&env)
    };
    let first = [(1, 3, 19), (14, 4, 14), (22, 4, 20), (27, 5, 8), (31, 6, 1), (33, 6, 9)];
    for (number, major, minor) in first {
        assert!(exists(number, Version::new(major, minor)), "{number} in {major}.{minor}");
        let before = if minor == 0 { Version::new(major - 1, 99) } else { Version::new(major, minor - 1) };
        assert!(!exists(number, before), "{number} in {before}");
    }
}

#[test]
fn traits_are_those_of_the_kernel() {
    let having = |bit| -> Vec<u32> {
        PLATFORM.map_types.iter().filter(|row| row.traits.contains(bit)).map(|row| row.number).collect()
    };
    assert_eq!(having(MapTraits::INDEXED), [2, 6]);
    assert_eq!(having(MapTraits::DIRECT_VALUE), [2, 33]);
    assert_eq!(having(MapTraits::FOR_EACH), [1, 2, 5, 6, 9, 10]);
    let sleepable = [1, 2, 5, 6, 9, 10, 12, 13, 22, 23, 24, 27, 28, 29, 31, 32, 33];
    assert_eq!(having(MapTraits::SLEEPABLE), sleepable);
    assert_eq!(having(MapTraits::PER_CPU), [5, 6, 10, 21]);
    assert_eq!(having(MapTraits::PROGRAMS), [3]);
    assert_eq!(having(MapTraits::OF_MAPS), [12, 13]);
    assert_eq!(having(MapTraits::TYPED), [24, 26, 28, 29, 32]);
    assert_eq!(having(MapTraits::READ_ONLY), [14, 25]);
    assert_eq!(having(MapTraits::VALUE_IN), [30]);
}

#[test]
fn lookups_yield_what_the_map_holds() {
    for row in PLATFORM.map_types {
        let found = match row.null_check_yields {
            NullCheckYields::Value => "value",
            NullCheckYields::InnerMap => "map",
            NullCheckYields::Type(ty) => PLATFORM.kind(ty.kind).name,
        };
        let wanted = match row.number {
            12 | 13 => "map",
            15 | 18 => "PTR_TO_SOCKET",
            17 => "PTR_TO_XDP_SOCK",
            _ => "value",
        };
        assert_eq!(found, wanted, "{}", row.name);
    }
}

/// An engine that asks a driver for one thing: whether it takes a map type.
struct Asks(u32);

impl Effects for Asks {
    fn umin(&self, _: u8) -> u64 {
        0
    }
    fn umax(&self, _: u8) -> u64 {
        0
    }
    fn smin(&self, _: u8) -> i64 {
        0
    }
    fn smax(&self, _: u8) -> i64 {
        0
    }
    fn constant(&self, _: u8) -> Option<u64> {
        Some(0)
    }
    fn is_null(&self, _: u8) -> bool {
        false
    }
    fn map_type(&self, _: u8) -> Option<u32> {
        Some(self.0)
    }
    fn map_value_size(&self, _: u8) -> u64 {
        0
    }
    fn map_key_size(&self, _: u8) -> u64 {
        0
    }
    fn map_max_entries(&self, _: u8) -> u64 {
        1
    }
    fn nr_cpus(&self) -> u64 {
        1
    }
    fn holds(&self, _: &Guard) -> bool {
        true
    }
    fn require_map_type(&mut self, _: u8, allowed: &[u32], _: Site) -> Result<(), Rejection> {
        if allowed.contains(&self.0) { Ok(()) } else { Err(Rejection::new(Code::MapType, "no")) }
    }
    fn require_const(&mut self, _: u8, _: Site) -> Result<(), Rejection> {
        Ok(())
    }
    fn require(&mut self, holds: bool, text: &'static str, _: Site) -> Result<(), Rejection> {
        // A demand on the map's type in words of its own.
        let of_map = text.contains("map");
        if holds || !of_map { Ok(()) } else { Err(Rejection::new(Code::MapType, text)) }
    }
    fn precise(&mut self, _: u8) -> Result<(), Rejection> {
        Ok(())
    }
    fn return_range(&mut self, _: i64, _: i64) {}
    fn return_type(&mut self, _: RegType) {}
    fn return_bytes(&mut self, _: u64) {}
    fn nonnull_for_constant_key(&mut self, _: u8, _: u8) -> Result<(), Rejection> {
        Ok(())
    }
    fn acquire(&mut self, _: &'static str, _: Site) {}
    fn cast(&mut self, _: u8) {}
    fn invalidate(&mut self, _: PointerClass) {}
    fn tail_call(&mut self, _: u8, _: u8, _: Site) -> Result<(), Rejection> {
        Ok(())
    }
    fn unsupported(&mut self, _: &'static str, _: Site) -> Result<(), Rejection> {
        // What is not modelled may still say which maps it takes.
        Ok(())
    }
}

fn takes(callable: &Callable, index: usize, map: &MapType) -> bool {
    let caller = match map.callers {
        Callers::Any => true,
        Callers::Only(list) => list.iter().any(|&known| usize::from(known) == index),
    };
    // What this engine does not model comes behind what the driver demands of maps.
    let unmodelled = |rejection: &Rejection| rejection.code == Code::Unsupported;
    let takes = |driver: Driver| driver(&mut Asks(map.number)).map_or_else(|no| unmodelled(&no), |_| true);
    caller && callable.driver.is_none_or(takes)
}

#[test]
fn helpers_and_maps_go_together_as_in_the_kernel() {
    let facts: Value = serde_json::from_str(&data("maps_helpers.json")).expect("JSON");
    let list = |side: &str, name: &str| -> Option<BTreeSet<String>> {
        let names = facts[side][name].as_array()?;
        // What follows `?` is a condition on the program.
        let plain = |name: &Value| name.as_str().and_then(|name| name.split('?').next()).map(str::to_owned);
        Some(names.iter().filter_map(plain).collect())
    };
    let (mut pairs, mut taken) = (0, BTreeMap::<&str, usize>::new());
    let mut wrong = Vec::new();
    for (index, callable) in PLATFORM.callables.iter().enumerate() {
        let takes_map =
            callable.args.iter().any(|arg| PLATFORM.arg_classes[usize::from(arg.class)].role == ArgRole::Map);
        if !takes_map {
            continue;
        }
        let helper = callable.name.strip_prefix("bpf_").unwrap_or(callable.name);
        for map in PLATFORM.map_types {
            let name = map.name.strip_prefix("BPF_MAP_TYPE_").unwrap_or(map.name);
            let by_map = list("maps", name).is_none_or(|helpers| helpers.contains(helper));
            let by_helper = list("helpers", helper).is_none_or(|maps| maps.contains(name));
            let (ours, theirs) = (takes(callable, index, map), by_map && by_helper);
            if ours != theirs {
                wrong.push(format!("{helper} and {name}: {ours}, the kernel: {theirs}"));
            }
            pairs += 1;
            *taken.entry(map.name).or_default() += usize::from(ours);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pairs >= 33 * 37, "{pairs} pairs");
    println!("{pairs} pairs");
    // Every map but those for the kernel alone is of use to some helper.
    let idle: Vec<_> = taken.iter().filter(|(_, count)| **count == 0).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn every_helper_of_a_list_takes_the_map() {
    let facts: Value = serde_json::from_str(&data("maps_helpers.json")).expect("JSON");
    for (name, helpers) in facts["maps"].as_object().expect("an object") {
        let full = format!("BPF_MAP_TYPE_{name}");
        let map = PLATFORM.map_types.iter().find(|row| row.name == full).expect("a map type");
        let Callers::Only(list) = map.callers else { panic!("{name}: any helper takes it") };
        let ours: BTreeSet<&str> =
            list.iter().map(|&index| PLATFORM.callables[usize::from(index)].name).collect();
        for helper in helpers.as_array().expect("a list").iter().filter_map(Value::as_str) {
            let helper = helper.split('?').next().unwrap_or(helper);
            assert!(ours.contains(&*format!("bpf_{helper}")), "{name}: {helper}");
        }
        assert_eq!(ours.len(), helpers.as_array().map_or(0, Vec::len), "{name}");
    }
}

#[test]
fn what_is_not_modelled_is_declared() {
    let whole: Vec<u32> =
        PLATFORM.map_types.iter().filter(|row| row.unsupported.is_some()).map(|row| row.number).collect();
    assert_eq!(whole, [map_types::BPF_MAP_TYPE_STRUCT_OPS, map_types::BPF_MAP_TYPE_ARENA]);
    for row in PLATFORM.map_types {
        assert!(row.unsupported_with.is_sorted_by_key(|(index, _)| *index), "{}", row.name);
        let sockets = matches!(row.number, 15 | 18);
        let update = PLATFORM.callables.iter().position(|row| row.name == "bpf_map_update_elem");
        let update = u16::try_from(update.expect("an update")).expect("a small index");
        assert_eq!(row.unsupported_call(update).is_some(), sockets, "{}", row.name);
    }
}
