//! Platforms of an embedder's own, from the spec to the verdict: small programs against the
//! platform of a file and against some that stand in this file. What rejects a program is a line of
//! the spec, and the rejection says which; what no line allows, none can be named for.

use probity_engine::{Verdict, verify};
use probity_platform::{Code, Platform, Site};
use probity_program::{MapDef, Program};

/// A packet filter, from a file.
mod firewall {
    probity::platform!("../spec/examples/firewall.bpfspec");
}

/// The moves of a game, in place. It is free with pointers.
mod game {
    probity::spec! {
        platform game;
        use core::{ scalars, memory, context, maps::{ array, helpers } };

        limits { stack 64; frames 2; }
        policy { allow pointer_leaks, uninit_stack, atomics, unaligned; }

        /// A player's turn.
        view turn size 16 {
            player: u32 narrow first;
            score: u64 read write;
        }

        /// Rolls one die.
        helper roll = 100 {
            proto (sides: ARG_SCALAR) -> RET_INTEGER;
            where sides.const in { 6, 20 } else "dice have 6 or 20 sides";
            returns 1..=sides.const;
        }

        helper give = 101 {
            proto (turn: ARG_PTR_TO_CTX, points: ARG_SCALAR) -> RET_VOID;
            where points.umax <= 100;
        }

        set looks { roll; bpf_map_lookup_elem; }
        set moves { include looks; give; }

        prog_type watch = 1 {
            ctx turn { deny score; }
            helpers looks;
            returns 0..=0;
            section "watch";
        }

        prog_type play = 2 {
            ctx turn;
            helpers moves;
            returns -1..=20;
            section "play";
        }
    }
}

/// Numbers only: a platform that lets no pointer out.
mod tight {
    probity::spec! {
        platform tight;
        use core::{ scalars, memory, context, maps::{ array, helpers } };
        policy { allow atomics; }
        view input size 16 { number: u64; result: u64 read write; }
        helper tell = 100 { proto (number: ARG_ANYTHING) -> RET_INTEGER; }
        helper sum = 101 { proto (of: ARG_PTR_TO_MEM | MEM_RDONLY, size: ARG_CONST_SIZE) -> RET_INTEGER; }
        prog_type compute = 1 { ctx input; helpers all; section "compute"; }
    }
}

/// A platform with room for very little.
mod tiny {
    probity::spec! {
        platform tiny;
        use core::{ scalars, context };
        limits { insns 6; processed 8; pending 1; subprogs 2; }
        policy { allow loops; }
        view input size 8 { number: u64; }
        prog_type run = 1 { ctx input; section "run"; }
    }
}

/// A platform and a program type of it.
type Target = (&'static Platform, u32);

const FIREWALL: Target = (&firewall::PLATFORM, firewall::prog_types::FILTER);
const WATCH: Target = (&game::PLATFORM, game::prog_types::WATCH);
const PLAY: Target = (&game::PLATFORM, game::prog_types::PLAY);
const TINY: Target = (&tiny::PLATFORM, tiny::prog_types::RUN);
const TIGHT: Target = (&tight::PLATFORM, tight::prog_types::COMPUTE);

/// A verdict: accepted, or the code, the message, and the place in the spec.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Accepted,
    Rejected(Code, String, Option<Site>),
    Unsupported(String),
}

/// Verifies a program. Its map 0 is an array of one value of 256 bytes.
fn ask((platform, prog_type): Target, text: &str) -> Answer {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let mut program = Program::from_insns(prog_type, insns);
    program.maps.push(MapDef::new(tight::map_types::BPF_MAP_TYPE_ARRAY, 4, 256, 1));
    let report = verify(&program, platform, &platform.default_profile());
    match report.verdict {
        Verdict::Accepted(proof) => {
            assert_eq!(proof.spec_hash(), platform.spec_hash);
            Answer::Accepted
        }
        Verdict::Unsupported(finding) => Answer::Unsupported(finding.rejection.message),
        Verdict::Rejected(finding) => {
            Answer::Rejected(finding.rejection.code, finding.last_line().to_owned(), finding.site())
        }
    }
}

