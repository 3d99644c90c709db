//! Maps as JSON: what `--map` fills in, and what `--dump-maps` prints.

use std::path::Path;
use std::sync::Arc;

use probity::platform::MapBody;
use probity::program::Program;
use probity::vm::{Map, maps};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::trouble::Trouble;
use super::values::{self, Shape};
use crate::input;

/// An element, as it stands in a list.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Element {
    /// Queues and the like have none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) key: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) value: Value,
    /// Where run slots have values of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Vec<Value>>,
}

/// A list of elements, or a line that `--dump-maps` printed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    List(Vec<Element>),
    Dumped { entries: Vec<Element> },
}

/// A map of a program, with the types of its keys and values.
#[derive(Clone, Debug)]
pub(super) struct Typed<'a> {
    pub(super) name: String,
    pub(super) map: Arc<Map>,
    program: &'a Program,
}

/// A program that was put into an array of programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) map: String,
    pub(super) index: u32,
    pub(super) program: String,
}

/// The elements of a map.
#[derive(Debug)]
pub(super) struct Dump {
    pub(super) entries: Vec<Element>,
    /// Elements of zeros that are not there: arrays begin so.
    pub(super) left_out: usize,
}

impl<'a> Typed<'a> {
    pub(super) fn new(name: &str, map: Arc<Map>, program: &'a Program) -> Typed<'a> {
        Typed { name: name.to_owned(), map, program }
    }

    fn key(&self) -> Shape<'a> {
        let definition = self.map.definition();
        let size = definition.key_size as usize;
        Shape { types: self.program.btf.as_deref(), id: definition.btf_key, size }
    }

    fn value(&self) -> Shape<'a> {
        let definition = self.map.definition();
        let size = definition.value_size as usize;
        Shape { types: self.program.btf.as_deref(), id: definition.btf_value, size }
    }

    /// The name of its type as people write it.
    pub(super) fn type_name(&self) -> String {
        let name = self.map.map_type().name;
        name.strip_prefix("BPF_MAP_TYPE_").unwrap_or(name).to_lowercase()
    }

    /// Fills it from a file; `enter` puts the program of a name into an array of programs.
    pub(super) fn fill(
        &self,
        file: &Path,
        mut enter: impl FnMut(&Map, u32, &str) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let bad = |error: String| Trouble::unreadable(format!("{}: {error}", file.display()));
        let text = input::read(file).map_err(bad)?;
        let content: Content = serde_json::from_slice(&text)
            .map_err(|error| bad(format!("it is no list of {{\"key\": ..., \"value\": ...}}: {error}")))?;
        let (Content::List(elements) | Content::Dumped { entries: elements }) = content;
        for (index, element) in elements.iter().enumerate() {
            let at = |error: String| bad(format!("element {index} of map {}: {error}", self.name));
            match self.map.body() {
                MapBody::ProgArray => {
                    let (place, name) = self.program_entry(element).map_err(at)?;
                    enter(&self.map, place, name)?;
                }
                _ => self.put(element).map_err(at)?,
            }
        }
        Ok(())
    }

    fn program_entry<'e>(&self, element: &'e Element) -> Result<(u32, &'e str), String> {
        let place = values::number(&element.key, 32).map_err(|error| format!("key: {error}"))?;
        let name = element.value.as_str().ok_or("value: give the name of a program of the object")?;
        Ok((place as u32, name))
    }

    fn put(&self, element: &Element) -> Result<(), String> {
        let bytes =
            |value: &Value| values::bytes(value, self.value()).map_err(|error| format!("value: {error}"));
        let done = match self.map.body() {
            MapBody::Queue | MapBody::Stack | MapBody::BloomFilter => {
                self.map.push(&bytes(&element.value)?, maps::flags::ANY)
            }
            MapBody::UserRingbuf => match maps::RingProducer::new(Arc::clone(&self.map)) {
                Some(producer) => {
                    let record = values::bytes(
                        &element.value,
                        Shape { size: record_size(&element.value), ..self.value() },
                    );
                    producer.push(&record.map_err(|error| format!("value: {error}"))?)
                }
                None => return Err("it can't be filled".into()),
            },
            MapBody::Ringbuf | MapBody::ArrayOfMaps | MapBody::HashOfMaps | MapBody::ProgArray => {
                return Err(format!("maps of type {} can't be filled", self.type_name()));
            }
            _ => {
                let key = values::bytes(&element.key, self.key()).map_err(|error| format!("key: {error}"))?;
                match (&element.values, self.map.is_per_slot()) {
                    (None, false) => self.map.update(&key, &bytes(&element.value)?, maps::flags::ANY),
                    (None, true) => {
                        let all = vec![bytes(&element.value)?; self.map.slots() as usize];
                        self.map.update_percpu(&key, &all, maps::flags::ANY)
                    }
                    (Some(list), true) => {
                        let slots = self.map.slots() as usize;
                        if list.len() > slots {
                            return Err(format!("values of {} run slots, and there are {slots}", list.len()));
                        }
                        let mut all = list.iter().map(bytes).collect::<Result<Vec<_>, _>>()?;
                        all.resize(slots, vec![0; self.value().size]);
                        self.map.update_percpu(&key, &all, maps::flags::ANY)
                    }
                    (Some(_), false) => return Err("`values` is for maps of run slots: give `value`".into()),
                }
            }
        };
        done.map_err(|errno| match errno.0 {
            1 => "the map can't be written: its content is fixed when the program is loaded".to_owned(),
            7 | 28 => "the map is full, or the index beyond its end".to_owned(),
            other => format!("refused with error {other}"),
        })
    }

    /// All elements. Records of ring buffers are taken out.
    pub(super) fn dump(&self) -> Dump {
        let value = |bytes: &[u8]| values::json(bytes, self.value());
        let only = |value| Element { key: Value::Null, value, values: None };
        let mut dump = Dump { entries: Vec::new(), left_out: 0 };
        match self.map.body() {
            MapBody::Queue | MapBody::Stack => {
                // Taken out and put back in: whoever pushes them in this order has the same map.
                let mut all = Vec::new();
                while let Ok(bytes) = self.map.pop() {
                    all.push(bytes);
                }
                if self.map.body() == MapBody::Stack {
                    all.reverse();
                }
                for bytes in &all {
                    let _ = self.map.push(bytes, maps::flags::ANY);
                }
                dump.entries = all.iter().map(|bytes| only(value(bytes))).collect();
            }
            MapBody::Ringbuf => {
                if let Some(consumer) = maps::RingConsumer::new(Arc::clone(&self.map)) {
                    while let Some(record) = consumer.next() {
                        dump.entries.push(only(super::hex::text(&record).into()));
                    }
                }
            }
            body => {
                let array = matches!(body, MapBody::Array | MapBody::PercpuArray);
                let skips = array && self.map.definition().contents.is_none();
                let mut pairs = self.map.pairs();
                if !array {
                    // A hash table has no order that means anything.
                    pairs.sort();
                }
                for (key, bytes) in pairs {
                    if skips && bytes.iter().all(|byte| *byte == 0) {
                        dump.left_out += 1;
                        continue;
                    }
                    let key = values::json(&key, self.key());
                    dump.entries.push(if self.map.is_per_slot() {
                        let size = self.value().size;
                        let slots = bytes.chunks(size.next_multiple_of(8).max(8));
                        let values = slots.map(|slot| value(slot.get(..size).unwrap_or(slot))).collect();
                        Element { key, value: Value::Null, values: Some(values) }
                    } else {
                        Element { key, value: value(&bytes), values: None }
                    });
                }
            }
        }
        dump
    }
}

