//! The kfuncs of the Linux tables: where a running 6.18 kernel offers them, and whether they are
//! declared as its BTF, 6.12's declarations and published lists say. The facts are in
//! `tests/data/linux`; its README says how they are written.

use std::collections::{BTreeMap, BTreeSet};

use probity_linux::PLATFORM;
use probity_platform::{
    Arg, ArgRole, Behaviour, Callable, CallableFlags, Guard, GuardEnv, KfuncFlags, Lifetime, Profile,
    Relation, RetType, Subject, TypeFlags, Version,
};
use probity_program::btf::{Btf, Type, TypeId};
use serde_json::Value;

/// Where the tables differ from the facts on purpose: (kfunc, what, why).
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("bpf_modify_return_test2", "prototype", "seven arguments, and no call passes more than five")];

/// Options that the kernel of the facts was built without.
const OFF: &[&str] = &[
    "CONFIG_SCHED_CLASS_EXT",
    "CONFIG_HID_BPF",
    "CONFIG_TCP_CONG_DCTCP",
    "CONFIG_NET_FOU",
    "CONFIG_XFRM_INTERFACE",
    "CONFIG_NF_FLOW_TABLE",
    "CONFIG_NET_SCH_BPF",
    "CONFIG_FS_VERITY",
    "CONFIG_CRASH_DUMP",
    "CONFIG_SYSTEM_DATA_VERIFICATION",
];

fn data(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/linux");
    let text = std::fs::read_to_string(format!("{path}/{name}.json")).expect("readable");
    serde_json::from_str(&text).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().expect("a number")).expect("32 bits")
}

/// The numbers of `1-3 8`.
fn numbers(ranges: &Value) -> impl Iterator<Item = usize> {
    text(ranges).split_whitespace().flat_map(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let [low, high] = [low, high].map(|bound| bound.parse::<usize>().expect("a number"));
        low..=high
    })
}

fn excepted(name: &str, what: &str) -> bool {
    EXCEPTIONS.iter().any(|(kfunc, of, _)| *kfunc == name && *of == what)
}

fn kernel() -> Profile {
    let mut profile = PLATFORM.profile(Version::new(6, 18));
    profile.config_off = OFF.iter().map(|&name| name.to_owned()).collect();
    profile
}

fn row(name: &str) -> Option<&'static Callable> {
    PLATFORM.kfuncs.iter().find(|row| row.name == name)
}

#[test]
fn kfuncs_are_offered_where_the_kernel_offers_them() {
    let profile = kernel();
    let file = data("kfuncs");
    let names: Vec<&str> = list(&file["kfuncs"]).iter().map(text).collect();
    let (mut asked, mut answers) = (0, 0);
    for group in list(&file["groups"]) {
        let named = |ranges: &Value| numbers(ranges).map(|at| names[at]).collect::<BTreeSet<&str>>();
        let (theirs, sleepable_only) = (named(&group["offers"]), named(&group["sleepable_only"]));
        for config in list(&group["configs"]) {
            let prog = PLATFORM.prog_type(number(&config[1])).expect("a program type");
            let (attach, sleepable) = (number(&config[2]), config[3].as_bool().expect("a boolean"));
            let env = GuardEnv { profile: &profile, prog_type: prog.number, attach, sleepable, target: "" };
            let offered = prog.kfuncs.iter().filter(|entry| entry.guard.holds(&env));
            let offered = offered.map(|entry| &PLATFORM.kfuncs[usize::from(entry.callable)]);
            let offered: BTreeMap<&str, &Callable> =
                offered.filter(|row| row.guard.holds(&env)).map(|row| (row.name, row)).collect();
            let ours: BTreeSet<&str> = offered.keys().copied().collect();
            let more: Vec<_> = ours.difference(&theirs).collect();
            let less: Vec<_> = theirs.difference(&ours).collect();
            assert!(more.is_empty() && less.is_empty(), "{config}: more {more:?}, less {less:?}");
            for (name, row) in offered {
                let refused = row.flags.contains(CallableFlags::MIGHT_SLEEP) && !sleepable;
                assert_eq!(refused, sleepable_only.contains(name), "{config}: {name} sleeps");
            }
            asked += 1;
            answers += names.len();
        }
    }
    assert_eq!((asked, answers), (86, 86 * 203));
}

