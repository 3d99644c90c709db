//! Diagnostics: what is wrong, where, and what to write instead; and how a report of them reads.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use crate::code::{Code, Severity};
use crate::source::{FileId, SourceMap, Span};

/// A place and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The text; may be empty.
    pub text: String,
}

/// A piece of text to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What it does, "write an inclusive range".
    pub title: String,
    /// What is replaced; empty to insert.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// One finding about a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong in general.
    pub code: Code,
    /// What is wrong here.
    pub message: String,
    /// Where.
    pub primary: Label,
    /// Other places that have to do with it, in any file.
    pub secondary: Vec<Label>,
    /// What may help.
    pub help: Vec<String>,
    /// What to write instead.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A diagnostic without labels' texts, help or suggestion.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
            suggestion: None,
        }
    }

    /// A diagnostic about a name that nothing declares: `what` says of what kind ("register
    /// kind"), `candidates` are the names that there are; the nearest is suggested.
    #[must_use]
    pub fn unknown<'a>(
        code: Code,
        what: &str,
        name: &str,
        span: Span,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Diagnostic {
        let found = Diagnostic::new(code, span, format!("unknown {what} `{name}`"));
        match did_you_mean(name, candidates) {
            Some(near) => found.suggest("did you mean this", span, near),
            None => found,
        }
    }

    /// Puts a text at the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn suggest(
        mut self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Diagnostic {
        let (title, replacement) = (title.into(), replacement.into());
        self.suggestion = Some(Suggestion { title, span, replacement });
        self
    }

    /// How grave it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// True when it refuses the spec.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }

    /// The one-line form: `file:line:column: error[S001]: message`.
    #[must_use]
    pub fn line(&self, sources: &SourceMap) -> String {
        let (line, column) = sources.line_column(self.primary.span);
        let name = sources.files().get(self.primary.span.file.index()).map_or("?", |file| file.name());
        format!("{name}:{line}:{column}: {}[{}]: {}", word(self.severity()), self.code, self.message)
    }
}

/// True when one of them refuses the spec.
#[must_use]
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// Puts diagnostics into the order of reports, by place, then code, then text, each once. What only
/// follows from others is left out: warnings beside errors, and that something is missing in a file
/// that could not be read to its end.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    let refused = has_errors(diagnostics);
    let mut unread: Vec<FileId> = diagnostics
        .iter()
        .filter(|found| found.code.is_syntax())
        .map(|found| found.primary.span.file)
        .collect();
    unread.sort_unstable();
    diagnostics.retain(|found| {
        let missing = matches!(found.code, Code::MissingProto | Code::MissingClause | Code::MissingPlatform);
        let follows = missing && unread.binary_search(&found.primary.span.file).is_ok();
        (found.is_error() || !refused) && !follows
    });
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.primary.span, d.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
}

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With the colours of a terminal.
    Coloured,
}

/// The report of diagnostics, in the order given, and their count at its end; empty when there
/// are none.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let mut report = String::new();
    for diagnostic in diagnostics {
        let groups = groups(sources, diagnostic);
        let _ = writeln!(report, "{}\n", renderer.render(&groups));
    }
    report.push_str(&summary(diagnostics));
    report
}

/// The count: `2 errors, 1 warning` and a line's end; empty when there is nothing to count.
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let count = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts = [count(errors, "error"), count(diagnostics.len() - errors, "warning")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("{}\n", parts.join(", ")) }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn groups<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut main =
        Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.to_string()));
    // One snippet a file: the primary label's first, the others in the order of their labels.
    let mut files: Vec<FileId> = vec![diagnostic.primary.span.file];
    for label in &diagnostic.secondary {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    for id in files {
        let Some(file) = sources.files().get(id.index()) else { continue };
        let mut snippet = Snippet::source(file.text()).path(file.name()).fold(true);
        if diagnostic.primary.span.file == id {
            snippet =
                snippet.annotation(annotation(AnnotationKind::Primary, &diagnostic.primary, file.text()));
        }
        for label in diagnostic.secondary.iter().filter(|label| label.span.file == id) {
            snippet = snippet.annotation(annotation(AnnotationKind::Context, label, file.text()));
        }
        main = main.element(snippet);
    }
    for help in &diagnostic.help {
        main = main.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![main];
    if let Some(suggestion) = &diagnostic.suggestion
        && let Some(file) = sources.files().get(suggestion.span.file.index())
    {
        let range = within(suggestion.span, file.text());
        let snippet = Snippet::source(file.text()).path(file.name()).fold(true);
        let patch = snippet.patch(Patch::new(range, suggestion.replacement.as_str()));
        groups.push(Level::HELP.secondary_title(suggestion.title.as_str()).element(patch));
    }
    groups
}

fn annotation<'a>(kind: AnnotationKind, label: &'a Label, text: &str) -> annotate_snippets::Annotation<'a> {
    let annotation = kind.span(within(label.span, text));
    if label.text.is_empty() { annotation } else { annotation.label(label.text.as_str()) }
}

/// The span's bytes, cut to the text and to whole characters.
fn within(span: Span, text: &str) -> std::ops::Range<usize> {
    let cut = |at: u32| text.floor_char_boundary(at as usize);
    cut(span.lo)..cut(span.hi)
}

/// The candidate nearest to `name`, when it is near enough to be a slip: at most a third of its
/// letters differ. Among equally near ones the first in the alphabet.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any name that is meant; keeps the work bounded.
    const LONGEST: usize = 128;
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let most = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != name)
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let change = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["helper", "kind", "view"];
        assert_eq!(did_you_mean("helpr", names), Some("helper"));
        assert_eq!(did_you_mean("veiw", names), Some("view"));
        assert_eq!(did_you_mean("KIND", names), Some("kind"));
        assert_eq!(did_you_mean("sausage", names), None);
    }

    #[test]
    fn a_report_covers_several_files_and_counts() {
        let mut sources = SourceMap::new();
        let a = sources.add("a.bpfspec", "version 6.1;\n");
        let b = sources.add("b.bpfspec", "platform x;\nversion 6.2;\n");
        let found = Diagnostic::new(Code::DuplicateName, Span::new(b, 12, 19), "twice")
            .label("again here")
            .with(Span::new(a, 0, 7), "first here")
            .help("once is enough");
        let report = render(&sources, &[found], Style::Plain);
        assert!(report.starts_with("error[S021]: twice\n"), "{report}");
        assert!(report.contains("b.bpfspec:2:1") && report.contains("a.bpfspec:1:1"), "{report}");
        assert!(report.ends_with("1 error\n"), "{report}");
    }
}