/// How long a record is that is given as text of bytes or as a list; numbers have 8.
fn record_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.strip_prefix("0x").map_or(0, |digits| digits.len() / 2),
        Value::Array(list) => list.len(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use probity::program::MapDef;
    use serde_json::json;

    use super::*;
    use crate::PLATFORM;

    /// Fills a map of a type, and gives what it holds then.
    fn filled(map_type: &str, (key, value): (u32, u32), elements: &Value) -> Result<Value, Trouble> {
        let number = PLATFORM.map_types.iter().find(|row| row.name.ends_with(map_type)).unwrap().number;
        let mut definition = MapDef::new(number, key, value, 4);
        // Tries are never made ahead.
        definition.flags = u32::from(map_type == "LPM_TRIE");
        let map = super::super::runtime().map(PLATFORM, &definition).unwrap();
        let program = Program::from_insns(0, Vec::new());
        let typed = Typed::new("map", map, &program);
        // Tests run side by side in one process.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("probity-{}-{number}.json", std::process::id()));
        std::fs::write(&path, elements.to_string()).unwrap();
        let done = typed.fill(&path, |_, _, _| Ok(()));
        std::fs::remove_file(&path).unwrap();
        done.map(|()| serde_json::to_value(typed.dump().entries).unwrap())
    }

    #[test]
    fn what_goes_in_comes_out() {
        let pairs = json!([{"key": 1, "value": 2}, {"key": 3, "value": 4}]);
        let slots = json!([{"key": 1, "values": [2]}, {"key": 3, "values": [4]}]);
        let prefixes = json!([{"key": "0x080000000a000000", "value": 7}]);
        let values = json!([{"value": 1}, {"value": 2}, {"value": 3}]);
        for (map_type, sizes, elements) in [
            ("TYPE_ARRAY", (4, 8), &pairs),
            ("TYPE_HASH", (4, 8), &pairs),
            ("LRU_HASH", (4, 8), &pairs),
            ("PERCPU_ARRAY", (4, 8), &slots),
            ("TYPE_PERCPU_HASH", (4, 8), &slots),
            ("LPM_TRIE", (8, 4), &prefixes),
            ("QUEUE", (0, 8), &values),
            ("TYPE_STACK", (0, 8), &values),
        ] {
            let found = filled(map_type, sizes, elements).unwrap_or_else(|error| panic!("{}", error.message));
            // Keys that are no number come in the order of their bytes.
            let wanted = match map_type {
                "LPM_TRIE" => json!([{"key": u64::from_le_bytes([8, 0, 0, 0, 10, 0, 0, 0]), "value": 7}]),
                _ => elements.clone(),
            };
            assert_eq!(found, wanted, "{map_type}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let error = |map_type, sizes, elements| filled(map_type, sizes, &elements).unwrap_err().message;
        let full = json!([{"value": 1}, {"value": 2}, {"value": 3}, {"value": 4}, {"value": 5}]);
        assert!(error("QUEUE", (0, 8), full).contains("element 4 of map map: the map is full"));
        let beyond = json!([{"key": 4, "value": 1}]);
        assert!(error("TYPE_ARRAY", (4, 8), beyond).contains("beyond its end"));
        let slots = json!([{"key": 1, "values": [1, 2]}]);
        assert!(error("PERCPU_ARRAY", (4, 8), slots).contains("2 run slots, and there are 1"));
        assert!(error("TYPE_ARRAY", (4, 8), json!([{"key": 1}])).contains("null is no value"));
        assert!(error("TYPE_ARRAY", (4, 8), json!([{"kex": 1}])).contains("no list of"));
    }
}
