//! Arrays of programs: tail calls while they change, how many a run makes, who may claim them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use probity_engine::{Verdict, verify};
use probity_isa::{Insn, opcode::*};
use probity_linux::PLATFORM;
use probity_platform::{Intrinsic, MapBody};
use probity_program::{MapDef, Program};
use probity_tests::plain::{call, copy, mov};
use probity_vm::maps::{Engine, ProgArrayError};
use probity_vm::{CheckedProgram, Executable, Input, LinkError, Map, Packet, Runtime, RuntimeOptions};

const SOCKET_FILTER: u32 = 1;
const XDP: u32 = 6;

fn number(body: MapBody) -> u32 {
    PLATFORM.map_types.iter().find(|row| row.body == Some(body)).expect("a type for each body").number
}

fn helper(intrinsic: Intrinsic) -> Insn {
    let row = PLATFORM.callables.iter().find(|row| row.body == Some(intrinsic));
    call(row.expect("a helper for each").number)
}

fn map(dst: u8, index: i32) -> [Insn; 2] {
    [Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, 1, 0, index), Insn::new(0, 0, 0, 0, 0)]
}

/// Counts itself, goes to the program at an index of the array, and returns a number when there is
/// none.
fn hop(prog_type: u32, index: i64, returns: i32) -> Program {
    let mut insns = vec![copy(6, 1), Insn::new(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0)];
    insns.extend(map(1, 1));
    insns.extend([copy(2, 10), Insn::new(BPF_ALU64 | BPF_ADD, 2, 0, 0, -4), helper(Intrinsic::MapLookup)]);
    insns.push(Insn::new(BPF_JMP | BPF_JEQ, 0, 0, 3, 0));
    insns.push(Insn::new(BPF_LDX | BPF_MEM | BPF_DW, 1, 0, 0, 0));
    insns.push(Insn::new(BPF_ALU64 | BPF_ADD, 1, 0, 0, 1));
    insns.push(Insn::new(BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0));
    insns.push(copy(1, 6));
    insns.extend(map(2, 0));
    insns.push(Insn::new(BPF_LD | BPF_IMM | BPF_DW, 3, 0, 0, index as i32));
    insns.push(Insn::new(0, 0, 0, 0, (index >> 32) as i32));
    insns.push(helper(Intrinsic::TailCall));
    insns.push(mov(0, returns));
    insns.push(Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    let mut program = Program::from_insns(prog_type, insns);
    program.license = "GPL".to_owned();
    program.maps =
        vec![MapDef::new(number(MapBody::ProgArray), 4, 4, 4), MapDef::new(number(MapBody::Array), 4, 8, 1)];
    program
}

fn link(program: &Program, maps: &[Arc<Map>]) -> Result<Executable, LinkError> {
    match verify(program, &PLATFORM, &PLATFORM.default_profile()).verdict {
        Verdict::Accepted(verified) => Executable::new(&verified, maps.to_vec()),
        other => panic!("not accepted: {other:?}"),
    }
}

fn check(program: &Program, maps: &[Arc<Map>]) -> Result<CheckedProgram, LinkError> {
    CheckedProgram::new(program, &PLATFORM, &PLATFORM.default_profile(), maps.to_vec())
}

fn maps(runtime: &Runtime, program: &Program) -> Vec<Arc<Map>> {
    program.maps.iter().map(|map| runtime.map(&PLATFORM, map).expect("a map")).collect()
}

fn count(maps: &[Arc<Map>]) -> u64 {
    let value = maps[1].get(&[0; 4]).expect("the counter");
    u64::from_ne_bytes(value.try_into().expect("8 bytes"))
}

#[test]
fn a_run_makes_33_tail_calls() {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    for checked in [false, true] {
        // The index has 32 bits: what is above does not count.
        let program = hop(XDP, 1 << 40 | 2, 7);
        let maps = maps(&runtime, &program);
        let mut packet = Packet::new(&[0; 64]);
        let input = Input { packet: Some(&mut packet), ..Input::default() };
        let r0 = if checked {
            let linked = check(&program, &maps).expect("it links");
            maps[0].set_checked_program(2, &linked).expect("it fits");
            linked.run(&mut worker, input)
        } else {
            let linked = link(&program, &maps).expect("it links");
            maps[0].set_program(2, &linked).expect("it fits");
            linked.run(&mut worker, input)
        };
        assert_eq!((r0, count(&maps)), (Ok(7), 34), "checked: {checked}");
        assert_eq!(maps[0].clear_program(2), Ok(true));
        assert_eq!(maps[0].clear_program(2), Ok(false));
    }
}

#[test]
fn where_nothing_is_the_program_goes_on() {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    for index in [1, 4, 0xffff_ffff] {
        let program = hop(XDP, index, 9);
        let maps = maps(&runtime, &program);
        let linked = link(&program, &maps).expect("it links");
        let mut packet = Packet::new(&[0; 64]);
        let r0 = linked.run(&mut worker, Input { packet: Some(&mut packet), ..Input::default() });
        assert_eq!((r0, count(&maps)), (Ok(9), 1));
        assert!(matches!(
            maps[0].set_program(4, &linked),
            Err(ProgArrayError::Index { index: 4, len: 4, .. })
        ));
        assert!(matches!(maps[1].set_program(0, &linked), Err(ProgArrayError::NoProgArray(_))));
    }
}

#[test]
fn the_first_program_claims_the_array() {
    let runtime = Runtime::default();
    let program = hop(XDP, 0, 1);
    let maps = maps(&runtime, &program);
    let linked = link(&program, &maps).expect("it links");
    let other = link(&hop(SOCKET_FILTER, 0, 1), &maps).expect_err("another type");
    assert!(matches!(other, LinkError::ProgArray(ProgArrayError::Type { .. })), "{other}");
    let other = check(&program, &maps).expect_err("another engine");
    let LinkError::ProgArray(ProgArrayError::Engine { owner, given, .. }) = other else { panic!("{other}") };
    assert_eq!((owner, given), (Engine::Interpreted, Engine::Checked));
    let alone = self::maps(&runtime, &program);
    let other = check(&program, &alone).expect("an array of its own");
    assert!(matches!(maps[0].set_checked_program(0, &other), Err(ProgArrayError::Engine { .. })));
    maps[0].set_program(0, &linked).expect("it fits");
    // Machine code could not go on in its entries.
    assert!(linked.unit().claim_prog_arrays(Some(true)).is_err());
    maps[0].clear_program(0).expect("it is there");
}

#[test]
fn entries_change_while_programs_run() {
    const ROUNDS: u32 = 3000;
    let runtime = Runtime::new(RuntimeOptions { slots: 2, ..RuntimeOptions::default() });
    let first = hop(XDP, 0, 1);
    let maps = maps(&runtime, &first);
    let first = link(&first, &maps).expect("it links");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let runs = scope.spawn(|| {
            let mut worker = runtime.worker().expect("a slot");
            let mut seen = [0u32; 4];
            while !over.load(Relaxed) {
                let mut packet = Packet::new(&[0; 64]);
                let r0 = first.run(&mut worker, Input { packet: Some(&mut packet), ..Input::default() });
                seen[r0.expect("it ends") as usize] += 1;
            }
            seen
        });
        for round in 0..ROUNDS {
            // New programs, which nobody but the array and the runs that are on keeps.
            let next = hop(XDP, 1, 2 + (round % 2) as i32);
            let next = link(&next, &maps).expect("it links");
            maps[0].set_program(0, &next).expect("it fits");
            if round % 5 == 0 {
                maps[0].clear_program(0).expect("it is there");
            }
        }
        over.store(true, Relaxed);
        let seen = runs.join().expect("no panic");
        assert_eq!(seen[0], 0);
    });
    maps[0].clear_program(0).expect("a place");
}
