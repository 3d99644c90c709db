//! Tests of BTF: types made by hand, and a kernel's own.

use super::*;
use crate::Linkage;

/// A BTF of records and strings.
fn build(types: &[u32], strings: &str) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, types.len(), types.len(), strings.len()] {
        bytes.extend(u32::try_from(word).unwrap().to_le_bytes());
    }
    bytes.extend(types);
    bytes.extend(strings.as_bytes());
    bytes
}

const fn info(kind: Kind, count: u32, flag: bool) -> u32 {
    (kind as u32) << 24 | count | (flag as u32) << 31
}

const STRINGS: &str = "\0int\0s\0a\0b\0f___old\0tag\0";

/// 1 int, 2 struct s { int a; int b:3; }, 3 const 2, 4 s[5] of 3, 5 prototype, 6 function f___old,
/// 7 tag on 2, 8 tag on 2's second member, 9 typedef of itself.
fn sample() -> Vec<u8> {
    let types = [
        &[1, info(Kind::Int, 0, false), 4, 0x0100_0020][..],
        &[5, info(Kind::Struct, 2, true), 8, 7, 1, 0, 9, 1, 3 << 24 | 32],
        &[0, info(Kind::Const, 0, false), 2],
        &[0, info(Kind::Array, 0, false), 0, 3, 1, 5],
        &[0, info(Kind::FuncProto, 1, false), 1, 7, 1],
        &[11, info(Kind::Func, 1, false), 5],
        &[19, info(Kind::DeclTag, 0, false), 2, u32::MAX],
        &[19, info(Kind::DeclTag, 0, false), 2, 1],
        &[5, info(Kind::Typedef, 0, false), 9],
    ];
    build(&types.concat(), STRINGS)
}

#[test]
fn types_are_decoded() {
    let btf = Btf::parse(&sample()).unwrap();
    assert_eq!(btf.len(), 9);
    let Some(Type::Struct(body)) = btf.resolved(TypeId(3)) else {
        panic!("not a structure");
    };
    assert_eq!((body.name, body.size), ("s", 8));
    let members: Vec<_> =
        body.members().map(|member| (member.name, member.bit_offset, member.bitfield_size)).collect();
    assert_eq!(members, [("a", 0, 0), ("b", 32, 3)]);
    assert_eq!(btf.size_of(TypeId(4)), Some(40));
    assert_eq!(btf.size_of(TypeId(6)), None);
    let proto = btf.func_proto(TypeId(6)).unwrap();
    assert_eq!(proto.params().map(|param| param.name).collect::<Vec<_>>(), ["a"]);
    assert!(matches!(btf.ty(TypeId(6)), Some(Type::Func { linkage: Linkage::Global, .. })));
    assert!(matches!(btf.ty(TypeId(1)), Some(Type::Int(Int { signed: true, bits: 32, .. }))));
    assert!(btf.ty(TypeId(10)).is_none());
}

#[test]
fn tags_belong_to_their_targets() {
    let btf = Btf::parse(&sample()).unwrap();
    let tags: Vec<_> = btf.decl_tags(TypeId(2)).map(|tag| (tag.name, tag.component)).collect();
    assert_eq!(tags, [("tag", None), ("tag", Some(1))]);
    assert_eq!(btf.decl_tags(TypeId(1)).count(), 0);
}

#[test]
fn names_are_found_with_and_without_flavour() {
    let btf = Btf::parse(&sample()).unwrap();
    assert_eq!(btf.find_by_name_kind("s", Kind::Struct), Some(TypeId(2)));
    assert_eq!(btf.find_by_name_kind("s", Kind::Union), None);
    assert_eq!(btf.find_by_name_kind("f___old", Kind::Func), Some(TypeId(6)));
    assert_eq!(btf.find_by_name_kind("f", Kind::Func), None);
    assert_eq!(btf.find_by_essential_name("f").collect::<Vec<_>>(), [TypeId(6)]);
    assert_eq!(essential_name("a___b___c"), "a___b");
    assert_eq!(essential_name("a____b"), "a____b");
    assert_eq!(essential_name("___a"), "___a");
}

