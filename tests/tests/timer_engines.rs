//! Timers of verified programs: in the interpreter of such programs, as machine code of both
//! compilers, and beside them in the checked interpreter.

use std::sync::Arc;

use probity::vm::{
    CheckedProgram, Errno, Executable, Input, ManualClock, Map, Runtime, RuntimeOptions, maps::flags,
};
use probity_engine::{Verdict, verify};
use probity_linux::PLATFORM;
use probity_program::{MapDef, Program};
use probity_tests::native;
use probity_tests::runs::Runnable;
use probity_tests::special::{self, ARRAY, HASH, NUMBER, TIMER, VALUE};

const PROG_ARRAY: u32 = 3;
const ARRAY_OF_MAPS: u32 = 12;
const HASH_OF_MAPS: u32 = 13;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Checked,
    Verified,
    OnePass,
    Optimised,
}

const ENGINES: [Engine; 4] = [Engine::Checked, Engine::Verified, Engine::OnePass, Engine::Optimised];

/// A runtime whose clock stands still, and how programs run in it.
struct Still {
    clock: Arc<ManualClock>,
    runtime: Runtime,
    engine: Engine,
}

impl Still {
    fn new(engine: Engine) -> Still {
        let clock = Arc::new(ManualClock::default());
        let options = RuntimeOptions { clock: clock.clone(), ..RuntimeOptions::default() };
        Still { clock, runtime: Runtime::new(options), engine }
    }

    /// A map with elements 0 to 3 of zeros.
    fn map(&self, definition: &MapDef) -> Arc<Map> {
        let map = self.runtime.map(&PLATFORM, definition).expect("a map");
        for key in 0u32..4 {
            map.update(&key.to_ne_bytes(), &[0; VALUE], flags::ANY).expect("room");
        }
        map
    }

    /// None where there is no compiler.
    fn link(&self, program: &Program, maps: Vec<Arc<Map>>) -> Option<Runnable> {
        let profile = PLATFORM.default_profile();
        if self.engine == Engine::Checked {
            let checked = CheckedProgram::new(program, &PLATFORM, &profile, maps).expect("it links");
            return Some(Runnable::Checked(checked));
        }
        let proof = match verify(program, &PLATFORM, &profile).verdict {
            Verdict::Accepted(proof) => proof,
            other => panic!("{other:?}"),
        };
        let executable = Executable::new(&proof, maps).expect("it links");
        let compiled = match self.engine {
            Engine::OnePass => native::one_pass(&executable),
            Engine::Optimised => native::native(&executable),
            _ => true,
        };
        if !compiled {
            native::skip("timer_engines");
        }
        compiled.then_some(Runnable::Verified(executable))
    }

    fn run(&self, program: &Runnable) -> u32 {
        let mut worker = self.runtime.worker().expect("a slot");
        program.run(&mut worker, Input::default()).expect("it runs") as u32
    }

    /// Runs a program, which is gone afterwards; 0 where there is no compiler, as it gives by itself.
    fn act(&self, program: &Program, maps: &[&Arc<Map>]) -> Option<u32> {
        let maps = maps.iter().map(|map| Arc::clone(map)).collect();
        Some(self.run(&self.link(program, maps)?))
    }

    fn fire(&self, at: u64) -> usize {
        self.clock.set(at);
        let mut worker = self.runtime.worker().expect("a slot");
        self.runtime.fire_timers_with(&mut worker, |error| panic!("{error}"))
    }
}

fn number(map: &Map, key: u32) -> u32 {
    let value = map.get(&key.to_ne_bytes()).expect("it is there");
    assert_eq!(value[TIMER..NUMBER], [0; NUMBER - TIMER], "user space sees no timer and no lock");
    u32::from_ne_bytes(value[NUMBER..].try_into().expect("four bytes"))
}

/// With the address of the value of an element of the map in a register in r6, or not at all.
fn with_value(map: &str, key: u32, then: &str) -> String {
    format!(
        "*(u32 *)(r10 -4) = {key}\n{map}r2 = r10\nr2 += -4\ncall 1\nif r0 != 0 goto there\n\
         r0 = 77\nexit\nthere:\nr6 = r0\n{then}"
    )
}

const DIRECT: &str = "r1 = map[0] ll\n";

/// Arms the timer of an element, to run out in 100.
fn arm(key: u32, function: &str) -> String {
    let body = format!(
        "r1 = r6\nr1 += {TIMER}\nr2 = map[0] ll\nr3 = 1\ncall 169\n\
         r1 = r6\nr1 += {TIMER}\nr2 = func[expired] ll\ncall 170\n\
         r1 = r6\nr1 += {TIMER}\nr2 = 100\nr3 = 0\ncall 171\nexit\nexpired:\n{function}"
    );
    with_value(DIRECT, key, &body)
}

