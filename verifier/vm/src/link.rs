//! From a program and its maps to a unit: references resolved, accesses of the context converted,
//! what the proof found dead left out.

use std::sync::{Arc, OnceLock, Weak};

use probity_engine::prepare::{Offered, functions::function_starts};
use probity_engine::{Facts, MapUse, Verified};
use probity_isa::{Instruction, Source, Width, opcode::*};
use probity_platform::{
    Behaviour, Callable, HostBinding, Intrinsic, Platform, Profile, RegType, Switches, TypeFlags,
};
use probity_program::Program;
use thiserror::Error;

use crate::context::{Converted, PacketFields, convert, pointers};
use crate::host::Linked;
use crate::interpreter::Decoded;
use crate::intrinsics;
use crate::maps::{Map, ProgArrayError, Special};
use crate::op::{Function, Op};
use crate::run::{MAX_TAIL_CALLS, RawFn};
use crate::unit::{Site, Target, Unit};

/// Why a program can't run here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// The platform has no such program type.
    #[error("{platform} has no program type {number}")]
    ProgType {
        /// The platform.
        platform: &'static str,
        /// The number.
        number: u32,
    },
    /// There are not as many maps as the program refers to.
    #[error("the program refers to {wanted} maps, and {given} were given")]
    MapCount {
        /// The program's.
        wanted: usize,
        /// Those given.
        given: usize,
    },
    /// A map is not the one that the program was verified with.
    #[error("map {name}: {what} is not what the program was verified with")]
    OtherMap {
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// A callable that neither the runtime nor a host does.
    #[error("at instruction {pc}: unsupported in the runtime: {callable} ({why})")]
    NoBody {
        /// The slot of the call.
        pc: usize,
        /// Its name.
        callable: &'static str,
        /// Why nobody does it.
        why: &'static str,
    },
    /// The functions of a host for another platform.
    #[error("the host's functions are those of another platform")]
    OtherHost,
    /// Memory that only the platform's own system has.
    #[error("unsupported in the runtime: memory behind {0}")]
    NoMemoryModel(String),
    /// An array of programs that others have claimed.
    #[error(transparent)]
    ProgArray(#[from] ProgArrayError),
    /// An instruction, or what it refers to, that the runtime does not have.
    #[error("at instruction {pc}: unsupported in the runtime: {what}")]
    Instruction {
        /// The slot.
        pc: usize,
        /// What.
        what: String,
    },
}

impl Unit {
    /// Links a program that was verified.
    pub(crate) fn verified(
        verified: &Verified,
        maps: Vec<Arc<Map>>,
        host: Option<&Linked>,
    ) -> Result<Unit, LinkError> {
        let (platform, facts) = (verified.platform(), verified.facts());
        for ty in facts.accessed() {
            check_memory(platform, *ty)?;
        }
        Unit::link(verified.program(), platform, verified.profile(), maps, host, Some(facts))
    }

    /// Links a program; with the facts of its proof, or as it is.
    pub(crate) fn link(
        program: &Program,
        platform: &'static Platform,
        profile: &Profile,
        maps: Vec<Arc<Map>>,
        host: Option<&Linked>,
        proof: Option<&Facts>,
    ) -> Result<Unit, LinkError> {
        if host.is_some_and(|host| !host.is_of(platform)) {
            return Err(LinkError::OtherHost);
        }
        let prog_type = platform
            .prog_type(program.prog_type)
            .ok_or(LinkError::ProgType { platform: platform.name, number: program.prog_type })?;
        check_maps(program, &maps)?;
        for (wanted, map) in program.maps.iter().zip(&maps) {
            let inner = wanted.inner.and_then(|inner| program.maps.get(inner));
            let inner = inner.and_then(|inner| Special::of(platform, program, inner));
            if !map.learn(Special::of(platform, program, wanted)) || !map.learn_inner(inner) {
                let what = "what values hold beyond bytes";
                return Err(LinkError::OtherMap { name: wanted.name.clone(), what });
            }
        }
        let offered = Offered::new(platform, prog_type, program, profile);
        let view = &platform.views[usize::from(prog_type.ctx)];
        let packet_fields = PacketFields::of(platform, view);
        let mut linker = Linker {
            program,
            platform,
            offered,
            maps: &maps,
            host,
            proof,
            profile,
            view,
            packet_fields,
            sites: Vec::new(),
        };
        let mut ops = Vec::with_capacity(program.insns.len());
        for pc in 0..program.insns.len() {
            ops.push(linker.op(pc)?);
        }
        let sites = linker.sites;
        let functions = functions(program, platform, proof);
        let decoded = Decoded::new(&ops);
        // A tail call in a function leaves the frames below it in use.
        let programs =
            if ops.iter().any(|op| matches!(op, Op::TailCall { .. })) { MAX_TAIL_CALLS + 1 } else { 1 };
        let needs_host = sites.iter().any(|site| matches!(site.target, Target::Host(_)));
        let unit = Unit {
            this: Weak::new(),
            frames: (platform.limits.frames * programs) as usize,
            platform,
            prog_type,
            profile: profile.clone(),
            policy: platform.policy(profile),
            program: Arc::new(program.clone()),
            slots: slots(&maps, &sites, proof.map(|_| profile)),
            is_plain: sites.is_empty()
                && !ops.iter().any(|op| matches!(op, Op::LoadPacket { .. } | Op::MayGoto { .. })),
            guarded: maps.iter().any(|map| map.frees()),
            pointers: pointers(platform, view),
            packet_fields,
            zeroes_stack: proof.is_none_or(Facts::reads_uninit_stack),
            ops,
            functions,
            sites,
            maps,
            decoded,
            checked: proof.is_none(),
            host: host.cloned(),
            needs_host,
            native: OnceLock::new(),
        };
        unit.claim_prog_arrays(None)?;
        Ok(unit)
    }
}

/// How many run slots the program is for: those that its maps have values for, and no more than the
/// processors of the proof when that knows what their numbers are.
fn slots(maps: &[Arc<Map>], sites: &[Site], proved_for: Option<&Profile>) -> u32 {
    let of_maps = maps.iter().filter(|map| map.serves_slots()).map(|map| map.slots()).min();
    let asks = |site: &Site| site.target == Target::Body(Intrinsic::ProcessorId);
    let of_proof = proved_for.filter(|_| sites.iter().any(asks)).map(|profile| profile.nr_cpus);
    of_maps.unwrap_or(u32::MAX).min(of_proof.unwrap_or(u32::MAX))
}

/// Kernel pointers that may fault, user memory and the like are not here.
fn check_memory(platform: &Platform, ty: RegType) -> Result<(), LinkError> {
    let kind = platform.kind(ty.kind);
    let elsewhere =
        TypeFlags::MEM_USER | TypeFlags::MEM_PERCPU | TypeFlags::PTR_UNTRUSTED | TypeFlags::MEM_RCU;
    let modelled = matches!(
        kind.behaviour,
        Behaviour::Region
            | Behaviour::Packet
            | Behaviour::Stack
            | Behaviour::Context
            | Behaviour::MapKey
            | Behaviour::MapValue
    );
    // Objects are the host's own: it has functions for no callable whose objects hold more than numbers.
    let modelled = modelled || (kind.behaviour == Behaviour::Object && platform.hosted);
    if modelled && !ty.flags.intersects(elsewhere) {
        Ok(())
    } else {
        Err(LinkError::NoMemoryModel(kind.name.to_owned()))
    }
}

/// The maps are made from the program's definitions.
fn check_maps(program: &Program, maps: &[Arc<Map>]) -> Result<(), LinkError> {
    if maps.len() != program.maps.len() {
        return Err(LinkError::MapCount { wanted: program.maps.len(), given: maps.len() });
    }
    for (wanted, map) in program.maps.iter().zip(maps) {
        let given = map.definition();
        let same = [
            ("the type", given.map_type == wanted.map_type),
            ("the size of keys", given.key_size == wanted.key_size),
            ("the size of values", given.value_size == wanted.value_size),
            ("the capacity", given.max_entries == wanted.max_entries),
            ("the flags", given.flags == wanted.flags),
            ("the extra number", given.extra == wanted.extra),
            (
                "the frozen content",
                given.frozen == wanted.frozen && (!wanted.frozen || given.contents == wanted.contents),
            ),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            return Err(LinkError::OtherMap { name: wanted.name.clone(), what });
        }
    }
    Ok(())
}

/// The functions: those that the proof saw, or all that calls name.
fn functions(program: &Program, platform: &Platform, proof: Option<&Facts>) -> Vec<Function> {
    let len = program.insns.len();
    let starts: Vec<(usize, u32)> = match proof {
        Some(facts) => facts.stacks().to_vec(),
        None => {
            let starts = function_starts(&program.insns, platform);
            starts.into_iter().map(|start| (start, platform.limits.stack)).collect()
        }
    };
    // Functions that no run enters end those before them too.
    let all = function_starts(&program.insns, platform);
    let end = |start: usize| all.iter().copied().find(|&next| next > start).unwrap_or(len);
    let function = |&(start, stack): &(usize, u32)| Function {
        start: start as u32,
        end: end(start) as u32,
        stack: stack.next_multiple_of(8),
    };
    starts.iter().map(function).collect()
}

struct Linker<'a> {
    program: &'a Program,
    platform: &'static Platform,
    offered: Offered,
    maps: &'a [Arc<Map>],
    host: Option<&'a Linked>,
    proof: Option<&'a Facts>,
    profile: &'a Profile,
    view: &'static probity_platform::View,
    packet_fields: PacketFields,
    sites: Vec<Site>,
}