/// The text of a spec from a place to the end of its line.
fn text_at(platform: &Platform, site: Site) -> &'static str {
    let file = platform.sources[usize::from(site.file)];
    let text = if file.ends_with("firewall.bpfspec") {
        include_str!("../../spec/examples/firewall.bpfspec")
    } else {
        assert!(file.ends_with("tests/embedder.rs"), "a source of the name `{file}`");
        include_str!("embedder.rs")
    };
    let line = text.lines().nth(site.line as usize - 1).unwrap_or_default();
    line.get(site.column as usize - 1..).unwrap_or_default()
}

#[track_caller]
fn accepted(target: Target, text: &str) {
    assert_eq!(ask(target, text), Answer::Accepted, "{text}");
}

/// The program is rejected with a code, and the place in the spec begins with `from`.
#[track_caller]
fn rejected_by(target: Target, text: &str, code: Code, from: &str) {
    match ask(target, text) {
        Answer::Rejected(found, message, Some(site)) if found == code => {
            let spec = text_at(target.0, site);
            assert!(spec.starts_with(from), "{message}: by `{spec}`\n{text}");
        }
        other => panic!("{other:?}\n{text}"),
    }
}

/// The program is rejected with a code; what it does is allowed by no line of the spec.
#[track_caller]
fn not_allowed(target: Target, text: &str, code: Code) {
    match ask(target, text) {
        Answer::Rejected(found, _, None) => assert_eq!(found, code, "{text}"),
        other => panic!("{other:?}\n{text}"),
    }
}

/// The program is rejected with a code, by what the spec says of its policy: nothing, or not this.
#[track_caller]
fn not_in_policy(target: Target, text: &str, code: Code) {
    rejected_by(target, text, code, "policy {");
}

/// The program is rejected with a code, by a limit of the spec.
#[track_caller]
fn beyond_limits(target: Target, text: &str, code: Code) {
    let limit = match code {
        Code::CallDepth => "frames ",
        Code::ProgramSize => "insns ",
        Code::TooComplex => "processed ",
        Code::TooManyBranches => "pending ",
        Code::TooManySubprograms => "subprogs ",
        _ => "stack ",
    };
    rejected_by(target, text, code, limit);
}

#[test]
fn sources_have_names() {
    assert_eq!(firewall::PLATFORM.sources, ["../spec/examples/firewall.bpfspec", "core.bpfspec"]);
    assert!(game::PLATFORM.sources[0].ends_with("tests/embedder.rs"), "{:?}", game::PLATFORM.sources);
    assert_ne!(game::PLATFORM.spec_hash, tight::PLATFORM.spec_hash);
}

#[test]
fn programs_that_keep_to_the_spec_are_accepted() {
    accepted(
        FIREWALL,
        "r6 = r1
         r2 = 0
         r3 = r10
         r3 += -16
         r4 = 16
         call 100
         if r0 != 0 goto short
         r1 = r10
         r1 += -16
         r2 = 16
         call 101
         r0 = *(u8 *)(r10 -16)
         r0 &= 1
         *(u64 *)(r6 +16) = r0
         exit
         short: r0 = 2
         exit",
    );
    // `allow loops`, and a value of the map.
    accepted(
        FIREWALL,
        "r1 = map_value[0] + 0 ll
         r2 = 0
         top: r1 += 1
         r2 += 1
         if r2 < 100 goto top
         r0 = *(u8 *)(r1 +0)
         r0 &= 1
         exit",
    );
    accepted(
        FIREWALL,
        "r1 = map[0] ll
         *(u32 *)(r10 -4) = 0
         r2 = r10
         r2 += -4
         call 1
         if r0 == 0 goto out
         r1 = r0
         r2 = 128
         call 101
         out: r0 = 0
         exit",
    );
    accepted(PLAY, "r1 = 20\ncall 100\nexit");
    accepted(PLAY, "r2 = 100\ncall 101\nr0 = -1\nexit");
    accepted(WATCH, "r0 = 0\nexit");
}

