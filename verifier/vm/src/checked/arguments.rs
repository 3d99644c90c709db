//! That the arguments of a call are what its callable takes, by the rows of the spec.

use probity_platform::demand::Demand;
use probity_platform::{Arg, ArgRole, Behaviour, Relation, Subject, TypeFlags};

use crate::fault::Fault;
use crate::host;
use crate::interpreter::regions::{self, Region};
use crate::intrinsics;
use crate::maps::Map;
use crate::run::Run;
use crate::unit::{Site, Target};

/// No memory argument is longer.
const LONGEST: u64 = 1 << 29;

/// Checks all arguments.
pub(crate) fn check(site: &Site, regs: &[u64; 16], written: u16, run: &mut Run<'_>) -> Result<(), Fault> {
    for index in 0..site.callable.args.len() {
        if written & 1 << (index + 1) == 0 && role(site, index, run) != ArgRole::Ignored {
            return Err(Fault::Register(index as u8 + 1));
        }
        if let Err(what) = check_one(site, index, regs, run) {
            return Err(Fault::Argument { callable: site.callable.name, index: index + 1, what });
        }
    }
    let Target::Body(intrinsic) = site.target else { return Ok(()) };
    let Some(index) = intrinsics::behind(intrinsic) else { return Ok(()) };
    behind(regs[index + 1], run).map_err(|what| Fault::Argument {
        callable: site.callable.name,
        index: index + 1,
        what,
    })
}

/// That the memory which an object in the stack leads to is the program's: it may have written the
/// object itself.
fn behind(object: u64, run: &mut Run<'_>) -> Result<(), String> {
    let Some(memory) = intrinsics::memory_behind(&regions::bytes(run, object, intrinsics::OBJECT)) else {
        return Ok(());
    };
    match regions::find(run, memory.address, memory.len) {
        Some(found) if found.region != Region::Context && (found.writable || memory.read_only) => Ok(()),
        _ => Err("memory behind it that is not the program's".to_owned()),
    }
}

/// Locks and timers are in values of maps, and aligned.
fn field(value: u64, len: u64, run: &mut Run<'_>) -> Result<(), String> {
    let align = len.next_power_of_two().min(8);
    match regions::find(run, value, len) {
        Some(found) if !matches!(found.region, Region::MapValue(_)) || !found.writable => {
            Err("no value of a map that may be written".to_owned())
        }
        Some(_) if !value.is_multiple_of(align) => Err(format!("{value:#x} is not aligned to {align}")),
        Some(_) => Ok(()),
        None => Err(format!("{len} bytes at {value:#x} are not the program's")),
    }
}

/// Notes what of the stack the call wrote.
pub(crate) fn written(site: &Site, regs: &[u64; 16], run: &mut Run<'_>) {
    for (index, arg) in site.callable.args.iter().enumerate() {
        let writes = arg.flags.intersects(TypeFlags::MEM_WRITE | TypeFlags::MEM_UNINIT)
            || role(site, index, run) == ArgRole::StackObject;
        if !writes {
            continue;
        }
        let Ok(Some(len)) = size(site, index, regs, run) else { continue };
        let address = regs[index + 1];
        if len > 0
            && regions::find(run, address, len).is_some_and(|found| matches!(found.region, Region::Stack(_)))
        {
            run.worker.mark_written(address, len as u32);
        }
    }
}

fn role(site: &Site, index: usize, run: &Run<'_>) -> ArgRole {
    run.unit.platform.arg_classes[usize::from(site.callable.args[index].class)].role
}

/// The map at an address, when the program may have it.
fn map<'r>(run: &Run<'r>, address: u64) -> Result<&'r Map, String> {
    let unit = run.unit;
    let own = unit.maps.iter().find(|map| map.address() == address).map(std::sync::Arc::as_ref);
    own.or_else(|| unit.maps.iter().find_map(|map| map.inner_at(address)))
        .ok_or_else(|| "no map of the program".to_owned())
}

/// How much memory an argument points to; None when it is no memory.
fn size(site: &Site, index: usize, regs: &[u64; 16], run: &Run<'_>) -> Result<Option<u64>, String> {
    let arg = &site.callable.args[index];
    let of_map = |read: fn(&Map) -> u32| -> Result<Option<u64>, String> {
        let Relation::OfMap(at) = arg.relation else { return Ok(None) };
        Ok(Some(read(map(run, regs[usize::from(at) + 1])?).into()))
    };
    match role(site, index, run) {
        ArgRole::MapKey => of_map(|map| map.definition().key_size),
        ArgRole::MapValue => of_map(|map| map.definition().value_size),
        ArgRole::Mem => Ok(Some(match arg.relation {
            Relation::SizedBy(at) => regs[usize::from(at) + 1],
            _ => arg.size.into(),
        })),
        ArgRole::StackObject => Ok(match arg.subject {
            Subject::StackObject(object) => {
                Some(run.unit.platform.stack_objects[usize::from(object)].size.into())
            }
            _ => None,
        }),
        ArgRole::Field => Ok(match arg.subject {
            Subject::Field(field) => Some(run.unit.platform.special_fields[usize::from(field)].size.into()),
            _ => Some(4),
        }),
        _ => Ok(None),
    }
}

