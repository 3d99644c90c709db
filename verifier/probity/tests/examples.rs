//! The examples: they print what they promise, their files are up to date, and the firewall's plug-ins
//! give the same in all engines. `BLESS=1` writes what is stale.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use probity::host::ContextStruct;
use probity::module::run_checked;
use probity::vm::{CheckedProgram, Packet, Runtime, RuntimeOptions};
use probity::{LoadError, Module, Program};

#[path = "../examples/firewall/main.rs"]
#[allow(dead_code)]
mod firewall_example;
#[path = "../examples/table/main.rs"]
#[allow(dead_code)]
mod table_example;
mod traffic;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Holds a file against what it should be; `BLESS=1` writes it.
fn up_to_date(path: &Path, wanted: &[u8]) {
    if env::var_os("BLESS").is_some() {
        return fs::write(path, wanted).expect("it can be written");
    }
    let there = fs::read(path).unwrap_or_default();
    assert!(there == wanted, "{} is stale: run with BLESS=1 and read the difference", path.display());
}

#[test]
fn the_firewall_prints_what_it_did() {
    for ready in [Program::jit, Ok] {
        let mut printed = Vec::new();
        firewall_example::run(&mut printed, ready).expect("it runs");
        up_to_date(&examples().join("firewall/output.golden"), &printed);
    }
}

#[test]
fn the_table_prints_what_it_did() {
    let mut printed = Vec::new();
    table_example::run(&mut printed).expect("it runs");
    up_to_date(&examples().join("table/output.golden"), &printed);
}

#[test]
fn the_traffic_is_what_its_generator_makes() {
    up_to_date(&examples().join("firewall/traffic.pcap"), &traffic::pcap());
}

#[test]
fn headers_are_those_of_the_specs() {
    let specs = [
        ("firewall", examples().join("firewall/firewall.bpfspec")),
        ("table", examples().join("../../../spec/examples/table.bpfspec")),
    ];
    for (name, spec) in specs {
        let mut sources = probity_codegen::SourceMap::new();
        sources.load(&spec, name).expect("the spec is there");
        let built = probity_codegen::build(sources, &probity_codegen::Options::default());
        let header = probity_codegen::emit::header(&built.model.expect("the platform is accepted"));
        up_to_date(&examples().join(name).join(format!("{name}.h")), header.as_bytes());
    }
}

#[test]
fn objects_are_what_the_compiler_makes_of_the_sources() {
    for (variable, tool) in [("CLANG", "clang-22"), ("STRIP", "llvm-strip-22")] {
        let tool = env::var(variable).unwrap_or_else(|_| tool.into());
        let version = Command::new(&tool).arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            return println!("skipped: objects of the examples: there is no {tool}");
        }
    }
    for name in ["firewall", "table"] {
        let folder = env::temp_dir().join(format!("probity-examples-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let script = examples().join(name).join("build.sh");
        let status = Command::new("sh").arg(script).arg(&folder).status().expect("sh runs");
        assert!(status.success(), "{name}");
        let mut compared = 0;
        for object in fs::read_dir(&folder).expect("a folder") {
            let object = object.expect("an entry").path();
            let kept = examples().join(name).join(object.file_name().expect("a name"));
            up_to_date(&kept, &fs::read(&object).expect("it was made"));
            compared += 1;
        }
        assert!(compared >= 2, "{name}: {compared} objects");
        fs::remove_dir_all(&folder).expect("the folder goes");
    }
}

/// The engines that a program may run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Checked,
    Interpreted,
    Native,
}

const ENGINES: [Engine; 3] = [Engine::Checked, Engine::Interpreted, Engine::Native];

/// A program, ready for an engine.
enum Ready<H> {
    Checked(CheckedProgram),
    Verified(Program<H>),
}

impl<H: 'static> Ready<H> {
    fn new(module: &Module<H>, name: &str, engine: Engine) -> Result<Ready<H>, LoadError> {
        let program = module.program(name)?;
        Ok(match engine {
            Engine::Checked => Ready::Checked(program.checked()?),
            Engine::Interpreted => Ready::Verified(program.verify()?),
            Engine::Native => Ready::Verified(program.verify()?.jit()?),
        })
    }

    fn put(&self, maps: &firewall_example::Maps, index: u32) {
        match self {
            Ready::Checked(program) => maps["chain"].set_checked_program(index, program),
            Ready::Verified(program) => maps["chain"].set_program(index, program.executable()),
        }
        .expect("it fits");
    }

    fn run<C: ContextStruct>(
        &self,
        runtime: &Runtime,
        context: &mut C,
        packet: Option<&mut Packet>,
        host: &mut H,
    ) -> u64 {
        let mut worker = runtime.worker().expect("a slot");
        match self {
            Ready::Checked(program) => run_checked(program, &mut worker, context, packet, host),
            Ready::Verified(program) => {
                program.calls(&mut worker).expect("it fits").run(context, packet, host)
            }
        }
        .expect("the run ends well")
    }
}

