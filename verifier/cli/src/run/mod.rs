//! `probity run`: a program of an object on input.
//!
//! | module | subject |
//! |---|---|
//! | [`engine`] | what runs it: interpreters, machine code |
//! | [`runner`] | the runs |
//! | [`packets`] | the packets that it runs on |
//! | [`pcap`] | pcap files |
//! | [`context`] | contexts by field |
//! | [`facts`] | Linux's names that mean something to people |
//! | [`maps`] | maps in and out |
//! | [`values`] | their keys and values as JSON |
//! | [`types`] | the same by their BTF types |
//! | [`hex`] | bytes as text |
//! | [`record`] | what is said of runs; the fields of JSON lines |
//! | [`text`] | the same for people |
//! | [`trouble`] | why something did not run, or not to its end |
//! | [`plugin`] | as the runner of bpf_conformance calls it |

mod context;
mod engine;
mod facts;
mod hex;
mod maps;
mod packets;
mod pcap;
mod plugin;
mod record;
mod runner;
mod text;
mod trouble;
mod types;
mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use probity::object::Object;
use probity::program::Program;
use probity::vm::{Runtime, RuntimeOptions, Sink};
use probity::{Instance, Loader};

use crate::args::{Format, RunArgs};
use crate::output::{Exit, Failure, clean, complain_lines, note, print, print_jsonl};
use crate::target::Target;
use crate::{PLATFORM, input};
use context::Given;
use engine::{Engine, Ready};
use maps::{Entered, Typed};
use packets::Packets;
use record::{AssemblyLine, ErrorLine, Line, MapLine, Subject};
use runner::Runner;
use trouble::Trouble;

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    if args.plugin {
        return plugin::run(args);
    }
    let [path] = args.inputs.as_slice() else {
        return Err(Failure::usage("give one object"));
    };
    let trouble = match session(args, path) {
        Ok(exit) => return Ok(exit),
        Err(trouble) => trouble,
    };
    match (trouble.exit, args.format) {
        (Exit::Usage, _) => Err(trouble.into_failure()),
        (exit, Format::Text) => {
            complain_lines(&trouble.text());
            Ok(exit)
        }
        (exit, Format::Jsonl) => {
            let object = path.display().to_string();
            print_jsonl(&[Line::Error(ErrorLine { object, error: trouble })])?;
            Ok(exit)
        }
    }
}

/// Lines that programs print go to stderr.
#[derive(Debug)]
struct Stderr;

impl Sink for Stderr {
    fn line(&self, text: &str) {
        use std::io::Write as _;
        // There is nobody left to tell when stderr is closed.
        let _ = writeln!(anstream::stderr(), "{}", clean(text));
    }
}

/// One run slot: what is "per CPU" has one value. The same input gives the same random numbers.
fn runtime() -> Runtime {
    let sink = Arc::new(Stderr);
    Runtime::new(RuntimeOptions { slots: 1, sink, seed: Some(1), ..RuntimeOptions::default() })
}