#[test]
fn circles_end() {
    let btf = Btf::parse(&sample()).unwrap();
    assert_eq!(btf.resolve(TypeId(9)), None);
    assert_eq!(btf.size_of(TypeId(9)), None);
}

#[test]
fn damage_is_named() {
    let good = sample();
    assert!(matches!(Btf::parse(&good[..20]), Err(BtfError::Truncated { .. })));
    assert!(matches!(Btf::parse(&good[..good.len() - 1]), Err(BtfError::Truncated { .. })));
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Btf::parse(&bytes)
    };
    assert_eq!(with(0, 0), Err(BtfError::Magic { found: 0xeb00 }));
    assert_eq!(with(2, 9), Err(BtfError::Version { found: 9 }));
    assert_eq!(with(good.len() - 1, b'x'), Err(BtfError::Strings));
    assert!(matches!(with(31, 31), Err(BtfError::Type { id: 1, offset: 24, .. })));
    let mut big = good.clone();
    big.swap(0, 1);
    assert_eq!(Btf::parse(&big), Err(BtfError::BigEndian));
    let types = [0, info(Kind::Ptr, 0, false), 2];
    assert_eq!(Btf::parse(&build(&types, "\0")), Err(BtfError::Reference { id: 2, last: 1 }));
}

#[test]
fn any_byte_may_be_wrong() {
    let good = sample();
    for at in 0..good.len() {
        for value in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = value;
            let Ok(btf) = Btf::parse(&bytes) else {
                continue;
            };
            for (id, ty) in btf.types() {
                let _ = format!("{ty:?} {:?} {:?}", btf.size_of(id), btf.func_proto(id));
                assert!(btf.decl_tags(id).count() <= 2);
            }
        }
    }
}

#[test]
fn sections_can_be_completed() {
    let types = [
        &[1, info(Kind::Int, 0, false), 4, 0x0100_0020][..],
        &[7, info(Kind::Var, 0, false), 1, 1],
        &[5, info(Kind::Datasec, 1, false), 0, 2, 0, 4],
    ];
    let mut btf = Btf::parse(&build(&types.concat(), STRINGS)).unwrap();
    let var = DatasecVar { var: TypeId(2), offset: 12, size: 4 };
    assert!(btf.set_datasec(TypeId(3), 16, &[var]));
    assert_eq!(btf.size_of(TypeId(3)), Some(16));
    let Some(Type::Datasec(section)) = btf.ty(TypeId(3)) else {
        panic!("not a section");
    };
    assert_eq!(section.vars().collect::<Vec<_>>(), [var]);
    assert!(!btf.set_datasec(TypeId(3), 16, &[]));
    assert!(!btf.set_datasec(TypeId(1), 16, &[var]));
}

#[test]
fn a_kernels_types() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/vmlinux-6.18.44.btf");
    let Ok(bytes) = std::fs::read(corpus).or_else(|_| std::fs::read("/sys/kernel/btf/vmlinux")) else {
        println!("skipped: no kernel's BTF is there");
        return;
    };
    let parse = |_| {
        let start = std::time::Instant::now();
        Btf::parse(&bytes).unwrap();
        start.elapsed()
    };
    let parsed = (0..5).map(parse).min().unwrap();
    let btf = Btf::parse(&bytes).unwrap();
    let size = |name| btf.size_of(btf.find_by_name_kind(name, Kind::Struct)?);
    assert_eq!(size("list_head"), Some(16));
    println!("{} types: parsed in {parsed:?}", btf.len());
    assert_eq!(size("hlist_head"), Some(8));
    assert_eq!(size("xdp_md"), Some(24));
    assert_eq!(size("__sk_buff"), Some(192));
    assert_eq!(size("bpf_spin_lock"), Some(4));
    assert_eq!(size("bpf_dynptr"), Some(16));
    let buff = btf.find_by_name_kind("__sk_buff", Kind::Struct).unwrap();
    assert_eq!(btf.member(buff, "data").unwrap().bit_offset, 76 * 8);
    let tcp = btf.find_by_name_kind("tcphdr", Kind::Struct).unwrap();
    let syn = btf.member(tcp, "syn").unwrap();
    assert_eq!((syn.bit_offset, syn.bitfield_size), (105, 1));
    let acquire = btf.find_by_name_kind("bpf_task_acquire", Kind::Func).unwrap();
    let proto = btf.func_proto(acquire).unwrap();
    assert_eq!(proto.params().map(|param| param.name).collect::<Vec<_>>(), ["p"]);
    assert!(btf.decl_tags(acquire).any(|tag| tag.name == "bpf_kfunc"));
    for (id, ty) in btf.types() {
        assert_eq!(btf.name(id), Some(ty.name()));
    }
}

