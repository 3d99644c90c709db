//! Who is the host of a run: nobody, somebody else, one for each thread.

use std::sync::Arc;

use probity::host::{Bindings, ContextOf, Errno, HostRun};
use probity_platform::HostBinding;
use probity_program::MapDef;
use probity_tests::hosts::{Engine, Everywhere, Ready, program, verified};
use probity_vm::{Executable, Input, LinkError, Map, RunError, Runtime, RuntimeOptions};

use crate::desk::{self, Call, Desk};

/// A platform that several types are hosts of.
mod office {
    probity::spec! {
        platform office;
        use core::{ scalars, memory, context, functions, maps::{ array, helpers, tail_calls } };
        policy { allow loops; }
        view call size 16 { input: u64; result: u64 read write; }
        /// Its number.
        helper who = 100 { proto () -> RET_INTEGER; returns 0..=1000; }
        prog_type function = 1 { ctx call; helpers all; section "function"; }
    }
}

/// The same spec under another name, and so another platform.
mod branch {
    probity::spec! {
        platform branch;
        use core::{ scalars, memory, context, functions, maps::{ array, helpers, tail_calls } };
        policy { allow loops; }
        view call size 16 { input: u64; result: u64 read write; }
        /// Its number.
        helper who = 100 { proto () -> RET_INTEGER; returns 0..=1000; }
        prog_type function = 1 { ctx call; helpers all; section "function"; }
    }
}

/// Not all of it can be bound.
mod odd {
    probity::spec! {
        platform odd;
        use core::{ scalars, memory, context, ints, objects, stack_objects, functions };
        view call size 16 { input: u64; result: u64 read write; }
        view page size 8 { id: u64; }
        kind PTR_TO_PAGE: view page { prints "page"; offset fixed; never_null; }
        object row { id: u64; page: u64 -> PTR_TO_PAGE; }
        object cursor { rows: u64; }
        callback visit { sync; r1 = SCALAR_VALUE; r2 = caller.cursor; returns 0..=1; }
        helper page_get = 9 { proto (id: ARG_SCALAR) -> RET_PTR_TO_PAGE | PTR_MAYBE_NULL; lifetime run; }
        helper any = 10 { proto (a: ARG_ANYTHING) -> RET_INTEGER; variadic; }
        helper fill = 11 { proto (to: ARG_PTR_TO_MEM(8) | MEM_UNINIT) -> RET_INTEGER; }
        /// It has the name of what it is about.
        kfunc cursor { proto () -> u64; }
        helper call = 12 { proto (ctx: ARG_PTR_TO_CTX) -> RET_INTEGER; returns 0..=1; }
        stack_object slip size 16 { prints "slip"; state open; }
        kfunc slip_open { proto (slip: slip | MEM_UNINIT) -> s32; constructs slip as open; }
        kfunc slip_use { proto (slip: slip | PTR_MAYBE_NULL) -> u64; }
        kfunc row_must { proto (id: u64) -> row; lifetime run; }
        kfunc cursor_open { flags KF_ACQUIRE | KF_RET_NULL; proto (rows: u64) -> cursor; }
        kfunc cursor_close { flags KF_RELEASE; proto (cursor: cursor) -> void; }
        kfunc cursor_end {
            flags KF_RELEASE;
            proto (cursor: cursor, visit: ARG_PTR_TO_FUNC) -> void;
            calls visit as visit;
        }
        prog_type function = 1 { ctx call; helpers all; kfuncs all; section "function"; }
    }
}

struct Clerk(i64);
struct Boss(i64);
struct Nobody;

impl office::Host for Clerk {
    fn who(&mut self, run: &mut HostRun<'_>) -> i64 {
        self.0 + run.program().len() as i64 * 100
    }
}

impl office::Host for Boss {
    fn who(&mut self, _run: &mut HostRun<'_>) -> i64 {
        self.0
    }
}

impl branch::Host for Clerk {
    fn who(&mut self, _run: &mut HostRun<'_>) -> i64 {
        self.0
    }
}

impl odd::Host for Nobody {
    type Slip = ();

    fn call(&mut self, _run: &mut HostRun<'_>, _ctx: ContextOf<'_, odd::Call>) -> i64 {
        0
    }

    fn cursor(&mut self, _run: &mut HostRun<'_>) -> u64 {
        0
    }

    fn slip_open(&mut self, _run: &mut HostRun<'_>) -> Result<(), Errno> {
        Ok(())
    }

    fn cursor_open(
        &mut self,
        _run: &mut HostRun<'_>,
        _rows: u64,
    ) -> Option<probity::host::Handle<odd::Cursor>> {
        None
    }