/// A C integer: bytes, sign.
fn int(ty: &str) -> Option<(u8, bool)> {
    Some(match ty {
        "bool" | "u8" | "__u8" => (1, false),
        "char" => (1, true),
        "u16" | "__u16" | "__be16" => (2, false),
        "short int" => (2, true),
        "u32" | "__u32" | "unsigned int" => (4, false),
        "int" | "s32" => (4, true),
        "u64" | "__u64" | "size_t" | "long unsigned int" => (8, false),
        "s64" | "long int" => (8, true),
        _ if ty.starts_with("enum ") => (4, false),
        _ => return None,
    })
}

const SUFFIXES: &[&str] = &[
    "__refcounted_kptr",
    "__irq_flag",
    "__nullable",
    "__uninit",
    "__alloc",
    "__prog",
    "__szk",
    "__ign",
    "__opt",
    "__str",
    "__map",
    "__sz",
    "__k",
];

/// What a suffix of C names says becomes a class or a modifier; sizes keep it in their names.
fn suffixed(name: &str) -> (String, &'static str) {
    let found = SUFFIXES.iter().find_map(|suffix| Some((name.strip_suffix(suffix)?, *suffix)));
    match found {
        Some((base, suffix @ ("__sz" | "__szk"))) => (format!("{base}{}", &suffix[1..]), suffix),
        Some((base, suffix)) => (base.to_owned(), suffix),
        None => (name.to_owned(), ""),
    }
}

/// What one argument differs in from a C declaration, `const struct cpumask * src1`.
fn argument(decl: &str, at: usize, arg: &Arg, sizes: &BTreeMap<String, u32>) -> Result<(), String> {
    let (ty, name) = decl.rsplit_once(' ').ok_or("no name")?;
    let (base, suffix) = suffixed(name);
    let class = &PLATFORM.arg_classes[usize::from(arg.class)];
    let ask = |same: bool, what: &str| if same { Ok(()) } else { Err(format!("{decl}: {what}")) };
    ask(arg.name == base, &format!("the name {}", arg.name))?;
    let has = |flag| arg.flags.contains(flag);
    ask(has(TypeFlags::PTR_MAYBE_NULL) == matches!(suffix, "__nullable" | "__opt"), "null")?;
    ask(has(TypeFlags::MEM_UNINIT) == (suffix == "__uninit"), "not initialised")?;
    let by_suffix = [
        ("__ign", class.role == ArgRole::Ignored),
        ("__prog", class.role == ArgRole::Hidden),
        ("__str", class.role == ArgRole::ConstStr),
        ("__map", class.role == ArgRole::Map),
        ("__k", class.role == ArgRole::Const),
        ("__sz", class.role == ArgRole::SizeOrZero),
        ("__szk", class.role == ArgRole::ConstSize),
    ];
    for (word, is) in by_suffix {
        ask(is == (word == suffix), &format!("{word} and {}", class.name))?;
    }
    let allocated = matches!(suffix, "__alloc" | "__refcounted_kptr");
    ask(allocated == (class.name == "ARG_PTR_TO_ALLOC"), "allocated")?;
    if matches!(suffix, "__sz" | "__szk") {
        let before = u8::try_from(at).ok().and_then(|at| at.checked_sub(1));
        return ask(before.is_some_and(|memory| arg.relation == Relation::SizeOf(memory)), "size of what");
    }
    if by_suffix.iter().any(|(word, _)| *word == suffix) {
        return Ok(());
    }
    let function = ty.contains("(*)") || ty.ends_with("_callback_t");
    ask(function == (class.role == ArgRole::Func), "function")?;
    if function {
        return Ok(());
    }
    let Some(pointee) = ty.strip_suffix(" *") else {
        let known = int(ty).map(|(bytes, signed)| Subject::Int { bytes, signed });
        return ask(class.role == ArgRole::Int && known == Some(arg.subject), "integer");
    };
    let konst = pointee.strip_prefix("const ");
    ask(konst.is_some() == has(TypeFlags::MEM_RDONLY), "const")?;
    let pointee = konst.unwrap_or(pointee);
    let composite = pointee.strip_prefix("struct ").or_else(|| pointee.strip_prefix("union "));
    match class.role {
        ArgRole::Object if allocated => ask(pointee == "void", "void"),
        ArgRole::Object => {
            let Subject::Object(object) = arg.subject else { return Err(format!("{decl}: which object")) };
            ask(composite == PLATFORM.objects[usize::from(object)].btf, "object")
        }
        ArgRole::StackObject => {
            let Subject::StackObject(object) = arg.subject else {
                return Err(format!("{decl}: which stack object"));
            };
            let object = &PLATFORM.stack_objects[usize::from(object)];
            if suffix == "__irq_flag" {
                return ask(object.name == "bpf_irq_flag" && int(pointee) == Some((8, false)), "irq flag");
            }
            ask(composite == Some(object.name), "stack object")?;
            ask(sizes.get(object.name) == Some(&object.size), "the stack object's size")
        }
        ArgRole::Field => {
            let Subject::Field(field) = arg.subject else { return Err(format!("{decl}: which field")) };
            ask(composite == Some(PLATFORM.special_fields[usize::from(field)].name), "special field")
        }
        // The context, under the kernel's name or the program's.
        ArgRole::Pointer => {
            let views: Vec<&str> = PLATFORM.views.iter().map(|view| view.name).collect();
            let known = composite.is_none_or(|name| views.contains(&name.trim_end_matches("_kern")));
            ask(
                class.name == "ARG_PTR_TO_CTX" && known && (composite.is_some() || pointee == "void"),
                "context",
            )
        }
        ArgRole::Mem => match arg.relation {
            Relation::SizedBy(size) => ask(usize::from(size) == at + 1, "sized by what"),
            _ => {
                let bytes = int(pointee).map(|(bytes, _)| u32::from(bytes));
                let bytes = bytes.or_else(|| sizes.get(composite?).copied());
                ask(bytes == Some(arg.size), "the size of memory")
            }
        },
        _ => Err(format!("{decl}: {}", class.name)),
    }
}

