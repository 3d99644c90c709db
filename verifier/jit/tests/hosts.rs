//! Functions of a host, called from the interpreter and from machine code of all kinds: what they are given
//! and give back, how they end a run, and that no program gets at a host of another type than its own.

mod common;

use std::sync::Arc;

use common::{all_options, verified_for};
use probity::host::{Errno, HostRun};
use probity_jit::{compile, opt};
use probity_program::MapDef;
use probity_vm::{Executable, Input, Map, RunError, Runtime};

mod calls {
    probity::spec! {
        platform calls;
        use core::{ scalars, memory, context, functions, maps::{ array, helpers } };
        policy { allow loops; }
        view input size 8 { number: u64; }
        /// Adds a number to what the host has.
        helper add = 100 { proto (number: ARG_SCALAR) -> RET_INTEGER; }
        /// Adds to another host, which it lends to a function of the program.
        helper visit = 101 {
            proto (round: ARG_PTR_TO_FUNC, with: ARG_PTR_TO_STACK | PTR_MAYBE_NULL, other: ARG_SCALAR) -> RET_INTEGER;
            calls round as round up_to 1;
        }
        /// Goes on with another program.
        helper go_on = 104 {
            proto (ctx: ARG_PTR_TO_CTX, programs: ARG_CONST_MAP_PTR, index: ARG_ANYTHING) -> RET_VOID;
            where programs.type == programs else "an array of programs";
            tail_call programs, index;
            invalidates packet; body tail_call;
        }
        helper slot = 105 { proto () -> RET_INTEGER; body processor_id; }
        callback round { sync; r1 = SCALAR_VALUE; r2 = caller.with; returns 0..=1; }
        map_type programs = 3 { key 4; value 4; programs; used_by { go_on } body prog_array; }
        prog_type compute = 1 { ctx input; helpers all; section "compute"; }
    }
}

/// A host.
#[derive(Debug, Default, PartialEq)]
struct Small(u64);

/// Another one, which has its number elsewhere.
#[derive(Debug, Default, PartialEq)]
struct Large([u64; 8], u64);

fn add(sum: &mut u64, run: &mut HostRun<'_>, number: u64) -> Result<i64, Errno> {
    match number {
        1000 => panic!("a thousand"),
        1001 => run.end("enough"),
        1002 => return Err(Errno::ENOENT),
        _ => *sum += number,
    }
    Ok(sum.cast_signed())
}

impl calls::Host for Small {
    fn add(&mut self, run: &mut HostRun<'_>, number: u64) -> Result<i64, Errno> {
        add(&mut self.0, run, number)
    }

    fn visit(
        &mut self,
        run: &mut HostRun<'_>,
        mut round: calls::Round<'_>,
        other: u64,
    ) -> Result<i64, Errno> {
        match other {
            0 => round.call(self, run, 5)?,
            1 => round.call(&mut Small(100), run, 5)?,
            _ => round.call(&mut Large::default(), run, 5)?,
        };
        Ok(self.0.cast_signed())
    }
}

impl calls::Host for Large {
    fn add(&mut self, run: &mut HostRun<'_>, number: u64) -> Result<i64, Errno> {
        add(&mut self.1, run, number)
    }

    fn visit(&mut self, _run: &mut HostRun<'_>, _round: calls::Round<'_>, _other: u64) -> Result<i64, Errno> {
        Ok(0)
    }
}

/// The engines: 0 is the interpreter.
fn engines() -> usize {
    1 + 2 * all_options().len()
}

/// A program linked for hosts of type `H`, for one of the engines.
fn linked<H: calls::Host + 'static>(engine: usize, text: &str, maps: &[Arc<Map>]) -> Executable {
    let insns = probity_isa::assemble(text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let definitions = maps.iter().map(|map| map.definition().clone()).collect();
    let proof =
        verified_for(&calls::PLATFORM, insns, definitions).unwrap_or_else(|why| panic!("{why}\n{text}"));
    let bindings = calls::bindings::<H>().link().expect("they are generated");
    let executable = Executable::with_host(&proof, maps.to_vec(), &bindings).expect("it is linked");
    let all = all_options();
    let code = match engine.checked_sub(1) {
        None => return executable,
        Some(way) if way < all.len() => compile(&executable, &all[way]).expect("machine code"),
        Some(way) => opt::compile(&executable, &all[way - all.len()]).expect("optimised code"),
    };
    code.install().expect("it has none");
    executable
}

fn run<H: 'static>(executable: &Executable, host: Option<&mut H>) -> Result<u64, RunError> {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let host = host.map(|host| host as &mut dyn std::any::Any);
    executable.run(&mut worker, Input { host, ..Input::default() })
}

fn programs() -> Arc<Map> {
    let definition = MapDef::new(3, 4, 4, 4);
    Map::create(&calls::PLATFORM, &definition, None, 2).expect("a map")
}

const ADD: &str = "r1 = 2\ncall 100\nr6 = r0\nr1 = 3\ncall 100\nr0 += r6\nexit";

