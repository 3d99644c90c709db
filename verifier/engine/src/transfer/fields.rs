//! Special fields of map values as arguments of calls, and as bytes that no access may touch
//! (verifier.md, 4.1).

use probity_platform::{Code as Why, Rejection, Site, Subject};

use super::args::register;
use super::effects::Call;
use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;
use crate::state::reg::{CALLED_LATER, WALKED};

impl<O: Observer> Walk<'_, O> {
    /// An argument is a special field: the pointer leads to where one is.
    pub(super) fn check_field(
        &self,
        call: &Call,
        index: usize,
        regno: u8,
        reg: &Reg,
    ) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let Subject::Field(field) = arg.subject else {
            return Err(crate::unsupported(format!("{} without its field", arg.name)).at(arg.site));
        };
        let row = &self.platform.special_fields[usize::from(field)];
        let name = row.name;
        let wrong = |message: String| {
            Err(Rejection::new(Why::SpecialField, message)
                .facts(format!("r{regno} points to the struct {name} of a map's value"), self.type_of(regno))
                .at(arg.site))
        };
        let Some(offset) = reg.val.is_const() else {
            let message =
                format!("R{regno} doesn't have constant offset. {name} has to be at the constant offset");
            return wrong(message);
        };
        let map = &self.program.maps[reg.map()];
        let fields = &self.code.special_fields[reg.map()];
        if fields.untyped {
            return wrong(format!("map '{}' has to have BTF in order to use {name}", map.name));
        }
        let Some(at) = fields.find(field) else {
            return wrong(format!("map '{}' has no valid {name}", map.name));
        };
        let offset = offset.cast_signed().wrapping_add(i64::from(reg.off));
        if offset != i64::from(at.offset) {
            return wrong(format!("off {offset} doesn't point to 'struct {name}' that is at {}", at.offset));
        }
        Ok(())
    }

    /// Special fields are no bytes of the program: an access must not touch one.
    pub(super) fn check_beside_fields(&self, reg: &Reg, off: i64, size: u32) -> Result<(), Rejection> {
        for field in &self.code.special_fields[reg.map()].fields {
            let low = off.saturating_add(reg.val.smin);
            let high = off.saturating_add(reg.val.umax.cast_signed()).saturating_add(i64::from(size));
            let (begin, end) = (i64::from(field.offset), i64::from(field.offset + field.row.size));
            if low < end && begin < high {
                let message = format!("{} cannot be accessed directly by load/store", field.row.name);
                return Err(super::denied(Why::SpecialField, message)
                    .facts(
                        format!("the access leaves out bytes {begin} to {}", end - 1),
                        format!("it may touch bytes {low} to {}", high - 1),
                    )
                    .at(field.row.site));
            }
        }
        Ok(())
    }

    /// A field is in a value of the map that is another argument: that very map, where it is one of
    /// those in a map of maps.
    pub(super) fn check_member(
        &self,
        call: &Call,
        field: usize,
        map: usize,
        site: Site,
    ) -> Result<(), Rejection> {
        let (value, given) = (&call.args[field], &call.args[map]);
        if value.data == given.data && value.data2 == given.data2 {
            return Ok(());
        }
        let Subject::Field(index) = call.callable.args[field].subject else { return Ok(()) };
        let row = &self.platform.special_fields[usize::from(index)];
        // Where the map that is given has no such field, Linux 6.18 does not compare kfuncs' maps; and
        // where it has no types, it reads through a null pointer: nobody may ask it.
        if call.callable.number == 0 && self.code.special_fields[given.map()].find(index).is_none() {
            let name = &self.program.maps[given.map()].name;
            return Err(crate::unsupported(format!("{} with the map {name}", call.callable.name)).at(site));
        }
        let shown = |reg: &Reg| if matches!(reg.data2, CALLED_LATER | WALKED) { 0 } else { reg.data2 };
        let name = |index: usize| {
            let map = &self.program.maps[call.args[index].map()];
            format!("a value of {}", map.name)
        };
        let message = format!(
            "{} pointer in R{} map_uid={} doesn't match map pointer in R{} map_uid={}",
            row.prints,
            register(field),
            shown(value),
            register(map),
            shown(given)
        );
        Err(Rejection::new(Why::SpecialField, message)
            .facts(format!("the {} is in {}", row.name, name(map)), format!("it is in {}", name(field)))
            .at(site))
    }
}
