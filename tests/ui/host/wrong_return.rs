//! A method gives back something else.
#![forbid(unsafe_code)]

use probity::host::{Handle, HostRun, Shared};

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

use shelf::{Book, Visit};

struct Shelf;

impl shelf::Host for Shelf {
    fn book_get(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Shared<Book>> {
        None
    }

    fn book_lend(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Handle<Book>> {
        None
    }

    fn book_back(&mut self, _run: &mut HostRun<'_>, _book: Handle<Book>) {}

    fn each(&mut self, _run: &mut HostRun<'_>, _visit: Visit<'_>) -> u64 {
        0
    }
}

fn main() {}
