//! An inline platform compiles to its tables.
mod sample {
    probity_macro::spec! {
        #![root = "::probity_platform"]
        //! A sample.

        platform sample;
        use core::{ scalars, memory, context, maps::{ hash, array, helpers } };

        /// What a filter is called with.
        view packet size 8 { length: u32; mark: u32 read write; }

        prog_type filter = 1 { ctx packet; helpers all; returns 0..=2; section "filter"; }
    }
}

fn main() {
    assert_eq!(sample::PLATFORM.name, "sample");
    // The places of declarations are those of this file.
    let view = &sample::PLATFORM.views[0];
    assert_eq!((view.name, view.site.line, view.site.column), ("packet", 11, 14));
}
