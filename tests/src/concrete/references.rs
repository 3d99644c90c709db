//! That a machine holds what an abstract state says is held: records of ring buffers, locks.

use std::collections::BTreeSet;

use probity_engine::state::{Held, Reference, Reg, State};
use probity_linux::PLATFORM;
use probity_platform::Behaviour;
use probity_program::Program;
use probity_vm::Run;
use probity_vm::checked::Region;

use super::check::{Place, begin, pc_of};

/// Callables that give out records.
const RESERVE: [&str; 2] = ["bpf_ringbuf_reserve", "bpf_ringbuf_reserve_dynptr"];

/// What carries a reference: the address that it is known by, 0 where the call that acquires it failed.
type Carried = u64;

/// Where machine and state differ in what is held. `before`: the records that were held when the
/// function began that is verified by itself. `loose`: which register holds which record is not asked.
#[must_use]
pub fn difference(
    place: &Place<'_>,
    run: &mut Run<'_>,
    state: &State,
    before: &[u64],
    live: impl Fn(usize) -> u16,
    loose: bool,
) -> Option<String> {
    let mut records: BTreeSet<u64> = place.moment.records(run).iter().copied().collect();
    records.retain(|record| !before.contains(record));
    let (mut failed, mut somewhere) = (0, 0);
    let program = place.moment.unit.program();
    let held: Vec<&Reference> =
        state.references.references().filter(|held| is_record(program, held)).collect();
    let count = records.len();
    for reference in &held {
        let carried = carriers(place, run, state, reference.id, &live);
        if let Some(&found) = carried.iter().find(|&&address| records.contains(&address)) {
            records.remove(&found);
        } else if carried.contains(&0) {
            failed += 1;
        } else {
            somewhere += 1;
        }
    }
    let wrong =
        if loose { count > held.len() || count + failed < held.len() } else { records.len() != somewhere };
    if wrong {
        return Some(format!(
            "{count} records are held, {failed} were not to be had: {:?}",
            state.references.held()
        ));
    }
    locks(place, run, state)
}

fn locks(place: &Place<'_>, run: &mut Run<'_>, state: &State) -> Option<String> {
    let maps = state.references.held().iter().filter_map(|held| match held.what {
        Held::Lock(lock) => Some(lock.map as usize),
        _ => None,
    });
    let mut maps: Vec<usize> = maps.collect();
    let locks = place.moment.locks(run);
    let said = format!("locks {locks:x?} are held: {:?}", state.references.held());
    for lock in locks {
        let Some(Region::MapValue(Some(map))) = place.moment.region(run, lock).map(|found| found.region)
        else {
            return Some(said);
        };
        let Some(index) = maps.iter().position(|&held| held == map) else { return Some(said) };
        maps.swap_remove(index);
    }
    (!maps.is_empty()).then_some(said)
}

/// Whether a reference is one to a record of a ring buffer.
fn is_record(program: &Program, reference: &Reference) -> bool {
    let Some(insn) = program.insns.get(reference.pc).filter(|insn| insn.src == 0) else { return false };
    let called = PLATFORM.callables.iter().find(|row| row.number.cast_signed() == insn.imm);
    called.is_some_and(|row| RESERVE.contains(&row.name))
}

/// What the registers and slots hold that carry a reference.
fn carriers(
    place: &Place<'_>,
    run: &mut Run<'_>,
    state: &State,
    id: u32,
    live: impl Fn(usize) -> u16,
) -> Vec<Carried> {
    let mut found = Vec::new();
    for (depth, frame) in state.frames.iter().enumerate() {
        let registers = &place.frames[place.base + depth];
        let counted = registers.written & live(pc_of(state, depth, place.pc));
        for (index, reg) in frame.regs.iter().enumerate().take(10) {
            if reg.ref_id == id && counted & 1 << index != 0 {
                found.push(record_of(place, run, reg, registers.values[index]));
            }
        }
        for (index, slot) in frame.stack.slots().iter().enumerate().filter(|(_, slot)| slot.reg.ref_id == id)
        {
            let stack = place.moment.stack(run, place.base + depth);
            let Some(at) = stack.len().checked_sub(index + 1) else { break };
            if slot.is_full_spill() {
                let word = stack[at];
                found.push(record_of(place, run, &slot.reg, word));
            } else if slot.is_object() && at + 1 < stack.len() {
                let object = [stack[at], stack[at + 1]];
                let memory = place.moment.behind(object).map_or(0, |(address, _)| address);
                found.push(start_of(place, run, memory));
            }
        }
    }
    found
}

fn record_of(place: &Place<'_>, run: &mut Run<'_>, reg: &Reg, value: u64) -> Carried {
    if value == 0 || reg.behaviour != Some(Behaviour::Region) {
        return value;
    }
    start_of(place, run, begin(reg, value).unwrap_or(value))
}

/// Where the record begins that an address is in.
fn start_of(place: &Place<'_>, run: &mut Run<'_>, address: u64) -> Carried {
    place.moment.memory(run, address, 0).map_or(address, |found| found.start)
}