/// What a kfunc differs in from its C declaration: the returned type and the arguments.
fn prototype(decl: &[String], row: &Callable, sizes: &BTreeMap<String, u32>) -> Result<(), String> {
    let [ret, args @ ..] = decl else { return Err("nothing is declared".into()) };
    let ask = |same: bool, what: &str| if same { Ok(()) } else { Err(format!("returns {ret}: {what}")) };
    if args.len() != row.args.len() {
        return Err(format!("{} arguments, not {}", args.len(), row.args.len()));
    }
    for (at, (decl, arg)) in args.iter().zip(row.args).enumerate() {
        argument(decl, at, arg, sizes)?;
    }
    ask(matches!(row.ret.lifetime, Lifetime::Source), "lifetime")?;
    let RetType::Pointer(ty) = row.ret.ty else {
        let known = int(ret).map(|(bytes, signed)| Subject::Int { bytes, signed });
        return match row.ret.ty {
            RetType::Void => ask(ret == "void", "nothing"),
            _ => ask(known == Some(row.ret.subject), "an integer"),
        };
    };
    let kind = PLATFORM.kind(ty.kind);
    let Some(pointee) = ret.strip_suffix(" *") else { return ask(false, "a pointer") };
    let konst = pointee.strip_prefix("const ");
    let pointee = konst.unwrap_or(pointee);
    let composite = pointee.strip_prefix("struct ");
    let allocated = ty.flags.contains(TypeFlags::MEM_ALLOC) && kind.behaviour == Behaviour::Object;
    match (composite, row.ret.subject) {
        (Some("bpf_list_node" | "bpf_rb_node"), Subject::None) => ask(allocated, "a node"),
        (Some(name), Subject::Object(object)) => {
            ask(PLATFORM.objects[usize::from(object)].btf == Some(name), "which object")?;
            ask(konst.is_some() == ty.flags.contains(TypeFlags::MEM_RDONLY), "const")
        }
        (None, Subject::None) if pointee == "void" => {
            let behaviours = [Behaviour::Object, Behaviour::Region, Behaviour::Arena];
            ask(behaviours.contains(&kind.behaviour) && row.ret.size == 0, "what")
        }
        (None, Subject::None) => {
            let bytes = int(pointee).map(|(bytes, _)| u32::from(bytes));
            ask(kind.behaviour == Behaviour::Region && bytes == Some(row.ret.size), "memory")
        }
        _ => ask(false, "what it points to"),
    }
}

