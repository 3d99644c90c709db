//! Findings as rustc shows them: errors and warnings at the tokens that they are about.

use std::fmt::Write as _;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};

use probity_codegen::compile::Built;
use probity_codegen::layout::Layout;
use probity_codegen::{Diagnostic, FileId};

/// All findings about an inline platform; `file` is its own text among the sources.
pub(crate) fn findings(built: &Built, file: FileId, layout: &Layout) -> TokenStream {
    let one = |found: &Diagnostic| {
        let place = found.primary.span;
        let tokens = (place.file == file).then(|| layout.tokens(place.lo, place.hi)).flatten();
        let (first, last) = tokens.unwrap_or((Span::call_site(), Span::call_site()));
        let text = text(found, built, file);
        if found.is_error() { error(first, last, &text) } else { warning(first, found.code.name(), &text) }
    };
    built.diagnostics.iter().map(one).collect()
}

/// A finding as text: rustc shows its place, the rest is said in lines.
fn text(found: &Diagnostic, built: &Built, file: FileId) -> String {
    let mut text = format!("[{}] {}", found.code, found.message);
    if found.primary.span.file != file {
        let _ = write!(text, "\n  in {}", found.line(&built.sources));
    }
    if !found.primary.text.is_empty() {
        let _ = write!(text, "\n  {}", found.primary.text);
    }
    for label in &found.secondary {
        let (line, column) = built.sources.line_column(label.span);
        let name = built.sources.files().get(label.span.file.index()).map_or("", |file| file.name());
        let name = if label.span.file == file { "line " } else { name };
        let colon = if label.span.file == file { "" } else { ":" };
        let _ = write!(text, "\n  note: {name}{colon}{line}:{column}: {}", label.text);
    }
    for help in &found.help {
        let _ = write!(text, "\n  help: {help}");
    }
    if let Some(better) = &found.suggestion {
        let _ = write!(text, "\n  help: {}: `{}`", better.title, better.replacement);
    }
    text
}

/// An error from one token to another.
pub(crate) fn error(first: Span, last: Span, text: &str) -> TokenStream {
    // rustc underlines from the path's first token to the braces.
    let start = quote_spanned! {first=> ::core::compile_error! };
    let end = quote_spanned! {last=> { #text } };
    quote::quote! { #start #end }
}

/// A warning: macros can't give one but by the use of something deprecated.
pub(crate) fn warning(place: Span, name: &str, text: &str) -> TokenStream {
    let name = format_ident!("{}", name, span = place);
    quote_spanned! {place=>
        const _: () = {
            #[allow(non_upper_case_globals)]
            #[deprecated(note = #text)]
            const #name: () = ();
            #name
        };
    }
}