/// 1 int, 2 struct s { int a; s *b; } with 3 its pointer, 4 a function, 5 a tag on 2's second member.
fn circle(member: u32, tag: u32) -> Btf {
    let types = [
        &[1, info(Kind::Int, 0, false), 4, 0x0100_0020][..],
        &[5, info(Kind::Struct, 2, false), 16, 7, 1, 0, member, 3, 64],
        &[0, info(Kind::Ptr, 0, false), 2],
        &[11, info(Kind::Func, 0, false), 6],
        &[19, info(Kind::DeclTag, 0, false), 2, tag],
        &[0, info(Kind::FuncProto, 1, false), 1, 7, 3],
    ];
    Btf::parse(&build(&types.concat(), STRINGS)).unwrap()
}

#[test]
fn circles_of_types_are_merged_when_nothing_tells_them_apart() {
    let (one, same, other, tagged) = (circle(9, 1), circle(9, 1), circle(7, 1), circle(9, 0));
    let merge = merge::Merge::new(vec![&one, &same, &other, &tagged]).unwrap();
    let merged = merge.finish(&[]).unwrap();
    let ids = |id: u32| [0, 1, 2, 3].map(|input| merged.id(input, TypeId(id)).0);
    assert_eq!(ids(1), [1, 1, 1, 1]);
    // A member of another name, and a tag elsewhere, are other types; so is what leads to them.
    for id in [2, 3, 5, 6] {
        let [one, same, other, tagged] = ids(id);
        assert!(one == same && one != other && one != tagged && other != tagged, "{id}");
    }
    let [a, b, c, d] = ids(4);
    assert!(a != b && b != c && c != d, "functions stay what they are");
    assert_eq!(merged.btf.len(), 1 + 3 * 4 + 4);
    let body = merged.btf.member(merged.id(1, TypeId(2)), "b").unwrap();
    let Some(Type::Ptr { target }) = merged.btf.ty(body.ty) else { panic!("no pointer") };
    assert_eq!(target, merged.id(0, TypeId(2)));
}

#[test]
fn declarations_become_what_they_declare() {
    let (one, two) = (circle(9, 1), circle(9, 1));
    let mut merge = merge::Merge::new(vec![&one, &two]).unwrap();
    merge.same((0, TypeId(4)), (1, TypeId(4)));
    let section = merge::MergedSection {
        name: ".text".into(),
        size: 8,
        vars: vec![(0, DatasecVar { var: TypeId(4), offset: 0, size: 8 })],
    };
    let merged = merge.finish(&[section]).unwrap();
    assert_eq!(merged.id(0, TypeId(4)), merged.id(1, TypeId(4)));
    assert_eq!(merged.id(0, TypeId(99)), TypeId::VOID);
    let id = merged.btf.find_by_name_kind(".text", Kind::Datasec).unwrap();
    let Some(Type::Datasec(section)) = merged.btf.ty(id) else { panic!("no section") };
    assert_eq!(section.vars().next().unwrap().var, merged.id(1, TypeId(4)));
    assert_eq!(merge.string(1, 1), u32::try_from(STRINGS.len() + 1).unwrap());
}
