//! The prototypes of kfuncs against BTF: that of a 6.18 kernel, recorded in `tests/data/linux`, and
//! that of the running kernel. What suffixes of C names say, specs say by classes and modifiers; both
//! ways are checked.

mod recorded;

use std::collections::BTreeMap;

use probity_linux::PLATFORM;
use probity_platform::{
    Arg, ArgRole, Behaviour, Callable, KfuncFlags, Lifetime, Relation, RetType, Subject, TypeFlags,
};
use probity_program::btf::{Btf, Type, TypeId};
use serde_json::Value;

use recorded::{data, list, number, text};

/// Where the tables differ from BTF on purpose: (kfunc, why).
const EXCEPTIONS: &[(&str, &str)] =
    &[("bpf_modify_return_test2", "seven arguments, and no call passes more than five")];

fn excepted(name: &str) -> bool {
    EXCEPTIONS.iter().any(|(kfunc, _)| *kfunc == name)
}

fn row(name: &str) -> Option<&'static Callable> {
    PLATFORM.kfuncs.iter().find(|row| row.name == name)
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
fn argument(
    decl: &str,
    at: usize,
    (arg, makes): (&Arg, bool),
    sizes: &BTreeMap<String, u32>,
) -> Result<(), String> {
    let (ty, name) = decl.rsplit_once(' ').ok_or("no name")?;
    let (base, suffix) = suffixed(name);
    let class = &PLATFORM.arg_classes[usize::from(arg.class)];
    let ask = |same: bool, what: &str| if same { Ok(()) } else { Err(format!("{decl}: {what}")) };
    ask(arg.name == base, &format!("the name {}", arg.name))?;
    let has = |flag| arg.flags.contains(flag);
    ask(has(TypeFlags::PTR_MAYBE_NULL) == matches!(suffix, "__nullable" | "__opt"), "null")?;
    ask(has(TypeFlags::MEM_UNINIT) == (suffix == "__uninit" || makes), "not initialised")?;
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
        // What makes an iterator or keeps the flag of interrupts says so by more than a suffix.
        let flag = decl.ends_with("__irq_flag") && row.name.contains("save");
        let makes = flag || (at == 0 && row.kfunc.contains(KfuncFlags::KF_ITER_NEW));
        argument(decl, at, (arg, makes), sizes)?;
    }
    ask(matches!(row.ret.lifetime, Lifetime::Source), "lifetime")?;
    let RetType::Pointer(ty) = row.ret.ty else {
        let known = int(ret).map(|(bytes, signed)| Subject::Int { bytes, signed });
        // An address in an arena is a number until a cast.
        let arena = ret == "void *" && row.kfunc.contains(KfuncFlags::KF_ARENA_RET);
        let known = if arena { Some(Subject::Int { bytes: 8, signed: false }) } else { known };
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
            let behaviours = [Behaviour::Object, Behaviour::Region];
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
        if found.is_err() != excepted(name) {
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
        if found.is_err() != excepted(name) {
            wrong.push(format!("{name}: {found:?}"));
        }
        asked += 1;
    }
    // Kernels later than the facts have more.
    eprintln!("{asked} kfuncs of the running kernel; not declared: {unknown:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 0 || unknown.is_empty());
}

#[test]
fn exceptions_are_few_and_have_reasons() {
    assert!(EXCEPTIONS.len() <= 12, "with those of other tests 25 at most");
    for (name, why) in EXCEPTIONS {
        assert!(row(name).is_some() && why.len() > 20, "{name}");
    }
}
