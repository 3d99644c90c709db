//! The golden copy of spec/examples/table.bpfspec compiles, and to what the spec describes: objects,
//! iterators, callbacks, regions.

use probity_platform::{ArgRole, Concepts, KfuncFlags, Lifetime, RegionFlags, Subject};

mod table {
    include!("../../tests/golden/table.rs.golden");
}

#[test]
fn the_golden_copy_compiles_to_the_platform_that_the_spec_describes() {
    let platform = &table::PLATFORM;
    assert_eq!((platform.name, platform.hosted), ("table", true));
    assert!(platform.callables.is_empty());
    let objects: Vec<_> = platform.objects.iter().map(|row| row.name).collect();
    assert_eq!(objects, ["row", "cursor"]);
    let [iter] = platform.stack_objects else { panic!("one stack object") };
    assert_eq!((iter.name, iter.prints), ("row_iter", "row_iter"));
    let [lock] = platform.regions else { panic!("one region") };
    assert_eq!(lock.flags, RegionFlags::FORBIDS_SLEEP | RegionFlags::FORBIDS_NESTING);
    assert_eq!(platform.callbacks.len(), 1);

    let kfunc = |name: &str| {
        let at = platform.kfuncs.iter().position(|row| row.name == name);
        &platform.kfuncs[at.unwrap_or_else(|| panic!("{name} is there"))]
    };
    let role = |class: u8| platform.arg_classes[usize::from(class)].role;
    let open = kfunc("cursor_open");
    assert_eq!(open.kfunc, KfuncFlags::KF_ACQUIRE | KfuncFlags::KF_RET_NULL);
    assert!(open.driver.is_some() && matches!(open.ret.subject, Subject::Object(1)));
    let close = kfunc("cursor_close");
    assert_eq!((role(close.args[0].class), close.args[0].subject), (ArgRole::Object, Subject::Object(1)));
    assert_eq!(kfunc("row_get").ret.lifetime, Lifetime::Run);
    let next = kfunc("row_iter_next");
    let Lifetime::Until(at) = next.ret.lifetime else { panic!("{:?}", next.ret) };
    assert_eq!(platform.kfuncs[usize::from(at)].name, "row_iter_next");
    assert!(next.concepts.contains(Concepts::STACK_OBJECT | Concepts::OBJECT));
    assert!(kfunc("for_each_row").concepts.contains(Concepts::CALLBACK));
    assert!(kfunc("table_lock").concepts.contains(Concepts::REGION));

    let function = platform.prog_type(table::prog_types::FUNCTION).expect("the program type");
    assert_eq!(function.kfuncs.len(), platform.kfuncs.len());
    assert_eq!(platform.section("function/sum").map(|(row, rest)| (row.prog_type, rest)), Some((1, "sum")));
}
