//! What conditions and bounds read of an argument is precise: a state in which it was never looked at
//! closely must not stand for one in which they decide otherwise. Where a host's platform does not say
//! so by `precise`, it is added here. A kernel that calls end up in decides by itself what is precise, and
//! its spec says all of it.

use crate::model::{Callable, Condition, Model, Number, Step};

/// Adds it to all callables.
pub(super) fn complete(model: &mut Model) {
    if !model.hosted {
        return;
    }
    for row in model.callables.iter_mut().chain(&mut model.kfuncs) {
        add(row);
    }
}

fn add(row: &mut Callable) {
    let mut read = Vec::new();
    for (when, step) in &row.steps {
        when.iter().for_each(|when| condition(when, &mut read));
        match step {
            Step::Require { condition: required, .. } => condition(required, &mut read),
            Step::ReturnRange(low, high) => {
                [low, high].into_iter().for_each(|bound| number(bound, &mut read));
            }
            Step::ReturnBytes(bytes) => number(bytes, &mut read),
            Step::CallBack { times: Some(times), .. } => number(times, &mut read),
            _ => {}
        }
    }
    let said = |arg: &u8| row.steps.contains(&(None, Step::Precise(*arg)));
    read.retain(|arg| !said(arg));
    read.sort_unstable();
    read.dedup();
    // Behind what is required: a call that is refused needs none of it.
    let is_demand = |(_, step): &(Option<Condition>, Step)| {
        matches!(
            step,
            Step::Unsupported { .. } | Step::MapType { .. } | Step::Constant { .. } | Step::Require { .. }
        )
    };
    let at = row.steps.iter().rposition(is_demand).map_or(0, |last| last + 1);
    for arg in read.into_iter().rev() {
        row.steps.insert(at, (None, Step::Precise(arg)));
    }
}

fn condition(of: &Condition, read: &mut Vec<u8>) {
    match of {
        Condition::Compare(_, left, right) => [left, right].into_iter().for_each(|side| number(side, read)),
        Condition::In(value, _) => number(value, read),
        Condition::Not(inner) => condition(inner, read),
        Condition::And(left, right) | Condition::Or(left, right) => {
            [left, right].into_iter().for_each(|side| condition(side, read));
        }
        // Whether it is null is its type.
        Condition::IsNull(_) | Condition::Holds(_) => {}
    }
}

fn number(of: &Number, read: &mut Vec<u8>) {
    match of {
        Number::Bound(arg, _) | Number::Constant(arg) => read.push(*arg),
        Number::Add(left, right) | Number::Sub(left, right) | Number::Mul(left, right) => {
            [left, right].into_iter().for_each(|side| number(side, read));
        }
        Number::Literal(_)
        | Number::MapType(_)
        | Number::KeySize(_)
        | Number::ValueSize(_)
        | Number::MaxEntries(_)
        | Number::NrCpus => {}
    }
}
