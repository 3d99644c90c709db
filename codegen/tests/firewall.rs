//! The golden copy of spec/examples/firewall.bpfspec compiles, and to what the spec describes.

use probity_platform::{ArgRole, CallableFlags, Intrinsic, PacketAccess, Relation, RetType};

mod firewall {
    include!("../../tests/golden/firewall.rs.golden");
}

#[test]
fn the_golden_copy_compiles_to_the_platform_that_the_spec_describes() {
    let platform = &firewall::PLATFORM;
    assert_eq!(platform.name, "firewall");
    assert_eq!(platform.sources, ["firewall.bpfspec", "core.bpfspec"]);
    assert_eq!((platform.limits.stack, platform.limits.frames, platform.limits.processed), (256, 4, 100_000));
    assert_eq!(platform.limits.insns, 1_000_000);
    let policy = platform.policy(&platform.default_profile());
    assert!(policy.loops && !policy.pointer_leaks);
    assert_eq!(platform.global_data, Some(firewall::map_types::BPF_MAP_TYPE_ARRAY));

    let names: Vec<&str> = platform.callables.iter().map(|row| row.name).collect();
    let of_maps = ["bpf_map_lookup_elem", "bpf_map_update_elem", "bpf_map_delete_elem"];
    assert_eq!(names, [&of_maps[..], &["load_bytes", "log_line"]].concat());
    let [lookup, update, delete, load, log] = platform.callables else { panic!("five helpers") };
    assert_eq!((update.body, delete.body), (Some(Intrinsic::MapUpdate), Some(Intrinsic::MapDelete)));
    assert_eq!(lookup.body, Some(Intrinsic::MapLookup));
    assert!(lookup.flags.contains(CallableFlags::PKT_ACCESS) && lookup.driver.is_none());
    assert_eq!(lookup.args[1].relation, Relation::OfMap(0));
    assert!(matches!(lookup.ret.ty, RetType::Pointer(ty) if ty.maybe_null()) && lookup.ret.map == Some(0));
    assert_eq!(load.number, firewall::helpers::LOAD_BYTES);
    assert_eq!((load.args[2].relation, load.args[3].relation), (Relation::SizedBy(3), Relation::SizeOf(2)));
    assert!(load.driver.is_some() && log.driver.is_some());
    let role = |class: u8| platform.arg_classes[usize::from(class)].role;
    assert_eq!(role(log.args[1].class), ArgRole::Size);

    let filter = platform.prog_type(firewall::prog_types::FILTER).expect("the program type");
    assert_eq!(filter.callables.len(), 5);
    assert_eq!(filter.exit[0].range, Some((0, 2)));
    assert_eq!(filter.packet, PacketAccess::empty());
    let ctx = &platform.views[usize::from(filter.ctx)];
    let fields: Vec<_> = ctx.fields.iter().map(|field| (field.name, field.offset, field.size)).collect();
    assert_eq!(fields, [("length", 0, 4), ("direction", 4, 1), ("source", 8, 8), ("mark", 16, 8)]);
    assert_eq!(platform.section("filter/udp").map(|(row, rest)| (row.prog_type, rest)), Some((1, "udp")));
}
