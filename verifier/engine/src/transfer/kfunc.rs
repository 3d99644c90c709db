//! Calls of kfuncs: who may call, what the arguments must be, what comes back (verifier.md, 5.2).

use probity_platform::rejection::{EACCES, EINVAL};
use probity_platform::{
    ArgRole, Behaviour, Callable, CallbackFlags, Code as Why, Concepts, KfuncFlags, Lifetime, PacketAccess,
    Rejection, Relation, RetType, Subject, TypeFlags,
};
use probity_program::flags;

use super::args::register;
use super::concepts::check_modelled;
use super::denied;
use super::effects::Call;
use super::objects::ObjectAt;
use super::region::MAX_VAR_OFF;
use crate::explore::walk::{Next, Observer, Walk};
use crate::state::object::{ObjectSort, PACKET_VIEW};
use crate::state::{End, Reg};

/// Out of order.
const EPROTO: i32 = 71;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn call_kfunc(&mut self, id: i32) -> Result<Next, Rejection> {
        let Some(kfunc) = self.offered.kfunc(id) else {
            let name = usize::try_from(id).ok().and_then(|id| self.program.kfuncs.get(id));
            return Err(crate::unsupported(match name {
                Some(name) => format!("kfunc {name}"),
                None => format!("kfunc {id}"),
            }));
        };
        let row = kfunc.row;
        if !kfunc.allowed {
            let message = format!("calling kernel function {} is not allowed", row.name);
            return Err(denied(Why::CallableNotOffered, message)
                .facts(format!("a program type that offers {}", row.name), self.prog_type.name)
                .at(row.site));
        }
        self.check_kfunc_context(row)?;
        if row.flags.contains(probity_platform::CallableFlags::UNSUPPORTED) {
            self.drive(&mut Call::new(row))?;
            return Err(crate::unsupported(row.name).at(row.site));
        }
        check_modelled(row, self.code)?;
        let mut call = Call::new(row);
        for index in 0..row.args.len() {
            self.check_kfunc_argument(&mut call, index).map_err(|rejection| {
                let site = row.args[index].site;
                if rejection.site == probity_platform::Site::NONE { rejection.at(site) } else { rejection }
            })?;
        }
        self.check_kfunc_released(&call)?;
        self.check_kfunc_sleeps(row)?;
        self.finish_kfunc(&mut call)?;
        Ok(Next::Go(self.pc + 1))
    }

    /// What is demanded of the place of a call, before its arguments.
    fn check_kfunc_context(&self, row: &'static Callable) -> Result<(), Rejection> {
        self.check_call_under_lock(row.name, row.site)?;
        let sleeps = row.kfunc.contains(KfuncFlags::KF_SLEEPABLE);
        if sleeps && !self.may_sleep() {
            let message = format!("program must be sleepable to call sleepable kfunc {}", row.name);
            return Err(denied(Why::MightSleep, message)
                .facts("a program that may sleep", row.name)
                .at(row.site));
        }
        Ok(())
    }

    fn check_kfunc_sleeps(&self, row: &'static Callable) -> Result<(), Rejection> {
        if row.kfunc.contains(KfuncFlags::KF_SLEEPABLE) {
            let says = |inside: &str| format!("kernel func {} is sleepable within {inside}", row.name);
            self.check_sleep_region(says, EACCES, row.site)?;
        }
        if row.kfunc.contains(KfuncFlags::KF_RCU_PROTECTED) && !self.is_protected() {
            let message = format!("kernel func {} requires RCU critical section protection", row.name);
            return Err(denied(Why::Region, message)
                .facts("a path inside an RCU section", "it is in none")
                .at(row.site));
        }
        Ok(())
    }

    /// True inside a region that some programs are in from the beginning.
    fn is_protected(&self) -> bool {
        let env = self.guard_env();
        let regions = (0u16..).zip(self.platform.regions);
        let mut implicit = regions.filter_map(|(index, row)| row.implicit.map(|guard| (index, guard)));
        implicit.any(|(index, guard)| guard.holds(&env) || self.state.references.is_inside(index))
    }

    /// True where the running function may sleep.
    pub(super) fn may_sleep(&self) -> bool {
        if let Some(callback) = self.state.frames[0].callback {
            return callback.flags.contains(CallbackFlags::SLEEPABLE);
        }
        self.program.flags & flags::SLEEPABLE != 0
    }

    fn check_kfunc_argument(&mut self, call: &mut Call, index: usize) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let class = &self.platform.arg_classes[usize::from(arg.class)];
        let regno = register(index);
        let reg = *self.state.reg(regno);
        call.args[index] = reg;
        match class.role {
            ArgRole::Ignored | ArgRole::Hidden => return Ok(()),
            ArgRole::Int
            | ArgRole::Scalar
            | ArgRole::Const
            | ArgRole::ConstSize
            | ArgRole::Size
            | ArgRole::SizeOrZero
                if !reg.is_scalar() =>
            {
                let message = format!("R{regno} is not a scalar");
                return Err(Rejection::new(Why::ArgumentType, message)
                    .errno(EINVAL)
                    .facts(format!("argument {} (r{regno}) is a number", arg.name), self.type_of(regno)));
            }
            _ => {}
        }
        let null = reg.is_null_scalar() && arg.flags.contains(TypeFlags::PTR_MAYBE_NULL);
        match class.role {
            ArgRole::Int | ArgRole::Scalar => Ok(()),
            ArgRole::Const => self.check_kfunc_constant(regno, &reg),
            ArgRole::ConstSize => {
                self.check_kfunc_size(call, index, &reg)?;
                self.check_kfunc_constant(regno, &reg)
            }
            ArgRole::Size | ArgRole::SizeOrZero => self.check_kfunc_size(call, index, &reg),
            ArgRole::Pointer if matches!(reg.behaviour, Some(Behaviour::Context)) => {
                self.check_offset(regno, &reg, false)
            }
            ArgRole::Pointer
                if !class
                    .accepts
                    .iter()
                    .any(|ty| self.platform.kind(ty.kind).behaviour == Behaviour::Context) =>
            {
                Err(crate::unsupported(format!(
                    "{} (an argument of class {})",
                    call.callable.name, class.name
                )))
            }
            ArgRole::Pointer => {
                let message = format!("arg#{index} expected pointer to ctx, but got {}", self.type_of(regno));
                Err(Rejection::new(Why::ArgumentType, message)
                    .errno(EINVAL)
                    .facts("the context that the program was called with", self.type_of(regno)))
            }
            ArgRole::StackObject => self.check_kfunc_object(call, index, &reg),
            ArgRole::Object => self.check_kfunc_typed(call, index, &reg, null),
            ArgRole::Field => self.check_kfunc_field(call, index, &reg),
            ArgRole::Map if call.callable.concepts.contains(Concepts::SPECIAL_FIELD) => {
                self.check_kfunc_map(call, index, &reg)
            }
            ArgRole::Func if !self.platform.hosted && reg.behaviour == Some(Behaviour::Func) => {
                self.check_argument_offset(regno, &reg, arg)
            }
            // A host calls back as helpers do.
            ArgRole::Func | ArgRole::Stack if self.platform.hosted => {
                if null {
                    return Ok(());
                }
                self.check_class(regno, &reg, arg)?;
                self.check_argument_offset(regno, &reg, arg)
            }
            // Its size comes behind it.
            ArgRole::Mem if !arg.flags.contains(TypeFlags::MEM_FIXED_SIZE) || null => Ok(()),
            ArgRole::Mem => {
                for write in [false, true] {
                    self.check_helper_memory(call, regno, arg.size, write, false, false)?;
                }
                Ok(())
            }
            ArgRole::Func => {
                let message = format!("arg{index} expected pointer to func");
                Err(Rejection::new(Why::ArgumentType, message)
                    .errno(EINVAL)
                    .facts("the address of a function", self.type_of(regno)))
            }
            _ => Err(crate::unsupported(format!(
                "{} (an argument of class {})",
                call.callable.name, class.name
            ))),
        }
    }

    /// An argument is a special field of a map's value.
    fn check_kfunc_field(&self, call: &Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let (regno, arg) = (register(index), &call.callable.args[index]);
        if reg.behaviour != Some(Behaviour::MapValue) {
            let message = format!("arg#{index} doesn't point to a map value");
            return Err(Rejection::new(Why::ArgumentType, message).errno(EINVAL).facts(
                format!("argument {} (r{regno}) points to a map's value", arg.name),
                self.type_of(regno),
            ));
        }
        // Linux takes it.
        if reg.maybe_null() {
            return Err(crate::unsupported(format!("{} of what may be null", call.callable.name)));
        }
        self.check_field(call, index, regno, reg)
    }

    /// An argument is the map of the field before it.
    fn check_kfunc_map(&self, call: &mut Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let regno = register(index);
        if reg.behaviour == Some(Behaviour::Map) && reg.off == 0 {
            call.map = Some(reg.map());
            return Ok(());
        }
        if reg.behaviour != Some(Behaviour::MapValue) || reg.maybe_null() {
            return Err(crate::unsupported(format!(
                "{} ({} as a map)",
                call.callable.name,
                self.type_of(regno)
            )));
        }
        let value = self.type_of(regno);
        let message = format!("arg#{index} is {value} expected {value} or socket");
        Err(Rejection::new(Why::ArgumentType, message).errno(EINVAL).facts("a map", value))
    }

    fn check_kfunc_constant(&mut self, regno: u8, reg: &Reg) -> Result<(), Rejection> {
        if reg.val.is_const().is_none() {
            let message = format!("R{regno} must be a known constant");
            return Err(Rejection::new(Why::ArgumentNotConstant, message).errno(EINVAL));
        }
        self.mark_precise(regno)
    }

    fn check_kfunc_size(&mut self, call: &mut Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let regno = register(index);
        let Relation::SizeOf(memory) = arg.relation else {
            return Err(crate::unsupported("a size without its memory").at(arg.site));
        };
        let value = reg.val;
        let of = &call.callable.args[usize::from(memory)];
        let pointer = call.args[usize::from(memory)];
        if pointer.is_null_scalar() && of.flags.contains(TypeFlags::PTR_MAYBE_NULL) {
            return Ok(());
        }
        let pair = |mut rejection: Rejection| {
            rejection.message.push_str(&format!(
                "\narg#{memory} arg#{index} memory, len pair leads to invalid memory access"
            ));
            rejection
        };
        let known = format!("{} to {} (signed {} to {})", value.umin, value.umax, value.smin, value.smax);
        let wrong = if value.smin < 0 {
            Some("min value is negative, either use unsigned or 'var &= const'")
        } else if value.umax >= MAX_VAR_OFF {
            Some("unbounded memory access, use 'var &= const' or 'if (var < const)'")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let rejection = denied(Why::ArgumentSize, format!("R{regno} {wrong}"));
            return Err(pair(rejection.facts("a size that is bounded", known)));
        }
        for write in [false, true] {
            self.check_helper_memory(
                call,
                register(usize::from(memory)),
                value.umax as u32,
                write,
                true,
                false,
            )
            .map_err(pair)?;
        }
        self.mark_precise(regno)
    }

    fn check_kfunc_object(&mut self, call: &mut Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let Subject::StackObject(object) = arg.subject else {
            return Err(crate::unsupported(format!("{} without its object", arg.name)).at(arg.site));
        };
        self.check_object_pointer(index, reg, object)?;
        let new = arg.flags.contains(TypeFlags::MEM_UNINIT);
        if !new && ObjectSort::of(self.platform, object) == ObjectSort::View {
            return self.check_view(call, index, reg, object);
        }
        if new && reg.behaviour != Some(Behaviour::Stack) {
            return Err(crate::unsupported("a given dynptr to be made"));
        }
        let at = if arg.flags.contains(TypeFlags::MEM_UNINIT) {
            self.check_new_object(index, reg, object)?
        } else {
            self.check_object(index, reg, object)?
        };
        self.check_section(call, at, object)?;
        call.objects[index] = Some((at, object));
        Ok(())
    }

    /// An iterator that a section protects is used inside it.
    fn check_section(&self, call: &Call, at: ObjectAt, object: u16) -> Result<(), Rejection> {
        let slot = self.object_at(at, object);
        if !slot.is_some_and(|slot| slot.reg.flags.contains(TypeFlags::PTR_UNTRUSTED)) {
            return Ok(());
        }
        let message = format!("expected an RCU CS when using {}", call.callable.name);
        Err(Rejection::new(Why::Region, message)
            .errno(EPROTO)
            .facts("the section in which the object was made", "it was left"))
    }

    /// Packet data is given out to be written only where programs may write it.
    fn check_slice(&self, call: &Call) -> Result<(), Rejection> {
        let written = match call.callable.ret.ty {
            RetType::Pointer(ty) => !ty.flags.contains(TypeFlags::MEM_RDONLY),
            _ => false,
        };
        let packet = call.sliced.is_some_and(|view| view.flags().intersects(PACKET_VIEW));
        if written && packet && !self.prog_type.packet.contains(PacketAccess::WRITE) {
            return Err(crate::unsupported(format!("{} where packets are not written", call.callable.name)));
        }
        Ok(())
    }

    fn finish_kfunc(&mut self, call: &mut Call) -> Result<(), Rejection> {
        self.end_with_call(call.callable);
        self.drive(call)?;
        self.check_made(call)?;
        self.check_slice(call)?;
        self.release(call)?;
        self.finish_call(call)?;
        self.finish_advance(call)
    }

    /// An iterator that goes on gives an element on a path that waits, and none on this one.
    fn finish_advance(&mut self, call: &Call) -> Result<(), Rejection> {
        let Some((at, object, drained)) = call.advances else { return Ok(()) };
        let Some(slot) = self.object_at(at, object) else { return Ok(()) };
        if self.state.reg(0).behaviour == Some(Behaviour::Object) {
            // As long as the section lasts in which the iterator was made.
            let rcu = slot.reg.flags.contains(TypeFlags::MEM_RCU);
            let trust = if rcu { TypeFlags::MEM_RCU } else { TypeFlags::PTR_TRUSTED };
            self.state.reg_mut(0).flags.insert(trust);
        } else if !self.platform.hosted {
            self.state.reg_mut(0).ref_id = slot.reg.ref_id;
        }
        // A host's element goes with the iterator, unless it is said to be good for longer.
        if self.platform.hosted && call.callable.ret.lifetime != Lifetime::Run {
            let ends = self.ends.join(self.state.reg(0).ref_id, &[End::Reference(slot.reg.ref_id)]);
            self.state.reg_mut(0).ref_id = ends;
        }
        if slot.reg.data2 != u32::from(drained) {
            let (pc, previous) = (self.pc, self.visit_before_parent());
            let branch = self.push_branch(pc + 1, Some(pc))?;
            for index in at.slots() {
                branch.frame_at_mut(at.frame).stack.slot_mut(index).reg.off += 1;
            }
            branch.reg_mut(0).flags.remove(TypeFlags::PTR_MAYBE_NULL);
            self.widen_branch(previous);
        }
        let frame = self.state.frame_at_mut(at.frame);
        for index in at.slots() {
            frame.stack.slot_mut(index).reg.data2 = u32::from(drained);
        }
        *self.state.reg_mut(0) = self.constant(0);
        Ok(())
    }
}
