//! How long memory of the host stays: until the call comes that ends it, until it is released, until the
//! run ends; and as long as a function has it among its arguments.

use probity::host::{Errno, Guest, Handle, HostRun, Shared};
use probity_tests::hosts::{Engine, Everywhere, Ready, program};
use probity_vm::RunError;

use crate::desk::{self, Call, Desk};
use crate::values::run;

/// Objects that end in each way.
mod blocks {
    probity::spec! {
        platform blocks;
        use core::{ scalars, memory, context, ints, objects, stack_objects, functions };
        policy { allow loops; }
        view call size 8 { input: u64; }
        object block { id: u64; }
        callback visit { sync; r1 = SCALAR_VALUE; r2 = caller.ctx; returns 0..=1; }
        helper turn = 7 {
            overload turn_fast { proto () -> RET_INTEGER; }
            overload turn_slow { proto (pause: ARG_SCALAR) -> RET_INTEGER; }
        }
        kfunc block_until { proto () -> block; lifetime until turn; }
        kfunc block_run { proto () -> block; lifetime run; }
        kfunc block_same { proto (which: u64) -> block; lifetime until never; }
        kfunc block_take { flags KF_ACQUIRE | KF_RET_NULL; proto () -> block; }
        kfunc block_drop { flags KF_RELEASE; proto (block: block) -> void; }
        kfunc never { proto () -> void; }
        /// How much the run has of the host's.
        kfunc has { proto () -> u64; }
        kfunc with { proto (block: block, visit: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> u64; calls visit as visit; }
        set slow { turn as turn_slow; }
        set fast { turn as turn_fast; }
        prog_type function = 1 { ctx call; helpers fast; kfuncs all; section "function"; }
        prog_type other = 2 { ctx call; helpers slow; kfuncs all; section "other"; }
    }
}

use blocks::Block;

/// Makes blocks, and keeps one of each to see who else has it.
#[derive(Default)]
struct Maker {
    made: Vec<Shared<Block>>,
    seen: Vec<usize>,
}

impl Maker {
    fn make(&mut self) -> Shared<Block> {
        let block = Shared::new(Block { id: self.made.len() as u64 });
        self.made.push(block.clone());
        block
    }

    /// How many others have blocks.
    fn others(&self) -> usize {
        self.made.iter().map(|block| block.holders() - 1).sum()
    }
}

type R<'a, 'b> = &'a mut HostRun<'b>;

impl blocks::Host for Maker {
    fn turn_turn_fast(&mut self, _run: R<'_, '_>) -> Result<i64, Errno> {
        Ok(0)
    }

    fn turn_turn_slow(&mut self, _run: R<'_, '_>, _pause: u64) -> Result<i64, Errno> {
        Ok(0)
    }

    fn block_until(&mut self, _run: R<'_, '_>) -> Shared<Block> {
        self.make()
    }

    fn block_run(&mut self, _run: R<'_, '_>) -> Shared<Block> {
        self.make()
    }

    fn block_same(&mut self, _run: R<'_, '_>, which: u64) -> Shared<Block> {
        self.made[which as usize].clone()
    }

    fn block_take(&mut self, _run: R<'_, '_>) -> Option<Handle<Block>> {
        Some(Handle::of(&self.make()))
    }

    fn block_drop(&mut self, _run: R<'_, '_>, _block: Handle<Block>) {}

    fn never(&mut self, _run: R<'_, '_>) {}

    fn has(&mut self, _run: R<'_, '_>) -> u64 {
        self.seen.push(self.others());
        0
    }

