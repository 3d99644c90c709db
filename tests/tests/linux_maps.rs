//! Maps of Linux, asked of the engine and of the running kernel: every map type that is created
//! without BTF with every helper that takes a map, in some program types, and what a program may do
//! with what it gets back.
//!
//! The running kernel must be the one whose answers the engine gives; see `differential.rs`.

use std::collections::BTreeMap;
use std::fs;

use probity_engine::Verdict;
use probity_isa::{Insn, opcode::*};
use probity_linux::{PLATFORM, map_types::*};
use probity_platform::{GuardEnv, MapShape, MapTraits, Profile};
use probity_program::{MapDef, Program};
use probity_tests::kernel::{self, LoadOptions, OracleError};
use probity_tests::plain::{
    NOT_CREATED, begin, call, calling, copy, done, frame, map_address, mov, small, takes_map,
};

/// The version whose answers the engine gives.
const RELEASE: &str = "6.18.";

/// Program types, each with an attach type.
const PROGRAMS: &[(u32, u32)] =
    &[(1, 0), (2, 0), (3, 0), (6, 0), (13, 3), (14, 0), (16, 7), (21, 39), (22, 17), (30, 36)];

fn skipped(test: &str) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if !kernel::available() {
        kernel::skip(test);
    } else if !release.starts_with(RELEASE) {
        println!("skipped: {test}: the kernel is {}, not {RELEASE}", release.trim_end());
    } else {
        return false;
    }
    true
}

fn shape(map: &MapDef) -> MapShape {
    MapShape {
        key_size: map.key_size,
        value_size: map.value_size,
        max_entries: map.max_entries,
        flags: map.flags,
        extra: map.extra,
        typed: map.btf_value != 0,
        inner: map.inner.is_some(),
    }
}

