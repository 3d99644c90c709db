//! Each call gets to its own function of the host: helpers have numbers that the spec gives them, kfuncs
//! have none, and both stand in one table of the host's.

use probity_engine::{Verdict, verify};
use probity_program::Program;
use probity_vm::host::{Errno, HostRun};
use probity_vm::{CheckedProgram, Executable, Input, Runtime, RuntimeOptions};

/// The table has helpers at 0 and 1, kfuncs at 2 and 3: those are numbers of helpers too.
mod numbers {
    probity::spec! {
        platform numbers;
        use core::{ scalars, context, ints };
        view input size 8 { number: u64; }
        helper two = 2 { proto () -> RET_INTEGER; }
        helper three = 3 { proto () -> RET_INTEGER; }
        kfunc eight { proto () -> u64; }
        kfunc nine { proto () -> u64; }
        prog_type run = 1 { ctx input; helpers all; kfuncs all; section "run"; }
    }
}

struct Names;

impl numbers::Host for Names {
    fn two(&mut self, _run: &mut HostRun<'_>) -> Result<i64, Errno> {
        Ok(2)
    }

    fn three(&mut self, _run: &mut HostRun<'_>) -> Result<i64, Errno> {
        Ok(3)
    }

    fn eight(&mut self, _run: &mut HostRun<'_>) -> u64 {
        8
    }

    fn nine(&mut self, _run: &mut HostRun<'_>) -> u64 {
        9
    }
}

#[test]
fn each_call_gets_to_its_own_function() {
    let platform = &numbers::PLATFORM;
    let host = numbers::bindings::<Names>().link().expect("generated bindings fit");
    let runtime = Runtime::new(RuntimeOptions::default());
    let mut worker = runtime.worker().expect("a slot");
    for (call, wanted) in [("call 2", 2), ("call 3", 3), ("call kfunc 0", 8), ("call kfunc 1", 9)] {
        let insns = probity_isa::assemble(&format!("{call}\nexit"), &()).expect("a program");
        let mut program = Program::from_insns(1, insns);
        program.kfuncs = vec!["eight".to_owned(), "nine".to_owned()];
        let profile = platform.default_profile();
        let Verdict::Accepted(proof) = verify(&program, platform, &profile).verdict else {
            panic!("{call} is accepted");
        };
        let verified = Executable::with_host(&proof, Vec::new(), &host).expect("it is linked");
        let result = verified.run(&mut worker, Input { host: Some(&mut Names), ..Input::default() });
        assert_eq!(result, Ok(wanted), "{call}");
        let checked = CheckedProgram::with_host(&program, platform, &profile, Vec::new(), &host);
        let checked = checked.expect("it is linked");
        let result = checked.run(&mut worker, Input { host: Some(&mut Names), ..Input::default() });
        assert_eq!(result, Ok(wanted), "{call}, checked");
    }
}
