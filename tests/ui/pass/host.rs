//! A host without `unsafe`: verified, and run.
#![forbid(unsafe_code)]

use probity::engine::{Verdict, verify};
use probity::host::{Errno, Handle, HostRun, Shared};
use probity::isa::assemble;
use probity::program::Program;
use probity::vm::{Executable, Input, Runtime};

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

use shelf::{Book, Visit};

struct Shelf {
    books: Vec<Shared<Book>>,
    lent: usize,
}

impl shelf::Host for Shelf {
    fn book_get(&mut self, _run: &mut HostRun<'_>, id: u64) -> Option<Shared<Book>> {
        self.books.get(id as usize).cloned()
    }

    fn book_lend(&mut self, _run: &mut HostRun<'_>, id: u64) -> Option<Handle<Book>> {
        self.lent += 1;
        self.books.get(id as usize).map(Handle::of)
    }

    fn book_back(&mut self, _run: &mut HostRun<'_>, _book: Handle<Book>) {
        self.lent -= 1;
    }

    fn each(&mut self, run: &mut HostRun<'_>, mut visit: Visit<'_>) -> Result<i64, Errno> {
        for book in self.books.clone() {
            visit.call(self, run, &book)?;
        }
        Ok(self.books.len() as i64)
    }
}

fn main() {
    let text = "r1 = 1\ncall kfunc 2\nif r0 == 0 goto out\nr6 = *(u64 *)(r0 +0)\nr1 = r0\ncall kfunc 0\nr0 = r6\nexit\n\
                out: r0 = 0\nexit";
    let mut program = Program::from_insns(shelf::prog_types::FUNCTION, assemble(text, &()).expect("a program"));
    program.kfuncs = shelf::PLATFORM.kfuncs.iter().map(|row| row.name.to_owned()).collect();
    let report = verify(&program, &shelf::PLATFORM, &shelf::PLATFORM.default_profile());
    let Verdict::Accepted(proof) = report.verdict else { panic!("{:?}", report.verdict) };
    let linked = shelf::bindings::<Shelf>().link().expect("it fits");
    let executable = Executable::with_host(&proof, Vec::new(), &linked).expect("it links");
    let mut host = Shelf { books: Shared::array([Book { pages: 3 }, Book { pages: 42 }]), lent: 0 };
    let runtime = Runtime::default();
    let mut worker = runtime.worker().expect("a slot");
    let result = executable.run(&mut worker, Input { host: Some(&mut host), ..Input::default() });
    assert_eq!((result, host.lent), (Ok(42), 0));
}
