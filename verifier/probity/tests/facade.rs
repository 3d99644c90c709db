//! The facade: objects against Linux and against platforms of one's own.

use probity::object::ProgramError;
use probity::{Loader, PlatformSections, object::Object, object::Sections};

const FIREWALL: &[u8] = include_bytes!("../../../tests/programs/xdp_firewall.o");

/// A platform from a file.
mod firewall {
    probity::platform!("../../spec/examples/firewall.bpfspec");
}

#[test]
fn sections_come_from_the_platform() {
    let linux = PlatformSections(&probity::linux::PLATFORM);
    let xdp = linux.resolve("xdp").unwrap();
    assert_eq!((xdp.prog_type, xdp.attach_type, xdp.attach_to.as_str()), (6, 37, ""));
    let kprobe = linux.resolve("kprobe/do_sys_openat2").unwrap();
    assert_eq!((kprobe.prog_type, kprobe.attach_to.as_str()), (2, "do_sys_openat2"));
    assert_eq!(linux.resolve("nothing/of/the/kind"), None);
    let filter = PlatformSections(&firewall::PLATFORM).resolve("filter/in").unwrap();
    assert_eq!((filter.prog_type, filter.attach_to.as_str()), (1, "in"));
}

#[test]
fn every_program_is_reported() {
    let reports = probity::check(FIREWALL, &probity::linux::PLATFORM).unwrap();
    let names: Vec<_> = reports.iter().map(|report| report.entry.name.as_str()).collect();
    assert_eq!(names, ["firewall"]);
    let checked = reports[0].outcome.as_ref().unwrap();
    assert_eq!(checked.program.prog_type, 6);
    assert_eq!(reports[0].verified().is_some(), checked.report.accepted());
}

#[test]
fn a_section_of_another_platform_says_nothing() {
    let reports = probity::check(FIREWALL, &firewall::PLATFORM).unwrap();
    assert!(matches!(reports[0].outcome, Err(ProgramError::UnknownSection { .. })));
}

#[test]
fn a_type_by_hand_counts_more_than_the_section() {
    let object = Object::parse(FIREWALL).unwrap();
    let entry = &object.programs()[0];
    let loader = Loader::new(&probity::linux::PLATFORM).flags(1);
    let own = loader.link(&object, entry).unwrap();
    assert_eq!((own.prog_type, own.attach_type, own.flags), (6, 37, 1));
    let given = loader.clone().prog_type("firewall", 6, Some(35)).link(&object, entry).unwrap();
    assert_eq!((given.prog_type, given.attach_type), (6, 35));
    let given = loader.prog_type("firewall", 3, None).link(&object, entry).unwrap();
    assert_eq!((given.prog_type, given.attach_type), (3, 0));
}

#[test]
fn broken_objects_are_errors() {
    assert!(probity::check(b"", &probity::linux::PLATFORM).is_err());
    assert!(probity::check(&FIREWALL[..100], &probity::linux::PLATFORM).is_err());
}

#[test]
fn the_vocabulary_is_whole() {
    let version: probity::rt::Version = firewall::PLATFORM.version;
    assert_eq!(firewall::PLATFORM.default_profile().version, version);
}

#[test]
fn capacities_are_completed_as_loaders_do() {
    let object = Object::parse(include_bytes!("../../cli/tests/objects/tables.o")).unwrap();
    let entry = object.programs().iter().find(|entry| entry.name == "use_maps").unwrap();
    let loader = Loader::new(&probity::linux::PLATFORM);
    let program = loader.link(&object, entry).unwrap();
    let sizes: Vec<_> = program.maps.iter().map(|map| (map.name.as_str(), map.max_entries)).collect();
    assert_eq!(sizes, [("sized_later", 1), ("ring", 8192)]);
    let report = loader.check_program(&object, entry);
    assert_eq!(report.outcome.unwrap().notes.len(), 1, "rounding up is what every loader does");
}

#[test]
fn inner_maps_of_old_definitions_are_found() {
    let bytes = include_bytes!("../../object/tests/fixtures/old_inner.o");
    let reports = probity::check(bytes, &probity::linux::PLATFORM).unwrap();
    assert!(reports[0].verified().is_some(), "{:?}", reports[0].outcome);
}