fn sizes_of(file: &Value) -> BTreeMap<String, u32> {
    let sizes = file["sizes"].as_object().expect("an object");
    sizes.iter().map(|(name, size)| (name.clone(), number(size))).collect()
}

#[test]
fn prototypes_are_those_of_the_kernels_btf() {
    let file = data("kfuncs_btf");
    let sizes = sizes_of(&file);
    let rows = file["kfuncs"].as_object().expect("an object");
    let mut wrong = Vec::new();
    for (name, decl) in rows {
        let row = row(name).unwrap_or_else(|| panic!("{name} is not declared"));
        let decl: Vec<String> = list(decl).iter().map(|part| text(part).to_owned()).collect();
        let found = prototype(&decl, row, &sizes);
        if found.is_err() != excepted(name, "prototype") {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), 203);
}

/// A type as the facts write it.
fn c_type(btf: &Btf, id: TypeId) -> String {
    let to = |id| c_type(btf, id);
    match btf.ty(id) {
        None | Some(Type::Void) => "void".into(),
        Some(Type::Int(int)) if int.name == "_Bool" => "bool".into(),
        Some(Type::Int(int)) => int.name.into(),
        Some(Type::Ptr { target }) => match btf.ty(target) {
            Some(Type::FuncProto(_)) => "(*)".into(),
            _ => format!("{} *", to(target)),
        },
        Some(Type::Struct(of)) => format!("struct {}", of.name),
        Some(Type::Union(of)) => format!("union {}", of.name),
        Some(Type::Fwd { name, is_union }) => format!("{} {name}", if is_union { "union" } else { "struct" }),
        Some(Type::Enum(of)) => format!("enum {}", of.name),
        Some(Type::Typedef { name, .. }) => name.into(),
        Some(Type::Const { target }) => format!("const {}", to(target)),
        Some(Type::TypeTag { target, .. } | Type::Volatile { target } | Type::Restrict { target }) => {
            to(target)
        }
        _ => "?".into(),
    }
}

#[test]
fn prototypes_are_those_of_the_running_kernel() {
    let path = "/sys/kernel/btf/vmlinux";
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: no {path}");
        return;
    };
    let btf = Btf::parse(&bytes).expect("BTF");
    let mut sizes = BTreeMap::new();
    for (_, ty) in btf.types() {
        if let Type::Struct(of) | Type::Union(of) = ty {
            sizes.entry(of.name.to_owned()).or_insert(of.size);
        }
    }
    let (mut asked, mut wrong, mut unknown) = (0, Vec::new(), Vec::new());
    for (id, ty) in btf.types() {
        let Type::Func { name, proto, .. } = ty else { continue };
        if !btf.decl_tags(id).any(|tag| tag.name == "bpf_kfunc") {
            continue;
        }
        let Some(row) = row(name) else {
            unknown.push(name);
            continue;
        };
        let proto = btf.func_proto(proto).expect("a prototype");
        let args = proto.params().map(|arg| format!("{} {}", c_type(&btf, arg.ty), arg.name));
        let decl: Vec<String> = [c_type(&btf, proto.ret)].into_iter().chain(args).collect();
        let found = prototype(&decl, row, &sizes);
        if found.is_err() != excepted(name, "prototype") {
            wrong.push(format!("{name}: {found:?}"));
        }
        asked += 1;
    }
    // Kernels later than the facts have more.
    eprintln!("{asked} kfuncs of the running kernel; not declared: {unknown:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 0 || unknown.is_empty());
}

fn version(text: &str) -> Version {
    let (major, minor) = text.split_once('.').expect("a version");
    let [major, minor] = [major, minor].map(|part| part.parse().expect("a number"));
    Version::new(major, minor)
}

/// The first version of a guard.
fn since(guard: &Guard) -> Option<Version> {
    match guard {
        Guard::Since(version) => Some(*version),
        Guard::All(parts) => parts.iter().find_map(since),
        _ => None,
    }
}

