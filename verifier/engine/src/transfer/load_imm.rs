//! 64-bit immediates and references to maps (verifier.md, section 1 row 7).

use probity_isa::opcode::{
    BPF_PSEUDO_BTF_ID, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE,
    BPF_PSEUDO_MAP_VALUE,
};
use probity_platform::{Behaviour, KindId, RegType, Rejection, TypeFlags};

use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;
use crate::unsupported;

impl<O: Observer> Walk<'_, O> {
    pub(super) fn load_imm64(
        &mut self,
        dst: u8,
        pseudo: u8,
        imm: i32,
        next_imm: i32,
    ) -> Result<(), Rejection> {
        self.check_writable(dst)?;
        let value = match pseudo {
            0 => {
                let value = u64::from(next_imm.cast_unsigned()) << 32 | u64::from(imm.cast_unsigned());
                self.constant(value)
            }
            BPF_PSEUDO_MAP_FD | BPF_PSEUDO_MAP_IDX => {
                self.reference(Behaviour::Map, self.kinds.map, imm, 0)?
            }
            BPF_PSEUDO_MAP_VALUE | BPF_PSEUDO_MAP_IDX_VALUE => {
                self.reference(Behaviour::MapValue, self.kinds.map_value, imm, next_imm)?
            }
            BPF_PSEUDO_FUNC => return Err(unsupported("function pointers")),
            BPF_PSEUDO_BTF_ID => {
                let name = usize::try_from(imm).ok().and_then(|index| self.program.ksyms.get(index));
                let name = name.map_or_else(|| imm.to_string(), String::clone);
                return Err(unsupported(format!("kernel symbol {name}")));
            }
            other => return Err(unsupported(format!("ld_imm64 of source {other}"))),
        };
        *self.state.reg_mut(dst) = value;
        Ok(())
    }

    fn reference(
        &self,
        behaviour: Behaviour,
        kind: Option<KindId>,
        map: i32,
        off: i32,
    ) -> Result<Reg, Rejection> {
        let Some(kind) = kind else {
            return Err(unsupported(format!("maps on the platform {}", self.platform.name)));
        };
        let index = map.cast_unsigned() as usize;
        let inner = self.program.maps[index].inner;
        let special = |index: usize| self.code.special_fields.get(index).and_then(|special| special.name);
        if let Some(name) = special(index).or_else(|| inner.and_then(special)) {
            return Err(unsupported(format!("map values with {name}")));
        }
        let ty = RegType { kind, flags: TypeFlags::empty() };
        Ok(Reg { data: map.cast_unsigned(), off, ..Reg::pointer(behaviour, ty) })
    }
}