/// What a kernel and the engine say: the verdict, the error and the last line.
type Said = (&'static str, i32, String);

fn of_kernel(program: &Program) -> Said {
    let options = LoadOptions { btf: false, ..LoadOptions::default() };
    let verdict = kernel::load(program, &options).unwrap_or_else(|error| panic!("{}: {error}", program.name));
    (if verdict.accepted { "accept" } else { "reject" }, verdict.errno, verdict.message)
}

fn of_engine(program: &Program, profile: &Profile) -> Said {
    let report = probity_engine::verify(program, &PLATFORM, profile);
    let verdict = match report.verdict {
        Verdict::Accepted(_) => "accept",
        Verdict::Rejected(_) => "reject",
        Verdict::Unsupported(_) => "unsupported",
    };
    let finding = report.finding();
    let line = finding.map_or("", |finding| finding.last_line()).trim_end().to_owned();
    (verdict, finding.map_or(0, |finding| finding.rejection.errno), line)
}

/// True for rejections that both agree on, where the kernel looks at something else first: at the
/// value that an argument of a map of sockets has, at maps that programs never write.
fn in_other_words(kernel: &str, engine: &str) -> bool {
    let first = kernel == "invalid arg_type for sockmap/sockhash"
        || kernel == "write into map forbidden"
        || kernel.contains(" type=fp expected=sock_common, ");
    first && engine.starts_with("cannot pass map_type ")
}

/// Counts of a comparison, and its disagreements.
#[derive(Default)]
struct Compared {
    counts: BTreeMap<&'static str, usize>,
    unsupported: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Compared {
    fn compare(&mut self, program: &Program, profile: &Profile) {
        let (kernel, engine) = (of_kernel(program), of_engine(program, profile));
        *self.counts.entry(engine.0).or_default() += 1;
        if engine.0 == "unsupported" {
            *self.unsupported.entry(engine.2).or_default() += 1;
        } else if engine.0 == "reject" && kernel.0 == "reject" && in_other_words(&kernel.2, &engine.2) {
            *self.counts.entry("in other words").or_default() += 1;
        } else if kernel != engine {
            let kernel = format!("{} {} {:?}", kernel.0, kernel.1, kernel.2);
            let engine = format!("{} {} {:?}", engine.0, engine.1, engine.2);
            self.wrong.push(format!("{}:\n    the kernel: {kernel}\n    the engine: {engine}", program.name));
        }
    }

    fn done(self) -> BTreeMap<&'static str, usize> {
        println!("{:?}, unsupported: {:#?}", self.counts, self.unsupported);
        assert!(self.wrong.is_empty(), "{}\n{} disagreements", self.wrong.join("\n"), self.wrong.len());
        self.counts
    }
}

/// The program with the map of a type.
fn with_map(name: String, (prog_type, attach): (u32, u32), insns: Vec<Insn>, map_type: u32) -> Program {
    let mut program = Program::from_insns(prog_type, insns);
    program.name = name;
    program.attach_type = attach;
    program.maps = small(map_type);
    program
}

/// The map types that the oracle creates.
fn created() -> impl Iterator<Item = u32> {
    PLATFORM.map_types.iter().map(|row| row.number).filter(|number| !NOT_CREATED.contains(number))
}

#[test]
fn small_maps_are_created_by_both() {
    for row in PLATFORM.map_types.iter().filter(|row| !NOT_CREATED.contains(&row.number)) {
        assert_eq!(row.check(&shape(&small(row.number)[0])), Ok(()), "{}", row.name);
    }
    if skipped("small_maps_are_created_by_both") {
        return;
    }
    for number in created() {
        let program = with_map(number.to_string(), (1, 0), done().to_vec(), number);
        assert_eq!(of_kernel(&program).0, "accept", "{number}");
    }
}

#[test]
fn flags_make_the_difference_that_the_kernel_makes() {
    if skipped("flags_make_the_difference_that_the_kernel_makes") {
        return;
    }
    let mut asked = 0;
    for row in PLATFORM.map_types.iter().filter(|row| !NOT_CREATED.contains(&row.number)) {
        // A descriptor of a BPF file system or token stands behind the flag.
        let bits = (0..32).filter(|bit| ![14, 16].contains(bit));
        for flags in bits.map(|bit| 1 << bit) {
            let mut program = with_map(row.name.to_owned(), (1, 0), done().to_vec(), row.number);
            program.maps[0].flags ^= flags;
            let ours = row.check(&shape(&program.maps[0]));
            let theirs = match kernel::load(&program, &LoadOptions::default()) {
                Ok(_) => true,
                Err(OracleError::Map { .. }) => false,
                Err(error) => panic!("{}: {error}", row.name),
            };
            assert_eq!(ours.is_ok(), theirs, "{} with {flags:#x}: {ours:?}", row.name);
            asked += 1;
        }
    }
    assert_eq!(asked, 26 * 30);
}

#[test]
fn helpers_take_the_maps_that_they_take_in_the_kernel() {
    if skipped("helpers_take_the_maps_that_they_take_in_the_kernel") {
        return;
    }
    let profile = PLATFORM.profile(PLATFORM.version);
    let mut compared = Compared::default();
    for &(prog_type, attach) in PROGRAMS {
        let Some(prog) = PLATFORM.prog_types.iter().find(|row| row.number == prog_type) else { continue };
        let env = GuardEnv { profile: &profile, prog_type, attach, sleepable: false, target: "" };
        let mut seen = Vec::new();
        for entry in prog.callables.iter().filter(|entry| entry.guard.holds(&env)) {
            let callable = &PLATFORM.callables[usize::from(entry.callable)];
            if !takes_map(callable) || seen.contains(&callable.number) {
                continue;
            }
            seen.push(callable.number);
            let Some(mut insns) = calling(callable) else { continue };
            insns.extend(done());
            for number in created() {
                let name = format!("{} of {number} in {prog_type}", callable.name);
                compared.compare(&with_map(name, (prog_type, attach), insns.clone(), number), &profile);
            }
        }
    }
    let counts = compared.done();
    assert!(counts["accept"] >= 100 && counts["reject"] >= 500, "{counts:?}");
}

#[test]
fn what_a_lookup_yields_is_used_as_in_the_kernel() {
    if skipped("what_a_lookup_yields_is_used_as_in_the_kernel") {
        return;
    }
    let profile = PLATFORM.profile(PLATFORM.version);
    let mut compared = Compared::default();
    let lookup = |register: u8| {
        let mut insns = frame(2, -16).to_vec();
        if register != 1 {
            insns.push(copy(1, register));
        }
        insns.push(call(1));
        insns
    };
    let null = |skip: i16| Insn::new(BPF_JMP | BPF_JEQ, 0, 0, skip, 0);
    let load = |size: u8, off: i16| Insn::new(BPF_LDX | BPF_MEM | size, 1, 0, off, 0);
    let store = |size: u8, off: i16| Insn::new(BPF_ST | BPF_MEM | size, 0, 0, off, 0);
    let release = vec![null(2), copy(1, 0), call(86)];
    // What is done with r0 behind the lookup.
    let uses: Vec<(&str, Vec<Insn>)> = vec![
        ("nothing", vec![]),
        ("a load before the check", vec![load(BPF_W, 0)]),
        ("a load", vec![null(1), load(BPF_W, 0)]),
        ("a load of 8 bytes", vec![null(1), load(BPF_DW, 0)]),
        ("a load at the end", vec![null(1), load(BPF_W, 4)]),
        ("a load behind the end", vec![null(1), load(BPF_W, 8)]),
        ("a store", vec![null(1), store(BPF_W, 0)]),
        ("a release", release.clone()),
        ("a load and a release", [vec![null(3), load(BPF_W, 0)], release[1..].to_vec()].concat()),
        ("a second lookup", {
            let inner = [vec![copy(1, 0)], lookup(1)].concat();
            let skip = i16::try_from(inner.len()).expect("short");
            [vec![null(skip)], inner].concat()
        }),
        ("a second lookup and a store", {
            let inner = [vec![copy(1, 0)], lookup(1), vec![null(1), store(BPF_DW, 8)]].concat();
            let skip = i16::try_from(inner.len()).expect("short");
            [vec![null(skip)], inner].concat()
        }),
    ];
    for program in [(1, 0), (3, 0), (6, 0)] {
        for number in created() {
            for (what, used) in &uses {
                let mut insns = begin();
                insns.extend(map_address(1));
                insns.extend(lookup(1));
                insns.extend(used);
                insns.extend(done());
                let name = format!("{what} of {number} in {}", program.0);
                compared.compare(&with_map(name, program, insns, number), &profile);
            }
        }
    }
    let counts = compared.done();
    assert!(counts["accept"] >= 100 && counts["reject"] >= 500, "{counts:?}");
}

#[test]
fn values_go_in_and_out_as_in_the_kernel() {
    if skipped("values_go_in_and_out_as_in_the_kernel") {
        return;
    }
    let profile = PLATFORM.profile(PLATFORM.version);
    let mut compared = Compared::default();
    for (helper, number) in [("peek", 89), ("pop", 88), ("push", 87)] {
        for map in [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_BLOOM_FILTER] {
            for (what, before, behind) in [
                ("nothing", vec![], vec![]),
                ("no value", vec![], vec![Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -40, 0)]),
                (
                    // A pointer that lies where the value is read or written.
                    "a pointer",
                    vec![Insn::new(BPF_STX | BPF_MEM | BPF_DW, 10, 10, -40, 0)],
                    vec![
                        Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -40, 0),
                        Insn::new(BPF_ST | BPF_MEM | BPF_DW, 1, 0, -8, 0),
                    ],
                ),
            ] {
                let mut insns = before;
                insns.extend(map_address(1));
                insns.extend(frame(2, -40));
                insns.push(mov(3, 0));
                insns.push(call(number));
                insns.extend(behind);
                insns.extend(done());
                compared.compare(
                    &with_map(format!("{helper} of {map} with {what}"), (3, 0), insns, map),
                    &profile,
                );
            }
        }
    }
    compared.done();
}

#[test]
fn what_is_not_modelled_ends_as_unsupported() {
    let profile = PLATFORM.profile(PLATFORM.version);
    for row in PLATFORM.map_types.iter().filter(|row| row.unsupported.is_some()) {
        assert!(!row.traits.contains(MapTraits::OF_MAPS));
        let mut insns = map_address(1).to_vec();
        insns.extend(done());
        let mut program = Program::from_insns(3, insns);
        program.maps = vec![MapDef::new(row.number, 4, 8, 1)];
        assert_eq!(of_engine(&program, &profile).0, "unsupported", "{}", row.name);
    }
}
