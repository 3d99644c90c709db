//! Only a host of the platform can be given to its programs.
#![forbid(unsafe_code)]

mod shelf {
    probity::platform!("spec/shelf.bpfspec");
}

struct Passer;

fn main() {
    let _ = shelf::load::<Passer>(b"");
}
