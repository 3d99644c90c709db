//! Programs of an embedder's platform with a host, in all engines.

use std::sync::Arc;

use probity::host::{Bindings, ContextStruct, Linked};
use probity::module::run_checked;
use probity_engine::{Finding, Verdict, Verified, verify};
use probity_isa::Insn;
use probity_jit::{NativeCode, Options, compile, opt};
use probity_platform::Platform;
use probity_program::{Btf, FuncInfo, Linkage, MapDef, Program};
use probity_vm::{
    CheckedProgram, Executable, LinkError, Map, Packet, RunError, Runtime, RuntimeOptions, Worker,
};

use crate::kernel::btf::BtfImage;

/// How a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In the interpreter that checks everything.
    Checked,
    /// In that of verified programs.
    Interpreter,
    /// As machine code of one pass.
    OnePass,
    /// As machine code, optimised.
    Optimised,
}

impl Engine {
    /// All of them; where there is no compiler, the interpreters.
    pub const ALL: &[Engine] = if cfg!(target_arch = "x86_64") {
        &[Engine::Checked, Engine::Interpreter, Engine::OnePass, Engine::Optimised]
    } else {
        &[Engine::Checked, Engine::Interpreter]
    };
}

/// A program: `call NAME` is a kfunc, a helper or a function of it.
///
/// # Panics
///
/// When the text is no program.
#[must_use]
pub fn program(platform: &'static Platform, prog_type: u32, text: &str) -> Program {
    let mut program = Program::from_insns(prog_type, Vec::new());
    program.kfuncs = platform.kfuncs.iter().map(|row| row.name.to_owned()).collect();
    let line = |line: &str| {
        let Some((before, name)) = line.trim().rsplit_once("call ") else { return line.to_owned() };
        let name = name.trim();
        let kfunc = program.kfuncs.iter().position(|kfunc| kfunc == name);
        let helper = platform.callables.iter().find(|row| row.name == name);
        match (kfunc, helper) {
            (Some(index), _) => format!("{before}call kfunc {index}"),
            (_, Some(row)) => format!("{before}call {}", row.number),
            _ => line.to_owned(),
        }
    };
    let text: String = text.lines().map(|text| line(text) + "\n").collect();
    program.insns = probity_isa::assemble(&text, &()).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    program.license = "GPL".to_owned();
    describe(&mut program);
    program
}

/// Gives a program types that say that its functions return `int`.
fn describe(program: &mut Program) {
    const KIND: u32 = 24;
    let mut image = BtfImage::new(Vec::new(), vec![0]);
    let (int, name) = (image.string("int"), image.string("f"));
    let types: Vec<u32> =
        [&[int, 1 << KIND, 4, 1 << KIND | 32][..], &[0, 13 << KIND, 1], &[name, 12 << KIND, 2]].concat();
    let types = types.iter().flat_map(|word| word.to_le_bytes()).collect();
    program.btf = Some(Arc::new(Btf::parse(&image.with_types(types).to_bytes()).expect("types")));
    // Calls, and addresses of functions.
    let names = |insn: &Insn| matches!((insn.code, insn.src), (0x85, 1) | (0x18, 4));
    let named = program.insns.iter().enumerate().filter(|(_, insn)| names(insn));
    let mut starts: Vec<usize> =
        named.map(|(pc, insn)| (pc as i64 + 1 + i64::from(insn.imm)) as usize).collect();
    starts.push(0);
    starts.sort_unstable();
    starts.dedup();
    let function = |pc| FuncInfo { pc, name: "f".to_owned(), btf_id: 3, linkage: Linkage::Static };
    program.funcs = starts.into_iter().map(function).collect();
}

/// Verifies a program.
///
/// # Errors
///
/// What is wrong with it.
pub fn verified(platform: &'static Platform, program: &Program) -> Result<Verified, Box<Finding>> {
    match verify(program, platform, &platform.default_profile()).verdict {
        Verdict::Accepted(proof) => Ok(proof),
        Verdict::Rejected(finding) | Verdict::Unsupported(finding) => Err(Box::new(finding)),
    }
}

/// A program that is ready in an engine.
#[derive(Clone, Debug)]
pub enum Ready {
    /// Verified; with machine code or without.
    Verified(Executable),
    /// For the checked interpreter.
    Checked(CheckedProgram),
}

/// What a run is given beside its context and host.
#[derive(Debug, Default)]
pub struct Extra<'a> {
    /// How many back edges and calls it may take.
    pub fuel: Option<u64>,
    /// The packet.
    pub packet: Option<&'a mut Packet>,
}

