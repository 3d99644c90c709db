//! What is done with an input: all that may be done with an object that somebody sent.

use std::collections::BTreeMap;

use probity::{
    Loader,
    object::Object,
    program::{
        Btf,
        btf::{Kind, Type},
    },
};
use probity_linux::PLATFORM;

use super::layout::{Content, sections};
use crate::generate::rng::Rng;

/// How far inputs came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Inputs.
    pub inputs: u64,
    /// Inputs that were read as objects.
    pub objects: u64,
    /// Programs that were linked.
    pub programs: u64,
    /// Programs that the engine judged.
    pub judged: u64,
    /// Inputs whose types were read.
    pub types: u64,
    /// Inputs that were linked with another object.
    pub joined: u64,
}

/// Types and configuration to load against.
#[derive(Debug, Default)]
pub struct Surroundings {
    seeds: Vec<Vec<u8>>,
    targets: Vec<Btf>,
    kconfig: BTreeMap<String, String>,
}

impl Surroundings {
    /// Those of the objects that inputs are made from.
    #[must_use]
    pub fn of(seeds: &[Vec<u8>]) -> Surroundings {
        let objects = seeds.iter().filter_map(|seed| Object::parse(seed).ok());
        let targets = objects.filter_map(|object| object.btf().map(|btf| btf.as_ref().clone())).collect();
        let kconfig = [("LINUX_KERNEL_VERSION", "0x61200"), ("CONFIG_BPF", "y"), ("CONFIG_HZ", "250")];
        let kconfig = kconfig.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Surroundings { seeds: seeds.to_vec(), targets, kconfig }
    }
}

/// Does all with an input; the tally counts how far it came.
pub fn run(rng: &mut Rng, input: &[u8], around: &Surroundings, tally: &mut Tally) {
    tally.inputs += 1;
    let types = types(input);
    tally.types += u64::from(types.is_some());
    if rng.chance(25) && !around.seeds.is_empty() {
        join(rng, input, around, tally);
    }
    let Ok(object) = Object::parse(input) else { return };
    tally.objects += 1;
    let _ = (format!("{:?}", object.maps()), object.struct_ops().len(), object.license().len());
    let mut loader = Loader::new(&PLATFORM);
    match (rng.below(4), &types) {
        (0, _) => {}
        (1, Some(types)) => loader = loader.target(types),
        _ if around.targets.is_empty() => {}
        _ => loader = loader.target(&around.targets[rng.below(around.targets.len())]),
    }
    if rng.chance(80) {
        loader = loader.kconfig(&around.kconfig);
    }
    for entry in object.programs().iter().take(16) {
        if rng.chance(50) {
            loader = loader.prog_type(&entry.name, 1 + rng.below(32) as u32, None);
        }
        // Judging costs most of the time, and is fuzzed elsewhere.
        if rng.chance(25) {
            let report = loader.check_program(&object, entry);
            tally.judged += u64::from(report.outcome.is_ok());
            tally.programs += u64::from(report.outcome.is_ok());
        } else {
            tally.programs += u64::from(loader.link(&object, entry).is_ok());
        }
    }
}

/// Links an input with an object that is whole, or with itself.
fn join(rng: &mut Rng, input: &[u8], around: &Surroundings, tally: &mut Tally) {
    let other = &around.seeds[rng.below(around.seeds.len())];
    let objects = match rng.below(5) {
        0 => [("input", input), ("input", input)],
        1 | 2 => [("input", input), ("other", other.as_slice())],
        _ => [("other", other.as_slice()), ("input", input)],
    };
    let Ok(object) = Object::join(&objects) else { return };
    tally.joined += 1;
    let loader = Loader::new(&PLATFORM).kconfig(&around.kconfig);
    for entry in object.programs().iter().take(8) {
        let _ = loader.link(&object, entry);
    }
}

/// Reads the types of an input by themselves, and asks for all that can be asked.
fn types(input: &[u8]) -> Option<Btf> {
    let sections = sections(input);
    let section = sections.iter().find(|section| section.content == Content::Btf)?;
    let btf = Btf::parse(&input[section.bytes.clone()]).ok()?;
    for (id, ty) in btf.types() {
        let _ = (btf.size_of(id), btf.resolve(id), btf.func_proto(id).map(|proto| proto.params().len()));
        let _ = (btf.member(id, "count").map(|member| member.ty), btf.decl_tags(id).count());
        match ty {
            Type::Struct(body) | Type::Union(body) => {
                let _ = body.members().map(|member| member.name.len()).sum::<usize>();
            }
            Type::Enum(values) => {
                let _ = values.values().map(|value| value.name.len()).sum::<usize>();
            }
            Type::Datasec(body) => {
                let _ = body.vars().filter_map(|var| btf.size_of(var.var)).fold(0, u64::wrapping_add);
            }
            _ => {}
        }
        let _ = btf.find_by_name_kind(ty.name(), Kind::Struct);
    }
    Some(btf)
}