fn cancel(key: u32) -> String {
    with_value(DIRECT, key, &format!("r1 = r6\nr1 += {TIMER}\ncall 172\nexit\n"))
}

/// Adds its key and 1 to the number, and is to be called again in 50.
const AGAIN: &str = "r6 = r3\nr2 = *(u32 *)(r2 +0)\nr4 = *(u32 *)(r3 +28)\nr4 += r2\nr4 += 1\n\
     *(u32 *)(r3 +28) = r4\nr1 = r6\nr1 += 8\nr2 = 50\nr3 = 0\ncall 171\nr0 = 0\nexit\n";

/// Looks its element up by what it is given, and adds 1 to the number there.
const BY_LOOKUP: &str = "call 1\nif r0 == 0 goto none\nr4 = *(u32 *)(r0 +28)\nr4 += 1\n*(u32 *)(r0 +28) = r4\nnone:\nr0 = 0\nexit\n";

/// Deletes its element, and then adds 1 to the number that was in it.
const DELETES: &str =
    "r6 = r3\ncall 3\nr4 = *(u32 *)(r6 +28)\nr4 += 1\n*(u32 *)(r6 +28) = r4\nr0 = 0\nexit\n";

fn each(test: impl Fn(&Still, u32)) {
    for engine in ENGINES {
        for map_type in [ARRAY, HASH] {
            println!("{engine:?}, map type {map_type}");
            test(&Still::new(engine), map_type);
        }
    }
}

#[test]
fn a_timer_fires_starts_itself_anew_and_is_cancelled() {
    each(|still, map_type| {
        let program = |text: &str| special::program(text, map_type, true);
        let armed = program(&arm(2, AGAIN));
        let map = still.map(&armed.maps[0]);
        // Its program is dropped by then.
        let Some(answer) = still.act(&armed, &[&map]) else { return };
        assert_eq!((answer, still.runtime.next_timer()), (0, Some(100)));
        assert_eq!((still.fire(99), number(&map, 2)), (0, 0));
        assert_eq!((still.fire(100), number(&map, 2)), (1, 3));
        assert_eq!((still.fire(149), number(&map, 2)), (0, 3));
        assert_eq!((still.fire(150), number(&map, 2)), (1, 6));
        assert_eq!(still.act(&program(&cancel(2)), &[&map]), Some(1));
        assert_eq!((still.fire(1000), number(&map, 2)), (0, 6));
        // What was stopped has no function, and lets go of the program.
        assert_eq!(still.act(&program(&cancel(2)), &[&map]), Some(0));
    });
}

#[test]
fn a_function_looks_up_and_deletes_its_own_element() {
    each(|still, map_type| {
        let program = |text: &str| special::program(text, map_type, true);
        let armed = program(&arm(1, BY_LOOKUP));
        let map = still.map(&armed.maps[0]);
        let Some(answer) = still.act(&armed, &[&map]) else { return };
        assert_eq!(answer, 0);
        assert_eq!((still.fire(100), number(&map, 1)), (1, 1));
        // The value stays for as long as the function is on.
        assert_eq!(still.act(&program(&arm(3, DELETES)), &[&map]), Some(0));
        assert_eq!(still.fire(300), 1);
        let gone = map.get(&3u32.to_ne_bytes()) == Err(Errno::ENOENT);
        assert_eq!(gone, map_type == HASH);
    });
}

#[test]
fn what_is_deleted_is_not_called() {
    each(|still, map_type| {
        let armed = special::program(&arm(1, AGAIN), map_type, true);
        let map = still.map(&armed.maps[0]);
        let Some(answer) = still.act(&armed, &[&map]) else { return };
        assert_eq!(answer, 0);
        let key = 1u32.to_ne_bytes();
        if map_type == HASH {
            map.delete(&key).expect("there");
        }
        map.update(&key, &[0; VALUE], flags::ANY).expect("room");
        assert_eq!((still.fire(100), number(&map, 1)), (0, 0));
        // The map itself is gone.
        assert_eq!(still.act(&armed, &[&map]), Some(0));
        drop(map);
        assert!(still.fire(1000) <= 1);
    });
}

/// A program on the values of inner maps: with the inner map in r7.
fn inner(function: &str, map_type: u32, outer_type: u32) -> Program {
    let found = "*(u32 *)(r10 -4) = 0\nr1 = map[0] ll\nr2 = r10\nr2 += -4\ncall 1\nif r0 != 0 goto found\n\
         r0 = 78\nexit\nfound:\nr7 = r0\n";
    let armed = arm(2, function).replace(DIRECT, "r1 = r7\n").replace("r2 = map[0] ll", "r2 = r7");
    let mut program = special::program(&format!("{found}{armed}"), map_type, true);
    program.maps.insert(0, MapDef { inner: Some(1), ..MapDef::new(outer_type, 4, 4, 2) });
    program
}