#[test]
fn exit_values_are_in_the_range_of_the_spec() {
    rejected_by(FIREWALL, "r0 = 3\nexit", Code::ExitRange, "returns 0..=2;");
    rejected_by(FIREWALL, "r0 = -1\nexit", Code::ExitRange, "returns 0..=2;");
    rejected_by(FIREWALL, "r0 = *(u32 *)(r1 +0)\nexit", Code::ExitRange, "returns 0..=2;");
    // What a helper may return is what its spec says.
    rejected_by(WATCH, "r1 = 6\ncall 100\nexit", Code::ExitRange, "returns 0..=0;");
    rejected_by(PLAY, "r1 = 6\ncall 100\nr0 += 15\nexit", Code::ExitRange, "returns -1..=20;");
    accepted(PLAY, "r1 = 6\ncall 100\nr0 += 14\nexit");
}

#[test]
fn pointers_do_not_leave() {
    let into_map = "r6 = r1\nr1 = map_value[0] + 0 ll\n*(u64 *)(r1 +0) = r6\nr0 = 0\nexit";
    for target in [FIREWALL, TIGHT] {
        not_in_policy(target, into_map, Code::PointerLeak);
        not_in_policy(target, "r0 = r1\nexit", Code::PointerLeak);
        not_in_policy(target, "r0 = map[0] ll\nexit", Code::PointerLeak);
        not_in_policy(target, "*(u64 *)(r10 -8) = r1\nr0 = *(u64 *)(r10 -8)\nexit", Code::PointerLeak);
        not_in_policy(target, "r0 = 0\nif r1 > r10 goto pc+0\nexit", Code::PointerComparison);
        not_in_policy(target, "r0 = 0\nif r1 == 5 goto pc+0\nexit", Code::PointerComparison);
        not_allowed(target, "r0 = r10\nr0 -= r1\nexit", Code::PointerArithmetic);
        not_allowed(target, "r0 = r1\nr0 &= -8\nexit", Code::PointerArithmetic);
        not_in_policy(target, "w0 = w1\nexit", Code::PointerLeak);
        not_in_policy(target, "r0 = (s8)r1\nexit", Code::PointerLeak);
        not_allowed(target, "*(u64 *)(r10 -8) = r1\nr0 = *(u8 *)(r10 -8)\nexit", Code::PartialPointer);
        not_allowed(
            target,
            "*(u64 *)(r10 -8) = r1\n*(u32 *)(r10 -8) = 0\nr0 = 0\nexit",
            Code::PartialPointer,
        );
    }
    not_in_policy(TIGHT, "*(u64 *)(r1 +8) = r10\nr0 = 0\nexit", Code::PointerLeak);
    let exchanged = "r6 = r1\nr1 = map_value[0] + 0 ll\nr6 = atomic64_xchg((u64 *)(r1 +0), r6)\nr0 = 0\nexit";
    not_in_policy(TIGHT, exchanged, Code::PointerLeak);
    rejected_by(TIGHT, "call 100\nexit", Code::PointerLeak, "number: ARG_ANYTHING");
    // Bytes of the stack that hold a pointer. Memory is looked at when its size is.
    let spilled = "*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall 101\nr0 = 0\nexit";
    rejected_by(TIGHT, spilled, Code::UninitializedStack, "size: ARG_CONST_SIZE");
    // Where they are allowed to.
    accepted(PLAY, into_map);
    accepted(PLAY, "*(u64 *)(r1 +8) = r10\nr0 = 0\nexit");
}

#[test]

