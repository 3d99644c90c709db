//! Lookups, tail calls and functions that are called back: machine code does as the interpreter.

mod common;

use std::sync::Arc;

use common::{Outcome, Words, all_options, link, machine, run, verified};
use probity_jit::{NativeCode, Options, compile, opt};
use probity_program::MapDef;
use probity_vm::{Executable, Map, Runtime};

const HASH: u32 = 1;
const ARRAY: u32 = 2;
const PROGRAMS: u32 = 3;
const SLOTS: u32 = 6;

fn map(definition: &MapDef) -> Arc<Map> {
    Map::create(&machine::PLATFORM, definition, None, Runtime::default().slots()).expect("a map")
}

fn linked(text: &str, definition: &MapDef, map: &Arc<Map>) -> Executable {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let proof = verified(insns, vec![definition.clone()]).unwrap_or_else(|why| panic!("{why}\n{text}"));
    link(&proof, vec![Arc::clone(map)])
}

/// The ways in which code is made, by each compiler.
fn ways() -> Vec<(Options, bool)> {
    all_options().into_iter().flat_map(|options| [(options, false), (options, true)]).collect()
}

/// Gives an executable code, of the optimising compiler if wanted.
fn native(executable: &Executable, &(options, optimised): &(Options, bool)) {
    let code = if optimised {
        opt::compile(executable, &options).expect("optimised code")
    } else {
        compile(executable, &options).expect("machine code")
    };
    code.install().expect("it has none");
}

fn first(value: u64) -> Words {
    let mut words = [0; 16];
    words[0] = value;
    words
}

/// Runs a program by each engine, with a map of its own, for each first number.
fn each(text: &str, definition: &MapDef, numbers: &[u64], check: impl Fn(u64, &Outcome)) {
    let interpreter = linked(text, definition, &map(definition));
    let engines: Vec<Executable> = ways()
        .iter()
        .map(|options| {
            let executable = linked(text, definition, &map(definition));
            native(&executable, options);
            executable
        })
        .collect();
    for &number in numbers {
        let expected = run(&interpreter, &first(number), None, true);
        check(number, &expected);
        for engine in &engines {
            assert_eq!(run(engine, &first(number), None, false), expected, "{number}\n{text}");
        }
    }
}

const LOOKUP: &str = "r6 = r1\nr1 = *(u64 *)(r6 + 0)\n*(u64 *)(r10 - 8) = r1\nr2 = r10\nr2 += -8\n\
    r1 = map[0] ll\ncall 1\nif r0 != 0 goto there\nr0 = -1\nexit\n\
    there:\nr1 = *(u8 *)(r0 + 0)\nr1 += 3\n*(u8 *)(r0 + 0) = r1\nr0 = r1\nexit\n";

#[test]
fn lookups_in_arrays() {
    for map_type in [ARRAY, SLOTS] {
        for size in [1, 4, 8, 12, 16, 24, 64] {
            for entries in [1, 5, 1000] {
                let definition = MapDef::new(map_type, 4, size, entries);
                let numbers = [0, 1, 4, 5, 999, 1000, 0xffff_ffff, 0, 4, 999];
                each(LOOKUP, &definition, &numbers, |number, outcome| {
                    let there = number < entries.into();
                    assert_eq!(outcome.result != Ok(u64::MAX), there, "{number} of {entries}");
                });
            }
        }
    }
}

#[test]
fn lookups_in_hash_tables() {
    for key in [4, 8] {
        let definition = MapDef::new(HASH, key, 16, 100);
        let fill = |map: &Arc<Map>| {
            for number in [3_u64, 70_000] {
                let key = number.to_ne_bytes();
                map.update(&key[..definition.key_size as usize], &[7; 16], 0).expect("room");
            }
        };
        let interpreted = map(&definition);
        fill(&interpreted);
        let interpreter = linked(LOOKUP, &definition, &interpreted);
        for options in ways() {
            let shared = map(&definition);
            fill(&shared);
            let engine = linked(LOOKUP, &definition, &shared);
            native(&engine, &options);
            for (number, there) in [(3, true), (4, false), (70_000, true), (u64::MAX, false)] {
                let found = run(&engine, &first(number), None, false);
                assert_eq!(found.result == Ok(u64::MAX), !there, "{number}");
            }
        }
        assert_eq!(run(&interpreter, &first(3), None, true).result, Ok(10));
    }
}