    fn cursor_close(&mut self, _run: &mut HostRun<'_>, _cursor: probity::host::Handle<odd::Cursor>) {}
}

/// Why the verifier refuses a program; None when it does not.
pub(crate) fn refused<H: 'static>(bindings: &Bindings<H>, text: &str) -> Option<String> {
    let platform = bindings.platform();
    verified(platform, &program(platform, 1, text)).err().map(|finding| finding.last_line().to_owned())
}

/// Links a program for hosts of type `H`, in each engine.
fn link<H: 'static>(bindings: &Bindings<H>, text: &str, host: bool) -> Vec<Result<Ready, LinkError>> {
    let (platform, linked) = (bindings.platform(), bindings.link().expect("it fits"));
    let program = program(platform, 1, text);
    let one = |&engine: &Engine| Ready::new(engine, platform, &program, Vec::new(), host.then_some(&linked));
    Engine::ALL.iter().map(one).collect()
}

const WHO: &str = "call who\nexit";

#[test]
fn no_host_or_another_s_is_an_error_before_anything_runs() {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let text = "r6 = r1\n*(u64 *)(r6 +8) = 7\ncall who\nexit";
    for ready in link(&office::bindings::<Clerk>(), text, true) {
        let ready = ready.expect("it links");
        let mut call = office::Call::default();
        let result = ready.run(&mut worker, &mut call, &mut Boss(1), Default::default());
        assert_eq!((result, call.result), (Err(RunError::NoHost), 0));
        // A box of the right type is another type.
        let result = ready.run(&mut worker, &mut call, &mut Box::new(Clerk(1)), Default::default());
        assert_eq!((result, call.result), (Err(RunError::NoHost), 0));
        let result = ready.run(&mut worker, &mut call, &mut Clerk(1), Default::default());
        assert_eq!((result, call.result), (Ok(1), 7));
        let nobody = match &ready {
            Ready::Verified(program) => program.run(&mut worker, Input::default()),
            Ready::Checked(program) => program.run(&mut worker, Input::default()),
        };
        assert_eq!(nobody, Err(RunError::NoHost));
    }
    assert!(RunError::NoHost.to_string().contains("give the run the host"));
}

#[test]
fn a_program_that_is_linked_without_a_host_is_refused_by_name() {
    for (engine, ready) in Engine::ALL.iter().zip(link(&office::bindings::<Clerk>(), WHO, false)) {
        if *engine == Engine::Checked {
            // What is wrong with an instruction counts when a run gets there.
            let runtime = Runtime::default();
            let mut worker = runtime.worker().expect("a slot");
            let ready = ready.expect("it links");
            let error =
                ready.run(&mut worker, &mut office::Call::default(), &mut Clerk(1), Default::default());
            assert!(error.expect_err("nobody does it").to_string().contains("call of who"));
            continue;
        }
        let error = ready.expect_err("nobody does it").to_string();
        assert_eq!(
            error,
            "at instruction 0: unsupported in the runtime: who (the program was linked without a host, \
             which would do it)"
        );
    }
}

#[test]
fn what_can_t_be_bound_is_refused_by_name() {
    let cases = [
        ("r1 = 1\ncall page_get\nr0 = 0\nexit", "page_get (it returns PTR_TO_PAGE)"),
        ("r1 = 1\ncall any\nr0 = 0\nexit", "any (it takes any number of arguments)"),
        (
            "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\ncall fill\nr0 = 0\nexit",
            "fill (`to` is memory that holds nothing and that nobody may write)",
        ),
        ("r1 = 1\ncall row_must\nr0 = 0\nexit", "row_must (objects of type `row` hold more than numbers)"),
        (
            "r1 = 1\ncall cursor_open\nif r0 == 0 goto out\nr1 = r0\nr2 = func[visit] ll\ncall cursor_end\n\
             out: r0 = 0\nexit\nvisit:\nr0 = 0\nexit",
            "cursor_end (it calls back with a reference that it takes)",
        ),
    ];
    for (text, why) in cases {
        let bindings = odd::bindings::<Nobody>();
        let proof = verified(&odd::PLATFORM, &program(&odd::PLATFORM, 1, text));
        let proof = proof.unwrap_or_else(|finding| panic!("{}\n{text}", finding.last_line()));
        let linked = bindings.link().expect("it fits");
        let error =
            Executable::with_host(&proof, Vec::new(), &linked).expect_err("nobody does it").to_string();
        assert!(error.ends_with(&format!("unsupported in the runtime: {why}")), "{error}");
    }
}

