//! Which definition a name stands for.

use std::collections::HashMap;

use super::{Input, JoinError, sections::Layout};
use crate::elf::Symbol;

/// The symbols of the joined object.
#[derive(Debug)]
pub(super) struct Symbols {
    /// The first is no symbol, as in a file.
    pub(super) list: Vec<Symbol>,
    /// By object and its own number.
    numbers: Vec<Vec<usize>>,
    globals: HashMap<String, Global>,
}

/// A name that all objects see.
#[derive(Clone, Copy, Debug)]
struct Global {
    number: usize,
    owner: Owner,
}

/// The object whose definition counts, or whose declaration came first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) input: usize,
    /// The number of the symbol there.
    pub(super) symbol: usize,
}

impl Symbols {
    pub(super) fn resolve(inputs: &[Input<'_>], layout: &Layout) -> Result<Symbols, JoinError> {
        let mut all = Symbols {
            list: vec![none()],
            numbers: Vec::with_capacity(inputs.len()),
            globals: HashMap::new(),
        };
        for (input, Input { tables, .. }) in inputs.iter().enumerate() {
            let symbols = &tables.elf.symbols;
            let mut numbers = vec![0; symbols.len()];
            for (index, symbol) in symbols.iter().enumerate().skip(1) {
                let place = symbol.section.map(|section| layout.place(input, section));
                // In a section that is not taken over: types, or the second licence.
                if place.is_some_and(|place| place.is_none()) {
                    continue;
                }
                let place = place.flatten();
                let moved = Symbol {
                    section: place.map(|place| place.section),
                    value: symbol.value.saturating_add(place.map_or(0, |place| place.offset)),
                    ..symbol.clone()
                };
                numbers[index] = if symbol.is_local || symbol.is_section || symbol.name.is_empty() {
                    all.list.push(moved);
                    all.list.len() - 1
                } else {
                    all.global(inputs, Owner { input, symbol: index }, moved)?
                };
            }
            all.numbers.push(numbers);
        }
        Ok(all)
    }

    /// The number of a global symbol, one of all objects.
    fn global(&mut self, inputs: &[Input<'_>], owner: Owner, moved: Symbol) -> Result<usize, JoinError> {
        let Some(known) = self.globals.get_mut(&moved.name) else {
            let number = self.list.len();
            self.globals.insert(moved.name.clone(), Global { number, owner });
            self.list.push(moved);
            return Ok(number);
        };
        let before = &mut self.list[known.number];
        let hidden = before.is_hidden || moved.is_hidden;
        match (before.section, moved.section) {
            (None, None) => before.is_weak &= moved.is_weak,
            (Some(_), None) => {}
            (Some(_), Some(_)) if moved.is_weak => {}
            (Some(_), Some(_)) if !before.is_weak => {
                return Err(JoinError::Duplicate {
                    symbol: moved.name,
                    first: inputs[known.owner.input].name.to_owned(),
                    first_section: inputs[known.owner.input].section_of(known.owner.symbol).to_owned(),
                    second: inputs[owner.input].name.to_owned(),
                    second_section: inputs[owner.input].section_of(owner.symbol).to_owned(),
                });
            }
            _ => {
                known.owner = owner;
                *before = moved;
            }
        }
        self.list[known.number].is_hidden = hidden;
        Ok(known.number)
    }

    /// The number of an object's symbol among all.
    pub(super) fn number(&self, input: usize, symbol: usize) -> usize {
        self.numbers.get(input).and_then(|numbers| numbers.get(symbol)).copied().unwrap_or(0)
    }

    /// The object that a name that all see belongs to.
    pub(super) fn owner(&self, name: &str) -> Option<Owner> {
        Some(self.globals.get(name)?.owner)
    }
}

fn none() -> Symbol {
    Symbol {
        name: String::new(),
        section: None,
        value: 0,
        size: 0,
        is_func: false,
        is_section: false,
        is_local: true,
        is_weak: false,
        is_hidden: false,
    }
}
