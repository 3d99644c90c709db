//! Timers and locks in values of maps: what programs are answered, by the runtime and by the running
//! kernel, and what the runtime calls when its clock says so.

use std::os::fd::AsFd;
use std::sync::Arc;

use probity::vm::{
    CheckedProgram, Errno, Input, ManualClock, Map, RunError, Runtime, RuntimeOptions, maps::flags,
};
use probity_linux::PLATFORM;
use probity_program::Program;
use probity_tests::kernel;
use probity_tests::special::{self, ARRAY, HASH, NUMBER, TIMER, VALUE};

use Op::{Cancel, Delete, Init, Number, SetCallback, Start, Update};

/// What a program does to the element with key 0.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// With flags.
    Init(u64),
    SetCallback,
    /// In nanoseconds, with flags.
    Start(u64, u64),
    Cancel,
    /// With flags: all bytes are 0x11.
    Update(u64),
    Delete,
    /// The number in the value.
    Number,
}

const FAR: u64 = 1_000_000_000_000;
const ONES: i32 = 0x1111_1111;
const LOCKED: u64 = 4;
const ENOENT: i32 = -2;
const EBUSY: i32 = -16;
const EEXIST: i32 = -17;
const EINVAL: i32 = -22;

/// The function of timers that add their key and 1 to the number in the value.
const COUNTS: &str =
    "r2 = *(u32 *)(r2 +0)\nr4 = *(u32 *)(r3 +28)\nr4 += r2\nr4 += 1\n*(u32 *)(r3 +28) = r4\nr0 = 0\nexit\n";

/// The program that does them to the element with a key, one after the other, and returns what the
/// last was answered.
fn text(ops: &[Op], key: u32, function: &str) -> String {
    let mut text = format!("*(u32 *)(r10 -4) = {key}\n");
    for at in (20..=48).step_by(4) {
        text += &format!("*(u32 *)(r10 -{at}) = {ONES}\n");
    }
    for (index, op) in ops.iter().enumerate() {
        let of_map = "r1 = map[0] ll\nr2 = r10\nr2 += -4\n";
        let on_value = match op {
            Update(flags) => {
                text += &format!("{of_map}r3 = r10\nr3 += -48\nr4 = {flags}\ncall 2\n");
                continue;
            }
            Delete => {
                text += &format!("{of_map}call 3\n");
                continue;
            }
            Init(flags) => format!("r2 = map[0] ll\nr3 = {flags:#x} ll\ncall 169\n"),
            SetCallback => "r2 = func[expired] ll\ncall 170\n".to_owned(),
            Start(nanos, flags) => format!("r2 = {nanos:#x} ll\nr3 = {flags:#x} ll\ncall 171\n"),
            Cancel => "call 172\n".to_owned(),
            Number => format!("r0 = *(u32 *)(r0 +{NUMBER})\n"),
        };
        text += &format!(
            "{of_map}call 1\nif r0 != 0 goto there{index}\nr0 = {ENOENT}\ngoto done{index}\n\
             there{index}:\nr1 = r0\nr1 += {TIMER}\n{on_value}done{index}:\n"
        );
    }
    text += "exit\n";
    // Code that nothing leads to is refused.
    if ops.iter().any(|op| matches!(op, SetCallback)) {
        text += &format!("expired:\n{function}");
    }
    text
}

/// A runtime whose clock stands still.
struct Still {
    clock: Arc<ManualClock>,
    runtime: Runtime,
}

impl Still {
    fn new() -> Still {
        let clock = Arc::new(ManualClock::default());
        let options = RuntimeOptions { clock: clock.clone(), ..RuntimeOptions::default() };
        Still { clock, runtime: Runtime::new(options) }
    }

    fn map(&self, program: &Program) -> Arc<Map> {
        self.runtime.map(&PLATFORM, &program.maps[0]).expect("a map")
    }

    fn run(&self, program: &Program, map: &Arc<Map>) -> i32 {
        let profile = PLATFORM.default_profile();
        let checked = CheckedProgram::new(program, &PLATFORM, &profile, vec![map.clone()]).expect("it links");
        let mut worker = self.runtime.worker().expect("a slot");
        checked.run(&mut worker, Input::default()).expect("it runs") as i32
    }

    /// Does things to an element; the program is gone afterwards.
    fn act(&self, ops: &[Op], key: u32, function: &str, map: &Arc<Map>) -> i32 {
        self.run(&special::program(&text(ops, key, function), map.definition().map_type, true), map)
    }

