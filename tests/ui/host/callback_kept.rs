//! A function of the program can be called as long as the call lasts.
#![forbid(unsafe_code)]

use probity::host::{Errno, Handle, HostRun, Shared};

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

use shelf::{Book, Visit};

struct Shelf {
    kept: Option<Visit<'static>>,
}

impl shelf::Host for Shelf {
    fn book_get(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Shared<Book>> {
        None
    }

    fn book_lend(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Handle<Book>> {
        None
    }

    fn book_back(&mut self, _run: &mut HostRun<'_>, _book: Handle<Book>) {}

    fn each(&mut self, _run: &mut HostRun<'_>, visit: Visit<'_>) -> Result<i64, Errno> {
        self.kept = Some(visit);
        Ok(0)
    }
}

fn main() {}