impl Linker<'_> {
    fn is_dead(&self, pc: usize) -> bool {
        self.proof.is_some_and(|facts| !facts.is_seen(pc))
    }

    fn op(&mut self, pc: usize) -> Result<Op, LinkError> {
        if self.is_dead(pc) {
            return Ok(Op::Dead);
        }
        let Ok(instruction) = probity_isa::decode(&self.program.insns, pc) else {
            return self.call_register(pc);
        };
        let target = |off: i32| (pc as i64 + 1 + i64::from(off)) as u32;
        Ok(match instruction {
            Instruction::Alu { width, op, dst, src } => Op::Alu { width, op, dst, src },
            Instruction::Mov { width, dst, src, sign_extend } => Op::Mov { width, dst, src, sign_extend },
            Instruction::AddrSpaceCast { .. } => return Err(unsupported(pc, "addr_space_cast")),
            Instruction::Neg { width, dst } => Op::Neg { width, dst },
            Instruction::End { swap, bits, dst } => Op::End { swap, bits, dst },
            Instruction::Load { size, sign_extend, dst, src, off } => {
                if sign_extend && self.switches(Switches::SIGNED_FILL_LINKS) && self.is_of_stack(pc) {
                    return Err(unsupported(
                        pc,
                        "a load from the stack that extends the sign: the platform takes it for what was stored",
                    ));
                }
                let op = Op::Load { size, sign_extend, dst, src, off: off.into() };
                self.converted(pc, op, size, off.into())?
            }
            Instruction::Store { size, dst, off, src } => {
                let op = Op::Store { size, dst, off: off.into(), src };
                self.converted(pc, op, size, off.into())?
            }
            Instruction::Atomic { size, op, fetch, dst, src, off } => {
                Op::Atomic { size, op, fetch, dst, src, off: off.into() }
            }
            Instruction::LoadAcquire { size, dst, src, off } => {
                if dst == src && self.switches(Switches::LATE_ACQUIRE_CHECK) {
                    return Err(unsupported(
                        pc,
                        "an acquiring load over its own address: the platform does not look at the memory",
                    ));
                }
                let op = Op::LoadAcquire { size, dst, src, off: off.into() };
                self.converted(pc, op, size, off.into())?
            }
            Instruction::StoreRelease { size, dst, src, off } => {
                let op = Op::StoreRelease { size, dst, src, off: off.into() };
                self.converted(pc, op, size, off.into())?
            }
            Instruction::LoadAbs { size, imm } => Op::LoadPacket { size, index: None, imm },
            Instruction::LoadInd { size, src, imm } => Op::LoadPacket { size, index: Some(src), imm },
            Instruction::LoadImm64 { dst, pseudo, imm, next_imm } => {
                self.wide(pc, dst, pseudo, imm, next_imm)?
            }
            Instruction::Ja { off } => Op::Ja { target: target(off) },
            Instruction::Jump { width, op, dst, src, off } => {
                let target = target(off.into());
                match (self.is_dead(pc + 1), self.is_dead(target as usize)) {
                    (true, _) => Op::Ja { target },
                    (false, true) => Op::Nop,
                    (false, false) => Op::Jump { width, op, dst, src, target },
                }
            }
            Instruction::MayGoto { off } => Op::MayGoto { target: target(off.into()) },
            Instruction::CallHelper { id } => {
                let offered = self.offered.callable(id).zip(self.offered.index(id));
                match (offered, self.proof) {
                    (Some((callable, index)), _) => self.call(pc, callable, index)?,
                    // Only when a run gets there.
                    (None, None) => Op::Dead,
                    (None, Some(_)) => return Err(unsupported(pc, &format!("helper {id}"))),
                }
            }
            Instruction::CallKfunc { id, .. } => {
                let Some(kfunc) = self.offered.kfunc(id).filter(|kfunc| kfunc.allowed) else {
                    // Only when a run gets there.
                    return Ok(Op::Dead);
                };
                let index = self.platform.kfuncs.iter().position(|row| std::ptr::eq(row, kfunc.row));
                let index = (self.platform.callables.len() + index.unwrap_or_default()) as u16;
                self.call(pc, kfunc.row, index)?
            }
            Instruction::CallSubprog { off } => Op::CallSubprog { target: target(off) },
            Instruction::Exit => Op::Exit,
        })
    }

    /// Whether the proof was made with a switch; without a proof there is nothing to doubt.
    fn switches(&self, switch: Switches) -> bool {
        self.proof.is_some() && self.profile.switches.contains(switch)
    }

    fn is_of_stack(&self, pc: usize) -> bool {
        let pointer = self.proof.and_then(|facts| facts.pointer(pc));
        pointer.is_none_or(|(behaviour, _)| behaviour == Behaviour::Stack)
    }

    /// An access of the context, as the host's struct has it.
    fn converted(&self, pc: usize, op: Op, size: probity_isa::Size, off: i32) -> Result<Op, LinkError> {
        let pointer = self.proof.and_then(|facts| facts.pointer(pc));
        if !pointer.is_some_and(|(behaviour, _)| behaviour == Behaviour::Context) {
            return Ok(op);
        }
        let Ok(off) = u32::try_from(off) else { return Ok(op) };
        if let Some(field) = self.view.field_at(off)
            && let Some(kind) = self.packet_fields.unset(self.platform, field)
        {
            return Err(LinkError::NoMemoryModel(format!("{kind}, of field {} of the context", field.name)));
        }
        Ok(convert(self.platform, self.view, off, size).map_or(op, |converted| as_host(op, converted)))
    }

    fn wide(&self, pc: usize, dst: u8, pseudo: u8, imm: i32, next_imm: i32) -> Result<Op, LinkError> {
        let map = || {
            let index = imm.cast_unsigned() as usize;
            self.maps.get(index).ok_or_else(|| unsupported(pc, &format!("map {index}, which is not there")))
        };
        let value = match pseudo {
            0 => u64::from(next_imm.cast_unsigned()) << 32 | u64::from(imm.cast_unsigned()),
            BPF_PSEUDO_MAP_FD | BPF_PSEUDO_MAP_IDX => map()?.address(),
            BPF_PSEUDO_MAP_VALUE | BPF_PSEUDO_MAP_IDX_VALUE => {
                let map = map()?;
                let value = map.direct_value(next_imm.cast_unsigned());
                value.ok_or_else(|| {
                    unsupported(pc, &format!("addresses of values of {}", map.map_type().name))
                })?
            }
            BPF_PSEUDO_FUNC => return Ok(Op::Func { dst, target: (pc as i64 + 1 + i64::from(imm)) as u32 }),
            _ => {
                let name = usize::try_from(imm).ok().and_then(|index| self.program.ksyms.get(index));
                let what = format!("the kernel's variable {}", name.map_or("?", String::as_str));
                return Err(unsupported(pc, &what));
            }
        };
        Ok(Op::Const { dst, value })
    }

    /// A call by a number in a register, where that is what stands there: of anything on offer. No
    /// verifier accepts it.
    fn call_register(&mut self, pc: usize) -> Result<Op, LinkError> {
        const CALL_REGISTER: u8 = BPF_JMP | BPF_CALL | BPF_X;
        let insn = self.program.insns[pc];
        if (insn.code, insn.src, insn.off, insn.imm) != (CALL_REGISTER, 0, 0, 0) {
            return Ok(Op::Dead);
        }
        for callable in self.platform.callables {
            // A tail call is no call.
            let is_tail = callable.body == Some(Intrinsic::TailCall);
            let offered = self.offered.callable(callable.number.cast_signed());
            if offered.is_some_and(|offered| std::ptr::eq(offered, callable))
                && !is_tail
                && let Some(index) = self.offered.index(callable.number.cast_signed())
            {
                self.call(pc, callable, index)?;
            }
        }
        Ok(Op::CallRegister { reg: insn.dst })
    }

    /// A call of a callable, by its number among all: helpers, then kfuncs.
    fn call(&mut self, pc: usize, callable: &'static Callable, number: u16) -> Result<Op, LinkError> {
        let (target, raw, may_leave) = match callable.body {
            Some(intrinsic) => {
                let (raw, may_leave) = intrinsics::raw(intrinsic);
                (Target::Body(intrinsic), raw, may_leave)
            }
            None => {
                match self.host_function(number, callable) {
                    Ok(raw) => (Target::Host(number), raw, true),
                    // Only when a run gets there.
                    Err(_) if self.proof.is_none() => return Ok(Op::Dead),
                    Err(why) => return Err(LinkError::NoBody { pc, callable: callable.name, why }),
                }
            }
        };
        let map = match self.proof.and_then(|facts| facts.map(pc)) {
            Some(MapUse::One(map)) => Some(map),
            _ => None,
        };
        let mut raw = raw;
        if target == Target::Body(Intrinsic::MapLookup)
            && let Some(own) = map.and_then(|map: u32| self.maps.get(map as usize)?.lookup_raw())
        {
            raw = own;
        }
        let site = self.sites.len() as u32;
        self.sites.push(Site { pc: pc as u32, callable, target, map, raw, may_leave });
        Ok(match target {
            Target::Body(Intrinsic::TailCall) => Op::TailCall { site },
            _ => Op::Call { site },
        })
    }
}

