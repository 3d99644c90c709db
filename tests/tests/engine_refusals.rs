//! What the engine does not model ends as `unsupported`, with its name: maps in maps of which too
//! little is known, and platforms that are larger than the engine's words.

use probity_engine::{Verdict, verify};
use probity_linux::PLATFORM;
use probity_platform::Platform;
use probity_program::{MapDef, Program};
use probity_tests::probes::{Probe, text};

mod largest {
    probity::spec! {
        platform largest;
        use core::{ scalars, context };
        limits { stack 512; frames 16; }
        view input size 8 { number: u64; }
        prog_type run = 1 { ctx input; section "run"; }
    }
}

/// The name of what is not modelled.
fn unsupported(program: &Program, platform: &'static Platform) -> Option<String> {
    match verify(program, platform, &platform.default_profile()).verdict {
        Verdict::Unsupported(finding) => Some(finding.rejection.message),
        Verdict::Accepted(_) => None,
        Verdict::Rejected(finding) => panic!("{finding:?}"),
    }
}

#[test]
fn platforms_larger_than_the_engine() {
    let insns = probity_isa::assemble("r0 = 0\nexit", &()).expect("a program");
    let program = Program::from_insns(1, insns);
    let name = "a platform with more than 512 bytes of stack or 16 frames";
    // No spec says so: the language refuses such limits. Tables can be made by hand.
    for (stack, frames) in [(520, 8), (512, 17)] {
        let mut platform = largest::PLATFORM;
        platform.limits.stack = stack;
        platform.limits.frames = frames;
        let platform: &'static Platform = Box::leak(Box::new(platform));
        assert_eq!(unsupported(&program, platform).as_deref(), Some(name), "{stack} {frames}");
    }
    assert_eq!(unsupported(&program, &largest::PLATFORM), None);
    // All of it can be used.
    let deepest = "*(u64 *)(r10 -512) = 1\nr0 = *(u64 *)(r10 -512)\nr0 = 0\nexit";
    let insns = probity_isa::assemble(deepest, &()).expect("a program");
    assert_eq!(unsupported(&Program::from_insns(1, insns), &largest::PLATFORM), None);
    let mut frames = String::from("call f1\nr0 = 0\nexit\n");
    for number in 1..15 {
        frames.push_str(&format!("f{number}: call f{}\nr0 = 0\nexit\n", number + 1));
    }
    frames.push_str("f15: r0 = 0\nexit");
    let insns = probity_isa::assemble(&frames, &()).expect("a program");
    assert_eq!(unsupported(&Program::from_insns(1, insns), &largest::PLATFORM), None);
}

const LOOKUP: &str = "r1 = map[0] ll
    *(u32 *)(r10 -4) = 0
    r2 = r10
    r2 += -4
    call 1
    if r0 == 0 goto out
    r1 = r0
    r2 = r10
    r2 += -4
    call 1
    if r0 == 0 goto out
    r0 = *(u64 *)(r0 +8)
    out: r0 = 0
    exit";

/// A program that looks up a map in a map, and a value in that.
fn in_outer(inner: Option<usize>, template: MapDef) -> Program {
    const SOCKET_FILTER: u32 = 1;
    const ARRAY_OF_MAPS: u32 = 12;
    let insns = probity_isa::assemble(LOOKUP, &()).expect("a program");
    let mut program = Program::from_insns(SOCKET_FILTER, insns);
    let outer = MapDef { name: "outer".into(), inner, ..MapDef::new(ARRAY_OF_MAPS, 4, 4, 1) };
    program.maps = vec![outer, template];
    program
}

#[test]
fn inner_maps_that_are_not_known() {
    const ARRAY: u32 = 2;
    let array = MapDef::new(ARRAY, 4, 16, 1);
    assert_eq!(unsupported(&in_outer(Some(1), array.clone()), &PLATFORM), None);
    let unknown = Some("the inner map of outer".to_owned());
    assert_eq!(unsupported(&in_outer(None, array.clone()), &PLATFORM), unknown);
    assert_eq!(unsupported(&in_outer(Some(2), array), &PLATFORM), unknown);
    let no_type = MapDef::new(9999, 4, 16, 1);
    assert_eq!(unsupported(&in_outer(Some(1), no_type), &PLATFORM), unknown);
}

/// With the value that the records have under this name, in an inner map.
fn with_value(map: &str) -> Program {
    let text = format!("\n# special/value\nSOCKET_FILTER maps={map}\nr0 = 0; exit\n");
    let read: Vec<Probe> = text::read(&text).expect("a probe");
    let mut program = in_outer(Some(1), read[0].program.maps[0].clone());
    program.btf.clone_from(&read[0].program.btf);
    program
}

#[test]
fn inner_maps_with_special_values() {
    let mut program = with_value("rm");
    let name = Some("map values with bpf_res_spin_lock");
    assert_eq!(unsupported(&program, &PLATFORM).as_deref(), name);
    // A template that is looked up itself.
    program.maps[0] = program.maps[1].clone();
    assert_eq!(unsupported(&program, &PLATFORM).as_deref(), name);
    // What is modelled is judged: the load touches the timer.
    match verify(&with_value("tm"), &PLATFORM, &PLATFORM.default_profile()).verdict {
        Verdict::Rejected(finding) => {
            assert_eq!(finding.rejection.message, "bpf_timer cannot be accessed directly by load/store");
        }
        other => panic!("{other:?}"),
    }
}
