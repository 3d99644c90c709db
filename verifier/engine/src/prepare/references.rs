//! 64-bit loads: their form, and what they refer to.

use probity_isa::opcode::{
    BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE, BPF_PSEUDO_MAP_VALUE,
};
use probity_isa::{DecodeError, Instruction};
use probity_platform::rejection::{E2BIG, EBADF, EINVAL, ENOTSUPP};
use probity_platform::{Code as Why, MapTraits, Platform, ProgType, Rejection};
use probity_program::Program;

use super::Code;

/// Beyond this no direct address into a map's value is taken.
const MAX_DIRECT_OFFSET: u32 = 1 << 29;

/// Checks, instruction by instruction, what must hold even where no path leads.
pub(super) fn check(
    program: &Program,
    code: &Code,
    platform: &Platform,
    prog_type: &ProgType,
) -> Result<(), (usize, Rejection)> {
    let mut used = vec![false; program.maps.len()];
    let mut pc = 0;
    while pc < code.insns.len() {
        match &code.insns[pc].instruction {
            Ok(load @ Instruction::LoadImm64 { .. }) => {
                check_load(program, code, platform, prog_type, load, &mut used)
                    .map_err(|rejection| (pc, rejection))?;
            }
            Err(error) if error.is_early() => {
                let why = match error {
                    DecodeError::UnknownOpcode(_) => Why::UnknownOpcode,
                    DecodeError::Reserved(_) => Why::ReservedField,
                    _ => Why::InvalidLoadImm64,
                };
                return Err((pc, Rejection::new(why, error.to_string())));
            }
            _ => {}
        }
        pc += program.insns[pc].slots();
    }
    Ok(())
}

fn check_load(
    program: &Program,
    code: &Code,
    platform: &Platform,
    prog_type: &ProgType,
    load: &Instruction,
    used: &mut [bool],
) -> Result<(), Rejection> {
    let Instruction::LoadImm64 { pseudo, imm, next_imm, .. } = *load else { return Ok(()) };
    let value = matches!(pseudo, BPF_PSEUDO_MAP_VALUE | BPF_PSEUDO_MAP_IDX_VALUE);
    if !value && !matches!(pseudo, BPF_PSEUDO_MAP_FD | BPF_PSEUDO_MAP_IDX) {
        return Ok(());
    }
    let reject = |why, message: String| Rejection::new(why, message);
    let index = usize::try_from(imm).ok().filter(|&index| index < program.maps.len());
    let Some(index) = index else {
        // The first three descriptors of a process are open, but no maps.
        let errno = if (0..=2).contains(&imm) { EINVAL } else { EBADF };
        let message = format!("fd {imm} is not pointing to valid bpf_map");
        return Err(Rejection::new(Why::InvalidMap, message).errno(errno));
    };
    let map = &program.maps[index];
    let Some(row) = code.map_types[index] else {
        return Err(crate::unsupported(format!("map type {}", map.map_type)));
    };
    if let Some(reason) = row.unsupported {
        return Err(crate::unsupported(format!("map type {} ({reason})", row.name)));
    }
    if row.traits.contains(MapTraits::OF_MAPS) {
        // What a lookup gives is the inner map: it must be known as well.
        let inner = map.inner.and_then(|inner| code.map_types.get(inner).copied().flatten());
        if inner.is_none_or(|inner| inner.unsupported.is_some()) {
            return Err(crate::unsupported(format!("the inner map of {}", map.name)));
        }
    }
    let sleepable = program.flags & probity_program::flags::SLEEPABLE != 0;
    if sleepable && !row.traits.contains(MapTraits::SLEEPABLE) {
        return Err(Rejection::new(Why::InvalidMap, platform.words.sleepable_maps)
            .errno(EINVAL)
            .facts("a map type that sleeping programs may use", row.name)
            .at(row.site));
    }
    used[index] = true;
    let limit = platform.limits.maps as usize;
    if used.iter().filter(|&&used| used).count() > limit {
        let message = format!("The total number of maps per program has reached the limit of {limit}");
        return Err(Rejection::new(Why::InvalidMap, message).errno(E2BIG));
    }
    code.special_fields[index].check(platform, prog_type)?;
    if !value {
        return Ok(());
    }
    let off = next_imm.cast_unsigned();
    if off >= MAX_DIRECT_OFFSET {
        return Err(reject(Why::InvalidMapAddress, format!("direct value offset of {off} is not allowed")));
    }
    if !row.traits.contains(MapTraits::DIRECT_VALUE) {
        let message = "no direct value access support for this map type".into();
        return Err(reject(Why::InvalidMapAddress, message));
    }
    // Only a map of one element has one address for its value.
    if map.max_entries > 1 || off >= map.value_size {
        let errno = if map.max_entries > 1 { ENOTSUPP } else { EINVAL };
        let size = map.value_size;
        let message = format!("invalid access to map value pointer, value_size={size} off={off}");
        return Err(Rejection::new(Why::InvalidMapAddress, message).errno(errno));
    }
    Ok(())
}
