//! The types of several objects as one: the same numbers for the same types.
//!
//! Two types are the same when no walk from them can tell them apart: names, sizes, members, tags,
//! and what they refer to. Classes of types are refined until no class splits, which ends for
//! circles of types too. Functions and variables are never taken as the same by themselves; who
//! links the objects says which are.

use std::collections::HashMap;

use super::{Btf, BtfError, DatasecVar, Kind, TypeId};

/// The longest chain of refinements; when it does not do, nothing is taken as the same.
const ROUNDS: usize = 64;
/// Words looked at in all rounds; when they do not do, nothing is taken as the same.
const WORDS: usize = 1 << 25;

/// Types of several objects, to be merged.
#[derive(Debug)]
pub struct Merge<'a> {
    inputs: Vec<&'a Btf>,
    /// The number of types before each input.
    bases: Vec<u32>,
    /// The bytes of strings before each input.
    strings: Vec<u32>,
    alias: HashMap<u32, u32>,
}

/// A section of variables of the merged types.
#[derive(Clone, Debug, Default)]
pub struct MergedSection {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u32,
    /// The input of each variable, and the variable with its new offset.
    pub vars: Vec<(usize, DatasecVar)>,
}

/// Merged types.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The types.
    pub btf: Btf,
    /// The new number of each type, by input and old number less one.
    ids: Vec<Vec<TypeId>>,
}

impl Merged {
    /// The new number of an input's type; void when there is none.
    #[must_use]
    pub fn id(&self, input: usize, id: TypeId) -> TypeId {
        let index = id.0.checked_sub(1).map(|index| index as usize);
        let found = index.and_then(|index| self.ids.get(input)?.get(index));
        found.copied().unwrap_or(TypeId::VOID)
    }
}

/// What a word of a record is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Name,
    Type,
    Plain,
}

/// What the word at an index of a record is.
fn role(kind: Kind, index: usize) -> Role {
    match (kind, index) {
        (_, 0) => Role::Name,
        (_, 1) => Role::Plain,
        (
            Kind::Ptr
            | Kind::Typedef
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::Func
            | Kind::FuncProto
            | Kind::Var
            | Kind::DeclTag
            | Kind::TypeTag,
            2,
        ) => Role::Type,
        (_, 2) => Role::Plain,
        (Kind::Array, 3 | 4) => Role::Type,
        (Kind::Struct | Kind::Union | Kind::Datasec, index) => match (kind, index % 3) {
            (Kind::Datasec, 0) | (Kind::Struct | Kind::Union, 1) => Role::Type,
            (Kind::Struct | Kind::Union, 0) => Role::Name,
            _ => Role::Plain,
        },
        (Kind::Enum, index) if index % 2 == 1 => Role::Name,
        (Kind::Enum64, index) if index.is_multiple_of(3) => Role::Name,
        (Kind::FuncProto, index) if index % 2 == 1 => Role::Name,
        (Kind::FuncProto, _) => Role::Type,
        _ => Role::Plain,
    }
}

