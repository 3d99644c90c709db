//! From a path to Rust: what build scripts, macros and `probity spec check` call.

use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use crate::diagnostic::{Diagnostic, Style, has_errors, render, sort};
use crate::emit::{Emit, emit};
use crate::model::Model;
use crate::resolve::{CORE, resolve, uses_prelude};
use crate::source::{FileId, SourceMap};
use crate::syntax::parse;

/// The name under which reports show the prelude.
pub const PRELUDE_NAME: &str = "core.bpfspec";

/// How a platform is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path under which emitted code finds the vocabulary.
    pub root_path: String,
    /// How the text is made again, for its header.
    pub regenerate: String,
    /// Whether the bindings of the platform's host are emitted too: `root_path` must have the runtime's
    /// types then, as `::probity::rt` has.
    pub bindings: bool,
    /// Warnings refuse the platform too.
    pub deny_warnings: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            root_path: "::probity::rt".into(),
            regenerate: "build the crate that includes it".into(),
            bindings: true,
            deny_warnings: false,
        }
    }
}

/// What became of a platform.
#[derive(Clone, Debug)]
pub struct Built {
    /// The emitted text; None when the platform is refused.
    pub rust: Option<String>,
    /// The platform; None when it is refused.
    pub model: Option<Model>,
    /// All findings, in the order of reports.
    pub diagnostics: Vec<Diagnostic>,
    /// The sources, the prelude's too when it is used; findings point into them.
    pub sources: SourceMap,
}

impl Built {
    /// The platform's name.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        self.model.as_ref().map(|model| model.name.as_str())
    }

    /// The report of all findings.
    #[must_use]
    pub fn report(&self, style: Style) -> String {
        render(&self.sources, &self.diagnostics, style)
    }
}

/// Builds a platform from its sources.
#[must_use]
pub fn build(mut sources: SourceMap, options: &Options) -> Built {
    let mut diagnostics = Vec::new();
    let mut items = Vec::new();
    for (id, file) in sources.iter() {
        let (more, found) = parse(id, file.text());
        items.extend(more);
        diagnostics.extend(found);
    }
    let mut prelude = Vec::new();
    if uses_prelude(&items) {
        let id: FileId = sources.add(PRELUDE_NAME, CORE);
        let (parsed, found) = parse(id, CORE);
        prelude = parsed;
        diagnostics.extend(found);
    }
    let (model, found) = resolve(&sources, &items, &prelude);
    diagnostics.extend(found);
    sort(&mut diagnostics);
    let refused = has_errors(&diagnostics) || (options.deny_warnings && !diagnostics.is_empty());
    let model = model.filter(|_| !refused);
    let emit_options = Emit {
        root_path: options.root_path.clone(),
        regenerate: options.regenerate.clone(),
        bindings: options.bindings,
    };
    let rust = model.as_ref().map(|model| emit(model, &emit_options));
    Built { rust, model, diagnostics, sources }
}

/// Compiles the platform at `path` into `OUT_DIR/NAME.rs`, from a build script: tells cargo what to
/// watch, prints every finding, and ends the process when the platform is refused. The emitted code
/// names the vocabulary `::probity::rt`; see [`Compiler`] for another.
pub fn compile(path: impl AsRef<Path>) {
    Compiler::new().compile(path);
}

/// [`compile`] with settings.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    options: Options,
    out_dir: Option<PathBuf>,
}

impl Compiler {
    /// A compiler with the settings of [`compile`].
    #[must_use]
    pub fn new() -> Compiler {
        Compiler::default()
    }

    /// Sets the path under which emitted code finds the vocabulary, and leaves the bindings of a host
    /// out, which need more than that.
    #[must_use]
    pub fn root_path(mut self, path: impl Into<String>) -> Compiler {
        self.options.root_path = path.into();
        self.options.bindings = false;
        self
    }

    /// Sets the folder that the emitted file goes to; `OUT_DIR` unless set.
    #[must_use]
    pub fn out_dir(mut self, path: impl Into<PathBuf>) -> Compiler {
        self.out_dir = Some(path.into());
        self
    }

    /// Sets how the emitted file's header says to make it again.
    #[must_use]
    pub fn regenerate(mut self, how: impl Into<String>) -> Compiler {
        self.options.regenerate = how.into();
        self
    }

    /// Refuses a platform with warnings.
    #[must_use]
    pub fn deny_warnings(mut self) -> Compiler {
        self.options.deny_warnings = true;
        self
    }

    /// Compiles from a build script; see [`compile`].
    pub fn compile(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        // A folder is watched too: cargo sees files that are added to it.
        println!("cargo::rerun-if-changed={}", path.display());
        match self.run(path) {
            Ok((built, watched)) => {
                for file in watched {
                    println!("cargo::rerun-if-changed={}", file.display());
                }
                eprint!("{}", built.report(Style::Plain));
                if built.rust.is_none() {
                    process::exit(1);
                }
            }
            Err(error) => {
                eprintln!("error: {error}");
                process::exit(1);
            }
        }
    }

    /// Builds the platform at `path` and writes it out when it is accepted. Gives what was built,
    /// and the files to watch.
    ///
    /// # Errors
    /// When a file can't be read or written, or no folder for the output is known.
    pub fn run(&self, path: &Path) -> io::Result<(Built, Vec<PathBuf>)> {
        let mut sources = SourceMap::new();
        // Emitted text says only the names of files, so that it is the same everywhere.
        let shown = if path.is_dir() {
            String::new()
        } else {
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let watched = sources.load(path, &shown)?.into_iter().map(|(_, path)| path).collect();
        let built = build(sources, &self.options);
        if let (Some(rust), Some(name)) = (&built.rust, built.platform()) {
            let folder = match &self.out_dir {
                Some(folder) => folder.clone(),
                None => env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::NotFound, "OUT_DIR is not set: this is no build script")
                })?,
            };
            write(&folder.join(format!("{name}.rs")), rust)?;
        }
        Ok((built, watched))
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