/// Every name: (the row, its guard, whether it is the row's own).
fn names() -> BTreeMap<&'static str, (&'static Callable, &'static Guard, bool)> {
    let own = PLATFORM.kfuncs.iter().map(|row| (row.name, (row, &row.guard, true)));
    let aliases = PLATFORM
        .kfuncs
        .iter()
        .flat_map(|row| row.aliases.iter().map(move |alias| (alias.name, (row, &alias.guard, false))));
    own.chain(aliases).collect()
}

#[test]
fn names_and_versions_are_those_of_the_facts() {
    let file = data("kfuncs_flags");
    let facts = file["kfuncs"].as_object().expect("an object");
    let ours = names();
    let known: BTreeSet<&str> = facts.keys().map(String::as_str).collect();
    let declared: BTreeSet<&str> = ours.keys().copied().collect();
    let more: Vec<_> = declared.difference(&known).collect();
    let less: Vec<_> = known.difference(&declared).collect();
    assert!(more.is_empty() && less.is_empty(), "more {more:?}, less {less:?}");
    for (name, fact) in facts {
        let theirs = fact[0].as_str().map(version);
        assert_eq!(since(ours[name.as_str()].1), theirs, "{name}");
    }
    // Those of the module of the kernel's tests are left out: no kernel has them by itself.
    let left_out: Vec<&str> = list(&file["left_out"]).iter().map(text).collect();
    assert!(left_out.iter().all(|name| !declared.contains(name)));
    assert_eq!((facts.len(), left_out.len()), (325, 54));
}

#[test]
fn a_kernel_has_the_kfuncs_of_its_version_and_options() {
    let profile = kernel();
    let env = GuardEnv { profile: &profile, prog_type: 0, attach: 0, sleepable: false, target: "" };
    let file = data("kfuncs_btf");
    let theirs: BTreeSet<&str> =
        file["kfuncs"].as_object().expect("an object").keys().map(String::as_str).collect();
    let ours = PLATFORM.kfuncs.iter().filter(|row| row.guard.holds(&env)).map(|row| row.name);
    // This one carries no tag that says that it is a kfunc.
    let ours: BTreeSet<&str> = ours.filter(|name| *name != "update_socket_protocol").collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    let less: Vec<_> = theirs.difference(&ours).collect();
    assert!(more.is_empty() && less.is_empty(), "more {more:?}, less {less:?}");
}

#[test]
fn flags_are_those_of_the_facts() {
    let file = data("kfuncs_flags");
    let ours = names();
    let flags = |fact: &Value| {
        fact.as_str().map(|words| {
            words.split_whitespace().fold(KfuncFlags::empty(), |all, word| {
                all | KfuncFlags::from_name(word).unwrap_or_else(|| panic!("no flag {word}"))
            })
        })
    };
    let (mut asked, mut wrong) = (0, Vec::new());
    for (name, fact) in file["kfuncs"].as_object().expect("an object") {
        let (row, _, _) = ours[name.as_str()];
        // What 6.12 declares, what later lists add to it, and what only 6.18 itself told.
        let theirs = [1, 2, 3].into_iter().filter_map(|at| flags(&fact[at]));
        let theirs = theirs.fold(KfuncFlags::empty(), |all, some| all | some);
        if row.kfunc != theirs {
            wrong.push(format!("{name}: {:?}, not {theirs:?}", row.kfunc));
        }
        asked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked, 325);
}

#[test]
fn kfuncs_are_of_gpl_programs() {
    for row in PLATFORM.kfuncs {
        assert!(row.flags.contains(CallableFlags::GPL_ONLY), "{}", row.name);
        assert_eq!(
            row.flags.contains(CallableFlags::MIGHT_SLEEP),
            row.kfunc.contains(KfuncFlags::KF_SLEEPABLE),
            "{}",
            row.name
        );
    }
}

#[test]
fn exceptions_are_few_and_have_reasons() {
    assert!(EXCEPTIONS.len() <= 12, "with those of other tests 25 at most");
    for (name, what, why) in EXCEPTIONS {
        assert!(row(name).is_some() && !what.is_empty() && why.len() > 20, "{name}");
    }
}