impl<'a> Merge<'a> {
    /// Nothing said yet of what is the same.
    ///
    /// # Errors
    ///
    /// When there are more types or strings than 32 bits count.
    pub fn new(inputs: Vec<&'a Btf>) -> Result<Merge<'a>, BtfError> {
        let (mut bases, mut strings) = (Vec::new(), Vec::new());
        let (mut base, mut string) = (0u32, 0u32);
        let too_many = || BtfError::Truncated { part: "32 bits of numbers", len: usize::MAX };
        for btf in &inputs {
            bases.push(base);
            strings.push(string);
            let more =
                |sum: u32, more: usize| u32::try_from(more).ok().and_then(|more| sum.checked_add(more));
            base = more(base, btf.len()).ok_or_else(too_many)?;
            string = more(string, btf.strings.len().max(1)).ok_or_else(too_many)?;
        }
        Ok(Merge { inputs, bases, strings, alias: HashMap::new() })
    }

    /// Says that a function or variable of an input is one of another input.
    pub fn same(&mut self, from: (usize, TypeId), to: (usize, TypeId)) {
        if let (Some(from), Some(to)) = (self.global(from), self.global(to))
            && from != to
            && !self.alias.contains_key(&to)
        {
            self.alias.insert(from, to);
        }
    }

    /// Where a string of an input is in the merged strings.
    #[must_use]
    pub fn string(&self, input: usize, offset: u32) -> u32 {
        self.strings.get(input).map_or(0, |base| base.saturating_add(offset))
    }

    /// A type's index among those of all inputs.
    fn global(&self, (input, id): (usize, TypeId)) -> Option<u32> {
        let btf = self.inputs.get(input).filter(|btf| id.0 as usize <= btf.len())?;
        debug_assert!(btf.len() <= u32::MAX as usize);
        Some(self.bases[input] + id.0.checked_sub(1)?)
    }

    /// Merges, with these sections of variables instead of those of the inputs.
    ///
    /// # Errors
    ///
    /// When the result is no BTF: damaged inputs, a section of more than 65535 variables.
    pub fn finish(&self, sections: &[MergedSection]) -> Result<Merged, BtfError> {
        let classes = self.classes();
        // The new number of each class: that of its first type.
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        let mut kept = Vec::new();
        for (input, btf) in self.inputs.iter().enumerate() {
            for id in btf.ids() {
                let index = self.bases[input] + id.0 - 1;
                let class = classes[index as usize];
                if btf.kind(id) != Some(Kind::Datasec) && !self.alias.contains_key(&index) {
                    numbers.entry(class).or_insert_with(|| {
                        kept.push((input, id));
                        kept.len() as u32
                    });
                }
            }
        }
        let number = |input: usize, id: u32| -> u32 {
            let index = self.global((input, TypeId(id)));
            index.and_then(|index| numbers.get(&classes[index as usize])).copied().unwrap_or(0)
        };
        let mut types = Vec::new();
        for &(input, id) in &kept {
            let btf = self.inputs[input];
            for (role, word) in records(btf, id) {
                let word = match role {
                    Role::Name => self.string(input, word),
                    Role::Type => number(input, word),
                    Role::Plain => word,
                };
                types.extend_from_slice(&word.to_le_bytes());
            }
        }
        let mut strings = Vec::new();
        for btf in &self.inputs {
            strings.extend_from_slice(&btf.strings);
            if btf.strings.is_empty() {
                strings.push(0);
            }
        }
        for section in sections {
            let count = u16::try_from(section.vars.len())
                .map_err(|_| BtfError::Truncated { part: "variables of a section", len: 0xffff })?;
            let info = (Kind::Datasec as u32) << 24 | u32::from(count);
            let name = u32::try_from(strings.len())
                .map_err(|_| BtfError::Truncated { part: "32 bits of numbers", len: strings.len() })?;
            strings.extend_from_slice(section.name.as_bytes());
            strings.push(0);
            let head = [name, info, section.size];
            let vars = section
                .vars
                .iter()
                .flat_map(|(input, var)| [number(*input, var.var.0), var.offset, var.size]);
            for word in head.into_iter().chain(vars) {
                types.extend_from_slice(&word.to_le_bytes());
            }
        }
        let ids = self.inputs.iter().enumerate();
        let ids = ids.map(|(input, btf)| btf.ids().map(|id| TypeId(number(input, id.0))).collect()).collect();
        Ok(Merged { btf: Btf::parse(&assembled(&types, &strings))?, ids })
    }

    /// The class of each type.
    fn classes(&self) -> Vec<u32> {
        let total: usize = self.inputs.iter().map(|btf| btf.len()).sum();
        let all: Vec<(usize, TypeId)> = self
            .inputs
            .iter()
            .enumerate()
            .flat_map(|(input, btf)| btf.ids().map(move |id| (input, id)))
            .collect();
        let alone: Vec<u32> =
            (0..total as u32).map(|index| *self.alias.get(&index).unwrap_or(&index)).collect();
        let mut names: HashMap<&[u8], u32> = HashMap::new();
        let mut name = |text: &'a str| -> u32 {
            let next = names.len() as u32;
            *names.entry(text.as_bytes()).or_insert(next)
        };
        // Many types may share a long name: each place of one is looked at once.
        let mut by_offset: HashMap<(usize, u32), u32> = HashMap::new();
        // What does not change from round to round; references are filled in.
        let mut fixed: Vec<Vec<(Role, u32)>> = Vec::with_capacity(total);
        for (index, &(input, id)) in all.iter().enumerate() {
            let btf = self.inputs[input];
            let Some(kind) = btf.kind(id) else {
                fixed.push(Vec::new());
                continue;
            };
            if matches!(kind, Kind::Func | Kind::Var | Kind::Datasec) {
                fixed.push(vec![(Role::Plain, u32::MAX), (Role::Plain, alone[index])]);
                continue;
            }
            let mut words: Vec<(Role, u32)> = records(btf, id)
                .map(|(role, word)| match role {
                    Role::Name => {
                        let known = by_offset.entry((input, word));
                        (Role::Plain, *known.or_insert_with(|| name(btf.name_at(word))))
                    }
                    Role::Type => (role, self.global((input, TypeId(word))).unwrap_or(u32::MAX)),
                    Role::Plain => (role, word),
                })
                .collect();
            for tag in btf.decl_tags(id) {
                words.push((Role::Plain, tag.component.unwrap_or(u32::MAX)));
                words.push((Role::Plain, name(tag.name)));
            }
            fixed.push(words);
        }
        let mut classes = vec![0u32; total];
        let mut count = 1;
        let words: usize = fixed.iter().map(|words| words.len() + 1).sum();
        for _ in 0..ROUNDS.min(WORDS / words.max(1)) {
            let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
            let mut next = Vec::with_capacity(total);
            for (index, words) in fixed.iter().enumerate() {
                let mut key = vec![classes[index]];
                key.extend(words.iter().map(|(role, word)| match role {
                    Role::Type => classes.get(*word as usize).map_or(u32::MAX, |class| *class),
                    _ => *word,
                }));
                let class = known.len() as u32;
                next.push(*known.entry(key).or_insert(class));
            }
            classes = next;
            if known.len() == count {
                return classes;
            }
            count = known.len();
        }
        alone
    }
}

/// The words of a record, and what they are.
fn records(btf: &Btf, id: TypeId) -> impl Iterator<Item = (Role, u32)> + '_ {
    let kind = btf.kind(id).unwrap_or(Kind::Void);
    let index = id.0.saturating_sub(1) as usize;
    let start = btf.offsets.get(index).map_or(0, |at| *at as usize);
    let end = btf.offsets.get(index + 1).map_or(btf.types.len(), |at| *at as usize);
    (start..end).step_by(4).enumerate().map(move |(index, at)| (role(kind, index), btf.word(at).unwrap_or(0)))
}

/// A whole section of types.
fn assembled(types: &[u8], strings: &[u8]) -> Vec<u8> {
    let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, len(types), len(types), len(strings)] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(types);
    bytes.extend_from_slice(strings);
    bytes
}
