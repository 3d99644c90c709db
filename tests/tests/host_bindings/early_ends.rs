//! Runs that end early: why, and that everything they hold is given back by whom the spec declares,
//! exactly once, the newest first.

use probity_tests::hosts::Everywhere;
use probity_vm::RunError;

use crate::desk::{self, Call, Desk};

/// Runs a program that ends early, in all engines: why, and what the host was asked.
#[track_caller]
fn ends(text: &str, fuel: Option<u64>, host: impl Fn() -> Desk) -> (RunError, Vec<String>) {
    let program = Everywhere::new(&desk::bindings::<Desk>(), text, &[]);
    let mut logs: Vec<Vec<String>> = Vec::new();
    let (result, _) = program.agree(&Call::default(), host, fuel, |engine, host, result| {
        assert!(result.is_err(), "{engine:?}: {result:?}");
        assert!(host.open.is_empty(), "{engine:?}: {:?} after {:?}", host.open, host.log);
        logs.push(std::mem::take(&mut host.log));
    });
    assert!(logs.windows(2).all(|pair| pair[0] == pair[1]), "{logs:?}");
    (result.expect_err("it ends early"), logs.swap_remove(0))
}

fn desk() -> Desk {
    Desk::with_rows(3)
}

fn panicking(method: &'static str) -> Desk {
    Desk { panics: method, ..desk() }
}

fn panicked(callable: &'static str, message: &str) -> RunError {
    RunError::Panic { callable, message: message.to_owned() }
}

fn ended(callable: &'static str, message: &str) -> RunError {
    RunError::Host { callable, message: message.to_owned() }
}

/// Opens a cursor (r6), begins a walk (at fp-16), does something, and ends both.
fn holding(what: &str) -> String {
    format!(
        "r1 = 1\ncall cursor_open\nif r0 == 0 goto out\nr6 = r0\nr1 = r10\nr1 += -16\nr2 = 0\ncall walk_new\n\
         {what}\nr1 = r10\nr1 += -16\ncall walk_destroy\nr1 = r6\ncall cursor_close\nout: r0 = 0\nexit"
    )
}

/// What a run that holds both has done when it ends early.
const GIVEN_BACK: [&str; 4] = ["cursor_open(1)", "walk_new(0)", "walk_destroy(2)", "cursor_close(1)"];

#[test]
fn a_panic() {
    assert_eq!(ends("call boom\nr0 = 0\nexit", None, desk), (panicked("boom", "boom"), vec![]));
    let (error, log) = ends(&holding("call boom"), None, desk);
    assert_eq!(error, panicked("boom", "boom"));
    assert_eq!(log, GIVEN_BACK, "the newest first");
}

#[test]
fn the_host_ends_the_run() {
    let (error, log) = ends(&holding("call stop"), None, desk);
    assert_eq!((error, &log[..]), (ended("stop", "enough"), &GIVEN_BACK.map(str::to_owned)[..]));
}

#[test]
fn a_panic_while_something_is_used() {
    // The value behind the object is not lost.
    let next = holding("r1 = r10\nr1 += -16\ncall walk_next");
    let (error, log) = ends(&next, None, || panicking("walk_next"));
    assert_eq!(error, panicked("walk_next", "as asked"));
    assert_eq!(log.iter().filter(|line| line.starts_with("walk_destroy")).count(), 1);
    assert_eq!(log.iter().filter(|line| line.starts_with("cursor_close")).count(), 1);
}

#[test]
fn a_panic_of_what_gives_back() {
    // It was called; it is not called again, and what is left is given back all the same.
    let program = Everywhere::new(&desk::bindings::<Desk>(), &holding("call boom"), &[]);
    let host = || panicking("walk_destroy");
    let (result, _) = program.agree(&Call::default(), host, None, |engine, host, _| {
        assert_eq!(host.open, [2], "{engine:?}: the cursor is closed");
        assert_eq!(host.log, GIVEN_BACK, "{engine:?}");
    });
    assert_eq!(result, Err(panicked("boom", "boom")), "what happened first");
    // Called by the program.
    let program = Everywhere::new(&desk::bindings::<Desk>(), &holding(""), &[]);
    let (result, _) = program.agree(&Call::default(), host, None, |_, host, _| {
        assert_eq!(host.log, GIVEN_BACK, "not twice");
    });
    assert_eq!(result, Err(panicked("walk_destroy", "as asked")));
}