fn pointers_are_not_changed_into_numbers() {
    for change in ["r6 = -r6", "w6 = -w6", "r6 = be64 r6", "r6 = le32 r6", "r6 = bswap64 r6"] {
        let text = format!("r6 = r1\n{change}\nr1 = map_value[0] + 0 ll\n*(u64 *)(r1 +0) = r6\nr0 = 0\nexit");
        not_in_policy(TIGHT, &text, Code::PointerArithmetic);
        accepted(PLAY, &text);
    }
}

#[test]
fn stack_is_written_before_it_is_read() {
    // The frame is deep enough, the bytes were never written.
    let read = "*(u64 *)(r10 -16) = 0\nr0 = *(u64 *)(r10 -8)\nr0 = 0\nexit";
    not_in_policy(FIREWALL, read, Code::UninitializedStack);
    accepted(PLAY, read);
    // Nothing that deep was ever written: the message is the kernel's, where the frame ends before.
    let below = "r0 = *(u64 *)(r10 -8)\nr0 = 0\nexit";
    not_in_policy(FIREWALL, below, Code::UninitializedStack);
    accepted(PLAY, below);
    // A part of a slot was written: the rest of it was not.
    for store in
        ["*(u32 *)(r10 -8) = 0", "*(u32 *)(r10 -8) = r1", "*(u8 *)(r10 -8) = 7", "*(u16 *)(r10 -4) = 7"]
    {
        let read = format!("r1 = 5\n{store}\nr0 = *(u64 *)(r10 -8)\nr0 = 0\nexit");
        not_in_policy(FIREWALL, &read, Code::UninitializedStack);
        let argument = format!("r1 = 5\n{store}\nr1 = r10\nr1 += -8\nr2 = 8\ncall 101\nr0 = 0\nexit");
        rejected_by(FIREWALL, &argument, Code::UninitializedStack, "size: ARG_CONST_SIZE");
        let variable = format!(
            "r6 = *(u32 *)(r1 +0)\nr6 &= 3\nr1 = 5\n{store}\nr6 += r10\nr6 += -8\nr0 = *(u8 *)(r6 +4)\nr0 = 0\nexit"
        );
        not_in_policy(FIREWALL, &variable, Code::UninitializedStack);
    }
    accepted(FIREWALL, "*(u32 *)(r10 -8) = 0\n*(u32 *)(r10 -4) = 0\nr0 = *(u64 *)(r10 -8)\nr0 = 0\nexit");
    let argument = "*(u64 *)(r10 -16) = 0\nr1 = r10\nr1 += -16\nr2 = 16\ncall 101\nr0 = 0\nexit";
    rejected_by(FIREWALL, argument, Code::UninitializedStack, "size: ARG_CONST_SIZE");
    accepted(FIREWALL, &argument.replacen("r1 = r10", "*(u64 *)(r10 -8) = 0\nr1 = r10", 1));
}

#[test]
fn conditions_over_arguments_hold() {
    let log = |size: &str| format!("{size}\nr1 = map_value[0] + 0 ll\ncall 101\nr0 = 0\nexit");
    accepted(FIREWALL, &log("r2 = 128"));
    rejected_by(FIREWALL, &log("r2 = 129"), Code::ArgumentCondition, "where size.umax <= 128;");
    let any_byte = "r2 = *(u32 *)(r1 +0)\nr2 &= 255\nr2 += 1";
    rejected_by(FIREWALL, &log(any_byte), Code::ArgumentCondition, "where size.umax <= 128;");
    accepted(FIREWALL, &log("r2 = *(u32 *)(r1 +0)\nr2 &= 127\nr2 += 1"));

    let dice = "where sides.const in { 6, 20 }";
    rejected_by(PLAY, "r1 = 7\ncall 100\nexit", Code::ArgumentCondition, dice);
    rejected_by(PLAY, "r1 = *(u32 *)(r1 +0)\ncall 100\nexit", Code::ArgumentNotConstant, dice);
    match ask(PLAY, "r1 = 7\ncall 100\nexit") {
        Answer::Rejected(_, message, _) => assert_eq!(message, "dice have 6 or 20 sides"),
        other => panic!("{other:?}"),
    }
    let give = "r2 = 101\ncall 101\nr0 = 0\nexit";
    rejected_by(PLAY, give, Code::ArgumentCondition, "where points.umax <= 100;");
    let nothing = "r2 = 0\nr3 = r10\nr3 += -16\nr4 = 0\ncall 100\nr0 = 0\nexit";
    rejected_by(FIREWALL, nothing, Code::ArgumentSize, "size: ARG_CONST_SIZE");
}

