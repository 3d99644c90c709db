//! A packet firewall whose rules are plug-ins, in C, by other people. They are verified when they are
//! loaded, run as machine code, call the host, and are replaced while traffic runs.
//! `cargo run -p probity --features jit --example firewall`
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Barrier, atomic::AtomicBool, atomic::Ordering::SeqCst};
use std::{error::Error, io::Write, thread};

use probity::host::{Bytes, HostRun, Shared};
use probity::vm::{Map, Packet, Runtime, RuntimeOptions};
use probity::{LoadError, Program};

pub(crate) mod pcap;
/// The platform, from its spec: the trait `Host`, and the structs that plug-ins see.
pub(crate) mod firewall {
    probity::platform!("examples/firewall/firewall.bpfspec");
}
use firewall::{Conn, ConnKey, Frame};

/// What a thread's plug-ins reach of the firewall: the connections of its packets, and a log.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) connections: HashMap<ConnKey, Shared<Conn>>,
    pub(crate) log: Vec<String>,
}

impl firewall::Host for Host {
    fn conn_lookup(&mut self, _run: &mut HostRun<'_>, key: ConnKey) -> Option<Shared<Conn>> {
        self.connections.get(&key).cloned()
    }

    fn conn_open(&mut self, _run: &mut HostRun<'_>, key: ConnKey) -> Option<Shared<Conn>> {
        let conn = Shared::new(Conn::default());
        self.connections.insert(key, conn.clone());
        Some(conn)
    }

    fn log_line(&mut self, run: &mut HostRun<'_>, text: Bytes<'_>) {
        self.log.push(format!("{}: {}", run.program(), text.to_text()));
    }
}

/// The maps that plug-ins share, by name.
pub(crate) type Maps = BTreeMap<String, Arc<Map>>;

/// Loads a plug-in, with the maps that are there already: from here on it is safe to run.
fn load(runtime: &Runtime, object: &[u8], maps: &mut Maps, ready: Ready) -> Result<Program<Host>, LoadError> {
    let module = firewall::load_in(runtime, object)?;
    module.share_all(maps);
    let name = module.programs().next().expect("an object has a program").to_owned();
    let program = ready(module.program(&name)?.verify()?)?;
    maps.extend(module.maps());
    Ok(program)
}

/// What the maps hold from the start: who may come in, and how many packets a second.
pub(crate) fn configure(maps: &Maps) {
    for host in 1..=4 {
        maps["allowed"].set_value(&[10u8, 0, 0, host], &0u64).expect("there is room");
    }
    maps["limit"].set_value(&0u32, &5u64).expect("an array has its elements");
}

/// How many packets were dropped, passed and rejected.
type Verdicts = [u64; 3];

fn sum(all: impl IntoIterator<Item = Verdicts>) -> Verdicts {
    all.into_iter().fold([0; 3], |sum, one| [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]])
}

pub(crate) const TRAFFIC: &[u8] = include_bytes!("traffic.pcap");

/// Sends one thread's share of the packets through the chain: as a network card does, by their source.
/// Each round is ten seconds later.
fn round(chain: &Program<Host>, number: u64, share: u8, host: &mut Host) -> Result<Verdicts, LoadError> {
    let mut worker = chain.worker()?;
    let mut calls = chain.calls(&mut worker)?;
    let mut verdicts = [0; 3];
    for (time, bytes) in pcap::packets(TRAFFIC).into_iter().filter(|(_, bytes)| bytes[29] % 2 == share) {
        let mut frame = Frame { time: time + number * 10_000_000_000, ..Frame::default() };
        verdicts[calls.run(&mut frame, Some(&mut Packet::new(bytes)), host)? as usize] += 1;
    }
    Ok(verdicts)
}

fn main() -> Result<(), Box<dyn Error>> {
    let interpreted = std::env::args().any(|argument| argument == "--interpreted");
    run(&mut std::io::stdout(), if interpreted { Ok } else { Program::jit })
}

/// Makes a verified program ready to run: machine code of it, or nothing for the interpreter.
type Ready = fn(Program<Host>) -> Result<Program<Host>, LoadError>;

pub(crate) fn run(out: &mut impl Write, ready: Ready) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new(RuntimeOptions { slots: 2, ..RuntimeOptions::default() });
    let mut maps = Maps::new();
    let first = load(&runtime, include_bytes!("allow_list.o"), &mut maps, ready)?;
    let limiter = load(&runtime, include_bytes!("rate_limit.o"), &mut maps, ready)?;
    let last = load(&runtime, include_bytes!("tcp_state.o"), &mut maps, ready)?;
    let chain = Arc::clone(&maps["chain"]);
    chain.set_program(1, limiter.executable())?;
    chain.set_program(2, last.executable())?;
    configure(&maps);
    let bug = firewall::load_in::<Host>(&runtime, include_bytes!("bug.o"))?;
    let refusal = bug.program("count_only")?.refusal().expect("it has a bug");
    writeln!(out, "bug.o is refused:\n{refusal}\n")?;

    let (mut even, mut odd) = (Host::default(), Host::default());
    let before = sum([round(&first, 0, 0, &mut even)?, round(&first, 0, 1, &mut odd)?]);
    writeln!(out, "before: {} packets dropped, {} passed, {} rejected", before[0], before[1], before[2])?;
    for line in even.log.iter().chain(&odd.log) {
        writeln!(out, "  {line}")?;
    }

    // Two threads run packets in rounds, until one began behind the change.
    let (changed, begin) = (AtomicBool::new(false), Barrier::new(3));
    let traffic = |share: u8, mut host: Host| -> Result<Vec<Verdicts>, LoadError> {
        let mut rounds = Vec::new();
        begin.wait();
        loop {
            let last = changed.load(SeqCst);
            host.log.clear();
            rounds.push(round(&first, 1 + rounds.len() as u64, share, &mut host)?);
            if last {
                return Ok(rounds);
            }
        }
    };
    let (even, odd) = thread::scope(|scope| {
        let even = scope.spawn(|| traffic(0, even));
        let odd = scope.spawn(|| traffic(1, odd));
        begin.wait();
        let replaced = load(&runtime, include_bytes!("rate_limit_v2.o"), &mut maps, ready)
            .and_then(|limiter| Ok(chain.set_program(1, limiter.executable())?));
        changed.store(true, SeqCst);
        replaced.and(Ok((even.join().expect("no panic")?, odd.join().expect("no panic")?)))
    })?;
    let after = sum([even[even.len() - 1], odd[odd.len() - 1]]);
    writeln!(out, "after: {} packets dropped, {} passed, {} rejected", after[0], after[1], after[2])?;
    assert_eq!((before, after), ([11, 15, 2], [7, 19, 2]));
    // While it changed, each packet met the old limiter or the new one.
    assert!(even.iter().chain(&odd).all(|round| round[2] <= before[2] && round[0] <= before[0]));

    // The plug-ins counted all, on whatever thread.
    let all = sum(even.into_iter().chain(odd).chain([before]));
    assert_eq!(maps["verdicts"].values::<u32, u64>(&1).iter().sum::<u64>(), all[1]);
    Ok(())
}
