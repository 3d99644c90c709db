//! Helpers that no program type offers.

use probity_platform::CallableFlags;

use crate::Diagnostic;
use crate::code::Code;
use crate::model::ProgType;
use crate::resolve::cx::Cx;
use crate::resolve::helpers::Built;
use crate::source::FileId;

/// Warns of helpers of the platform's own files that no program type can reach. One that is declared as unsupported is there
/// for its name.
pub(crate) fn reach(cx: &mut Cx<'_>, callables: &[Built], prog_types: &[ProgType], prelude: Option<FileId>) {
    let helpers = callables.iter().take_while(|built| !built.kfunc).count();
    let mut reached = vec![false; callables.len()];
    for prog in prog_types {
        let kfuncs = prog.kfuncs.iter().map(|(at, _)| helpers + usize::from(*at));
        for at in prog.callables.iter().map(|(at, _)| usize::from(*at)).chain(kfuncs) {
            if let Some(slot) = reached.get_mut(at) {
                *slot = true;
            }
        }
    }
    for (built, reached) in callables.iter().zip(reached) {
        // Who takes a part of the prelude, need not offer all of it.
        let taken = prelude.is_some_and(|prelude| prelude == built.span.file);
        if reached || taken || built.row.flags.contains(CallableFlags::UNSUPPORTED) {
            continue;
        }
        let what = match (built.overload, built.kfunc) {
            (true, _) => "overload",
            (false, true) => "kfunc",
            (false, false) => "helper",
        };
        let name = cx.sources.text(built.span).to_owned();
        let text = format!("no program type offers the {what} `{name}`");
        let found = Diagnostic::new(Code::UnreachableHelper, built.span, text)
            .help("name it in a set that a program type uses");
        cx.report(found);
    }
}
