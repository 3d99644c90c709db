//! A program decoded once, with everything that the walk wants to know of each instruction.

use probity_isa::{DecodeError, Insn, Instruction, decode};
use probity_platform::{Behaviour, MapType, Platform, Profile, ProgType, Rejection};
use probity_program::Program;

use super::special_fields::MapFields;
use super::{
    Neighbours, Undoes, components, control_flow, functions, live_registers, references, returns,
    special_fields,
};
use crate::prepare::Offered;
use crate::state::Reg;

/// Why paths may come back to an instruction any number of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Widens {
    /// It takes the next element of an iterator.
    Advance,
    /// It calls a function of the program back.
    CallBack,
    /// It is `may_goto`.
    MayGoto,
}

/// An instruction with the facts about its place.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The instruction, or why it is none: an error that counts when the walk gets there.
    pub instruction: Result<Instruction, DecodeError>,
    /// States are compared and stored before it.
    pub prune_point: bool,
    /// States are always stored before it.
    pub checkpoint: bool,
    /// Paths come back to it until nothing new comes.
    pub widens: Option<Widens>,
    /// Its predecessor on a path need not be the instruction before it.
    pub jump_point: bool,
    /// How many slots it takes: 2 for a 64-bit load, also a malformed one.
    pub slots: u8,
    /// It belongs to the class JMP or JMP32.
    pub is_jump: bool,
    /// The slots before it are a 64-bit load.
    pub behind_wide: bool,
    /// It may write the stack, so that what it surely writes is collected.
    pub may_write_stack: bool,
    /// Which wanted registers it matters to when a path is followed back.
    pub undoes: Undoes,
    /// The registers r0 to r9 whose value is read at or after it, as bits.
    pub live_before: u16,
    /// The function that it belongs to.
    pub function: u32,
}

/// A function of the program.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its first instruction.
    pub start: usize,
    /// One past its last instruction.
    pub end: usize,
    /// True when it is linked globally: it is verified by itself.
    pub global: bool,
    /// True when it contains a tail call.
    pub tail_call: bool,
    /// True when it contains a packet load that may end it.
    pub packet_load: bool,
    /// Its name; empty when unknown.
    pub name: String,
}

/// A decoded program.
#[derive(Clone, Debug)]
pub struct Code {
    /// The instructions, one a slot.
    pub insns: Vec<Decoded>,
    /// The functions, ascending, the entry first.
    pub functions: Vec<Function>,
    /// The types of the program's maps.
    pub map_types: Vec<Option<&'static MapType>>,
    /// By map: the special fields of its values.
    pub special_fields: Vec<MapFields>,
    /// Which special fields of the platform the engine models, by their index.
    pub modelled_fields: Vec<bool>,
    /// By instruction: the number of the loop that it is in, 0 for none. Empty when no loop is walked
    /// until nothing new comes.
    pub components: Vec<u32>,
    /// What runs before and after each instruction in its function.
    pub neighbours: Neighbours,
}

impl Code {
    /// Decodes and checks everything that does not need a walk.
    pub(crate) fn prepare(
        program: &Program,
        platform: &'static Platform,
        prog_type: &'static ProgType,
        profile: &Profile,
    ) -> Result<Code, (usize, Rejection)> {
        let raw = &program.insns;
        check_size(raw, platform)?;
        if let Some(name) = program.exception_callbacks.first() {
            return Err((0, crate::unsupported(format!("exception callback {name}"))));
        }
        let offered = Offered::new(platform, prog_type, program, profile);
        let starts = functions::discover(raw, platform, program, &offered)?;
        let mut code = Code {
            insns: decode_all(raw),
            functions: functions::describe(program, &starts),
            map_types: program.maps.iter().map(|map| platform.map_type(map.map_type)).collect(),
            special_fields: special_fields::find(program, platform),
            modelled_fields: (0..platform.special_fields.len())
                .map(|index| special_fields::is_modelled(platform, index as u16))
                .collect(),
            components: Vec::new(),
            neighbours: Neighbours::default(),
        };
        for (index, function) in code.functions.iter().enumerate() {
            for insn in &mut code.insns[function.start..function.end] {
                insn.function = index as u32;
            }
        }
        functions::check_jumps(raw, &code.functions)?;
        functions::check_info(program, &code.functions)?;
        returns::find(&mut code, &offered);
        returns::check(program, &code)?;
        references::check(program, &code, platform, prog_type)?;
        control_flow::check(&mut code, raw, platform.policy(profile), &offered)?;
        code.neighbours = Neighbours::find(&code);
        if code.insns.iter().any(|insn| insn.widens.is_some()) {
            code.components = components::components(&code);
        }
        live_registers::compute(&mut code, raw, &offered);
        Ok(code)
    }

    /// True for a pointer into a map's values in which something may be locked: each lookup of
    /// such a value is told apart by its id, also once it is known not to be null.
    #[must_use]
    pub fn may_be_locked(&self, reg: &Reg) -> bool {
        reg.behaviour == Some(Behaviour::MapValue)
            && self.special_fields.get(reg.map()).is_some_and(MapFields::may_be_locked)
    }

    /// The function that begins at an instruction.
    #[must_use]
    pub fn function_at(&self, pc: usize) -> Option<usize> {
        self.functions.binary_search_by_key(&pc, |function| function.start).ok()
    }

    /// The instruction at `pc`, when it is one.
    #[must_use]
    pub fn instruction(&self, pc: usize) -> Option<&Instruction> {
        self.insns.get(pc)?.instruction.as_ref().ok()
    }
}

fn check_size(raw: &[Insn], platform: &Platform) -> Result<(), (usize, Rejection)> {
    let limit = platform.limits.insns as usize;
    if raw.is_empty() || raw.len() > limit {
        let rejection = Rejection::new(
            probity_platform::Code::ProgramSize,
            format!("program has {} instructions, 1 to {limit} are allowed", raw.len()),
        );
        return Err((0, rejection));
    }
    Ok(())
}

/// Decodes every slot. The second half of a 64-bit load decodes as what it looks like; nothing
/// ever runs it, because a jump there is refused.
fn decode_all(raw: &[Insn]) -> Vec<Decoded> {
    (0..raw.len()).map(|pc| decode_one(raw, pc)).collect()
}

fn decode_one(raw: &[Insn], pc: usize) -> Decoded {
    let instruction = decode(raw, pc);
    Decoded {
        prune_point: false,
        checkpoint: false,
        widens: None,
        jump_point: false,
        slots: raw[pc].slots() as u8,
        is_jump: matches!(raw[pc].code & 0x07, 0x05 | 0x06),
        // The second half of a load is all zero, so it is never taken for a load itself.
        behind_wide: pc >= 2 && raw[pc - 2].slots() == 2,
        may_write_stack: instruction.as_ref().is_ok_and(may_write_stack),
        undoes: instruction.as_ref().map(Undoes::of).unwrap_or_default(),
        live_before: 0,
        function: 0,
        instruction,
    }
}

fn may_write_stack(instruction: &Instruction) -> bool {
    matches!(
        instruction,
        Instruction::Store { .. }
            | Instruction::StoreRelease { .. }
            | Instruction::Atomic { .. }
            | Instruction::CallHelper { .. }
            | Instruction::CallKfunc { .. }
            | Instruction::CallSubprog { .. }
    )
}
