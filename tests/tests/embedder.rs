//! Platforms of an embedder's own, from the spec to the verdict: small programs against the
//! platform of a file and against one that stands in this file. What rejects a program is a line of
//! the spec, and the rejection says which.

use probity_engine::{Verdict, verify};
use probity_platform::{Code, Platform};
use probity_program::{MapDef, Program};

/// A packet filter, from a file.
mod firewall {
    probity::platform!("../spec/examples/firewall.bpfspec");
}

/// Rules of a game, in place.
mod game {
    probity::spec! {
        platform game;
        use core::{ scalars, memory, context, maps::{ array, helpers } };

        limits { stack 64; frames 2; }
        policy { allow pointer_leaks, uninit_stack, atomics; }

        /// A player's turn.
        view turn size 16 {
            player: u32 narrow first;
            score: u64 read write;
        }

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

        prog_type watch = 1 { ctx turn { deny score; } helpers looks; returns 0..=0; section "watch"; }
        prog_type play = 2 { ctx turn; helpers moves; returns -1..=20; section "play"; }
    }
}

const FIREWALL: (&Platform, u32) = (&firewall::PLATFORM, firewall::prog_types::FILTER);
const WATCH: (&Platform, u32) = (&game::PLATFORM, game::prog_types::WATCH);
const PLAY: (&Platform, u32) = (&game::PLATFORM, game::prog_types::PLAY);

/// A verdict: accepted, or the code, the message, and the text of the spec's line.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Accepted,
    Rejected(Code, String, Option<String>),
    Unsupported(String),
}

