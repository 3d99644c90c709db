//! Every program compiles for every target, Probity and the running kernel accept it, and the kernel
//! gets the r0 that native code gets.

use std::sync::Mutex;

use probity_bench::{
    Contender, Form, Kind, Packet, Source, Subject, Workshop, kernel::KernelJit, native::Native,
    subject::linked,
};
use probity_tests::kernel;

/// What is wrong with one program; empty when nothing is.
fn defects(workshop: &Workshop, source: &Source, with_kernel: bool) -> Vec<String> {
    let mut defects = Vec::new();
    let subject = match Subject::new(workshop, source) {
        Ok(subject) => subject,
        Err(failure) => return vec![failure.to_string()],
    };
    if source.kind == Kind::Compute && subject.uses_maps() {
        defects.push(format!("{}: a compute program has no maps, and no constants in memory", source.name));
    }
    let r0 = |contender: &dyn Contender| -> Result<Option<u32>, String> {
        let ready = contender.prepare(&subject).map_err(|failure| failure.to_string())?;
        ready.map(|mut ready| ready.run().map_err(|failure| failure.to_string())).transpose()
    };
    let native = r0(&Native);
    let kernel = if with_kernel { r0(&KernelJit) } else { native.clone() };
    match (native, kernel) {
        (Ok(Some(native)), Ok(Some(kernel))) if native != kernel => {
            defects.push(format!("{}: r0 is {kernel:#x}, native code's {native:#x}", source.name));
        }
        (Ok(_), Ok(_)) => {}
        (native, kernel) => {
            let reasons = [native.err(), kernel.err()];
            defects.extend(reasons.into_iter().flatten().map(|reason| format!("{}: {reason}", source.name)));
        }
    }
    defects
}

#[test]
fn all_accept_them_and_agree() {
    let Some(workshop) = Workshop::open().expect("a temporary folder") else {
        println!("skipped: there is no clang-22");
        return;
    };
    let with_kernel = kernel::available();
    if !with_kernel {
        kernel::skip("the kernel's side of the programs of the benchmark");
    }
    let sources = Source::all().expect("the folder of programs");
    let waiting = Mutex::new(sources.iter());
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(source) = waiting.lock().expect("no panic").next() else { break };
                    let defects = defects(&workshop, source, with_kernel);
                    all.lock().expect("no panic").extend(defects);
                }
            });
        }
    });
    let all = all.into_inner().expect("no panic");
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn other_targets() {
    let Some(workshop) = Workshop::open().expect("a temporary folder") else { return };
    let sources = Source::all().expect("the folder of programs");
    let calls = sources.iter().find(|source| source.name == "calls").expect("there is such a program");
    for form in [Form::Pointers, Form::Memory] {
        let program = linked(&workshop, calls, form).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(program.funcs.len(), 4, "{form:?}");
    }
}

#[test]
fn packets_are_long_enough() {
    // `bytes` reads the most, and gives up where a packet ends.
    assert!(Packet::boxed().bytes().len() >= 1500);
}