    fn with(&mut self, run: R<'_, '_>, block: Guest<'_, Block>, mut visit: blocks::Visit<'_>) -> u64 {
        for round in 0..100 {
            let _ = visit.call(self, run, round);
        }
        block.get().id
    }
}

/// How many blocks a run has at each call of `has`, and afterwards: the same in all engines.
#[track_caller]
fn has(text: &str) -> Vec<usize> {
    let program = Everywhere::new(&blocks::bindings::<Maker>(), text, &[]);
    let mut all: Vec<Vec<usize>> = Vec::new();
    let make = || Maker { made: (0..4).map(|id| Shared::new(Block { id })).collect(), seen: Vec::new() };
    let (result, _) = program.agree(&blocks::Call::default(), make, None, |_, host, _| {
        host.seen.push(host.others());
        all.push(std::mem::take(&mut host.seen));
    });
    assert!(result.is_ok(), "{result:?}");
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    all.swap_remove(0)
}

/// Something a hundred times, and `behind`.
fn often(times: u32, what: &str, behind: &str) -> String {
    format!("r6 = 0\ntop: {what}\nr6 += 1\nif r6 < {times} goto top\n{behind}\nr0 = 0\nexit")
}

#[test]
fn what_a_call_ends_goes_with_it() {
    let seen = has(&often(100, "call block_until", "call has\ncall turn\ncall has"));
    assert_eq!(seen, [100, 0, 0], "the program may have all of them; then none");
}

#[test]
fn it_ends_with_every_overload() {
    // Of the overloads one is declared first: the other ends it as well.
    let platform = &blocks::PLATFORM;
    let ends: Vec<bool> = platform
        .callables
        .iter()
        .filter_map(|row| match row.host {
            probity_platform::HostBinding::Call(call) => Some(call.ends_lifetimes),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [true, true]);
    let text = "call block_until\ncall has\nr1 = 5\ncall turn\ncall has\nr0 = 0\nexit";
    let linked = blocks::bindings::<Maker>().link().expect("it fits");
    let program = program(platform, blocks::prog_types::OTHER, text);
    for &engine in Engine::ALL {
        let ready = Ready::new(engine, platform, &program, Vec::new(), Some(&linked)).expect("it links");
        let runtime = probity_vm::Runtime::default();
        let (mut host, mut worker) = (Maker::default(), runtime.worker().expect("a slot"));
        let result = ready.run(&mut worker, &mut blocks::Call::default(), &mut host, Default::default());
        assert_eq!((result, &host.seen[..]), (Ok(0), &[1, 0][..]), "{engine:?}");
    }
}

#[test]
fn what_is_good_for_the_run_goes_with_it() {
    assert_eq!(has(&often(100, "call block_run", "call has\ncall turn\ncall has")), [100, 100, 0]);
}

#[test]
fn references_go_when_they_are_released() {
    let take = "call block_take\nif r0 == 0 goto none\nr1 = r0\ncall block_drop\nnone:";
    assert_eq!(has(&often(100, take, "call has")), [0, 0]);
}

#[test]
fn what_begins_and_ends_inside_of_a_function_does_not_wait() {
    // Only what the outer call may have stays as long as that.
    let text = "call block_run\nr1 = r0\nr2 = func[visit] ll\nr3 = 0\ncall with\ncall has\nr0 = 0\nexit\n\
                visit:\ncall block_take\nif r0 == 0 goto none\nr1 = r0\ncall block_drop\n\
                none: call block_until\ncall has\ncall turn\ncall has\nr0 = 0\nexit";
    let seen = has(text);
    assert_eq!(seen.len(), 202);
    assert!(seen[..200].chunks(2).all(|pair| pair == [2, 1]), "{seen:?}");
    assert_eq!(seen[200..], [1, 0]);
}

#[test]
fn asking_again_and_again_does_not_grow() {
    // The same few objects, in turns, thousands of times: each is held once, or a few times more.
    let ask = "r1 = r6\nr1 &= 3\ncall block_same";
    let seen = has(&often(3000, ask, "call has"));
    assert!((4..=136).contains(&seen[0]), "{seen:?}");
    assert_eq!(seen[1], 0);
}

/// Runs a program that the verifier refuses, in the interpreter that checks everything.
fn unverified(text: &str) -> (Result<u64, RunError>, Desk) {
    let bindings = desk::bindings::<Desk>();
    let why = crate::hosts::refused(&bindings, text).expect("the verifier refuses it");
    assert!(!why.is_empty());
    let program = program(&desk::PLATFORM, 1, text);
    let linked = bindings.link().expect("it fits");
    let ready = Ready::new(Engine::Checked, &desk::PLATFORM, &program, Vec::new(), Some(&linked));
    let runtime = probity_vm::Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let mut host = Desk { fresh: true, ..Desk::with_rows(3) };
    let ready = ready.expect("it links");
    let result = ready.run(&mut worker, &mut Call::default(), &mut host, Default::default());
    assert!(host.open.is_empty(), "{:?}", host.log);
    (result, host)
}

/// Makes and lets go of many objects, so that memory which is free holds something else.
const CHURN: &str = "r8 = 0\nagain: r1 = 8\ncall cursor_open\nif r0 == 0 goto none\nr1 = r0\ncall cursor_close\n\
                     none: r8 += 1\nif r8 < 20 goto again\n";

#[test]
fn arguments_stay_as_long_as_the_call() {
    // The verifier sees that an argument ends in the function that is called back. Where nothing was
    // verified the memory must be there all the same: the host's method has it.
    let text = format!(
        "r1 = 1\ncall row_get\nif r0 == 0 goto out\nr1 = r0\nr2 = func[visit] ll\nr3 = 0\ncall each_with\nexit\n\
         out: r0 = 55\nexit\nvisit:\ncall rows_move\n{CHURN}r0 = 0\nexit"
    );
    let (result, host) = unverified(&text);
    assert_eq!(result, Ok(1));
    assert_eq!(host.log.last().map(String::as_str), Some("Row { id: 1, amount: 10, flags: 7 }"));
    // A reference that is released there.
    let text = format!(
        "r1 = 4\ncall cursor_open\nif r0 == 0 goto out\n*(u64 *)(r10 -8) = r0\nr1 = r0\nr2 = func[visit] ll\nr3 = r10\n\
         r3 += -8\ncall cursor_with\nexit\nout: r0 = 55\nexit\n\
         visit:\nr6 = r2\nr1 = *(u64 *)(r6 +0)\ncall cursor_close\n{CHURN}r0 = 0\nexit"
    );
    assert_eq!(unverified(&text).0, Ok(1004));
    // What was ended is the program's no more.
    let used = "r1 = 1\ncall row_get\nr6 = r0\ncall rows_move\nr0 = *(u64 *)(r6 +0)\nexit";
    let error = unverified(used).0.expect_err("it is gone").to_string();
    assert!(error.contains("no memory of the program"), "{error}");
}

#[test]
fn an_object_that_ends_while_it_is_used() {
    // `walk_next` has the value; a walk that begins meanwhile gets a place of its own.
    let text = "r7 = 0\nr1 = r10\nr1 += -16\nr2 = 0\ncall walk_new\nr1 = r10\nr1 += -16\nr2 = func[visit] ll\nr3 = 0\n\
                call walk_with\nr6 = r0\nr1 = r10\nr1 += -16\ncall walk_destroy\nr0 = r6\nexit\n\
                visit:\nr1 = r10\nr1 += -16\nr2 = 2\ncall walk_new\nr1 = r10\nr1 += -16\ncall walk_destroy\nr0 = 0\nexit";
    let (value, _, log) = run(0, text);
    assert_eq!(value, 1, "the number of its own walk");
    assert_eq!(log, ["walk_new(0)", "walk_new(2)", "walk_destroy(2)", "walk_destroy(1)"]);
}
