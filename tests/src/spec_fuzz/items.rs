//! Specs that read well and say something else: names, numbers, clauses and items in other places.

use std::ops::Range;

use probity_codegen::{FileId, syntax};

use super::{
    Platform,
    lines::{number, replaced},
    text::{Sort, clauses, tokens},
};
use crate::generate::rng::Rng;

/// A platform as items that can be changed.
#[derive(Clone)]
pub struct Items {
    files: Vec<(String, Vec<String>)>,
    names: Vec<String>,
}

impl Items {
    /// The items of a platform.
    #[must_use]
    pub fn of(platform: &Platform) -> Items {
        let mut names = Vec::new();
        let files = platform
            .iter()
            .map(|(name, text)| {
                let (items, _) = syntax::parse(FileId(0), text);
                let span = |item: &syntax::Item| item.span.lo as usize..item.span.hi as usize;
                let items: Vec<String> = items.iter().map(|item| text[span(item)].to_owned()).collect();
                names.extend(items.iter().flat_map(|item| {
                    tokens(item)
                        .into_iter()
                        .filter(|(sort, _)| *sort == Sort::Name)
                        .map(|(_, range)| item[range].to_owned())
                }));
                (name.clone(), items)
            })
            .collect();
        names.sort();
        names.dedup();
        let keywords: Vec<&str> = syntax::item_keywords().chain(syntax::clause_keywords()).collect();
        names.retain(|name| !keywords.contains(&name.as_str()));
        Items { files, names }
    }

    /// The platform with one to `most` changes.
    #[must_use]
    pub fn changed(&self, rng: &mut Rng, most: usize) -> Platform {
        let mut files = self.files.clone();
        for _ in 0..=rng.below(most) {
            match rng.weighted(&[30, 25, 8, 8, 8, 3, 3, 3]) {
                0 => self.name(rng, &mut files),
                1 => token_of(rng, &mut files, &[Sort::Number], number),
                2 => clause(rng, &mut files, |_, item, range| replaced(item, range, "")),
                3 => clause(rng, &mut files, |_, item, range| {
                    replaced(item, range.end..range.end, &format!(" {}", &item[range.clone()]))
                }),
                4 => move_clause(rng, &mut files),
                5 => {
                    let (file, at) = place(rng, &files);
                    files[file].1.remove(at);
                }
                6 => {
                    let (file, at) = place(rng, &files);
                    let item = files[file].1[at].clone();
                    let (file, at) = place(rng, &files);
                    files[file].1.insert(at, item);
                }
                _ => {
                    let (from, to) = (place(rng, &files), place(rng, &files));
                    let other = files[to.0].1[to.1].clone();
                    let item = std::mem::replace(&mut files[from.0].1[from.1], other);
                    files[to.0].1[to.1] = item;
                }
            }
            if files.iter().all(|(_, items)| items.is_empty()) {
                break;
            }
        }
        files.into_iter().map(|(name, items)| (name, items.join("\n"))).collect()
    }

    /// Puts a name in the place of another.
    fn name(&self, rng: &mut Rng, files: &mut [(String, Vec<String>)]) {
        let other = self.names[rng.below(self.names.len())].clone();
        let (file, at) = place(rng, files);
        let item = &mut files[file].1[at];
        let known: Vec<Range<usize>> = tokens(item)
            .into_iter()
            .filter(|(sort, range)| {
                *sort == Sort::Name && self.names.binary_search(&item[range.clone()].to_owned()).is_ok()
            })
            .map(|(_, range)| range)
            .collect();
        if known.is_empty() {
            return;
        }
        let range = known[rng.below(known.len())].clone();
        // Two names of the same item often have the same sort.
        let other =
            if rng.chance(40) { item[known[rng.below(known.len())].clone()].to_owned() } else { other };
        *item = replaced(item, range, &other);
    }
}

/// An item. There must be one.
fn place(rng: &mut Rng, files: &[(String, Vec<String>)]) -> (usize, usize) {
    let mut at = rng.below(files.iter().map(|(_, items)| items.len()).sum());
    for (file, (_, items)) in files.iter().enumerate() {
        if at < items.len() {
            return (file, at);
        }
        at -= items.len();
    }
    unreachable!("the sum bounds it")
}

fn token_of(
    rng: &mut Rng,
    files: &mut [(String, Vec<String>)],
    sorts: &[Sort],
    by: impl Fn(&mut Rng) -> String,
) {
    // Many items have no number.
    for _ in 0..8 {
        let (file, at) = place(rng, files);
        let item = &mut files[file].1[at];
        let known: Vec<_> = tokens(item).into_iter().filter(|(sort, _)| sorts.contains(sort)).collect();
        if !known.is_empty() {
            let (_, range) = known[rng.below(known.len())].clone();
            *item = replaced(item, range, &by(rng));
            return;
        }
    }
}

fn clause(
    rng: &mut Rng,
    files: &mut [(String, Vec<String>)],
    change: impl Fn(&mut Rng, &str, Range<usize>) -> String,
) {
    let (file, at) = place(rng, files);
    let item = &mut files[file].1[at];
    let known = clauses(item);
    if !known.is_empty() {
        let range = known[rng.below(known.len())].clone();
        *item = change(rng, item, range);
    }
}

/// Puts a clause into another item, often of the same sort.
fn move_clause(rng: &mut Rng, files: &mut [(String, Vec<String>)]) {
    let (file, at) = place(rng, files);
    let item = &files[file].1[at];
    let known = clauses(item);
    if known.is_empty() {
        return;
    }
    let range = known[rng.below(known.len())].clone();
    let moved = item[range].to_owned();
    let sort = |item: &str| {
        let words = tokens(item).into_iter().find(|(sort, _)| *sort == Sort::Name);
        words.map(|(_, range)| item[range].to_owned())
    };
    let wanted = sort(item);
    for _ in 0..20 {
        let (file, at) = place(rng, files);
        let item = &mut files[file].1[at];
        let known = clauses(item);
        if !known.is_empty() && (sort(item) == wanted || rng.chance(10)) {
            let end = known[rng.below(known.len())].end;
            *item = replaced(item, end..end, &format!(" {moved}"));
            return;
        }
    }
}
