//! An object is given for the call alone.
#![forbid(unsafe_code)]

use probity::host::{Errno, Guest, Handle, HostRun, Shared};

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

use shelf::{Book, Visit};

struct Shelf {
    kept: Option<Guest<'static, Book>>,
}

impl shelf::Host for Shelf {
    fn book_get(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Shared<Book>> {
        None
    }

    fn book_lend(&mut self, _run: &mut HostRun<'_>, _id: u64) -> Option<Handle<Book>> {
        None
    }

    fn book_back(&mut self, _run: &mut HostRun<'_>, book: Handle<Book>) {
        self.kept = Some(book.guest());
    }

    fn each(&mut self, _run: &mut HostRun<'_>, _visit: Visit<'_>) -> Result<i64, Errno> {
        Ok(0)
    }
}

fn main() {}