    fn fire(&self) -> usize {
        let mut worker = self.runtime.worker().expect("a slot");
        self.runtime.fire_timers_with(&mut worker, |error| panic!("{error}"))
    }
}

fn in_runtime(program: &Program) -> i32 {
    let still = Still::new();
    still.run(program, &still.map(program))
}

fn in_kernel(program: &Program) -> i32 {
    let prepared = kernel::Prepared::new(program, true).expect("maps and types");
    let verdict = prepared.ask(1);
    let fd = verdict.fd.unwrap_or_else(|| panic!("{}", verdict.log));
    kernel::test_run(fd.as_fd(), &[0; 64], 1).expect("it runs").retval.cast_signed()
}

/// What the last of some operations is answered, in an array and in a hash table that has the element.
fn cases() -> Vec<(Vec<Op>, i32, i32)> {
    let both = |ops: &[Op], answer| (ops.to_vec(), answer, answer);
    let armed = [Init(1), SetCallback, Start(FAR, 0)];
    let then = |ops: &[Op]| [&armed, ops].concat();
    let mut cases: Vec<_> = (0..18)
        .chain([1 << 31 | 1, 1 << 32 | 1])
        .map(|flags| both(&[Init(flags)], if matches!(flags, 0 | 1 | 7) { 0 } else { EINVAL }))
        .collect();
    let starts = [(0, 0), (1, 0), (2, 0), (3, 0), (4, EINVAL), (8, EINVAL), (1 << 32, EINVAL)];
    cases.extend(starts.map(|(flags, answer)| both(&[Init(1), SetCallback, Start(1 << 62, flags)], answer)));
    cases.extend([
        both(&[Init(1), Init(1)], EBUSY),
        both(&[Init(1), Init(2)], EINVAL),
        both(&[SetCallback], EINVAL),
        both(&[Start(FAR, 0)], EINVAL),
        both(&[Cancel], EINVAL),
        both(&[Init(1), SetCallback, SetCallback], 0),
        both(&[Init(1), Start(FAR, 0)], EINVAL),
        both(&[Init(1), Cancel], 0),
        both(&then(&[Start(FAR, 0)]), 0),
        both(&then(&[Cancel]), 1),
        both(&then(&[Start(FAR, 0), Cancel]), 1),
        both(&then(&[Cancel, Cancel]), 0),
        both(&then(&[SetCallback, Cancel]), 1),
        both(&then(&[Init(1)]), EBUSY),
        // What is stopped has no function.
        both(&then(&[Cancel, Start(FAR, 0)]), EINVAL),
        both(&then(&[Cancel, SetCallback, Start(FAR, 0)]), 0),
        both(&[Init(1), SetCallback, Cancel, Start(FAR, 0)], EINVAL),
        both(&[Init(1), SetCallback, Start(u64::MAX, 0), Cancel], 1),
        // What is replaced has no timer; what is written under its lock, in a table, keeps it.
        both(&then(&[Update(0), Cancel]), EINVAL),
        both(&then(&[Update(2), Init(1)]), 0),
        both(&then(&[Update(1), Cancel]), 1),
        (then(&[Update(LOCKED), Cancel]), EINVAL, 1),
        (then(&[Update(LOCKED), Init(1)]), 0, EBUSY),
        (then(&[Update(LOCKED | 2), Cancel]), EINVAL, 1),
        both(&then(&[Update(LOCKED | 1), Cancel]), 1),
        both(&[Update(LOCKED)], 0),
        both(&[Update(LOCKED), Number], ONES),
        both(&[Update(LOCKED | 1)], EEXIST),
        both(&[Update(LOCKED | 2), Number], ONES),
        both(&[Update(8)], EINVAL),
        both(&[Update(LOCKED | 8)], EINVAL),
        (vec![Delete], EINVAL, 0),
        (vec![Delete, Update(LOCKED | 2)], 0, ENOENT),
        (vec![Delete, Update(LOCKED | 1)], EEXIST, 0),
        (then(&[Delete, Update(0), Cancel]), EINVAL, EINVAL),
        (then(&[Delete, Update(LOCKED), Cancel]), EINVAL, EINVAL),
        (then(&[Delete, Update(0), Init(1)]), 0, 0),
    ]);
    cases
}

#[test]
fn answers_are_the_kernels() {
    let asks = kernel::available();
    if !asks {
        kernel::skip("the kernel's half of answers_are_the_kernels");
    }
    for (ops, in_array, in_hash) in cases() {
        let in_table = [&[Update(0)], ops.as_slice()].concat();
        for (map_type, ops, answer) in [(ARRAY, ops, in_array), (HASH, in_table, in_hash)] {
            let program = special::program(&text(&ops, 0, COUNTS), map_type, true);
            if asks {
                assert_eq!(in_kernel(&program), answer, "the kernel, {map_type}: {ops:?}");
            }
            assert_eq!(in_runtime(&program), answer, "the runtime, {map_type}: {ops:?}");
        }
    }
}

