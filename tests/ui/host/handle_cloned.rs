//! A reference is one: it is not copied.
#![forbid(unsafe_code)]

use probity::host::{Errno, Handle, HostRun, Shared};

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

use shelf::{Book, Visit};

struct Shelf {
    kept: Vec<Handle<Book>>,
}

impl shelf::Host for Shelf {
    fn book_get(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Shared<Book>> {
        None
    }

    fn book_lend(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Handle<Book>> {
        None
    }

    fn book_back(&mut self, _run: &mut HostRun<'_>, book: Handle<Book>) {
        let copy = book.clone();
        self.kept = [book, copy].into();
    }

    fn each(&mut self, _run: &mut HostRun<'_>, _visit: Visit<'_>) -> Result<i64, Errno> {
        Ok(0)
    }
}

fn main() {}