#[test]
fn an_object_in_the_stack_that_may_be_null_is_not_bound() {
    let row = odd::PLATFORM.kfuncs.iter().find(|row| row.name == "slip_use").expect("it is there");
    match row.host {
        HostBinding::Unsupported(why) => assert_eq!(why, "`slip` is an object in the stack that may be null"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bindings_of_another_platform_are_refused() {
    let linked = branch::bindings::<Clerk>().link().expect("it fits");
    let program = program(&office::PLATFORM, 1, WHO);
    for &engine in Engine::ALL {
        let error = Ready::new(engine, &office::PLATFORM, &program, Vec::new(), Some(&linked));
        assert_eq!(error.expect_err("another platform"), LinkError::OtherHost, "{engine:?}");
    }
}

const HOP: &str = "r6 = r1\nr2 = map[0] ll\nr3 = 0\ncall bpf_tail_call\nr0 = 55\nexit";

/// A program that calls another one, and that one, linked for two types of hosts.
fn hop<A: 'static, B: 'static>(
    first: &Bindings<A>,
    second: &Bindings<B>,
    text: &str,
    then: &str,
) -> Vec<(Engine, Ready, Ready, Arc<Map>)> {
    let (first, second) = (first.link().expect("it fits"), second.link().expect("it fits"));
    let runtime = Runtime::default();
    let platform = &office::PLATFORM;
    let (mut one, mut two) = (program(platform, 1, text), program(platform, 1, then));
    one.maps = vec![MapDef::new(3, 4, 4, 1)];
    (one.name, two.name) = ("x".to_owned(), "yy".to_owned());
    Engine::ALL
        .iter()
        .map(|&engine| {
            let map = runtime.map(platform, &one.maps[0]).expect("a map");
            let one = Ready::new(engine, platform, &one, vec![Arc::clone(&map)], Some(&first));
            let two = Ready::new(engine, platform, &two, Vec::new(), Some(&second)).expect("it links");
            two.put(&map, 0).expect("it fits");
            (engine, one.expect("it links"), two, map)
        })
        .collect()
}

#[test]
fn a_tail_call_into_a_program_of_another_host_is_stopped() {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let (clerk, boss) = (office::bindings::<Clerk>(), office::bindings::<Boss>());
    for (engine, ready, _, _) in hop(&clerk, &boss, HOP, WHO) {
        let mut call = office::Call::default();
        let result = ready.run(&mut worker, &mut call, &mut Clerk(1), Default::default());
        assert_eq!(result, Err(RunError::NoHost), "{engine:?}");
    }
    for (engine, ready, _, _) in hop(&clerk, &clerk, HOP, WHO) {
        let mut call = office::Call::default();
        let result = ready.run(&mut worker, &mut call, &mut Clerk(1), Default::default());
        assert_eq!(result, Ok(201), "{engine:?}");
    }
}

#[test]
fn behind_a_tail_call_in_a_function_the_caller_is_on_again() {
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let clerk = office::bindings::<Clerk>();
    let text = "r6 = r1\ncall sub\nr7 = r0\ncall who\nr0 *= 1000\nr0 += r7\nexit\n\
                sub:\nr2 = map[0] ll\nr3 = 0\ncall bpf_tail_call\nr0 = 55\nexit";
    for (engine, ready, _, _) in hop(&clerk, &clerk, text, WHO) {
        let mut call = office::Call::default();
        let result = ready.run(&mut worker, &mut call, &mut Clerk(1), Default::default());
        assert_eq!(result, Ok(101_201), "{engine:?}: 201 of the other, then 101");
    }
}

#[test]
fn threads_run_a_program_each_with_a_host_of_its_own() {
    // They share a map: each adds 1 to its value a thousand times, and opens and closes cursors.
    let text = "r6 = 0\ntop: r1 = map_value[0] + 0 ll\nr2 = 1\nlock *(u64 *)(r1 +0) += r2\nr1 = r6\ncall cursor_open\n\
                if r0 == 0 goto none\nr1 = r0\ncall cursor_close\nnone: r6 += 1\nif r6 < 50 goto top\nr0 = 0\nexit";
    let text = text.replace("lock *(u64 *)(r1 +0) += r2\n", "r1 = map[0] ll\nr2 = 0\ncall map_bump\n");
    let maps = [MapDef::new(2, 4, 16, 1)];
    let everywhere = Everywhere::new(&desk::bindings::<Desk>(), &text, &maps);
    for (engine, ready, _) in &everywhere.ready {
        let runtime = Runtime::new(RuntimeOptions { slots: 4, ..RuntimeOptions::default() });
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut worker = runtime.worker().expect("a slot");
                    let mut host = Desk::with_rows(1);
                    for _ in 0..20 {
                        let result =
                            ready.run(&mut worker, &mut Call::default(), &mut host, Default::default());
                        assert_eq!(result, Ok(0), "{engine:?}");
                    }
                    assert_eq!((host.open.len(), host.next), (0, 1000), "{engine:?}");
                });
            }
        });
    }
}