/// Calls `visit` for two rows while a cursor and a walk are held; the function holds a cursor too.
fn nested(inside: &str) -> String {
    let outside = holding("r1 = 2\nr2 = func[visit] ll\nr3 = 0\ncall each");
    format!(
        "{outside}\nvisit:\nr1 = 2\ncall cursor_open\nif r0 == 0 goto none\nr6 = r0\n{inside}\nr1 = r6\n\
         call cursor_close\nnone: r0 = 0\nexit"
    )
}

const NESTED: [&str; 8] = [
    "cursor_open(1)",
    "walk_new(0)",
    "each(2)",
    "cursor_open(2)",
    "each ends",
    "cursor_close(3)",
    "walk_destroy(2)",
    "cursor_close(1)",
];

#[test]
fn in_a_function_that_is_called_back() {
    for (call, error) in [("boom", panicked("boom", "boom")), ("stop", ended("stop", "enough"))] {
        let (found, log) = ends(&nested(&format!("call {call}")), None, desk);
        assert_eq!(found, error);
        assert_eq!(log, NESTED);
    }
    // Two deep.
    let inner = "r1 = 1\nr2 = func[inner] ll\nr3 = 0\ncall each";
    let text = nested(inner) + "\ninner:\ncall boom\nr0 = 0\nexit";
    let (found, log) = ends(&text, None, desk);
    assert_eq!(found, panicked("boom", "boom"));
    assert_eq!(log.iter().filter(|line| *line == "each ends").count(), 2, "{log:?}");
    assert_eq!(log.iter().filter(|line| line.starts_with("cursor_close")).count(), 2, "{log:?}");
}

#[test]
fn another_host_for_a_function_is_given_back_too() {
    // The program calls the other host inside of the function, and the first one behind it.
    let lends = || Desk { lends_other: true, ..desk() };
    let program = Everywhere::new(&desk::bindings::<Desk>(), &nested(""), &[]);
    let (result, _) = program.agree(&Call::default(), lends, None, |engine, host, _| {
        assert!(host.open.is_empty(), "{engine:?}");
        let other = r#"["cursor_open(2)", "cursor_close(101)"] true"#;
        assert_eq!(host.log[3..5], [other, other], "{engine:?}");
    });
    assert_eq!(result, Ok(0));
}

/// Panics in a function that is called back.
struct Panicking;

impl probity_vm::Watch for Panicking {
    fn step(&mut self, _moment: &probity_vm::Moment<'_>, run: &mut probity_vm::Run<'_>) {
        assert!(!run.is_nested(), "seen enough");
    }
}

#[test]
fn a_panic_of_who_watches_leaves_no_host_behind() {
    // It passes the host's method, whose other host is gone then: the first gives back.
    let text = holding("r1 = 2\nr2 = func[visit] ll\nr3 = 0\ncall each") + "\nvisit:\nr0 = 0\nexit";
    let program = probity_tests::hosts::program(&desk::PLATFORM, 1, &text);
    let linked = desk::bindings::<Desk>().link().expect("it fits");
    let profile = desk::PLATFORM.default_profile();
    let program =
        probity_vm::CheckedProgram::with_host(&program, &desk::PLATFORM, &profile, Vec::new(), &linked)
            .expect("it links");
    let runtime = probity_vm::Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let mut host = Desk { lends_other: true, ..desk() };
    let input = probity_vm::Input { host: Some(&mut host), ..probity_vm::Input::default() };
    let result = program.watched(&mut worker, input, Some(&mut Panicking));
    assert_eq!(result, Err(panicked("each", "seen enough")));
    let [rest @ .., walk, cursor] = &host.log[..] else { panic!("{:?}", host.log) };
    assert_eq!((rest.len(), walk.as_str(), cursor.as_str()), (3, "walk_destroy(2)", "cursor_close(1)"));
    assert!(host.open.is_empty());
}