/// A main function that goes on by itself, from a function, or both.
const GO_ON: [&str; 2] = [
    "r6 = r1\nr7 = *(u64 *)(r6 + 8)\nr7 += 1\n*(u64 *)(r6 + 8) = r7\n*(u64 *)(r10 - 16) = r7\n\
     r3 = *(u64 *)(r6 + 0)\nr2 = map[0] ll\nr1 = r6\ncall 104\n\
     r0 = *(u64 *)(r6 + 8)\nr0 += 1000\nexit\n",
    "r6 = r1\nr7 = 77\nr8 = 88\nr9 = 99\n*(u64 *)(r10 - 40) = r9\ncall f\nr0 += r7\nr0 += r8\nr0 += r9\n\
     r1 = *(u64 *)(r10 - 40)\nr0 += r1\n*(u64 *)(r6 + 24) = r0\nexit\n\
     f:\nr6 = r1\nr7 = *(u64 *)(r6 + 16)\nr7 += 1\n*(u64 *)(r6 + 16) = r7\n*(u64 *)(r10 - 8) = r7\n\
     r3 = *(u64 *)(r6 + 0)\nr2 = map[0] ll\ncall 104\nr0 = *(u64 *)(r10 - 8)\nexit\n",
];

#[test]
fn tail_calls() {
    let definition = MapDef::new(PROGRAMS, 4, 4, 4);
    let setup = |options: Option<(Options, bool)>| {
        let map = map(&definition);
        let programs: Vec<Executable> = GO_ON.iter().map(|text| linked(text, &definition, &map)).collect();
        for (index, program) in (0..).zip(&programs) {
            if let Some(options) = options {
                native(program, &options);
            }
            map.set_program(index, program).expect("it fits");
        }
        programs
    };
    let interpreted = setup(None);
    for options in ways() {
        let compiled = setup(Some(options));
        for (by, expected) in compiled.iter().zip(&interpreted) {
            // The first two are programs, then an empty place and one that is not there.
            for index in [0, 1, 2, 4, 0xffff_ffff] {
                let expected = run(expected, &first(index), None, true);
                assert!(expected.result.is_ok());
                assert_eq!(run(by, &first(index), None, false), expected, "{index}");
            }
        }
        // 33 of them, and the run that begins.
        assert_eq!(run(&compiled[0], &first(0), None, false).words[1], 34);
    }
}

#[test]
fn programs_with_and_without_code_do_not_mix() {
    let definition = MapDef::new(PROGRAMS, 4, 4, 4);
    let map = map(&definition);
    let (one, other) = (linked(GO_ON[0], &definition, &map), linked(GO_ON[1], &definition, &map));
    map.set_program(0, &one).expect("it claims the array");
    let error = compile(&other, &Options::default()).and_then(NativeCode::install).expect_err("refused");
    assert!(error.to_string().contains("claimed by programs without machine code"), "{error}");
}

/// Whether the engine models functions that are called back.
fn has_callbacks() -> bool {
    let text = "r1 = 1\nr2 = func[f] ll\nr3 = 0\nr4 = 0\ncall 103\nr0 = 0\nexit\nf:\nr0 = 0\nexit\n";
    let insns = probity_isa::assemble(text, &()).expect("it assembles");
    let result = verified(insns, Vec::new());
    if let Err(why) = &result {
        println!("skipped: {why}");
    }
    result.is_ok()
}

#[test]
fn functions_are_called_back() {
    if !has_callbacks() {
        return;
    }
    let text = "r6 = r1\nr7 = *(u64 *)(r6 + 0)\nr7 &= 0xff\n*(u64 *)(r10 - 8) = 0\n\
        r1 = r7\nr2 = func[f] ll\nr3 = r10\nr3 += -8\nr4 = 0\ncall 103\nr8 = r0\n\
        r0 = *(u64 *)(r10 - 8)\n*(u64 *)(r6 + 8) = r8\n*(u64 *)(r6 + 16) = r7\nexit\n\
        f:\nr6 = r1\nr7 = r2\nr8 = *(u64 *)(r7 + 0)\nr8 += r6\n*(u64 *)(r7 + 0) = r8\n*(u64 *)(r10 - 32) = r8\n\
        r0 = 0\nif r6 < 20 goto out\nr0 = 1\nout:\nexit\n";
    let definition = MapDef::new(ARRAY, 4, 8, 1);
    each(text, &definition, &[0, 1, 5, 20, 21, 200], |_, outcome| assert!(outcome.result.is_ok()));
}

#[test]
fn a_run_may_end_in_a_function_that_is_called_back() {
    if !has_callbacks() {
        return;
    }
    let text = "r6 = r1\nr7 = 7\nr1 = 5\nr2 = func[f] ll\nr3 = 0\nr4 = 0\ncall 103\n*(u64 *)(r6 + 8) = r7\nr0 = 0\nexit\n\
        f:\nr6 = 9\nr7 = r1\n*(u64 *)(r10 - 8) = r6\nif r7 != 3 goto on\ncall 102\non:\nr0 = 0\nexit\n";
    let definition = MapDef::new(ARRAY, 4, 8, 1);
    each(text, &definition, &[0], |_, outcome| assert!(outcome.result.is_err(), "{outcome:?}"));
}
