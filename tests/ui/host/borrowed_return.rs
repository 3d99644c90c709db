//! What a method gives back lives longer than what it was given.
#![forbid(unsafe_code)]

use probity::host::{Errno, Guest, Handle, HostRun, Shared};

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

use shelf::{Book, Visit};

struct Shelf(Vec<Shared<Book>>);

impl shelf::Host for Shelf {
    fn book_get(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Guest<'_, Book>> {
        None
    }

    fn book_lend(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Handle<Book>> {
        None
    }

    fn book_back(&mut self, _run: &mut HostRun<'_>, _book: Handle<Book>) {}

    fn each(&mut self, _run: &mut HostRun<'_>, _visit: Visit<'_>) -> Result<i64, Errno> {
        Ok(0)
    }
}

fn main() {}
