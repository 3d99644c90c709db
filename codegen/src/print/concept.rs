//! Regions, stack objects, callbacks, objects, special fields, targets, words.

use super::expr::{range, when};
use super::{Entry, block, list, string, view};
use crate::syntax::ast::{
    Callback, CallbackLine, Every, Line, Object, ObjectLine, Region, RegionLine, SpecialField,
    SpecialFieldLine, StackObject, StackObjectLine, Targets, Word,
};

/// A region's text.
pub(super) fn region(region: &Region) -> String {
    let entries = lines(&region.lines, |line| match line {
        RegionLine::Prints(text) => format!("prints {}", string(&text.value)),
        RegionLine::Inside(text) => format!("inside {}", string(&text.value)),
        RegionLine::Forbids(words) => format!("forbids {}", list(words)),
        RegionLine::Allows(names) => format!("allows {}", list(names)),
        RegionLine::OnLeave { from, to } => format!("on_leave {} -> {}", from.name, to.name),
        RegionLine::Implicit(guard) => format!("implicit{}", when(Some(guard))),
        RegionLine::Flag(flag) => flag.name.clone(),
    });
    block(&format!("region {}", region.name.name), &entries, true)
}

/// A stack object's text.
pub(super) fn stack_object(object: &StackObject) -> String {
    let entries = lines(&object.lines, |line| match line {
        StackObjectLine::Prints(text) => format!("prints {}", string(&text.value)),
        StackObjectLine::State { name, owned: Some(_) } => format!("state {} owned", name.name),
        StackObjectLine::State { name, owned: None } => format!("state {}", name.name),
    });
    block(&format!("stack_object {} size {}", object.name.name, object.size.value), &entries, true)
}

/// A callback's text.
pub(super) fn callback(callback: &Callback) -> String {
    let entries = lines(&callback.lines, |line| match line {
        CallbackLine::Register { register, value, flags, of } => {
            let names: Vec<&str> = value.iter().map(|name| name.name.as_str()).collect();
            let flags: String = flags.iter().map(|flag| format!(" | {}", flag.name)).collect();
            let of = of.as_ref().map(|of| format!(" of {}", of.name)).unwrap_or_default();
            format!("{} = {}{flags}{of}", register.name, names.join("."))
        }
        CallbackLine::Returns(values) => format!("returns {}", range(values)),
        CallbackLine::Forbids(names) => format!("forbids {}", list(names)),
        CallbackLine::Flag(flag) => flag.name.clone(),
    });
    block(&format!("callback {}", callback.name.name), &entries, true)
}

/// An object's text.
pub(super) fn object(object: &Object) -> String {
    let btf = match &object.btf {
        None => String::new(),
        Some(btf) => match &btf.name {
            None => " btf".to_owned(),
            Some(name) => format!(" btf {}", name.name),
        },
    };
    let head = format!("object {}{btf}", object.name.name);
    let mut entries = lines(&object.lines, |line| match line {
        ObjectLine::Trust { trust, fields, when: guard } => {
            format!("{} {}{}", trust.name, list(fields), when(guard.as_ref()))
        }
        ObjectLine::Upcast(names) => format!("upcast {}", list(names)),
        ObjectLine::Flag(flag) => flag.name.clone(),
    });
    entries.extend(object.fields.iter().map(view::field));
    if entries.is_empty() { format!("{head};") } else { block(&head, &entries, true) }
}

/// A special field's text.
pub(super) fn special_field(field: &SpecialField) -> String {
    let head = format!("special_field {}: {}", field.name.name, field.form.name);
    let entries = lines(&field.lines, |line| match line {
        SpecialFieldLine::Prints(text) => format!("prints {}", string(&text.value)),
        SpecialFieldLine::Size(size) => format!("size {}", size.value),
        SpecialFieldLine::Maps(names) => format!("maps {}", list(names)),
        SpecialFieldLine::Denied { progs, text } => {
            format!("denied {} else {}", list(progs), string(&text.value))
        }
        SpecialFieldLine::Flag(flag) => flag.name.clone(),
    });
    if entries.is_empty() { format!("{head};") } else { block(&head, &entries, true) }
}

/// The text of names of targets.
pub(super) fn targets(targets: &Targets) -> String {
    let entries: Vec<Entry> =
        targets.names.chunks(4).map(|names| Entry::plain(format!("{};", list(names)))).collect();
    block(&format!("targets {}", targets.name.name), &entries, true)
}

/// The text of what every callable of a sort has.
pub(super) fn every(every: &Every) -> String {
    let entries: Vec<Entry> =
        every.flags.iter().map(|flag| Entry::plain(format!("{};", flag.name))).collect();
    block(&format!("every {}", every.sort.name), &entries, true)
}

/// The text of messages.
pub(super) fn words(words: &[Line<Word>]) -> String {
    let entries = lines(words, |word| format!("{} {}", word.name.name, string(&word.text.value)));
    block("words", &entries, false)
}

fn lines<K>(lines: &[Line<K>], text: impl Fn(&K) -> String) -> Vec<Entry> {
    lines.iter().map(|line| Entry::new(&line.doc, format!("{};", text(&line.kind)))).collect()
}