fn add_one(number: u64) -> String {
    format!("r6 = 1\nr1 = {number}\ncall 100\nr0 += r6\nexit")
}

/// Goes to the program at an index; calls nothing of the host's unless there is none.
fn go_on(index: u32) -> String {
    format!("r2 = map[0] ll\nr3 = {index}\ncall 104\nr0 = 77\nexit")
}

#[test]
fn hosts_are_called() {
    for engine in 0..engines() {
        let program = linked::<Small>(engine, ADD, &[]);
        let mut host = Small(10);
        assert_eq!(run(&program, Some(&mut host)), Ok(12 + 15));
        assert_eq!(run(&program, Some(&mut host)), Ok(17 + 20));
        assert_eq!(host, Small(20));
        assert_eq!(run::<Small>(&program, None), Err(RunError::NoHost));
        let mut other = Large::default();
        assert_eq!(run(&program, Some(&mut other)), Err(RunError::NoHost));
        assert_eq!(other, Large::default());
    }
}

#[test]
fn hosts_end_runs() {
    let (callable, panics) = ("add", "a thousand".to_owned());
    let ends: [(u64, Result<u64, RunError>); 3] = [
        (1000, Err(RunError::Panic { callable, message: panics })),
        (1001, Err(RunError::Host { callable, message: "enough".to_owned() })),
        (1002, Ok(u64::MAX)),
    ];
    for engine in 0..engines() {
        for (number, expected) in &ends {
            let program = linked::<Small>(engine, &add_one(*number), &[]);
            let result = run(&program, Some(&mut Small(0)));
            assert_eq!(result, expected.clone(), "{engine}");
        }
    }
}

#[test]
fn the_slot_is_read_where_it_stands() {
    for engine in 0..engines() {
        let program = linked::<Small>(engine, "call 105\nr6 = r0\ncall 105\nr0 += r6\nexit", &[]);
        let runtime = Runtime::default();
        let (mut first, mut second) = (runtime.worker().expect("a slot"), runtime.worker().expect("a slot"));
        assert_eq!(program.run(&mut first, Input::default()), Ok(0));
        assert_eq!(program.run(&mut second, Input::default()), Ok(2));
    }
}

/// Programs of one array may be linked for hosts of different types: only their own do they get.
#[test]
fn a_tail_call_hands_no_host_to_a_program_of_another() {
    for engine in 0..engines() {
        let maps = [programs()];
        let small = linked::<Small>(engine, &add_one(7), &maps);
        let large = linked::<Large>(engine, &add_one(8), &maps);
        let without = linked::<Large>(engine, "r0 = 9\nexit", &maps);
        for (index, program) in (0..).zip([&small, &large, &without]) {
            maps[0].set_program(index, program).expect("it fits");
        }
        for first in [linked::<Small>(engine, &go_on(0), &maps), linked::<Large>(engine, &go_on(0), &maps)] {
            let mut host = Small(1);
            assert_eq!(run(&first, Some(&mut host)), Ok(9), "{engine}");
            assert_eq!(host, Small(8));
            let mut other = Large::default();
            assert_eq!(run(&first, Some(&mut other)), Err(RunError::NoHost), "{engine}");
            assert_eq!(other, Large::default());
            assert_eq!(run::<Small>(&first, None), Err(RunError::NoHost));
        }
        let text = format!("r6 = r1\nr1 = 4\ncall 100\nr1 = r6\n{}", go_on(1));
        let first = linked::<Small>(engine, &text, &maps);
        let mut host = Small(0);
        assert_eq!(run(&first, Some(&mut host)), Err(RunError::NoHost), "{engine}");
        assert_eq!(host, Small(4));
        let first = linked::<Small>(engine, &go_on(2), &maps);
        assert_eq!(run(&first, Some(&mut Small(0))), Ok(9));
        assert_eq!(run::<Small>(&first, None), Ok(9));
    }
}

/// A function may lend its callback another host, of its own type.
#[test]
fn a_callback_gets_a_host_of_the_programs_type() {
    let text = |other: u32| {
        format!(
            "r1 = func[f] ll\nr2 = 0\nr3 = {other}\ncall 101\nr6 = r0\nr1 = 1\ncall 100\nr0 += r6\nexit\n\
             f: call 100\nr0 = 0\nexit"
        )
    };
    for engine in 0..engines() {
        let mut host = Small(10);
        let own = linked::<Small>(engine, &text(0), &[]);
        assert_eq!(run(&own, Some(&mut host)), Ok(15 + 16), "{engine}");
        let same = linked::<Small>(engine, &text(1), &[]);
        assert_eq!(run(&same, Some(&mut host)), Ok(16 + 17), "{engine}");
        let other = linked::<Small>(engine, &text(2), &[]);
        assert_eq!(run(&other, Some(&mut host)), Err(RunError::NoHost), "{engine}");
        assert_eq!(host, Small(17));
    }
}