impl Linker<'_> {
    /// The host's function for a callable, or why there is none.
    fn host_function(&self, number: u16, callable: &Callable) -> Result<RawFn, &'static str> {
        match (callable.host, self.host) {
            (HostBinding::None, _) => Err("it has no body, and no host does it"),
            (HostBinding::Unsupported(why), _) => Err(why),
            (HostBinding::Call(_), None) => Err("the program was linked without a host, which would do it"),
            (HostBinding::Call(_), Some(host)) => {
                host.function(number).ok_or("the host has no function for it")
            }
        }
    }
}

/// An access of the context, as the host's struct has it.
fn as_host(op: Op, converted: Converted) -> Op {
    let (at, wide) = match converted {
        Converted::At { offset, size } => (offset.cast_signed(), size),
        Converted::Zero => {
            return match op {
                Op::Load { dst, .. } | Op::LoadAcquire { dst, .. } => {
                    Op::Mov { width: Width::W64, dst, src: Source::Imm(0), sign_extend: None }
                }
                _ => Op::Nop,
            };
        }
    };
    match op {
        Op::Load { sign_extend, dst, src, .. } => Op::Load { size: wide, sign_extend, dst, src, off: at },
        Op::Store { dst, src, .. } => Op::Store { size: wide, dst, off: at, src },
        Op::LoadAcquire { dst, src, .. } => Op::LoadAcquire { size: wide, dst, src, off: at },
        Op::StoreRelease { dst, src, .. } => Op::StoreRelease { size: wide, dst, src, off: at },
        op => op,
    }
}

fn unsupported(pc: usize, what: &str) -> LinkError {
    LinkError::Instruction { pc, what: what.to_owned() }
}
