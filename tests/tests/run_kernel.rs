//! Accepted programs of the corpus on the running kernel and in both interpreters, on packets of
//! several kinds: the same r0, and the same packet afterwards.

use std::{fmt::Write as _, os::fd::AsFd, path::Path};

use probity_linux::{PLATFORM, prog_types::*};
use probity_tests::{
    corpus::{
        Case, Corpus, File,
        run::{self, Objects, guarded},
    },
    generate::rng::Rng,
    inputs::{self, TestInput},
    kernel,
    runs::{Engine, Linker},
};
use probity_vm::{Input, Runtime};
use rayon::prelude::*;

/// Programs that are compared.
const FLOOR: usize = 556;

/// Programs that verifiers walk longer are left out: it is runs that are compared.
const LONGEST_PROOF: u64 = 100_000;

/// More back edges and calls than any program of the corpus takes.
const FUEL: u64 = 200_000_000;

/// Programs with another result each time, and why.
const VARIES: &[(&str, &str)] = &[
    ("calls: pkt_ptr spill into caller stack", ADDRESS),
    ("check_corrupted_spill_fill_lsb", ADDRESS),
    ("check_corrupted_spill_fill_msb", ADDRESS),
    ("check_valid_spill_fill", ADDRESS),
    ("packet_write_for_lwt_xmit", ADDRESS),
    ("ptr_to_mem_or_null_7", ADDRESS),
    ("state_equality_check_way_1", ADDRESS),
    ("state_equality_check_way_2", ADDRESS),
    ("stack_no_skb_load_bytes", "what the stack held before"),
    ("xdp_basic_prog", "a value for each processor"),
    ("non_const_mul_regs", RANDOM),
    ("non_const_or_src_dst", RANDOM),
    ("non_const_xor_src_dst", RANDOM),
    ("reg_equal_const", RANDOM),
    ("reg_not_equal_const", RANDOM),
    ("signed_unsigned_intersection32_case1", RANDOM),
    ("signed_unsigned_intersection32_case2", RANDOM),
    ("old_stack_misc_vs_cur_ctx_ptr", TIME),
    ("old_stack_misc_vs_cur_scalar", TIME),
    ("subreg_equality_1", TIME),
];
const ADDRESS: &str = "an address";
const RANDOM: &str = "a random number";
const TIME: &str = "the time";

/// Ethernet, IPv4 and IPv6 with TCP and UDP, and noise.
fn packets() -> Vec<Vec<u8>> {
    let ethernet = |ether_type: u16| [vec![0; 12], ether_type.to_be_bytes().to_vec()].concat();
    let tcp = [vec![0x1f, 0x90, 0x00, 0x50], vec![0; 8], vec![0x50, 0x02, 0, 0, 0, 0, 0, 0]].concat();
    let udp = vec![0x1f, 0x90, 0, 53, 0, 28, 0, 0];
    let ipv4 = |protocol: u8| {
        let mut header = vec![0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, protocol, 0, 0];
        header.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        header
    };
    let ipv6 = |protocol: u8| [vec![0x60, 0, 0, 0, 0, 20, protocol, 64], (0..32).collect()].concat();
    let payload: Vec<u8> = (0..40).collect();
    let mut noise = vec![0; 130];
    let mut rng = Rng::new(7);
    noise.iter_mut().for_each(|byte| *byte = rng.bits() as u8);
    vec![
        vec![0; 64],
        [ethernet(0x800), ipv4(6), tcp.clone(), payload.clone()].concat(),
        [ethernet(0x800), ipv4(17), udp.clone(), payload.clone()].concat(),
        [ethernet(0x86dd), ipv6(6), tcp, payload.clone()].concat(),
        [ethernet(0x86dd), ipv6(17), udp, payload].concat(),
        noise,
    ]
}

/// None when the case can't be compared; else what differs.
fn compare(corpus: &Corpus, objects: &Objects, case: &Case) -> Option<String> {
    let object = match run::path(case).map(|path| &objects[path]) {
        Some(object) => Some(object.as_ref().ok()?),
        None => None,
    };
    let program = corpus.target.load(case, object).ok()?;
    let prog_type = PLATFORM.prog_type(program.prog_type)?;
    if !inputs::prog_types().any(|number| number == prog_type.number && number != BPF_PROG_TYPE_SYSCALL) {
        return None;
    }
    // The kernel is asked without what loaders put into maps of maps and arrays of programs.
    let filled = object.is_some_and(|object| {
        let is_used = |name: &str| program.maps.iter().any(|map| map.name == name);
        object.maps().iter().any(|map| !map.slots.is_empty() && is_used(&map.def.name))
    });
    if filled {
        return None;
    }
    let runtime = Runtime::default();
    let engines = [Engine::Verified, Engine::Checked];
    let linked: Result<Vec<_>, _> =
        engines.iter().map(|&engine| Linker::new(corpus, case, object, &runtime, engine).link()).collect();
    let linked = linked.ok()?;
    let fd = kernel::load(&program, &kernel::LoadOptions { log_level: 0, btf: true }).ok()?.fd?;
    let mut worker = runtime.worker().expect("a slot");
    let mut different = String::new();
    for (index, packet) in packets().iter().enumerate() {
        let theirs = kernel::test_run(fd.as_fd(), packet, 1).ok()?;
        for (engine, program) in engines.iter().zip(&linked) {
            let mut input = TestInput::new(prog_type, packet)?;
            let ran = program.run(&mut worker, Input { fuel: Some(FUEL), ..input.input() });
            let retval = ran.as_ref().map(|&value| value as u32);
            let after = input.packet_after();
            if retval != Ok(theirs.retval) {
                let _ = writeln!(
                    different,
                    "  packet {index}, {engine:?}: {ran:x?}, the kernel {:#x}",
                    theirs.retval
                );
            } else if after != theirs.data_out {
                let at = after.iter().zip(&theirs.data_out).position(|(one, other)| one != other);
                let (ours, theirs) = (after.len(), theirs.data_out.len());
                let _ = writeln!(
                    different,
                    "  packet {index}, {engine:?}: {ours} bytes, the kernel {theirs}; from {at:?} on"
                );
            }
        }
    }
    Some(different)
}

#[test]
fn corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if !folder.join("raw.jsonl").exists() {
        return println!("skipped: corpus: there is none at {}", folder.display());
    }
    if !kernel::available() {
        return kernel::skip("corpus");
    }
    let corpus = Corpus::read(&folder, &File::ALL).expect("the corpus is well-formed");
    let objects = run::objects(&corpus.cases);
    let one = |case: &Case| {
        let long = case.expected.processed > LONGEST_PROOF;
        if long || !case.expected.accepted || VARIES.iter().any(|&(program, _)| program == case.program) {
            return None;
        }
        let compared = guarded(|| compare(&corpus, &objects, case));
        Some((run::name(case), compared.unwrap_or_else(|panic| Some(format!("  {panic}\n")))?))
    };
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build().expect("threads");
    let compared: Vec<(String, String)> = pool.install(|| corpus.cases.par_iter().filter_map(one).collect());
    let different: String = compared
        .iter()
        .filter(|(_, what)| !what.is_empty())
        .map(|(name, what)| format!("{name}\n{what}"))
        .collect();
    println!("{} programs on {} packets", compared.len(), packets().len());
    assert!(different.is_empty(), "not as on the kernel:\n{different}");
    assert!(compared.len() >= FLOOR, "{} programs ran, fewer than {FLOOR}", compared.len());
}