#[test]
fn helpers_are_called_where_they_are_offered() {
    let give = "r2 = 5\ncall 101\nr0 = 0\nexit";
    accepted(PLAY, give);
    rejected_by(WATCH, give, Code::CallableNotOffered, "give = 101");
    for target in [FIREWALL, WATCH, PLAY, TIGHT] {
        not_allowed(target, "call 7\nr0 = 0\nexit", Code::UnknownCallable);
    }
}

#[test]
fn instructions_are_allowed_by_the_policy() {
    let atomics = [
        "lock *(u64 *)(r10 -8) += r2",
        "r2 = atomic64_xchg((u64 *)(r10 -8), r2)",
        "r2 = load_acquire((u64 *)(r10 -8))",
        "store_release((u64 *)(r10 -8), r2)",
    ];
    for atomic in atomics {
        let text = format!("*(u64 *)(r10 -8) = 0\nr2 = 1\n{atomic}\nr0 = 0\nexit");
        not_in_policy(FIREWALL, &text, Code::NotAllowed);
        accepted(PLAY, &text);
        accepted(TIGHT, &text);
    }
    let round = "r0 = 0\ntop: r0 += 1\nif r0 < 2 goto top\nexit";
    accepted(FIREWALL, round);
    not_in_policy(PLAY, round, Code::BackEdge);
    let unaligned = "r1 = map_value[0] + 0 ll\nr2 = *(u32 *)(r1 +2)\nr0 = 0\nexit";
    not_in_policy(FIREWALL, unaligned, Code::Misaligned);
    accepted(PLAY, unaligned);
    rejected_by(FIREWALL, "r6 = r1\nr0 = *(u8 *)skb[0]\nr0 = 0\nexit", Code::NotAllowed, "filter = 1");
}

#[test]
fn contexts_are_accessed_by_the_rules_of_their_views() {
    accepted(FIREWALL, "r0 = *(u8 *)(r1 +4)\nr0 &= 1\nexit");
    rejected_by(FIREWALL, "r0 = *(u16 *)(r1 +4)\nr0 = 0\nexit", Code::InvalidContextAccess, "direction: u8");
    rejected_by(FIREWALL, "*(u32 *)(r1 +0) = 1\nr0 = 0\nexit", Code::InvalidContextAccess, "length: u32");
    // Narrow reads at the first byte only.
    for (at, size) in [(0, 8), (0, 16), (0, 32)] {
        accepted(PLAY, &format!("r0 = *(u{size} *)(r1 +{at})\nr0 &= 1\nexit"));
    }
    for (at, size) in [(1, 8), (2, 16), (3, 8)] {
        let text = format!("r0 = *(u{size} *)(r1 +{at})\nr0 &= 1\nexit");
        rejected_by(PLAY, &text, Code::InvalidContextAccess, "player: u32");
    }
    // What a program type denies.
    accepted(PLAY, "r0 = *(u64 *)(r1 +8)\nr0 &= 1\nexit");
    let score = "r0 = *(u64 *)(r1 +8)\nr0 = 0\nexit";
    rejected_by(WATCH, score, Code::InvalidContextAccess, "ctx turn { deny score; }");
}

