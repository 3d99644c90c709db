//! Loads and stores of the context and of other struct views, by the tables of the spec.

use probity_platform::{Access as Rule, Behaviour, Code as Why, GuardEnv, Rejection, Site, View};

use super::denied;
use super::memory::Access;
use crate::explore::walk::{Observer, Walk};
use crate::print;
use crate::state::Reg;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn access_context(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i32,
        size: u32,
        access: Access,
        sign_extend: bool,
    ) -> Result<(), Rejection> {
        self.check_leak(access, "ctx")?;
        self.check_unmodified(regno, reg)?;
        let view = &self.platform.views[reg.data as usize];
        let is_number = |rule: &&Rule| self.platform.kind(rule.yields.kind).behaviour == Behaviour::Scalar;
        let rule = self.rule(view, i64::from(off), size, access.is_write());
        // A pointer has no sign to extend.
        let Some(rule) = rule.filter(|rule| !sign_extend || is_number(rule)) else {
            let message = format!("invalid bpf_context access off={off} size={size}");
            return Err(denied(Why::InvalidContextAccess, message)
                .facts(field_needed(view, i64::from(off), access), format!("{size} bytes at offset {off}"))
                .at(self.demand(view, i64::from(off), size, access)));
        };
        self.load_field(reg, rule, access);
        Ok(())
    }

    pub(super) fn access_view(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        access: Access,
    ) -> Result<(), Rejection> {
        let view = self.platform.kind(reg.kind).view.map(|view| &self.platform.views[usize::from(view)]);
        if access.is_write() && !view.is_some_and(View::is_writable) {
            return Err(self.cannot_write(regno));
        }
        self.check_leak(access, self.platform.kind(reg.kind).prints)?;
        if reg.val.smin < 0 {
            return Err(super::region::negative(regno));
        }
        let rule = view.and_then(|view| self.rule(view, off, size, access.is_write()));
        let Some(rule) = rule else {
            let name = self.view_name(reg);
            // Views that may be written have a message without register.
            let message = if view.is_some_and(View::is_writable) {
                format!("invalid access to {name} off={off} size={size}")
            } else {
                format!("R{regno} invalid {name} access off={off} size={size}")
            };
            let mut rejection = denied(Why::InvalidContextAccess, message);
            if let Some(view) = view {
                rejection = rejection
                    .facts(field_needed(view, off, access), format!("{size} bytes at offset {off}"))
                    .at(self.demand(view, off, size, access));
            }
            return Err(rejection);
        };
        self.load_field(reg, rule, access);
        Ok(())
    }

    /// Accesses a field of an object, by the rules of a view; `name` is the object's.
    pub(super) fn access_fields(
        &mut self,
        regno: u8,
        reg: &Reg,
        (view, name): (u16, &str),
        off: i64,
        size: u32,
        access: Access,
    ) -> Result<(), Rejection> {
        let view = &self.platform.views[usize::from(view)];
        self.check_leak(access, name)?;
        let Some(rule) = self.rule(view, off, size, access.is_write()) else {
            let verb = if access.is_write() { "write to" } else { "read of" };
            let message = format!("R{regno} invalid {verb} {name} off={off} size={size}");
            return Err(denied(Why::InvalidContextAccess, message)
                .facts(field_needed(view, off, access), format!("{size} bytes at offset {off}"))
                .at(self.demand(view, off, size, access)));
        };
        self.load_field(reg, rule, access);
        Ok(())
    }

    /// What messages call a view: its kind, in words when it may be written.
    pub(super) fn view_name(&self, reg: &Reg) -> String {
        let kind = self.platform.kind(reg.kind);
        let view = kind.view.map(|view| &self.platform.views[usize::from(view)]);
        if view.is_some_and(View::is_writable) {
            kind.prints.replace('_', " ")
        } else {
            kind.prints.to_owned()
        }
    }

    /// The line that an access violates: the field's, or the program type's where that denies what
    /// the field allows; the view's where there is no field.
    fn demand(&self, view: &'static View, off: i64, size: u32, access: Access) -> Site {
        let Some(field) = u32::try_from(off).ok().and_then(|off| view.field_at(off)) else {
            return view.site;
        };
        // Overlays come after the view that they lie over, and have its name.
        let declared = self.platform.views.iter().find(|other| other.name == view.name);
        let denied = declared.is_some_and(|other| self.rule(other, off, size, access.is_write()).is_some());
        if denied { view.site } else { field.site }
    }

    /// The rule that allows an access.
    fn rule(&self, view: &'static View, off: i64, size: u32, write: bool) -> Option<&'static Rule> {
        view.access(u32::try_from(off).ok()?, size, write, &self.guard_env())
    }

    pub(crate) fn guard_env(&self) -> GuardEnv<'_> {
        crate::prepare::guard_env(self.program, self.prog_type, self.profile)
    }

    fn load_field(&mut self, base: &Reg, rule: &Rule, access: Access) {
        let Access::Read(Some(dst)) = access else { return };
        let kind = self.platform.kind(rule.yields.kind);
        let mut value = match kind.behaviour {
            Behaviour::Scalar => self.unknown(),
            behaviour => Reg {
                data: kind.view.map_or(0, u32::from),
                ref_id: self.field_ends(base),
                ..Reg::pointer(behaviour, rule.yields)
            },
        };
        if value.maybe_null() {
            value.id = self.new_id();
        }
        *self.state.reg_mut(dst) = value;
    }

    /// The pointer is the one that was given out: nothing was added to it.
    pub(super) fn check_unmodified(&self, regno: u8, reg: &Reg) -> Result<(), Rejection> {
        self.check_offset(regno, reg, false)
    }

    /// The pointer carries no variable offset, and a fixed one only where that is allowed.
    pub(super) fn check_offset(&self, regno: u8, reg: &Reg, fixed: bool) -> Result<(), Rejection> {
        if reg.val.is_const() == Some(0) && (reg.off == 0 || (fixed && reg.off > 0)) {
            return Ok(());
        }
        let name = self.type_of(regno);
        let needed = || format!("r{regno} as it was given out, with nothing added to it");
        if reg.off < 0 {
            let message = format!("negative offset {name} ptr R{regno} off={} disallowed", reg.off);
            return Err(denied(Why::ModifiedContext, message).facts(needed(), format!("offset {}", reg.off)));
        }
        if !fixed && reg.off != 0 {
            let message = format!("dereference of modified {name} ptr R{regno} off={} disallowed", reg.off);
            return Err(denied(Why::ModifiedContext, message).facts(needed(), format!("offset {}", reg.off)));
        }
        let var = print::tnum(reg.val.tnum);
        let message = format!("variable {name} access var_off={var} disallowed");
        Err(denied(Why::ModifiedContext, message).facts(needed(), format!("variable offset {var}")))
    }
}

fn field_needed(view: &View, off: i64, access: Access) -> String {
    let verb = if access.is_write() { "written" } else { "read" };
    match u32::try_from(off).ok().and_then(|off| view.field_at(off)) {
        Some(field) => format!(
            "{}.{} (offset {}, {} bytes) is {verb} with a size and alignment that the spec allows here",
            view.name, field.name, field.offset, field.size
        ),
        None => format!("an offset at which {} has a field", view.name),
    }
}