fn check_one(site: &Site, index: usize, regs: &[u64; 16], run: &mut Run<'_>) -> Result<(), String> {
    let arg = &site.callable.args[index];
    let value = regs[index + 1];
    let nullable = arg.flags.contains(TypeFlags::PTR_MAYBE_NULL);
    match role(site, index, run) {
        ArgRole::Map => map(run, value).map(|_| ()),
        ArgRole::Pointer => pointer(site, arg, value, run),
        ArgRole::Stack if value == 0 && nullable => Ok(()),
        ArgRole::Stack => match regions::find(run, value, 0) {
            Some(found) if matches!(found.region, Region::Stack(_)) => Ok(()),
            _ => Err("no memory of the stack".to_owned()),
        },
        ArgRole::Func if run.unit.function_of(value).is_some() => Ok(()),
        ArgRole::Func => Err("no function of the program".to_owned()),
        ArgRole::ConstStr => text(value, run),
        ArgRole::Object if value == 0 && nullable => Ok(()),
        ArgRole::Object => match arg.subject {
            Subject::Object(object) => {
                let released = arg.flags.contains(TypeFlags::OBJ_RELEASE);
                let held = host::object_at(run, value, object, released);
                if held { Ok(()) } else { Err("no such object that the program has".to_owned()) }
            }
            _ => Err("unsupported: an object of any type".to_owned()),
        },
        ArgRole::Field => {
            let len = size(site, index, regs, run)?.unwrap_or(4);
            field(value, len, run)
        }
        ArgRole::MapKey | ArgRole::MapValue | ArgRole::Mem | ArgRole::StackObject => {
            memory(site, index, regs, run)
        }
        _ => Ok(()),
    }
}

/// The context, or memory that a callable gave out before.
fn pointer(site: &Site, arg: &Arg, value: u64, run: &mut Run<'_>) -> Result<(), String> {
    let platform = run.unit.platform;
    let accepts = platform.arg_classes[usize::from(arg.class)].accepts;
    let context = accepts.iter().any(|ty| platform.kind(ty.kind).behaviour == Behaviour::Context);
    if context {
        return if value == run.context { Ok(()) } else { Err("not the context".to_owned()) };
    }
    let _ = site;
    match regions::find(run, value, 0) {
        Some(found) if found.start == value => Ok(()),
        _ => Err("no such pointer was given out".to_owned()),
    }
}

fn memory(site: &Site, index: usize, regs: &[u64; 16], run: &mut Run<'_>) -> Result<(), String> {
    let arg = &site.callable.args[index];
    let value = regs[index + 1];
    let len = size(site, index, regs, run)?.unwrap_or(0);
    if len > LONGEST {
        return Err(format!("{len} bytes, which is too much"));
    }
    if value == 0 && arg.flags.contains(TypeFlags::PTR_MAYBE_NULL) {
        return Ok(());
    }
    if len == 0 {
        return Ok(());
    }
    // A body may write more than the platform's prototype says.
    let body = match site.target {
        Target::Body(intrinsic) => intrinsic.row().demands,
        Target::Host(_) => &[],
    };
    let writes = arg.flags.intersects(TypeFlags::MEM_WRITE | TypeFlags::MEM_UNINIT)
        || body.contains(&Demand::Writes(index as u8));
    let found = regions::find(run, value, len)
        .ok_or_else(|| format!("{len} bytes at {value:#x} are not the program's"))?;
    if found.region == Region::Context {
        return Err("the context is no plain memory".to_owned());
    }
    if writes && !found.writable {
        return Err("memory that may only be read".to_owned());
    }
    let uninit = arg.flags.contains(TypeFlags::MEM_UNINIT);
    if !uninit
        && matches!(found.region, Region::Stack(_))
        && !run.unit.platform.policy.uninit_stack
        && !run.worker.is_written(value, len as u32)
    {
        return Err("bytes of the stack that were never written".to_owned());
    }
    Ok(())
}

/// Text with an end inside of its memory, which may not be written.
fn text(value: u64, run: &mut Run<'_>) -> Result<(), String> {
    let found = regions::find(run, value, 1).ok_or("no memory of the program")?;
    if !matches!(found.region, Region::MapValue(_)) || found.writable {
        return Err("no constant text".to_owned());
    }
    let len = (found.start + found.len - value) as usize;
    if regions::bytes(run, value, len).contains(&0) { Ok(()) } else { Err("text without an end".to_owned()) }
}
