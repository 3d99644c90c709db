//! Explanations as data: histories found by running the failing path again.

use probity::engine::{Explanation, explain, explain::What};
use probity::{Platform, Verdict, linux};
use probity_engine::verify;
use probity_platform::Code;
use probity_program::{MapDef, Program};

mod firewall {
    probity::platform!("../spec/examples/firewall.bpfspec");
}

const XDP: (&Platform, u32) = (&linux::PLATFORM, 6);
const TC: (&Platform, u32) = (&linux::PLATFORM, 3);
const FILTER: (&Platform, u32) = (&firewall::PLATFORM, firewall::prog_types::FILTER);

/// Explains why a program is rejected. Its map 0 is an array of one value of 64 bytes.
#[track_caller]
fn explained((platform, prog_type): (&'static Platform, u32), code: Code, text: &str) -> Explanation {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let mut program = Program::from_insns(prog_type, insns);
    let mut map = MapDef::new(2, 4, 64, 1);
    map.name = "numbers".into();
    program.maps.push(map);
    let profile = platform.default_profile();
    match verify(&program, platform, &profile).verdict {
        Verdict::Rejected(finding) => {
            assert_eq!(finding.rejection.code, code, "{}", finding.rejection.message);
            explain(&program, platform, &profile, &finding)
        }
        other => panic!("{other:?}\n{text}"),
    }
}

fn steps(explanation: &Explanation) -> Vec<(usize, What)> {
    explanation.history.iter().map(|step| (step.pc, step.what)).collect()
}

#[test]
fn a_value_is_followed_through_the_stack_and_arithmetic() {
    let told = explained(
        XDP,
        Code::UnboundedAccess,
        "r2 = *(u32 *)(r1 +16)
         *(u64 *)(r10 -8) = r2
         r2 = 0
         r6 = map_value[0] + 0 ll
         r3 = *(u64 *)(r10 -8)
         r3 <<= 2
         r6 += r3
         r0 = *(u8 *)(r6 +0)
         exit",
    );
    assert_eq!(told.subject.as_deref(), Some("r6"));
    assert_eq!(
        steps(&told),
        [
            (0, What::Loaded),
            (1, What::Spilled),
            (3, What::Constant),
            (5, What::Filled),
            (6, What::Computed),
            (7, What::Computed),
        ]
    );
    assert_eq!(told.history[0].text, "r2 is read from field `rx_queue_index` of `xdp_md`: any 32-bit number");
    assert_eq!(told.registers.len(), 1);
    assert_eq!(
        told.registers[0].holds,
        "a pointer to a value of map `numbers` (64 bytes), offset 0..=17179869180"
    );
}

/// Paths that ended before are no part of the one that failed.
#[test]
fn only_the_failing_path_is_told() {
    let told = explained(
        XDP,
        Code::ArgumentSize,
        "r6 = *(u32 *)(r1 +16)
         r7 = *(u32 *)(r1 +12)
         if r7 > 3 goto other
         if r6 > 5 goto other
         r6 = 5
         r0 = 1
         exit
         other: if r6 > 9 goto out
         r1 = map_value[0] + 0 ll
         r2 = r6
         r3 = r10
         call 6
         out: r0 = 1
         exit",
    );
    // r2 may be 0; of the comparisons, only those of this path bound it.
    assert_eq!(told.subject.as_deref(), Some("r2"));
    let told: Vec<_> = told.history.iter().filter(|step| step.what == What::Compared).collect();
    assert_eq!(told.iter().map(|step| step.pc).collect::<Vec<_>>().last(), Some(&7), "{told:?}");
    assert!(told.iter().all(|step| step.text.contains("does not hold") || step.pc == 3), "{told:?}");
}

#[test]
fn values_are_followed_into_functions_and_out_of_them() {
    let passed = explained(
        TC,
        Code::InvalidMemAccess,
        "r1 = 7
         call callee
         r0 = 0
         exit
         callee: r0 = *(u8 *)(r1 +0)
         exit",
    );
    assert_eq!(steps(&passed), [(0, What::Constant), (1, What::Passed)]);
    let returned = explained(
        TC,
        Code::InvalidMemAccess,
        "call callee
         r0 = *(u8 *)(r0 +0)
         exit
         callee: r0 = 7
         exit",
    );
    assert_eq!(steps(&returned), [(3, What::Constant), (4, What::Returned)]);
    let lost = explained(
        TC,
        Code::UninitializedRegister,
        "call callee
         r0 = *(u8 *)(r1 +0)
         exit
         callee: r0 = 7
         exit",
    );
    assert_eq!(steps(&lost), [(0, What::Lost)]);
}

#[test]
fn null_checks_and_their_absence_are_told() {
    let lookup = "*(u32 *)(r10 -4) = 1
         r2 = r10
         r2 += -4
         r1 = map[0] ll
         call 1
         ";
    let told = explained(XDP, Code::MaybeNull, &format!("{lookup}r0 = *(u8 *)(r0 +0)\nexit"));
    assert_eq!(steps(&told), [(5, What::Returned)]);
    assert!(told.history[0].text.ends_with("(64 bytes), may be null"), "{}", told.history[0].text);
    let told = explained(
        XDP,
        Code::OutOfBounds,
        &format!("{lookup}if r0 == 0 goto out\nr0 = *(u8 *)(r0 +64)\nout: r0 = 0\nexit"),
    );
    assert_eq!(steps(&told), [(5, What::Returned), (6, What::Compared)]);
}

#[test]
fn what_is_held_is_told_with_the_branches_since() {
    let told = explained(
        TC,
        Code::ReferenceLeak,
        "r6 = r1
         *(u64 *)(r10 -16) = 0
         *(u32 *)(r10 -8) = 0
         r2 = r10
         r2 += -16
         r3 = 12
         r4 = -1
         r5 = 0
         call 84
         if r0 == 0 goto out
         r2 = *(u32 *)(r6 +0)
         if r2 > 9 goto out
         r1 = r0
         call 86
         out: r0 = 0
         exit",
    );
    assert_eq!(steps(&told), [(8, What::Acquired), (9, What::Branched), (11, What::Branched)]);
    assert!(told.suggestion.unwrap().contains("bpf_sk_release"));
}

#[test]
fn loops_are_told_once_and_long_paths_from_their_end() {
    let told = explained(
        XDP,
        Code::InvalidMemAccess,
        "r6 = 0
         r7 = 0
         top: r6 += 1
         r7 += 1
         if r7 < 3000 goto top
         r0 = *(u8 *)(r6 +0)
         exit",
    );
    // The beginning is further back than states are kept.
    assert_eq!(steps(&told), [(2, What::Computed)]);
    assert!(told.left_out > 100, "{}", told.left_out);
    assert!(told.history[0].text.ends_with("makes r6 the number 3000"), "{}", told.history[0].text);
}

#[test]
fn a_limit_names_where_the_work_is() {
    let told = explained(
        XDP,
        Code::TooComplex,
        "r0 = 0
         top: r0 += 1
         if r0 != 2000000 goto top
         exit",
    );
    assert!(told.history.iter().all(|step| step.what == What::Repeated), "{:?}", told.history);
    assert!(told.history[0].text.starts_with("processed ") && told.history[0].pc == 1, "{:?}", told.history);
}

/// What only other platforms than Linux refuse.
#[test]
fn platforms_of_embedders_are_explained() {
    let below = explained(FILTER, Code::UninitializedStack, "r0 = *(u64 *)(r10 -8)\nr0 = 0\nexit");
    assert_eq!(below.subject.as_deref(), Some("fp-8"));
    assert_eq!(steps(&below), [(0, What::NeverWritten)]);
    let half = explained(
        FILTER,
        Code::UninitializedStack,
        "*(u32 *)(r10 -8) = 0\nr0 = *(u64 *)(r10 -8)\nr0 = 0\nexit",
    );
    assert_eq!(half.subject.as_deref(), Some("fp-4"));
    assert_eq!(steps(&half), [(0, What::NeverWritten), (0, What::Written)]);
    assert_eq!(half.history[0].text, "nothing on this path writes the byte at fp-4");
    assert_eq!(half.history[1].text, "4 bytes at fp-8 are written, and no more");
    let leak = explained(FILTER, Code::PointerLeak, "r0 = r1\nexit");
    assert_eq!(leak.subject.as_deref(), Some("r0"));
    assert_eq!(steps(&leak), [(0, What::Entry), (0, What::Copied)]);
    let compared = explained(FILTER, Code::PointerComparison, "r0 = 0\nif r1 == 5 goto pc+0\nexit");
    assert_eq!(compared.registers[0].holds, "the context `packet`");
    let part =
        explained(FILTER, Code::PartialPointer, "*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nr0 = 0\nexit");
    assert_eq!(part.subject.as_deref(), Some("fp-8"));
    assert_eq!(steps(&part), [(0, What::Entry), (0, What::Spilled)]);
    let size = explained(
        FILTER,
        Code::ArgumentSize,
        "r1 = map_value[0] + 0 ll\nr2 = 1\nr2 += -1\ncall 101\nr0 = 0\nexit",
    );
    assert_eq!(size.registers.len(), 2);
    assert!(size.suggestion.is_some());
}
