//! BTF types back into bytes: a program carries its types decoded, the kernel wants the bytes.

use probity_program::{
    Btf, Linkage,
    btf::{Composite, Enum, Int, Type},
};

use super::btf::BtfImage;

/// The bytes of some types, with the ids that they have.
#[must_use]
pub fn encode(btf: &Btf) -> BtfImage {
    let mut encoder = Encoder { image: BtfImage::new(Vec::new(), vec![0]), words: Vec::new() };
    for (_, ty) in btf.types().filter(|(id, _)| id.0 != 0) {
        encoder.ty(ty);
    }
    let types = encoder.words.iter().flat_map(|word| word.to_le_bytes()).collect();
    encoder.image.with_types(types)
}

struct Encoder {
    image: BtfImage,
    words: Vec<u32>,
}

impl Encoder {
    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() { 0 } else { self.image.string(name) }
    }

    /// The three words that every type begins with.
    fn head(&mut self, name: &str, kind: u32, flag: bool, vlen: usize, size_or_type: u32) {
        let name = self.name(name);
        let vlen = u32::try_from(vlen).expect("BTF counts 16 bits");
        self.words.extend([name, u32::from(flag) << 31 | kind << 24 | vlen, size_or_type]);
    }

    fn ty(&mut self, ty: Type<'_>) {
        match ty {
            Type::Void => {}
            Type::Int(int) => self.int(int),
            Type::Ptr { target } => self.head("", 2, false, 0, target.0),
            Type::Array { elem, index, count } => {
                self.head("", 3, false, 0, 0);
                self.words.extend([elem.0, index.0, count]);
            }
            Type::Struct(composite) => self.composite(4, composite),
            Type::Union(composite) => self.composite(5, composite),
            Type::Enum(list) => self.list(list),
            Type::Fwd { name, is_union } => self.head(name, 7, is_union, 0, 0),
            Type::Typedef { name, target } => self.head(name, 8, false, 0, target.0),
            Type::Volatile { target } => self.head("", 9, false, 0, target.0),
            Type::Const { target } => self.head("", 10, false, 0, target.0),
            Type::Restrict { target } => self.head("", 11, false, 0, target.0),
            Type::Func { name, proto, linkage } => {
                self.head(name, 12, false, number(linkage) as usize, proto.0);
            }
            Type::FuncProto(proto) => {
                self.head("", 13, false, proto.params().len(), proto.ret.0);
                for param in proto.params() {
                    let name = self.name(param.name);
                    self.words.extend([name, param.ty.0]);
                }
            }
            Type::Var { name, ty, linkage } => {
                self.head(name, 14, false, 0, ty.0);
                self.words.push(number(linkage));
            }
            Type::Datasec(section) => {
                self.head(section.name, 15, false, section.len(), section.size);
                let vars = section.vars().flat_map(|var| [var.var.0, var.offset, var.size]);
                self.words.extend(vars);
            }
            Type::Float { name, size } => self.head(name, 16, false, 0, size),
            Type::DeclTag(tag) => {
                self.head(tag.name, 17, tag.attribute, 0, tag.target.0);
                self.words.push(tag.component.unwrap_or(u32::MAX));
            }
            Type::TypeTag { name, target, attribute } => {
                self.head(name, 18, attribute, 0, target.0);
            }
        }
    }

    fn int(&mut self, int: Int<'_>) {
        self.head(int.name, 1, false, 0, int.size);
        let encoding = u32::from(int.signed) | u32::from(int.is_char) << 1 | u32::from(int.is_bool) << 2;
        let bits = u32::from(int.bit_offset) << 16 | u32::from(int.bits);
        self.words.push(encoding << 24 | bits);
    }

    fn composite(&mut self, kind: u32, composite: Composite<'_>) {
        let bitfields = composite.members().any(|member| member.bitfield_size != 0);
        self.head(composite.name, kind, bitfields, composite.len(), composite.size);
        for member in composite.members() {
            let name = self.name(member.name);
            let offset = member.bitfield_size << 24 | member.bit_offset;
            self.words.extend([name, member.ty.0, offset]);
        }
    }

    fn list(&mut self, list: Enum<'_>) {
        let kind = if list.wide { 19 } else { 6 };
        self.head(list.name, kind, list.signed, list.len(), list.size);
        for value in list.values() {
            let name = self.name(value.name);
            self.words.extend([name, value.value as u32]);
            if list.wide {
                self.words.push((value.value >> 32) as u32);
            }
        }
    }
}

fn number(linkage: Linkage) -> u32 {
    match linkage {
        Linkage::Static => 0,
        Linkage::Global => 1,
        Linkage::Extern => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_survive() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tc_counters.o");
        let Ok(object) = std::fs::read(path) else { return };
        // The .BTF section: magic, version 1, no flags, a header of 24 bytes.
        let header = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0];
        let start = object.windows(12).position(|bytes| bytes == header).expect("it has BTF");
        let original = Btf::parse(&object[start..]).expect("a compiler wrote it");
        let again = Btf::parse(&encode(&original).to_bytes()).expect("our own bytes");
        assert_eq!(original.len(), again.len());
        for (old, new) in original.types().zip(again.types()) {
            assert_eq!(format!("{old:?}"), format!("{new:?}"));
        }
    }
}