#[test]
fn a_timer_in_an_inner_map() {
    for outer_type in [ARRAY_OF_MAPS, HASH_OF_MAPS] {
        each(|still, map_type| {
            let program = inner(AGAIN, map_type, outer_type);
            let [outer, template] = program.maps.as_slice() else { panic!("two maps") };
            let outer = Map::create(&PLATFORM, outer, Some(template), still.runtime.slots()).expect("a map");
            let key = 0u32.to_ne_bytes();
            // One is there before the program, one comes later; neither is linked by itself.
            let (before, later) = (still.map(template), still.map(template));
            outer.set_map(&key, &before, flags::ANY).expect("it is like the template");
            let linked = still.link(&program, vec![Arc::clone(&outer), still.map(template)]);
            let Some(linked) = linked else { return };
            assert_eq!(still.run(&linked), 0);
            outer.set_map(&key, &later, flags::ANY).expect("it is like the template");
            assert_eq!(still.run(&linked), 0);
            drop(linked);
            assert_eq!((still.fire(100), number(&before, 2), number(&later, 2)), (2, 3, 3));
            // User space leaves no timer in a value that it writes anew.
            later.update(&2u32.to_ne_bytes(), &[0; VALUE], flags::ANY).expect("there");
            assert_eq!((still.fire(150), number(&before, 2), number(&later, 2)), (1, 6, 0));
        });
    }
}

#[test]
fn inner_maps_with_other_fields_do_not_go_in() {
    let still = Still::new(Engine::Verified);
    let program = inner(AGAIN, HASH, ARRAY_OF_MAPS);
    let [outer, template] = program.maps.as_slice() else { panic!("two maps") };
    let outer = Map::create(&PLATFORM, outer, Some(template), still.runtime.slots()).expect("a map");
    // What it holds it learnt of a program with other types.
    let other = still.map(template);
    let without = special::program("r1 = map[0] ll\nr0 = 0\nexit\n", HASH, false);
    assert_eq!(still.act(&without, &[&other]), Some(0));
    let key = 0u32.to_ne_bytes();
    outer.set_map(&key, &other, flags::ANY).expect("nobody knows yet");
    let proof = match verify(&program, &PLATFORM, &PLATFORM.default_profile()).verdict {
        Verdict::Accepted(proof) => proof,
        other => panic!("{other:?}"),
    };
    let link = |outer: &Arc<Map>| Executable::new(&proof, vec![Arc::clone(outer), still.map(template)]);
    assert!(link(&outer).is_err());
    let outer =
        Map::create(&PLATFORM, &program.maps[0], Some(template), still.runtime.slots()).expect("a map");
    link(&outer).expect("it links");
    assert_eq!(outer.set_map(&key, &other, flags::ANY), Err(Errno::EINVAL));
    outer.set_map(&key, &still.map(template), flags::ANY).expect("it is like the template");
}

/// A function that makes a tail call comes back into a program that then sets a timer: the timer
/// calls that program, which it keeps, not the one that was called.
#[test]
fn after_a_tail_call_in_a_function() {
    each(|still, map_type| {
        let text = format!(
            "r6 = r1\ncall tail\n{}tail:\nr2 = map[1] ll\nr3 = 0\ncall 12\nr0 = 0\nexit\n",
            arm(2, AGAIN)
        );
        let mut program = special::program(&text, map_type, true);
        program.maps.push(MapDef::new(PROG_ARRAY, 4, 4, 1));
        let (map, array) =
            (still.map(&program.maps[0]), { still.runtime.map(&PLATFORM, &program.maps[1]).expect("a map") });
        let Some(linked) = still.link(&program, vec![Arc::clone(&map), Arc::clone(&array)]) else { return };
        let other =
            Program { license: "GPL".to_owned(), ..special::program("r0 = 5\nexit\n", map_type, true) };
        let Some(target) = still.link(&other, vec![Arc::clone(&map)]) else { return };
        match &target {
            Runnable::Verified(target) => array.set_program(0, target).expect("of the same type"),
            Runnable::Checked(target) => array.set_checked_program(0, target).expect("of the same type"),
        }
        assert_eq!(still.run(&linked), 0);
        drop((linked, target));
        array.delete(&0u32.to_ne_bytes()).expect("there");
        assert_eq!((still.fire(100), number(&map, 2)), (1, 3));
        assert_eq!((still.fire(150), number(&map, 2)), (1, 6));
    });
}