#[test]
fn without_a_lock_there_is_none_to_take() {
    for map_type in [ARRAY, HASH] {
        let program = special::program(&text(&[Update(0), Update(LOCKED)], 0, COUNTS), map_type, false);
        assert_eq!(in_runtime(&program), EINVAL);
        if kernel::available() {
            assert_eq!(in_kernel(&program), EINVAL);
        }
    }
}

fn number(map: &Map, key: u32) -> u32 {
    let value = map.get(&key.to_ne_bytes()).expect("it is there");
    assert_eq!(value.len(), VALUE);
    assert_eq!(value[TIMER..NUMBER], [0; NUMBER - TIMER], "user space sees no timer and no lock");
    u32::from_ne_bytes(value[NUMBER..].try_into().expect("four bytes"))
}

const ARMED: [Op; 3] = [Init(1), SetCallback, Start(100, 0)];

/// Calls with what runs, for both kinds of maps, with elements 0 to 3 whose numbers are 0.
fn each(test: impl Fn(Still, Arc<Map>)) {
    for map_type in [ARRAY, HASH] {
        let still = Still::new();
        let map = still.map(&special::program("r0 = 0\nexit", map_type, true));
        for key in 0u32..4 {
            map.update(&key.to_ne_bytes(), &[0; VALUE], flags::ANY).expect("room");
        }
        test(still, map);
    }
}

#[test]
fn what_is_due_is_called() {
    each(|still, map| {
        assert_eq!((still.runtime.next_timer(), still.fire()), (None, 0));
        still.clock.set(50);
        assert_eq!(still.act(&ARMED, 2, COUNTS, &map), 0);
        assert_eq!(still.runtime.next_timer(), Some(100));
        still.clock.set(149);
        assert_eq!((still.fire(), number(&map, 2)), (0, 0));
        still.clock.set(150);
        assert_eq!((still.fire(), number(&map, 2)), (1, 3));
        assert_eq!((still.fire(), number(&map, 2)), (0, 3));
        // It keeps its function.
        assert_eq!(still.act(&[Cancel], 2, COUNTS, &map), 0);
        assert_eq!(still.act(&[SetCallback, Start(1000, 1)], 2, COUNTS, &map), 0);
        assert_eq!(still.runtime.next_timer(), Some(850));
        still.clock.set(1000);
        assert_eq!((still.fire(), number(&map, 2)), (1, 6));
    });
}

#[test]
fn all_clocks_run() {
    each(|still, map| {
        for (key, clock) in [(0, 0), (1, 1), (2, 7)] {
            assert_eq!(still.act(&[Init(clock), SetCallback, Start(100, 0)], key, COUNTS, &map), 0);
        }
        still.clock.set(100);
        assert_eq!(still.fire(), 3);
        assert_eq!([0, 1, 2, 3].map(|key| number(&map, key)), [1, 2, 3, 0]);
    });
}

#[test]
fn what_is_gone_is_not_called() {
    each(|still, map| {
        for key in 0..4 {
            assert_eq!(still.act(&ARMED, key, COUNTS, &map), 0);
        }
        let key = |key: u32| key.to_ne_bytes();
        map.update(&key(0), &[0; VALUE], flags::ANY).expect("there");
        assert_eq!(still.act(&[Cancel], 1, COUNTS, &map), 1);
        let deleted = map.delete(&key(2)) == Ok(());
        assert_eq!(deleted, map.definition().map_type == HASH);
        if deleted {
            map.update(&key(2), &[0; VALUE], flags::NOEXIST).expect("room");
        }
        still.clock.set(100);
        assert_eq!(still.fire(), if deleted { 1 } else { 2 });
        assert_eq!([0, 1, 3].map(|key| number(&map, key)), [0, 0, 4]);
        assert_eq!(still.act(&[Init(1)], 0, COUNTS, &map), 0);
        assert_eq!(still.act(&ARMED, 3, COUNTS, &map), 0, "nothing looked at what `Init` was answered");
        still.runtime.forget_timers();
        still.clock.set(300);
        assert_eq!(still.fire(), 0);
        assert_eq!(still.act(&[Init(1)], 3, COUNTS, &map), 0);
    });
}