impl Ready {
    /// Has a program ready.
    ///
    /// # Errors
    ///
    /// When it can't be linked.
    ///
    /// # Panics
    ///
    /// When it is not accepted, or there is no machine code of it.
    pub fn new(
        engine: Engine,
        platform: &'static Platform,
        program: &Program,
        maps: Vec<Arc<Map>>,
        host: Option<&Linked>,
    ) -> Result<Ready, LinkError> {
        if engine == Engine::Checked {
            let profile = platform.default_profile();
            let checked = match host {
                Some(host) => CheckedProgram::with_host(program, platform, &profile, maps, host),
                None => CheckedProgram::new(program, platform, &profile, maps),
            };
            return checked.map(Ready::Checked);
        }
        let proof = verified(platform, program).unwrap_or_else(|finding| panic!("{}", finding.last_line()));
        let executable = match host {
            Some(host) => Executable::with_host(&proof, maps, host)?,
            None => Executable::new(&proof, maps)?,
        };
        let options = Options { fuel: true, ..Options::default() };
        match engine {
            Engine::OnePass => compile(&executable, &options).and_then(NativeCode::install).expect("code"),
            Engine::Optimised => opt::compile(&executable, &options)
                .map_or_else(|error| panic!("{error}"), |code| code.install().expect("no code before")),
            Engine::Checked | Engine::Interpreter => {}
        }
        Ok(Ready::Verified(executable))
    }

    /// Runs it with a context and a host; gives r0.
    ///
    /// # Errors
    ///
    /// When the run ended early.
    pub fn run<C: ContextStruct, H: 'static>(
        &self,
        worker: &mut Worker,
        context: &mut C,
        host: &mut H,
        extra: Extra<'_>,
    ) -> Result<u64, RunError> {
        match self {
            Ready::Checked(program) if extra.fuel.is_none() => {
                run_checked(program, worker, context, extra.packet, host)
            }
            Ready::Checked(program) => {
                let mut own = probity_vm::Context::new(program.unit().view());
                assert!(own.put(context));
                let input = probity_vm::Input {
                    context: Some(&mut own),
                    packet: extra.packet,
                    host: Some(host),
                    fuel: extra.fuel,
                    interpreted: false,
                };
                program.run(worker, input)
            }
            Ready::Verified(program) => {
                let mut session = program.session(worker, None)?;
                session.fuel(extra.fuel);
                assert!(session.context().put(context));
                let result = session.run_with(extra.packet, Some(host));
                *context = session.context().take().expect("the same context");
                result
            }
        }
    }

    /// Puts it into an array of programs.
    ///
    /// # Errors
    ///
    /// When it does not fit.
    pub fn put(&self, array: &Map, index: u32) -> Result<(), probity_vm::maps::ProgArrayError> {
        match self {
            Ready::Verified(program) => array.set_program(index, program),
            Ready::Checked(program) => array.set_checked_program(index, program),
        }
    }
}

/// A program in all engines, each with maps of its own.
#[derive(Debug)]
pub struct Everywhere {
    /// The runtime.
    pub runtime: Runtime,
    /// The program in each engine.
    pub ready: Vec<(Engine, Ready, Vec<Arc<Map>>)>,
}

impl Everywhere {
    /// Assembles a program, verifies it, links it with a host's functions.
    ///
    /// # Panics
    ///
    /// When it is not accepted, or can't be linked.
    #[must_use]
    #[track_caller]
    pub fn new<H: 'static>(bindings: &Bindings<H>, text: &str, maps: &[MapDef]) -> Everywhere {
        let platform = bindings.platform();
        let linked = bindings.link().expect("generated bindings fit");
        let mut program = program(platform, platform.prog_types[0].number, text);
        program.maps = maps.to_vec();
        let runtime = Runtime::new(RuntimeOptions { slots: 8, ..RuntimeOptions::default() });
        if let Err(finding) = verified(platform, &program) {
            panic!("{}\n{text}", finding.last_line());
        }
        let one = |&engine: &Engine| {
            let maps: Vec<_> =
                program.maps.iter().map(|map| runtime.map(platform, map).expect("a map")).collect();
            let ready = Ready::new(engine, platform, &program, maps.clone(), Some(&linked));
            (engine, ready.unwrap_or_else(|error| panic!("{error}\n{text}")), maps)
        };
        let ready = Engine::ALL.iter().map(one).collect();
        Everywhere { runtime, ready }
    }

    /// Runs it in each engine, with a context and a host made anew for each; gives what all agree on:
    /// r0 and the context afterwards. `look` sees the host, and what the run gave.
    ///
    /// # Panics
    ///
    /// When two differ.
    #[track_caller]
    pub fn agree<H: 'static, C: ContextStruct + PartialEq + std::fmt::Debug>(
        &self,
        context: &C,
        mut host: impl FnMut() -> H,
        fuel: Option<u64>,
        mut look: impl FnMut(Engine, &mut H, &Result<u64, RunError>),
    ) -> (Result<u64, RunError>, C) {
        let mut found: Option<(Result<u64, RunError>, C)> = None;
        for (engine, ready, _) in &self.ready {
            let (mut host, mut own) = (host(), context.clone());
            let mut worker = self.runtime.worker().expect("a slot");
            let extra = Extra { fuel, packet: None };
            let result = ready.run(&mut worker, &mut own, &mut host, extra);
            look(*engine, &mut host, &result);
            // What a run changed that ended early is another matter.
            let own = if result.is_err() { context.clone() } else { own };
            let new = (result, own);
            match &found {
                Some(found) => assert_eq!(*found, new, "{engine:?}"),
                None => found = Some(new),
            }
        }
        found.expect("an engine")
    }
}