#[test]
fn limits_are_those_of_the_spec() {
    accepted(FIREWALL, "*(u64 *)(r10 -256) = 0\nr0 = 0\nexit");
    beyond_limits(FIREWALL, "*(u64 *)(r10 -264) = 0\nr0 = 0\nexit", Code::StackOutOfBounds);
    accepted(PLAY, "*(u64 *)(r10 -64) = 0\nr0 = 0\nexit");
    beyond_limits(PLAY, "*(u64 *)(r10 -72) = 0\nr0 = 0\nexit", Code::StackOutOfBounds);
    let frames = "call f\nr0 = 0\nexit\nf: call g\nexit\ng: r0 = 1\nexit";
    accepted(FIREWALL, frames);
    beyond_limits(PLAY, frames, Code::CallDepth);
    let stack = "*(u64 *)(r10 -40) = 0\ncall f\nr0 = 0\nexit\nf: *(u64 *)(r10 -40) = 0\nr0 = 0\nexit";
    accepted(FIREWALL, stack);
    beyond_limits(PLAY, stack, Code::StackDepth);
}

#[test]
fn programs_are_no_larger_than_the_limits() {
    accepted(TINY, "r0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nexit");
    beyond_limits(TINY, "r0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nexit", Code::ProgramSize);
    beyond_limits(TINY, "", Code::ProgramSize);
    // Eight instructions on the way, then nine.
    accepted(TINY, "r0 = 0\ntop: r0 += 1\nif r0 < 3 goto top\nexit");
    beyond_limits(TINY, "r0 = 0\ntop: r0 += 1\nif r0 < 4 goto top\nexit", Code::TooComplex);
    accepted(TINY, "r0 = *(u64 *)(r1 +0)\nif r0 > 5 goto pc+0\nr0 = 0\nexit");
    let two = "r0 = *(u64 *)(r1 +0)\nif r0 > 5 goto pc+0\nif r0 > 3 goto pc+0\nr0 = 0\nexit";
    beyond_limits(TINY, two, Code::TooManyBranches);
    accepted(TINY, "call f\nexit\nf: r0 = 0\nexit");
    beyond_limits(TINY, "call f\ncall g\nexit\nf: exit\ng: exit", Code::TooManySubprograms);
}

/// Two ways that differ in a number, and meet where a state was remembered.
fn meeting(limit: u32) -> String {
    let filler = "r4 = 0\n".repeat(8);
    format!(
        "r6 = r1
         r2 = *(u64 *)(r1 +8)
         r3 = *(u32 *)(r1 +0)
         if r3 == 0 goto large
         r2 &= 63
         {filler}
         if r3 == 5 goto one
         one: if r3 == 6 goto two
         two: {filler}
         goto give
         large: r4 = 0
         r2 &= {limit}
         give: r1 = r6
         call 101
         r0 = 0
         exit"
    )
}

/// A condition on an argument holds on every path: a state that was explored where it held, and in which
/// nobody looked at the number closely, does not stand for one where it does not.
#[test]
fn what_a_condition_reads_is_precise() {
    assert_eq!(ask(PLAY, &meeting(31)), Answer::Accepted);
    let Answer::Rejected(code, message, _) = ask(PLAY, &meeting(1023)) else { panic!("it gives up to 1023") };
    assert_eq!((code, message.as_str()), (Code::ArgumentCondition, "points.umax <= 100"));
}

/// Where calls end up in a kernel, its spec says by itself what is precise: this one forgot.
#[test]
fn a_kernels_spec_says_what_is_precise() {
    const KERNEL: Target = (&kernel::PLATFORM, kernel::prog_types::PLAY);
    assert_eq!(ask(KERNEL, &meeting(1023)), Answer::Accepted);
}

/// A platform without a host.
mod kernel {
    probity::spec! {
        platform kernel;
        host none;
        use core::{ scalars, memory, context };
        view turn size 16 { player: u32; score: u64; }
        helper give = 101 {
            proto (turn: ARG_PTR_TO_CTX, points: ARG_SCALAR) -> RET_VOID;
            where points.umax <= 100;
        }
        prog_type play = 2 { ctx turn; helpers all; section "play"; }
    }
}