fn runtime() -> Runtime {
    Runtime::new(RuntimeOptions { slots: 2, ..RuntimeOptions::default() })
}

/// All that a run of the firewall leaves: what became of each packet, the frames afterwards, maps, log,
/// connections.
fn firewall_in(engine: Engine) -> String {
    let runtime = runtime();
    let mut maps = firewall_example::Maps::new();
    let mut load = |object: &[u8]| {
        let module = firewall_example::firewall::load_in::<firewall_example::Host>(&runtime, object)
            .expect("it is read");
        module.share_all(&maps);
        let name = module.programs().next().expect("a program").to_owned();
        let ready = Ready::new(&module, &name, engine).expect("it is accepted");
        maps.extend(module.maps());
        ready
    };
    let objects: [&[u8]; 4] = [
        include_bytes!("../examples/firewall/allow_list.o"),
        include_bytes!("../examples/firewall/rate_limit.o"),
        include_bytes!("../examples/firewall/tcp_state.o"),
        include_bytes!("../examples/firewall/rate_limit_v2.o"),
    ];
    let [first, limiter, last, limiter_v2] = objects.map(&mut load);
    limiter.put(&maps, 1);
    last.put(&maps, 2);
    firewall_example::configure(&maps);
    let mut host = firewall_example::Host::default();
    let mut left = String::new();
    for round in 0..2 {
        for (time, bytes) in firewall_example::pcap::packets(firewall_example::TRAFFIC) {
            let time = time + round * 10_000_000_000;
            let mut frame = firewall_example::firewall::Frame { time, ..Default::default() };
            let mut packet = Packet::new(bytes);
            let verdict = first.run(&runtime, &mut frame, Some(&mut packet), &mut host);
            left += &format!("{verdict} {frame:?}\n");
            assert_eq!(packet.to_vec(), bytes);
        }
        limiter_v2.put(&maps, 1);
    }
    for name in ["allowed", "rates", "limit"] {
        let mut pairs = maps[name].pairs();
        pairs.sort();
        left += &format!("{name} {pairs:?}\n");
    }
    for verdict in 0u32..3 {
        left += &format!("{:?}\n", maps["verdicts"].lookup_percpu(&verdict.to_le_bytes()));
    }
    let mut connections: Vec<_> = host.connections.iter().map(|(key, conn)| (*key, conn.get())).collect();
    connections.sort();
    left + &format!("{connections:?}\n{:?}\n", host.log)
}

#[test]
fn the_firewall_does_the_same_in_all_engines() {
    let [checked, interpreted, native] = ENGINES.map(firewall_in);
    assert_eq!(checked.lines().filter(|line| line.starts_with('2')).count(), 4, "{checked}");
    assert_eq!(checked, interpreted);
    assert_eq!(checked, native);
}

/// What the functions of the table give, in their order, and the rows afterwards.
fn table_in(engine: Engine) -> String {
    let runtime = runtime();
    let module = table_example::table::load_in(&runtime, include_bytes!("../examples/table/functions.o"));
    let module = module.expect("it is read");
    let mut engine_of_rows = table_example::Engine::sample();
    let mut left = String::new();
    for (name, argument) in [("total", 0), ("raise", 15), ("total", 0), ("lookup", 4), ("lookup", 9)] {
        let function = Ready::new(&module, name, engine).expect("it is accepted");
        let mut call = table_example::table::Call { argument, ..Default::default() };
        let status = function.run(&runtime, &mut call, None, &mut engine_of_rows);
        left += &format!("{name} {status} {call:?}\n");
    }
    left + &format!("{:?}", engine_of_rows.rows())
}

#[test]
fn the_table_does_the_same_in_all_engines() {
    let [checked, interpreted, native] = ENGINES.map(table_in);
    assert_eq!(checked.lines().count(), 6, "{checked}");
    assert_eq!(checked, interpreted);
    assert_eq!(checked, native);
}
