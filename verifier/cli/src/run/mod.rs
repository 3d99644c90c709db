//! `probity run`: a program of an object on input.
//!
//! | module | subject |
//! |---|---|
//! | [`engine`] | what runs it: interpreters, machine code |
//! | [`packets`] | the packets that it runs on |
//! | [`pcap`] | pcap files |
//! | [`context`] | contexts by field |
//! | [`facts`] | Linux's names that mean something to people |
//! | [`maps`] | maps in and out |
//! | [`values`] | their keys and values as JSON |
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
mod text;
mod trouble;
mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use probity::object::Object;
use probity::program::Program;
use probity::vm::{Packet, Runtime, RuntimeOptions, Sink, Worker};
use probity::{Instance, Loader};

use crate::args::{Format, RunArgs};
use crate::output::{Exit, Failure, clean, complain_lines, note, print, print_jsonl};
use crate::target::Target;
use crate::{PLATFORM, input};
use context::{Frame, Given};
use engine::{Engine, Ready};
use maps::{Entered, Typed};
use packets::Packets;
use record::{AssemblyLine, BytesLine, ErrorLine, Hex, Line, MapLine, PacketLine, RunLine, Subject, Summary};
use trouble::Trouble;

/// Runs are printed together, so many at once.
const TOGETHER: usize = 1024;

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

/// A program with its input.
struct Runner<'a> {
    args: &'a RunArgs,
    path: &'a Path,
    ready: Ready,
    program: &'a Program,
    given: Given,
    subject: Subject,
    worker: Worker,
}

impl Runner<'_> {
    /// Runs on all packets, and says what came of it.
    fn all(mut self, packets: &Packets) -> Result<Exit, Trouble> {
        let file = match packets {
            Packets::Captured { file, .. } => Some(file.clone()),
            _ => None,
        };
        let mut summary = Summary::new(self.subject.clone(), file.clone().unwrap_or_default());
        let mut times = Vec::new();
        let mut lines = Vec::new();
        let mut first: Option<String> = None;
        for (number, frame) in packets.iter() {
            let line = self.case(number, frame)?;
            summary.count(&line, frame.map_or(0, |frame| frame.bytes.len() as u64));
            times.extend(line.time_ns);
            if let Some(error) = &line.error {
                let at = number.map(|number| format!("packet {number}: ")).unwrap_or_default();
                first.get_or_insert_with(|| format!("{at}{}", error.text()));
            }
            match (self.args.format, &file) {
                (Format::Jsonl, _) => lines.push(Line::Run(Box::new(line))),
                (Format::Text, None) => print(&text::run(&line))?,
                (Format::Text, Some(_)) => {}
            }
            if lines.len() == TOGETHER {
                print_jsonl(&lines)?;
                lines.clear();
            }
        }
        let exit = if summary.failed > 0 { Exit::Rejected } else { Exit::Accepted };
        summary.finish(times);
        match self.args.format {
            Format::Jsonl => {
                lines.extend(file.map(|_| Line::Summary(summary)));
                print_jsonl(&lines)?;
            }
            Format::Text => {
                if file.is_some() {
                    print(&text::summary(&summary))?;
                }
                if let Some(error) = first {
                    complain_lines(&error);
                }
            }
        }
        Ok(exit)
    }

    /// Runs on copies of one input; what is said of changes is of the first run.
    fn case(&mut self, number: Option<usize>, frame: Option<Frame<'_>>) -> Result<RunLine, Trouble> {
        let mut line = RunLine {
            subject: self.subject.clone(),
            number,
            r0: None,
            verdict: None,
            error: None,
            packet: None,
            context: Vec::new(),
            context_bytes: None,
            runs: self.args.repeat,
            time_ns: None,
        };
        let (platform, view) = (self.ready.unit().platform(), self.ready.unit().view());
        let mut bound = self.ready.bind(&mut self.worker, self.args.fuel)?;
        let mut times = Vec::new();
        for index in 0..self.args.repeat {
            let mut context = self.given.context(platform, view, frame)?;
            let mut packet = frame.map(|frame| Packet::new(frame.bytes));
            let before = (index == 0).then(|| context::numbers(platform, &mut context));
            let (result, time) =
                input::guarded(|| bound.run(&mut context, packet.as_mut())).map_err(Trouble::unreadable)?;
            times.push(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            if let Some(before) = before {
                match &self.given {
                    Given::Bytes(bytes) => {
                        let after = context.to_vec();
                        // What the program wrote behind the given bytes belongs to them.
                        let len = after.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                        let len = len.max(bytes.len());
                        let mut before = bytes.clone();
                        before.resize(len, 0);
                        line.context_bytes = Some(BytesLine::new(before, after[..len].to_vec()));
                    }
                    _ => line.context = context::changes(platform, &before, &mut context),
                }
                if let (Some(frame), Some(packet)) = (frame, packet.as_mut()) {
                    let metadata = Some(packet.metadata()).filter(|bytes| !bytes.is_empty()).map(Hex);
                    let bytes = BytesLine::new(frame.bytes.to_vec(), packet.to_vec());
                    line.packet = Some(PacketLine { bytes, metadata });
                }
            }
            match result {
                Ok(r0) if index == 0 => {
                    line.r0 = Some(r0);
                    line.verdict = facts::verdict(self.ready.unit().prog_type(), r0);
                }
                Ok(_) => {}
                Err(error) => {
                    line.r0 = None;
                    line.verdict = None;
                    line.error = Some(Trouble::of_run(&error, self.program, self.path));
                    return Ok(line);
                }
            }
        }
        line.time_ns = record::median(times);
        Ok(line)
    }
}
