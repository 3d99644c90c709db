//! 64-bit immediates and references to maps (verifier.md, section 1 row 7).

use probity_isa::opcode::{
    BPF_PSEUDO_BTF_ID, BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE,
    BPF_PSEUDO_MAP_VALUE,
};
use probity_platform::{Behaviour, Code as Why, KindId, RegType, Rejection, TypeFlags};
use probity_program::{FuncInfo, Linkage};

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
            BPF_PSEUDO_FUNC => self.function_address(self.target(i64::from(imm)))?,
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

    /// The address of a function, to be called back.
    fn function_address(&self, target: usize) -> Result<Reg, Rejection> {
        let (Some(function), Some(kind)) =
            (self.code.function_at(target), self.platform.kind_of(Behaviour::Func))
        else {
            return Err(unsupported("function pointers"));
        };
        let typed = !self.program.funcs.is_empty() && self.program.funcs.iter().all(|info| info.btf_id != 0);
        let wrong = if self.program.btf.is_none() || !typed {
            Some("missing btf func_info")
        } else if self.is_global(function) {
            Some("callback function not static")
        } else {
            None
        };
        if let Some(message) = wrong {
            return Err(Rejection::new(Why::InvalidCall, message)
                .facts("a static function, with its type in the program's BTF", message));
        }
        let ty = RegType { kind, flags: TypeFlags::empty() };
        Ok(Reg { data: function as u32, ..Reg::pointer(Behaviour::Func, ty) })
    }

    /// The main function may be global too, though calls do not care.
    fn is_global(&self, function: usize) -> bool {
        let start = self.code.functions[function].start;
        let of = |info: &FuncInfo| info.pc == start && info.linkage == Linkage::Global;
        self.program.funcs.iter().any(of)
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
        let fields = &self.code.special_fields;
        let special = inner.and_then(|inner| fields.get(inner)).and_then(|fields| fields.unmodelled);
        if let Some(name) = fields[index].unmodelled.or(special) {
            return Err(unsupported(format!("map values with {name}")));
        }
        let ty = RegType { kind, flags: TypeFlags::empty() };
        Ok(Reg { data: map.cast_unsigned(), off, ..Reg::pointer(behaviour, ty) })
    }
}
