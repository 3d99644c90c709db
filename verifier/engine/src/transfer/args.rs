//! The arguments of helpers, left to right, by class, flags and relation (verifier.md, 5.1).

use probity_platform::{
    Arg, ArgRole, Behaviour, CallableFlags, Code as Why, MapTraits, OffsetRule, PacketAccess, RegType,
    Rejection, Relation, Subject, Switches, TypeFlags,
};

use super::denied;
use super::effects::Call;
use super::region::MAX_VAR_OFF;
use crate::explore::walk::{Observer, Walk};
use crate::print::type_name;
use crate::state::Reg;
use crate::state::ends::reference;
use crate::state::object::{ObjectSort, VIEWED};
use crate::unsupported;

/// The register of an argument.
pub(super) fn register(index: usize) -> u8 {
    index as u8 + 1
}

impl<O: Observer> Walk<'_, O> {
    pub(super) fn check_argument(&mut self, call: &mut Call, index: usize) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let regno = register(index);
        let class = &self.platform.arg_classes[usize::from(arg.class)];
        self.check_readable(regno).map_err(|rejection| rejection.at(arg.site))?;
        let reg = *self.state.reg(regno);
        call.args[index] = reg;
        if class.role == ArgRole::Anything {
            if self.leaks(regno) {
                let message = format!("R{regno} leaks addr into helper function");
                return Err(denied(Why::PointerLeak, message).at(arg.site));
            }
            return Ok(());
        }
        self.check_packet_argument(call, &reg, arg)?;
        let null = reg.is_null_scalar() && arg.flags.contains(TypeFlags::PTR_MAYBE_NULL);
        if !null {
            self.check_class(regno, &reg, arg)?;
            self.check_argument_offset(regno, &reg, arg)?;
        }
        self.check_reference(call, index, &reg)?;
        self.check_role(call, index, &reg, null).map_err(|rejection| {
            if rejection.site == probity_platform::Site::NONE { rejection.at(arg.site) } else { rejection }
        })
    }

    fn check_packet_argument(&self, call: &Call, reg: &Reg, arg: &Arg) -> Result<(), Rejection> {
        if reg.behaviour != Some(Behaviour::Packet) {
            return Ok(());
        }
        let takes = call.callable.flags.contains(CallableFlags::PKT_ACCESS);
        if takes && self.prog_type.packet.contains(PacketAccess::READ) {
            return Ok(());
        }
        Err(denied(Why::PacketArgument, "helper access to the packet is not allowed")
            .facts("memory that is no packet data", format!("packet data for argument {}", arg.name))
            .at(arg.site))
    }

    /// The register's type is one that the class accepts.
    pub(super) fn check_class(&self, regno: u8, reg: &Reg, arg: &Arg) -> Result<(), Rejection> {
        let class = &self.platform.arg_classes[usize::from(arg.class)];
        if class.accepts.is_empty() {
            if reg.is_scalar() {
                return Ok(());
            }
            return Err(self.wrong_type(regno, reg, "scalar", arg));
        }
        let mut ty = reg.ty();
        ty.flags.remove(VIEWED);
        if arg.flags.contains(TypeFlags::MEM_RDONLY) {
            ty.flags.remove(TypeFlags::MEM_RDONLY);
        }
        if arg.flags.contains(TypeFlags::PTR_MAYBE_NULL) {
            ty.flags.remove(TypeFlags::PTR_MAYBE_NULL);
        }
        if reg.is_pointer() && class.accepts.contains(&ty) {
            // Objects carry a type of their own that is compared.
            if reg.behaviour == Some(Behaviour::Object) && class.role != ArgRole::Object {
                return Err(unsupported(format!("{} as an argument", type_name(self.platform, reg.ty()))));
            }
            return Ok(());
        }
        let names: Vec<String> = class.accepts.iter().map(|&ty| expected_name(self.platform, ty)).collect();
        Err(self.wrong_type(regno, reg, &names.join(", "), arg))
    }

    fn wrong_type(&self, regno: u8, reg: &Reg, expected: &str, arg: &Arg) -> Rejection {
        let name = crate::print::reg_type_name(self.platform, reg);
        let why = if reg.maybe_null() { Why::ArgumentMaybeNull } else { Why::ArgumentType };
        denied(why, format!("R{regno} type={name} expected={expected}"))
            .facts(
                format!("argument {} (r{regno}) is one of: {expected}", arg.name),
                format!("r{regno} is {name}"),
            )
            .at(arg.site)
    }

    pub(super) fn check_argument_offset(&self, regno: u8, reg: &Reg, arg: &Arg) -> Result<(), Rejection> {
        if !reg.is_pointer() {
            return Ok(());
        }
        let in_stack = reg.behaviour == Some(Behaviour::Stack);
        if arg.flags.contains(TypeFlags::OBJ_RELEASE) && reg.off != 0 && !in_stack {
            let message =
                format!("R{regno} must have zero offset when passed to release func or trusted arg to kfunc");
            return Err(Rejection::new(Why::ArgumentOffset, message).at(arg.site));
        }
        match self.platform.kind(reg.kind).offset {
            OffsetRule::Any => Ok(()),
            OffsetRule::Fixed => self.check_offset(regno, reg, true),
            OffsetRule::Zero => self.check_offset(regno, reg, false),
        }
        .map_err(|rejection| rejection.at(arg.site))
    }

    /// An argument that is given up must be held; what it derives from goes with the call.
    fn check_reference(&self, call: &mut Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let regno = register(index);
        let in_stack = matches!(arg.subject, Subject::StackObject(_));
        if arg.flags.contains(TypeFlags::OBJ_RELEASE) && !in_stack {
            let held = reference(reg.ref_id);
            if held == 0 && !reg.is_null_scalar() {
                let message = format!("R{regno} must be referenced when passed to release function");
                return Err(Rejection::new(Why::NotReferenced, message)
                    .facts(
                        format!("argument {} was acquired and not released yet", arg.name),
                        format!("r{regno} is {}", self.type_of(regno)),
                    )
                    .at(arg.site));
            }
            call.released = Some(held);
        }
        if reference(reg.ref_id) != 0 && self.profile.switches.contains(Switches::ONE_REFERENCE) {
            if call.referenced != 0 {
                let message =
                    format!("more than one arg with ref_obj_id R{regno} {} {}", reg.ref_id, call.referenced);
                return Err(denied(Why::ArgumentType, message)
                    .facts("one argument at most that was acquired", "a second one")
                    .at(arg.site));
            }
            call.referenced = reg.ref_id;
        }
        Ok(())
    }

    fn check_role(&mut self, call: &mut Call, index: usize, reg: &Reg, null: bool) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let class = &self.platform.arg_classes[usize::from(arg.class)];
        let regno = register(index);
        let write = arg.flags.contains(TypeFlags::MEM_WRITE);
        let raw = arg.flags.contains(TypeFlags::MEM_UNINIT);
        match class.role {
            ArgRole::Anything
            | ArgRole::Scalar
            | ArgRole::Int
            | ArgRole::Ignored
            | ArgRole::Hidden
            | ArgRole::Pointer
            | ArgRole::Stack
            | ArgRole::Func => Ok(()),
            // Callables with these need concepts that are not modelled: they are refused before.
            ArgRole::Object if null => Ok(()),
            ArgRole::Object => self.check_typed(call, index, reg),
            ArgRole::StackObject if matches!(arg.subject, Subject::StackObject(_)) => {
                let Subject::StackObject(object) = arg.subject else { return Ok(()) };
                if ObjectSort::of(self.platform, object) != ObjectSort::View {
                    return Err(crate::unsupported(format!("{} in a helper", arg.name)));
                }
                self.check_view_argument(call, index, reg, object)
            }
            ArgRole::StackObject | ArgRole::ConstStr => {
                Err(crate::unsupported(format!("an argument of class {}", class.name)).at(arg.site))
            }
            ArgRole::Field => self.check_field(call, index, regno, reg),
            ArgRole::Map => {
                call.map = Some(reg.map());
                call.inner_map = reg.data2;
                // A map that was found in another is known by its template only.
                let found = self.program.maps.iter().any(|map| map.inner == Some(reg.map()));
                self.facts.call(self.pc, reg.map(), found);
                self.check_map_modelled(call, reg.map())
            }
            ArgRole::MapKey => {
                let size = self.map_of(call, arg)?.key_size;
                self.check_helper_memory(call, regno, size, false, false, false)?;
                // Whoever looks, whatever for, makes the index precise.
                match self.constant_key(call.map, reg) {
                    Some((_, Some((frame, slot)))) => self.mark_slot_precise(frame, slot),
                    _ => Ok(()),
                }
            }
            ArgRole::MapValue if null => Ok(()),
            ArgRole::MapValue => {
                let size = self.map_of(call, arg)?.value_size;
                // Some map types take a value where others give one.
                let taken = call
                    .map
                    .and_then(|map| self.code.map_types[map])
                    .is_some_and(|row| row.traits.contains(MapTraits::VALUE_IN));
                self.check_helper_memory(call, regno, size, write && !taken, false, raw && !taken)
            }
            ArgRole::Mem => self.check_fixed_memory(call, arg, regno, null),
            ArgRole::Size | ArgRole::SizeOrZero => self.check_size(call, index, reg),
            ArgRole::ConstSize => Err(crate::unsupported("a constant size of memory").at(arg.site)),
            ArgRole::Const | ArgRole::AllocSize | ArgRole::AllocSizeOrZero => {
                if reg.val.is_const().is_none() {
                    let message = format!("R{regno} is not a known constant'");
                    return Err(denied(Why::ArgumentNotConstant, message));
                }
                self.mark_precise(regno)
            }
        }
    }

    /// The index that a key on the stack is, where the platform looks; with its place when it is a
    /// spilled number.
    pub(super) fn constant_key(
        &self,
        map: Option<usize>,
        key: &Reg,
    ) -> Option<(u64, Option<(usize, usize)>)> {
        if !self.profile.switches.contains(Switches::ARRAY_KEY_ELISION) {
            return None;
        }
        let map = map?;
        if !self.code.map_types[map].is_some_and(|row| row.traits.contains(MapTraits::INDEXED)) {
            return None;
        }
        let (index, frame, slot, spilled) = self.stack_constant(key, self.program.maps[map].key_size)?;
        Some((index, spilled.then_some((frame, slot))))
    }

    fn map_of(&self, call: &Call, arg: &Arg) -> Result<&probity_program::MapDef, Rejection> {
        match (arg.relation, call.map) {
            (Relation::OfMap(_), Some(map)) => Ok(&self.program.maps[map]),
            _ => Err(denied(Why::ArgumentType, format!("invalid map_ptr to access {}", arg.name))),
        }
    }

    fn check_fixed_memory(
        &mut self,
        call: &mut Call,
        arg: &Arg,
        regno: u8,
        null: bool,
    ) -> Result<(), Rejection> {
        // Memory with a size argument is checked when that comes.
        if !arg.flags.contains(TypeFlags::MEM_FIXED_SIZE) || null {
            return Ok(());
        }
        let write = arg.flags.contains(TypeFlags::MEM_WRITE);
        let raw = arg.flags.contains(TypeFlags::MEM_UNINIT);
        self.check_helper_memory(call, regno, arg.size, write, false, raw)?;
        if arg.flags.contains(TypeFlags::MEM_ALIGNED) {
            let reg = *self.state.reg(regno);
            self.check_alignment(&reg, 0, arg.size, true)?;
        }
        Ok(())
    }

    fn check_size(&mut self, call: &mut Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let class = &self.platform.arg_classes[usize::from(arg.class)];
        let regno = register(index);
        let Relation::SizeOf(memory) = arg.relation else {
            return Err(unsupported(format!("{} without its memory", class.name)));
        };
        let zero_allowed = class.role == ArgRole::SizeOrZero;
        let memory_arg = &call.callable.args[usize::from(memory)];
        let value = reg.val;
        let reject = |message: String, needed: &str| {
            let known = format!("{} to {} (signed {} to {})", value.umin, value.umax, value.smin, value.smax);
            Err(denied(Why::ArgumentSize, message).facts(needed, known))
        };
        if value.smin < 0 {
            return reject(
                format!("R{regno} min value is negative, either use unsigned or 'var &= const'"),
                "a size that is not negative",
            );
        }
        if value.umin == 0 && !zero_allowed {
            return reject(
                format!(
                    "R{regno} invalid zero-sized read: u64=[{},{}]",
                    value.umin.cast_signed(),
                    value.umax.cast_signed()
                ),
                "a size of at least 1",
            );
        }
        if value.umax >= MAX_VAR_OFF {
            return reject(
                format!("R{regno} unbounded memory access, use 'var &= const' or 'if (var < const)'"),
                "a size with an upper bound",
            );
        }
        let write = memory_arg.flags.contains(TypeFlags::MEM_WRITE);
        let raw = memory_arg.flags.contains(TypeFlags::MEM_UNINIT) && value.is_const().is_some();
        let size = value.umax as u32;
        self.check_helper_memory(call, register(usize::from(memory)), size, write, zero_allowed, raw)?;
        self.mark_precise(regno)
    }

    /// A helper reads or writes `size` bytes behind a register.
    pub(super) fn check_helper_memory(
        &mut self,
        call: &mut Call,
        regno: u8,
        size: u32,
        write: bool,
        zero_allowed: bool,
        raw: bool,
    ) -> Result<(), Rejection> {
        let reg = *self.state.reg(regno);
        let off = i64::from(reg.off);
        match reg.behaviour {
            Some(Behaviour::Packet) => self.check_packet(regno, &reg, off, size, zero_allowed),
            Some(Behaviour::MapKey) => {
                if write {
                    return Err(self.cannot_write(regno));
                }
                let region = self.program.maps[reg.map()].key_size;
                self.check_region(regno, &reg, off, size, region, zero_allowed)
            }
            Some(Behaviour::MapValue) => {
                self.check_map_permission(&reg, off, size, write)?;
                let region = self.program.maps[reg.map()].value_size;
                self.check_region(regno, &reg, off, size, region, zero_allowed)?;
                self.check_beside_fields(&reg, off, size)
            }
            Some(Behaviour::Region) => {
                if write && reg.flags.contains(TypeFlags::MEM_RDONLY) {
                    return Err(self.cannot_write(regno));
                }
                self.check_region(regno, &reg, off, size, reg.region_size(), zero_allowed)
            }
            Some(Behaviour::Stack) => {
                let raw = if raw { Some(&mut call.raw) } else { None };
                self.check_stack_memory(regno, &reg, off, size, zero_allowed, write, raw)
            }
            _ => {
                if zero_allowed && size == 0 && reg.is_null_scalar() {
                    return Ok(());
                }
                let name = crate::print::reg_type_name(self.platform, &reg);
                let stack = self.platform.kind(self.kinds.stack).prints;
                Err(denied(Why::ArgumentType, format!("R{regno} type={name} expected={stack}"))
                    .facts(format!("r{regno} points to memory"), format!("r{regno} is {name}")))
            }
        }
    }
}

fn expected_name(platform: &probity_platform::Platform, ty: RegType) -> String {
    type_name(platform, ty)
}
