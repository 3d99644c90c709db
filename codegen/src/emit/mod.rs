//! Writes a model down as Rust: tables, drivers and constants for numbers; as a C header; as a page
//! for people; as questions for a kernel.
//!
//! The text is deterministic: the same sources give the same bytes. All names that emitted code
//! refers to are made in `names`.

mod c_comment;
mod concepts;
mod constants;
mod driver;
pub(crate) mod guard_text;
mod header;
mod header_kfuncs;
mod header_types;
mod host;
mod map_types;
mod markdown;
mod names;
pub(crate) mod offered;
mod page;
mod page_concepts;
mod probes;
pub(crate) mod signature;
mod tables;
mod values;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Model;

pub use header::header;
pub use page::{index, page};
pub use probes::probes;

/// What the emitter is told beside the model.
#[derive(Clone, Debug)]
pub struct Emit {
    /// The path under which emitted code finds the vocabulary, `::probity_platform`.
    pub root_path: String,
    /// How to make the text again, for its header.
    pub regenerate: String,
    /// Whether the bindings of a host are written too; the vocabulary's path must have the runtime's then,
    /// as `::probity::rt` has.
    pub bindings: bool,
}

/// The Rust text of a model.
///
/// # Panics
/// When `root_path` is no path.
#[must_use]
pub fn emit(model: &Model, options: &Emit) -> String {
    let root: syn::Path = syn::parse_str(&options.root_path).expect("the root path is a path");
    let tokens = module(model, &quote!(#root), options.bindings);
    let file: syn::File = syn::parse2(tokens).expect("emitted tokens are a file");
    let mut text = preamble(model, options);
    text.push_str(&prettyplease::unparse(&file));
    text
}

fn preamble(model: &Model, options: &Emit) -> String {
    let mut text =
        format!("// The platform `{}`. Generated: edits are lost. From\n", names::comment(&model.name));
    for source in &model.sources {
        text.push_str(&format!("//   {}\n", names::comment(source)));
    }
    text.push_str(&format!("// To make it again: {}\n", names::comment(&options.regenerate)));
    text
}

fn module(model: &Model, root: &TokenStream, bindings: bool) -> TokenStream {
    let platform = tables::platform(model);
    let tables = tables::tables(model);
    let drivers = driver::drivers(model);
    let constants = constants::constants(model);
    let bindings = bindings.then(|| host::bindings(model, root));
    let drivers = (!drivers.is_empty()).then(|| {
        quote! {
            #[allow(clippy::all, non_snake_case)]
            mod driver {
                use #root as rt;
                #drivers
            }
        }
    });
    let docs = match model.docs.as_str() {
        "" => format!("The platform `{}`.", model.name),
        docs => format!("The platform `{}`: {docs}", model.name),
    };
    let docs = names::docs(&docs);
    quote! {
        #docs
        #[allow(unreachable_pub)]
        pub static PLATFORM: #root::Platform = {
            use #root as rt;
            #platform
        };
        #[allow(clippy::all)]
        mod tables {
            use #root as rt;
            #tables
        }
        #drivers
        #constants
        #bindings
    }
}
