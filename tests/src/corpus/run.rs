//! Every case through the engine, in parallel.

use std::{
    any::Any,
    cell::RefCell,
    collections::BTreeMap,
    fs, io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Mutex, Once, mpsc},
    thread,
    time::{Duration, Instant},
};

use probity_linux::PLATFORM;
use probity_object::Object;
use rayon::prelude::*;

use super::{
    outcome::{Outcome, TIME_LIMIT},
    records::{self, Case, File, Source},
    target::{NotLoaded, Target},
};

/// A corpus that was read.
#[derive(Debug)]
pub struct Corpus {
    /// The kernel that gave the verdicts.
    pub target: Target,
    /// The programs, in the order of the files.
    pub cases: Vec<Case>,
}

impl Corpus {
    /// Reads these files of the corpus in `folder`.
    ///
    /// # Errors
    ///
    /// When a file is there and cannot be read.
    pub fn read(folder: &Path, files: &[File]) -> io::Result<Corpus> {
        let mut cases = Vec::new();
        for &file in files {
            cases.extend(records::read(folder, file)?);
        }
        Ok(Corpus { target: Target::read(folder)?, cases })
    }

    /// Keeps the cases whose name, `FILE OBJECT PROGRAM`, holds `part`.
    pub fn only(&mut self, part: &str) {
        self.cases.retain(|case| name(case).contains(part));
    }
}

/// `FILE OBJECT PROGRAM`.
#[must_use]
pub fn name(case: &Case) -> String {
    format!("{} {} {}", case.file, case.object, case.program)
}

/// Verifies every case. The outcomes stand in the order of the cases. A program that takes long is
/// named on standard error while it does.
#[must_use]
pub fn run(corpus: &Corpus) -> Vec<Outcome> {
    let objects = objects(&corpus.cases);
    let watch = Watch::start();
    let run = || corpus.cases.par_iter().map(|case| one(corpus, &objects, &watch, case)).collect();
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build();
    pool.expect("threads").install(run)
}

/// Objects by their paths, or why they cannot be read.
pub type Objects = BTreeMap<PathBuf, Result<Object, String>>;

/// Reads the objects that cases come from.
#[must_use]
pub fn objects(cases: &[Case]) -> Objects {
    let mut paths: Vec<&PathBuf> = cases.iter().filter_map(path).collect();
    paths.sort_unstable();
    paths.dedup();
    let parse = |path: &PathBuf| {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let mut object = guarded(|| Object::parse(&bytes).map_err(|error| error.to_string()))??;
        object.set_name(&path.file_name().unwrap_or_default().to_string_lossy());
        Ok(object)
    };
    paths.into_par_iter().map(|path| (path.clone(), parse(path))).collect()
}

/// The object that a case comes from.
#[must_use]
pub fn path(case: &Case) -> Option<&PathBuf> {
    match &case.source {
        Source::Raw(_) => None,
        Source::Object { path, .. } => Some(path),
    }
}

fn one(corpus: &Corpus, objects: &Objects, watch: &Watch, case: &Case) -> Outcome {
    let start = Instant::now();
    let _watched = watch.enter(case, start);
    let object = match path(case).map(|path| &objects[path]) {
        Some(Err(error)) => return Outcome::not_loaded(case, NotLoaded::object(error)),
        Some(Ok(object)) => Some(object),
        None => None,
    };
    let verified = guarded(|| match corpus.target.load(case, object) {
        Err(error) => Outcome::not_loaded(case, error),
        Ok(program) => {
            let report = probity_engine::verify(&program, &PLATFORM, &corpus.target.profile());
            Outcome::reported(case, &program, &report)
        }
    });
    let mut outcome = verified.unwrap_or_else(|panic| Outcome::crashed(case, panic));
    outcome.time = start.elapsed();
    outcome
}

thread_local! {
    /// The panic that this thread is guarded against: where, and what it said.
    static PANIC: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Calls `run`; a panic is an error with its message and place, and prints nothing.
///
/// # Errors
///
/// When it panics.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map_or_else(String::new, ToString::to_string);
            let text = format!("{} at {place}", text(info.payload()));
            let kept = PANIC.with_borrow_mut(|panic| panic.as_mut().map(|slot| *slot = Some(text)).is_some());
            if !kept {
                before(info);
            }
        }));
    });
    PANIC.set(Some(None));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    let said = PANIC.take().flatten();
    result.map_err(|payload| said.unwrap_or_else(|| text(&*payload).to_owned()))
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

/// Names programs that take long while they run.
struct Watch {
    running: std::sync::Arc<Mutex<BTreeMap<String, Instant>>>,
    _end: mpsc::Sender<()>,
}

struct Watched<'a>(&'a Watch, String);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Ok(mut running) = self.0.running.lock() {
            running.remove(&self.1);
        }
    }
}

impl Watch {
    fn start() -> Watch {
        let running = std::sync::Arc::new(Mutex::new(BTreeMap::<String, Instant>::new()));
        let (end, ended) = mpsc::channel();
        let seen = running.clone();
        thread::spawn(move || {
            while ended.recv_timeout(TIME_LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                let Ok(running) = seen.lock() else { return };
                for (name, start) in running.iter().filter(|(_, start)| start.elapsed() > TIME_LIMIT) {
                    let seconds = Duration::from_secs(start.elapsed().as_secs());
                    eprintln!("{name}: running for {seconds:?}");
                }
            }
        });
        Watch { running, _end: end }
    }

    fn enter(&self, case: &Case, start: Instant) -> Watched<'_> {
        let name = name(case);
        if let Ok(mut running) = self.running.lock() {
            running.insert(name.clone(), start);
        }
        Watched(self, name)
    }
}
