//! The example programs in `tests/programs`: their objects link, and the kernel says of them what
//! their comments say.

use std::{fs, path::PathBuf};

use probity_object::{GlobalData, LoadOptions, Object, SectionType};
use probity_program::Program;
use probity_tests::kernel;

fn section_type(section: &str) -> Option<SectionType> {
    let prog_type = match section.split('/').next()? {
        "kprobe" => 2,
        "tc" => 3,
        "xdp" => 6,
        _ => return None,
    };
    Some(SectionType { prog_type, ..SectionType::default() })
}

/// The programs of an object in `tests/programs`.
fn programs(object: &str) -> Vec<Program> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("programs").join(object);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let object = Object::parse(&bytes).expect("a well-formed object");
    // ARRAY, BPF_F_RDONLY_PROG, BPF_F_MMAPABLE, ARENA
    let data = GlobalData { map_type: 2, rdonly_flag: 1 << 7, mmapable_flag: 1 << 10, arena_type: Some(33) };
    let options = LoadOptions::new(&section_type, data);
    object.load(&options).map(|(_, program)| program.expect("it links")).collect()
}

fn ask(program: &Program) -> kernel::KernelVerdict {
    let verdict = kernel::load(program, &kernel::LoadOptions::default());
    verdict.unwrap_or_else(|error| panic!("{}: {error}", program.name))
}

#[test]
fn the_good_ones_are_accepted() {
    let objects = ["xdp_firewall.o", "tc_counters.o", "kprobe_stack.o"];
    for program in objects.into_iter().flat_map(programs) {
        assert!(!program.funcs.is_empty() && !program.lines.is_empty(), "{}", program.name);
        if kernel::available() {
            let verdict = ask(&program);
            assert!(verdict.accepted, "{}: {}", program.name, verdict.log);
        } else {
            kernel::skip("the_good_ones_are_accepted");
        }
    }
}

#[test]
fn the_mistake_is_found() {
    let program = &programs("xdp_firewall_bug.o")[0];
    if !kernel::available() {
        return kernel::skip("the_mistake_is_found");
    }
    let verdict = ask(program);
    assert_eq!(verdict.errno, libc::EACCES);
    assert_eq!(verdict.message, "R2 offset is outside of the packet", "{}", verdict.log);
    // Line information reached the kernel.
    let line = "; if ((tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) @ xdp_firewall_bug.c:115";
    assert!(verdict.log.contains(line), "{}", verdict.log);
}

/// The programs whose reports are kept word for word: the kernel refuses each with the same words.
#[test]
fn what_is_reported_is_what_the_kernel_says() {
    if !kernel::available() {
        return kernel::skip("what_is_reported_is_what_the_kernel_says");
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../verifier/cli/tests/reports");
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let objects: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "o")).collect();
    let loader = probity::Loader::new(&probity::linux::PLATFORM);
    let mut compared = 0;
    for path in objects {
        let bytes = fs::read(&path).expect("an object");
        for checked in loader.check(&bytes).expect("a well-formed object") {
            let name = &checked.entry.name;
            let outcome = checked.outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
            let finding = outcome.report.finding().unwrap_or_else(|| panic!("{name} is accepted"));
            let verdict = ask(&outcome.program);
            assert_eq!(verdict.errno, finding.rejection.errno, "{name}: {}", verdict.log);
            assert_eq!(verdict.message, finding.last_line(), "{name}: {}", verdict.log);
            compared += 1;
        }
    }
    assert!(compared >= 40, "{compared} programs");
}