/// Verifies a program of a type. Map 0 is an array of one value of 256 bytes.
fn ask((platform, prog_type): (&'static Platform, u32), text: &str) -> Answer {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let mut program = Program::from_insns(prog_type, insns);
    program.maps.push(MapDef::new(firewall::map_types::BPF_MAP_TYPE_ARRAY, 4, 256, 1));
    let report = verify(&program, platform, &platform.default_profile());
    match report.verdict {
        Verdict::Accepted(proof) => {
            assert_eq!(proof.spec_hash(), platform.spec_hash);
            Answer::Accepted
        }
        Verdict::Unsupported(finding) => Answer::Unsupported(finding.rejection.message),
        Verdict::Rejected(finding) => {
            let line = finding.site().map(|site| {
                let file = platform.sources[usize::from(site.file)];
                let text = match file {
                    "../spec/examples/firewall.bpfspec" => include_str!("../../spec/examples/firewall.bpfspec"),
                    "tests/embedder.rs" | "tests/tests/embedder.rs" => include_str!("embedder.rs"),
                    other => panic!("a source of another name: {other}"),
                };
                let line = text.lines().nth(site.line as usize - 1).unwrap_or_default();
                line.trim().to_owned()
            });
            Answer::Rejected(finding.rejection.code, finding.last_line().to_owned(), line)
        }
    }
}

#[track_caller]
fn accepted(platform: (&'static Platform, u32), text: &str) {
    assert_eq!(ask(platform, text), Answer::Accepted, "{text}");
}

/// The program is rejected with a code, and by the line of the spec that begins so; "" for a demand
/// that no line makes.
#[track_caller]
fn rejected(platform: (&'static Platform, u32), text: &str, code: Code, line: &str) {
    match ask(platform, text) {
        Answer::Rejected(found, _, site) if found == code => match site {
            Some(site) => assert!(!line.is_empty() && site.starts_with(line), "by `{site}`\n{text}"),
            None => assert_eq!(line, "", "by no line\n{text}"),
        },
        other => panic!("{other:?}\n{text}"),
    }
}

#[test]
fn probe() {
    let programs = [
        (FIREWALL, "r0 = 3\nexit"),
        (FIREWALL, "r0 = *(u32 *)(r1 +0)\nexit"),
        (FIREWALL, "r0 = r1\nexit"),
        (FIREWALL, "r6 = r1\nr1 = map_value[0] + 0 ll\n*(u64 *)(r1 +0) = r6\nr0 = 0\nexit"),
        (FIREWALL, "r6 = r1\n*(u64 *)(r1 +16) = r6\nr0 = 0\nexit"),
        (FIREWALL, "r0 = *(u64 *)(r10 -8)\nr0 = 0\nexit"),
        (FIREWALL, "r1 = r10\nr1 += -8\nr2 = 8\ncall 101\nr0 = 0\nexit"),
        (FIREWALL, "r1 = map_value[0] + 0 ll\nr2 = 129\ncall 101\nr0 = 0\nexit"),
        (FIREWALL, "r2 = *(u32 *)(r1 +0)\nr2 &= 255\nr2 += 1\nr1 = map_value[0] + 0 ll\ncall 101\nr0 = 0\nexit"),
        (FIREWALL, "r1 = map_value[0] + 0 ll\nr2 = 128\ncall 101\nr0 = 0\nexit"),
        (FIREWALL, "call 7\nr0 = 0\nexit"),
        (WATCH, "r2 = 5\ncall 101\nr0 = 0\nexit"),
        (PLAY, "r2 = 5\ncall 101\nr0 = 0\nexit"),
        (PLAY, "r2 = 101\ncall 101\nr0 = 0\nexit"),
        (PLAY, "r1 = 6\ncall 100\nexit"),
        (PLAY, "r1 = 7\ncall 100\nexit"),
        (PLAY, "r1 = *(u32 *)(r1 +0)\ncall 100\nexit"),
        (WATCH, "r1 = 6\ncall 100\nexit"),
        (WATCH, "r0 = *(u64 *)(r1 +8)\nr0 = 0\nexit"),
        (PLAY, "r0 = *(u8 *)(r1 +0)\nr0 &= 1\nexit"),
        (PLAY, "r0 = *(u8 *)(r1 +1)\nr0 &= 1\nexit"),
        (FIREWALL, "*(u64 *)(r10 -8) = 0\nr2 = 1\nlock *(u64 *)(r10 -8) += r2\nr0 = 0\nexit"),
        (PLAY, "*(u64 *)(r10 -8) = 0\nr2 = 1\nlock *(u64 *)(r10 -8) += r2\nr0 = 0\nexit"),
        (PLAY, "r0 = *(u64 *)(r10 -8)\nr0 = 0\nexit"),
        (PLAY, "r0 = r1\nexit"),
        (FIREWALL, "r0 = 0\ntop: r0 += 1\nif r0 < 2 goto top\nexit"),
        (PLAY, "r0 = 0\ntop: r0 += 1\nif r0 < 2 goto top\nexit"),
        (FIREWALL, "*(u64 *)(r10 -264) = 0\nr0 = 0\nexit"),
        (PLAY, "*(u64 *)(r10 -72) = 0\nr0 = 0\nexit"),
        (FIREWALL, "if r1 > r10 goto pc+0\nr0 = 0\nexit"),
        (FIREWALL, "r1 = map_value[0] + 0 ll\nr2 = *(u32 *)(r1 +2)\nr0 = 0\nexit"),
        (FIREWALL, "r1 = -r1\nr0 = 0\nexit"),
        (FIREWALL, "r2 = r10\nr2 -= r1\nr0 = 0\nexit"),
        (FIREWALL, "*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nr0 = 0\nexit"),
        (FIREWALL, "*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall 101\nr0 = 0\nexit"),
        (FIREWALL, "r0 = *(u16 *)(r1 +4)\nr0 = 0\nexit"),
        (FIREWALL, "*(u32 *)(r1 +0) = 1\nr0 = 0\nexit"),
        (FIREWALL, "r2 = 0\nr3 = r10\nr3 += -16\nr4 = 0\ncall 100\nr0 = 0\nexit"),
        (FIREWALL, "*(u64 *)(r10 -16) = 0\nr0 = *(u64 *)(r10 -8)\nr0 = 0\nexit"),
        (FIREWALL, "*(u64 *)(r10 -16) = 0\nr1 = r10\nr1 += -16\nr2 = 16\ncall 101\nr0 = 0\nexit"),
        (FIREWALL, "*(u64 *)(r10 -16) = 0\nr2 = *(u8 *)(r1 +4)\nr2 &= 8\nr3 = r10\nr3 += -16\nr3 += r2\nr0 = *(u8 *)(r3 +0)\nr0 = 0\nexit"),
        (FIREWALL, "r0 = *(u16 *)skb[12]\nr0 = 0\nexit"),
    ];
    for (platform, text) in programs {
        println!("{} {}: {text:?}\n    {:?}", platform.0.name, platform.1, ask(platform, text));
    }
    println!("{:?}", game::PLATFORM.sources);
}
