//! What is done with an input: it is built and reported; what is accepted is written out.

use probity_codegen::{
    Options, build,
    diagnostic::{Style, has_errors},
    diff::diff,
    emit::{header, index, page},
    print::print,
    syntax,
};

use super::{Platform, sources};

/// What became of inputs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Inputs.
    pub inputs: u64,
    /// Those without an error of syntax.
    pub read: u64,
    /// Those that are accepted.
    pub accepted: u64,
    /// The most findings about one.
    pub findings: usize,
    /// The longest report in bytes.
    pub report: usize,
}

/// Builds a platform and writes out what comes of it.
///
/// # Panics
///
/// When printing an item changes it; when anything else panics, which is what the run looks for.
pub fn run(platform: &Platform, tally: &mut Tally) {
    tally.inputs += 1;
    let mut reads = true;
    for (id, file) in sources(platform).iter() {
        let (items, found) = syntax::parse(id, file.text());
        let clean = !has_errors(&found);
        reads &= clean;
        if clean {
            let printed = print(&items);
            let (again, found) = syntax::parse(id, &printed);
            assert!(found.is_empty(), "what is printed does not read: {}", file.name());
            assert_eq!(printed, print(&again), "what is printed prints another way: {}", file.name());
        }
    }
    let built = build(sources(platform), &Options::default());
    let report = built.report(Style::Coloured);
    assert_eq!(built.model.is_none(), has_errors(&built.diagnostics), "a refusal has a reason");
    assert_eq!(report.is_empty(), built.diagnostics.is_empty());
    tally.read += u64::from(reads);
    tally.findings = tally.findings.max(built.diagnostics.len());
    tally.report = tally.report.max(report.len());
    if let Some(model) = &built.model {
        tally.accepted += 1;
        let version = model.version;
        let texts = [header(model), page(model), index(model)];
        assert!(texts.iter().all(|text| text.ends_with('\n')));
        assert_eq!(diff((model, version), (model, version)), Vec::<String>::new());
    }
}
