//! From a macro's tokens to emitted code or errors.

use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

use probity_codegen::compile::{Built, Options};
use probity_codegen::diagnostic::Style;
use probity_codegen::layout::Layout;
use probity_codegen::{SourceMap, build};

use crate::report;

/// `spec! { #![root = "PATH"] ITEMS }`
pub(crate) fn inline(input: TokenStream) -> TokenStream {
    let Inline { root, items } = match syn::parse2(input) {
        Ok(inline) => inline,
        Err(error) => return error.to_compile_error(),
    };
    let layout = Layout::new(items);
    let name = layout.tokens(0, 0).map_or_else(String::new, |(first, _)| first.file());
    let mut sources = SourceMap::new();
    let file = sources.add(shown(&name), layout.text());
    let built = build(sources, &options(root));
    let findings = report::findings(&built, file, &layout);
    let code = emitted(&built, Span::call_site());
    quote! { #findings #code }
}

/// `platform!("PATH", root = "PATH")`
pub(crate) fn file(input: TokenStream) -> TokenStream {
    let File { path, root } = match syn::parse2(input) {
        Ok(file) => file,
        Err(error) => return error.to_compile_error(),
    };
    let given = path.value();
    // Cargo sets it for the package whose code this is.
    let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR") else {
        return report::error(path.span(), path.span(), "CARGO_MANIFEST_DIR is not set");
    };
    let package = PathBuf::from(package);
    let full = package.join(&given);
    let mut sources = SourceMap::new();
    let loaded = match sources.load(&full, given.trim_end_matches('/')) {
        Ok(loaded) => loaded,
        Err(error) => {
            let text = error.to_string().replace(&format!("{}/", package.display()), "");
            return report::error(path.span(), path.span(), &text);
        }
    };
    let built = build(sources, &options(root));
    let text = built.report(Style::Plain);
    let findings = match (built.rust.is_some(), text.is_empty()) {
        (false, _) => report::error(path.span(), path.span(), &format!("this platform is refused\n{text}")),
        (true, false) => report::warning(path.span(), "PLATFORM", &text),
        (true, true) => TokenStream::new(),
    };
    let code = emitted(&built, path.span());
    let watched = loaded.iter().map(|(_, path)| path.to_string_lossy());
    quote! {
        #findings
        const _: &[&[u8]] = &[#( ::core::include_bytes!(#watched) ),*];
        #code
    }
}

struct Inline {
    root: Option<String>,
    items: TokenStream,
}

impl Parse for Inline {
    fn parse(input: ParseStream<'_>) -> syn::Result<Inline> {
        let mut root = None;
        let ahead = input.fork();
        if ahead.call(root_attribute).is_ok() {
            root = Some(input.call(root_attribute)?);
        }
        Ok(Inline { root, items: input.parse()? })
    }
}

/// `#![root = "PATH"]`
fn root_attribute(input: ParseStream<'_>) -> syn::Result<String> {
    let inner;
    input.parse::<Token![#]>()?;
    input.parse::<Token![!]>()?;
    syn::bracketed!(inner in input);
    root_option(&inner)
}

struct File {
    path: LitStr,
    root: Option<String>,
}

impl Parse for File {
    fn parse(input: ParseStream<'_>) -> syn::Result<File> {
        let path = input.parse()?;
        let mut root = None;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            root = Some(input.call(root_option)?);
        }
        Ok(File { path, root })
    }
}

/// `root = "PATH"`
fn root_option(input: ParseStream<'_>) -> syn::Result<String> {
    let word: syn::Ident = input.parse()?;
    if word != "root" {
        return Err(syn::Error::new(word.span(), "expected `root = \"PATH\"`"));
    }
    input.parse::<Token![=]>()?;
    let path: LitStr = input.parse()?;
    path.parse::<syn::Path>()?;
    Ok(path.value())
}

fn options(root: Option<String>) -> Options {
    let mut options = Options { regenerate: "build the crate with the macro".into(), ..Options::default() };
    if let Some(root) = root {
        options.root_path = root;
        options.bindings = false;
    }
    options
}

/// The emitted code as tokens of the macro's own place; nothing when the platform is refused.
fn emitted(built: &Built, span: Span) -> TokenStream {
    let Some(rust) = &built.rust else { return TokenStream::new() };
    match rust.parse() {
        Ok(tokens) => tokens,
        Err(error) => report::error(span, span, &format!("codegen emitted what is no Rust: {error}")),
    }
}

/// A file's name as emitted code may hold it: never absolute.
fn shown(name: &str) -> String {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    }
    name.to_owned()
}