#[test]
fn a_function_starts_its_timer_anew_and_does_not_stop_it() {
    each(|still, map| {
        let again = format!(
            "r6 = r3\nr1 = r3\nr1 += {TIMER}\nr2 = 0\nr3 = 0\ncall 171\nr1 = r6\nr1 += {TIMER}\ncall 172\n\
             *(u32 *)(r6 +{NUMBER}) = r0\nr0 = 0\nexit\n"
        );
        assert_eq!(still.act(&ARMED, 1, &again, &map), 0);
        still.clock.set(100);
        for _ in 0..3 {
            assert_eq!((still.fire(), number(&map, 1).cast_signed()), (1, -35));
        }
    });
}

#[test]
fn a_function_that_fails_is_told_of() {
    each(|still, map| {
        assert_eq!(still.act(&ARMED, 1, "r0 = *(u64 *)(r3 +4096)\nexit\n", &map), 0);
        assert_eq!(still.act(&ARMED, 2, COUNTS, &map), 0);
        // The key may not be written.
        assert_eq!(still.act(&ARMED, 3, "*(u32 *)(r2 +0) = 1\nr0 = 0\nexit\n", &map), 0);
        still.clock.set(100);
        let mut errors = Vec::new();
        let mut worker = still.runtime.worker().expect("a slot");
        assert_eq!(still.runtime.fire_timers_with(&mut worker, |error| errors.push(error)), 3);
        assert!(errors.iter().all(|error| matches!(error, RunError::Fault { .. })), "{errors:?}");
        assert_eq!((errors.len(), number(&map, 2)), (2, 3));
        // A worker of somebody else's runs nothing.
        let other = Runtime::default();
        assert_eq!(still.runtime.fire_timers(&mut other.worker().expect("a slot")), 0);
    });
}

#[test]
fn user_space_takes_locks() {
    each(|still, map| {
        let key = 0u32.to_ne_bytes();
        // Nothing has said yet that there is one.
        assert_eq!(map.get_with(&key, flags::LOCK), Err(Errno::EINVAL));
        assert_eq!(still.act(&[Number], 0, COUNTS, &map), 0);
        map.update(&key, &[7; VALUE], flags::LOCK).expect("there");
        let seen = [[7; TIMER].as_slice(), &[0; NUMBER - TIMER], &[7; 4]].concat();
        assert_eq!(map.get_with(&key, flags::LOCK), Ok(seen.clone()));
        assert_eq!(map.get(&key), Ok(seen));
        assert_eq!(map.get_with(&key, 1), Err(Errno::EINVAL));
        assert_eq!(map.update(&key, &[7; VALUE], flags::LOCK | flags::NOEXIST), Err(Errno::EEXIST));
    });
}

/// Threads start, stop, replace and fire the same timers. Nothing hangs, and what was stopped at the
/// end is not called.
#[test]
fn threads() {
    use std::thread;
    const ROUNDS: u32 = 2000;
    for map_type in [ARRAY, HASH] {
        let still = Still {
            runtime: Runtime::new(RuntimeOptions { slots: 4, ..RuntimeOptions::default() }),
            ..Still::new()
        };
        let map = still.map(&special::program("r0 = 0\nexit", map_type, true));
        for key in 0u32..4 {
            map.update(&key.to_ne_bytes(), &[0; VALUE], flags::ANY).expect("room");
        }
        let profile = PLATFORM.default_profile();
        let program = |ops: &[Op], key| {
            let program = special::program(&text(ops, key, COUNTS), map_type, true);
            CheckedProgram::new(&program, &PLATFORM, &profile, vec![map.clone()]).expect("it links")
        };
        let start = [Init(1), SetCallback, Start(0, 0)];
        thread::scope(|scope| {
            let run = |all: Vec<CheckedProgram>| {
                let mut worker = still.runtime.worker().expect("a slot");
                for round in 0..ROUNDS {
                    let program = &all[round as usize % all.len()];
                    program.run(&mut worker, Input::default()).expect("it runs");
                }
            };
            scope.spawn(move || run(vec![program(&start, 0), program(&start, 1)]));
            scope.spawn(move || run(vec![program(&[Cancel], 0), program(&[Update(0)], 1)]));
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut worker = still.runtime.worker().expect("a slot");
                    for _ in 0..ROUNDS {
                        still.runtime.fire_timers_with(&mut worker, |error| panic!("{error}"));
                    }
                });
            }
        });
        assert_eq!(still.act(&[Init(1), Cancel], 0, COUNTS, &map) & !1, 0);
        let stopped = number(&map, 0);
        still.fire();
        assert_eq!(number(&map, 0), stopped);
    }
}
