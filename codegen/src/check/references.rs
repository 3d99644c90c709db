//! References: what is acquired can be released, and what is released was acquired.

use probity_platform::{ObjectFlags, TypeFlags};

use crate::Diagnostic;
use crate::code::Code;
use crate::model::Object;
use crate::resolve::cx::Cx;
use crate::resolve::helpers::Built;
use crate::syntax::ast::Ident;

/// Reports classes that only one side names, and releases that give nothing up.
pub(crate) fn references(cx: &mut Cx<'_>, callables: &[Built], objects: &[Object]) {
    // Of what a module acquires or releases, the spec knows one side only.
    let external = |class: &&Ident| {
        let of = objects.iter().find(|object| object.name == class.name);
        !of.is_some_and(|object| object.flags.contains(ObjectFlags::EXTERNAL))
    };
    let acquired: Vec<&Ident> = callables.iter().flat_map(|built| &built.acquires).filter(external).collect();
    let released: Vec<&Ident> = callables.iter().flat_map(|built| &built.releases).filter(external).collect();
    one_sided(cx, &acquired, &released, Code::NeverReleased, "nothing releases", "releases");
    one_sided(cx, &released, &acquired, Code::NeverAcquired, "nothing acquires", "acquires");
    for built in callables {
        let gives_up = built.row.args.iter().any(|arg| arg.flags.contains(TypeFlags::OBJ_RELEASE));
        if let Some(class) = built.releases.first()
            && !gives_up
        {
            let text = format!("no argument is given up as `{}`", class.name);
            let found = Diagnostic::new(Code::ReleaseMismatch, class.span, text)
                .with(built.span, "the helper")
                .help("write `| OBJ_RELEASE` behind the argument's class");
            cx.report(found);
        }
    }
}

fn one_sided(cx: &mut Cx<'_>, these: &[&Ident], those: &[&Ident], code: Code, text: &str, word: &str) {
    let mut seen: Vec<&str> = Vec::new();
    for class in these {
        if those.iter().any(|other| other.name == class.name) || seen.contains(&class.name.as_str()) {
            continue;
        }
        seen.push(&class.name);
        let found = Diagnostic::new(code, class.span, format!("{text} `{}`", class.name))
            .help(format!("declare a helper with `{word} {};`", class.name));
        cx.report(found);
    }
}