#[test]
fn fuel_that_ends_inside_of_a_function() {
    let text = nested("r7 = 0\ntop: r7 += 1\nif r7 < 100 goto top");
    let (error, log) = ends(&text, Some(50), desk);
    assert_eq!((error, &log[..]), (RunError::Fuel, &NESTED.map(str::to_owned)[..]));
    // In the main function.
    let (error, log) = ends(&holding("r7 = 0\ntop: r7 += 1\nif r7 < 100 goto top"), Some(50), desk);
    assert_eq!((error, &log[..]), (RunError::Fuel, &GIVEN_BACK.map(str::to_owned)[..]));
    // At a call back: it costs one, too.
    let calls = "r1 = 2\nr2 = func[visit] ll\nr3 = 0\ncall each\nr0 = 0\nexit\nvisit:\nr0 = 0\nexit";
    let (error, log) = ends(calls, Some(2), desk);
    assert_eq!((error, log.last().map(String::as_str)), (RunError::Fuel, Some("each ends")));
}

#[test]
fn a_number_out_of_its_range() {
    let roll = "r1 = 6\ncall roll\nexit";
    let zero = || Desk { number: 0, ..desk() };
    let error = ends(roll, None, zero).0;
    assert_eq!(error, ended("roll", "gives 7, which is not in 1..=6"));
    let minus = || Desk { number: -3, ..desk() };
    assert_eq!(ends(roll, None, minus).0, ended("roll", "gives -3, which is not in 1..=6"));
    // What counts is what the argument is in this call.
    let bounded = "r1 = *(u64 *)(r1 +0)\nr1 &= 15\ncall roll\nexit";
    let three = || Desk { number: 3, ..desk() };
    assert_eq!(ends(bounded, None, three).0, ended("roll", "gives 3, which is not in 1..=0"));
    let status = "r1 = 2\ncall status\nexit";
    for number in [101, -4096, i64::MIN, i64::MAX] {
        let error = ends(status, None, || Desk { number, ..desk() }).0;
        assert_eq!(error, ended("status", &format!("gives {number}, which is not in -4095..=100")));
    }
    // What is held is given back.
    let (error, log) = ends(&holding("r1 = 6\ncall roll"), None, zero);
    assert_eq!(error, ended("roll", "gives 7, which is not in 1..=6"));
    assert_eq!(log, GIVEN_BACK);
}

#[test]
fn too_little_memory() {
    let short = || Desk { short: 1, ..desk() };
    let error = ends("r1 = 1\ncall bytes_always\nr0 = *(u8 *)(r0 +15)\nexit", None, short).0;
    assert_eq!(error, ended("bytes_always", "gives 15 bytes and not 16"));
    let maybe = "r1 = 64\ncall bytes_maybe\nif r0 == 0 goto out\nr0 = *(u8 *)(r0 +63)\nout: exit";
    assert_eq!(ends(maybe, None, short).0, ended("bytes_maybe", "gives 63 bytes and not 64"));
}

#[test]
fn more_calls_back_than_allowed() {
    let text = "r1 = 2\nr2 = func[visit] ll\nr3 = 0\ncall each\nr0 = 0\nexit\nvisit:\nr0 = 0\nexit";
    let greedy = || Desk { times: Some(3), ..desk() };
    let (error, log) = ends(text, None, greedy);
    assert_eq!(error, ended("each", "calls back more often than the spec says"));
    assert_eq!(log.last().map(String::as_str), Some("each ends"));
}

#[test]
fn a_worker_runs_on_after_an_early_end() {
    let broken = Everywhere::new(&desk::bindings::<Desk>(), &nested("call boom"), &[]);
    let sound = Everywhere::new(&desk::bindings::<Desk>(), &nested(""), &[]);
    for ((engine, broken, _), (_, sound, _)) in broken.ready.iter().zip(&sound.ready) {
        let runtime = probity_vm::Runtime::default();
        let mut worker = runtime.worker().expect("a slot");
        for _ in 0..3 {
            let mut host = desk();
            let mut call = Call::default();
            assert!(broken.run(&mut worker, &mut call, &mut host, Default::default()).is_err());
            host.log.clear();
            let result = sound.run(&mut worker, &mut call, &mut host, Default::default());
            assert_eq!(result, Ok(0), "{engine:?}");
            assert!(host.open.is_empty(), "{engine:?}");
            assert!(!host.log.iter().any(|line| line == "each ends"), "{engine:?}");
        }
    }
}