fn session(args: &RunArgs, path: &Path) -> Result<Exit, Trouble> {
    let object =
        input::object(path).map_err(|error| Trouble::unreadable(format!("{}: {error}", path.display())))?;
    let target = Target::find(&args.target, std::iter::once(&object))?;
    for text in target.notes(&object) {
        note(&text);
    }
    let name = chosen(args, &object)?;
    let mut loader = Loader::new(PLATFORM);
    if let Some(types) = &target.types {
        loader = loader.target(types);
    }
    if let Some(values) = &target.kconfig {
        loader = loader.kconfig(values);
    }
    for given in &args.types {
        loader = loader.prog_type(&given.program, given.prog_type, given.attach);
    }
    let runtime = runtime();
    let instance = Instance::of(loader, object, &runtime);
    let engine = Engine::of(args.jit, args.checked);
    let (ready, program) = Ready::load(&instance, &name, (engine, args.fuel), path)?;
    if args.dump_asm {
        let assembly = AssemblyLine { program: name.clone(), text: ready.assembly(args.fuel)? };
        match args.format {
            Format::Text => print(&format!("{}\n", assembly.text.trim_end()))?,
            Format::Jsonl => print_jsonl(&[Line::Assembly(assembly)])?,
        }
    }
    let given = args.ctx.as_deref().map(Given::read).transpose()?.unwrap_or_default();
    let packets = Packets::find(args, ready.unit())?;
    let entered = fill(args, &instance, &program, engine, path)?;
    let worker = runtime.worker().map_err(|error| Trouble::unreadable(error.to_string()))?;
    let subject = Subject {
        object: path.display().to_string(),
        program: name,
        prog_type: ready.unit().prog_type().name,
        engine: engine.as_str(),
    };
    let exit = Runner { args, path, ready, program: &program, given, subject, worker }.all(&packets)?;
    if args.dump_maps {
        for typed in typed(&instance, &program) {
            // What can't be changed is as the object has it.
            if !typed.map.definition().frozen {
                let line = MapLine::new(&typed, &entered);
                match args.format {
                    Format::Text => print(&text::map(&line))?,
                    Format::Jsonl => print_jsonl(&[Line::Map(line)])?,
                }
            }
        }
    }
    Ok(exit)
}

/// The program that the command line names, or the only one.
fn chosen(args: &RunArgs, object: &Object) -> Result<String, Trouble> {
    let known: Vec<&str> = object.programs().iter().map(|entry| entry.name.as_str()).collect();
    let list = || match known.is_empty() {
        true => "the object has no programs: a program is a function that is not static, in a section \
                 other than .text"
            .to_owned(),
        false => format!("the object has {}", known.join(", ")),
    };
    let named = args.types.iter().map(|given| &given.program).chain(&args.program);
    for name in named {
        if !known.contains(&name.as_str()) {
            return Err(Trouble::usage(format!("there is no program `{name}`: {}", list())));
        }
    }
    match (&args.program, known.as_slice()) {
        (Some(name), _) => Ok(name.clone()),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(Trouble::unreadable(list())),
        (None, _) => Err(Trouble::usage(format!("say which program with --program: {}", list()))),
    }
}

/// The maps that were made, with what is known of their types.
fn typed<'p>(instance: &Instance<'_>, program: &'p Program) -> Vec<Typed<'p>> {
    instance.maps().into_iter().map(|(name, map)| Typed::new(&name, map, program)).collect()
}

/// Fills maps from files; has programs ready that go into arrays of programs, and gives those.
fn fill(
    args: &RunArgs,
    instance: &Instance<'_>,
    program: &Program,
    engine: Engine,
    path: &Path,
) -> Result<Vec<Entered>, Trouble> {
    let mut others: BTreeMap<String, Ready> = BTreeMap::new();
    let mut entered: Vec<Entered> = Vec::new();
    for (name, file) in &args.maps {
        let all = typed(instance, program);
        // `.bss` is enough for `xdp_fire.bss`.
        let found = all.iter().find(|typed| typed.name == *name);
        let found =
            found.or_else(|| all.iter().find(|typed| name.starts_with('.') && typed.name.ends_with(name)));
        let Some(found) = found else {
            let known: Vec<_> = all.iter().map(|typed| typed.name.as_str()).collect();
            let known = if known.is_empty() { "no maps".to_owned() } else { known.join(", ") };
            return Err(Trouble::usage(format!("the program uses no map `{name}`: it uses {known}")));
        };
        found.fill(file, |array, index, entry| {
            let ready = match others.get(entry) {
                Some(ready) => ready,
                None => {
                    let (ready, _) = Ready::load(instance, entry, (engine, args.fuel), path)?;
                    others.entry(entry.to_owned()).or_insert(ready)
                }
            };
            ready.enter(array, index).map_err(Trouble::unreadable)?;
            let map = array.definition().name.clone();
            entered.retain(|old| (&old.map, old.index) != (&map, index));
            entered.push(Entered { map, index, program: entry.to_owned() });
            Ok(())
        })?;
    }
    entered.sort_by_key(|entry| entry.index);
    Ok(entered)
}
