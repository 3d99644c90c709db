//! Tables: one `static` for each list of a platform.

use probity_platform::{KindId, Lifetime, OffsetRule, Relation, RetType};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::driver::driver_names;
use super::host::rows;
use super::values::{
    behaviour, guard, hex64, number, option, reg_type, returns, role, site, subject, variant, version,
};
use super::{concepts, map_types, names};
use crate::model::{Allowance, Arg, ArgClass, Callable, Field, Guard, Kind, Model, ProgType, Section, View};

/// The expression of the platform; refers to the tables as `tables::X`.
pub(super) fn platform(model: &Model) -> TokenStream {
    let name = &model.name;
    let hash = hex64(model.spec_hash);
    let sources = &model.sources;
    let switches = model.switches.iter().map(|(switch, since)| {
        let bits = number(switch.bits());
        let since = version(*since);
        quote! { (rt::Switches::from_bits_retain(#bits), #since) }
    });
    let version = version(model.version);
    let allows = model.allows.iter().map(allowance);
    let limits = limits(model);
    let hosted = model.hosted;
    let not_sleepable = model.words.not_sleepable.as_ref().map(|text| quote! { not_sleepable: #text, });
    let sleepable_maps = model.words.sleepable_maps.as_ref().map(|text| quote! { sleepable_maps: #text, });
    let words = match (&not_sleepable, &sleepable_maps) {
        (None, None) => quote! { rt::Words::DEFAULT },
        (Some(_), Some(_)) => quote! { rt::Words { #not_sleepable #sleepable_maps } },
        _ => quote! { rt::Words { #not_sleepable #sleepable_maps ..rt::Words::DEFAULT } },
    };
    let policy_site = site(model.policy_site);
    let limit_sites = model.limit_sites.iter().map(|(name, at)| {
        let at = site(*at);
        quote! { (#name, #at) }
    });
    let global_data = option(model.global_data.map(number));
    quote! {
        rt::Platform {
            name: #name,
            spec_hash: #hash,
            sources: &[#(#sources),*],
            kinds: &tables::KINDS,
            arg_classes: &tables::ARG_CLASSES,
            callables: &tables::CALLABLES,
            kfuncs: &tables::KFUNCS,
            callbacks: &tables::CALLBACKS,
            regions: &tables::REGIONS,
            stack_objects: &tables::STACK_OBJECTS,
            objects: &tables::OBJECTS,
            hosted: #hosted,
            words: #words,
            map_types: &tables::MAP_TYPES,
            special_fields: &tables::SPECIAL_FIELDS,
            views: &tables::VIEWS,
            prog_types: &tables::PROG_TYPES,
            sections: &tables::SECTIONS,
            switches: &[#(#switches),*],
            version: #version,
            allows: &[#(#allows),*],
            policy_site: #policy_site,
            limits: #limits,
            limit_sites: &[#(#limit_sites),*],
            global_data: #global_data,
        }
    }
}

/// All tables.
pub(super) fn tables(model: &Model) -> TokenStream {
    let drivers = driver_names(model);
    let lists = [
        table("KINDS", "Kind", model.kinds.iter().map(kind)),
        table("ARG_CLASSES", "ArgClass", model.arg_classes.iter().map(arg_class)),
        table(
            "CALLABLES",
            "Callable",
            model.callables.iter().zip(&drivers).map(|(row, driver)| callable(row, driver)),
        ),
        table(
            "KFUNCS",
            "Callable",
            model.kfuncs.iter().zip(&drivers[model.callables.len()..]).map(|(row, name)| callable(row, name)),
        ),
        table("CALLBACKS", "Callback", model.callbacks.iter().map(concepts::callback)),
        table("REGIONS", "Region", model.regions.iter().map(concepts::region)),
        table("STACK_OBJECTS", "StackObject", model.stack_objects.iter().map(concepts::stack_object)),
        table("OBJECTS", "Object", model.objects.iter().map(concepts::object)),
        table("MAP_TYPES", "MapType", model.map_types.iter().map(map_types::map_type)),
        table("SPECIAL_FIELDS", "SpecialField", model.special_fields.iter().map(concepts::special_field)),
        table("VIEWS", "View", model.views.iter().enumerate().map(|(index, row)| view(index, row))),
        table("PROG_TYPES", "ProgType", model.prog_types.iter().map(prog_type)),
        table("SECTIONS", "Section", model.sections.iter().map(section)),
    ];
    let fields = model.views.iter().enumerate().map(|(index, view)| {
        let (name, count) = (names::fields(index), Literal::usize_unsuffixed(view.fields.len()));
        let rows = view.fields.iter().map(field);
        quote! { static #name: [rt::Field; #count] = [#(#rows),*]; }
    });
    let set = |name: Ident, list: &[(u16, Guard)]| {
        let count = Literal::usize_unsuffixed(list.len());
        let rows = list.iter().map(|(callable, condition)| {
            let (callable, condition) = (Literal::u16_unsuffixed(*callable), guard(condition));
            quote! { rt::SetEntry { callable: #callable, guard: #condition } }
        });
        quote! { static #name: [rt::SetEntry; #count] = [#(#rows),*]; }
    };
    let offers = model.prog_types.iter().map(|row| {
        let helpers = set(names::offers(&row.name), &row.callables);
        let kfuncs = set(names::kfuncs(&row.name), &row.kfuncs);
        quote! { #helpers #kfuncs }
    });
    quote! { #(#lists)* #(#fields)* #(#offers)* }
}

fn table(name: &str, ty: &str, rows: impl Iterator<Item = TokenStream>) -> TokenStream {
    let (name, ty) = (Ident::new(name, Span::call_site()), Ident::new(ty, Span::call_site()));
    let rows: Vec<TokenStream> = rows.collect();
    let count = Literal::usize_unsuffixed(rows.len());
    quote! { pub(super) static #name: [rt::#ty; #count] = [#(#rows),*]; }
}

fn kind(row: &Kind) -> TokenStream {
    let (name, prints, no_arithmetic, never_null) =
        (&row.name, &row.prints, row.no_arithmetic, row.never_null);
    let behaviour = variant(behaviour(row.behaviour));
    let offset = variant(match row.offset {
        OffsetRule::Zero => "Zero",
        OffsetRule::Fixed => "Fixed",
        OffsetRule::Any => "Any",
    });
    let bound = option(row.bound.map(|KindId(id)| {
        let id = Literal::u8_unsuffixed(id);
        quote! { rt::KindId(#id) }
    }));
    let view = option(row.view.map(|view| {
        let view = Literal::u16_unsuffixed(view);
        quote!(#view)
    }));
    let site = site(row.site);
    quote! {
        rt::Kind {
            name: #name,
            prints: #prints,
            behaviour: rt::Behaviour::#behaviour,
            offset: rt::OffsetRule::#offset,
            no_arithmetic: #no_arithmetic,
            never_null: #never_null,
            bound: #bound,
            view: #view,
            site: #site,
        }
    }
}

fn arg_class(row: &ArgClass) -> TokenStream {
    let name = &row.name;
    let role = variant(role(row.role));
    let accepts = row.accepts.iter().map(|ty| reg_type(*ty));
    let site = site(row.site);
    quote! { rt::ArgClass { name: #name, role: rt::ArgRole::#role, accepts: &[#(#accepts),*], site: #site } }
}

fn arg(row: &Arg) -> TokenStream {
    let name = &row.name;
    let class = Literal::u8_unsuffixed(row.class);
    let (flags, size) = (number(row.flags.bits()), number(row.size));
    let index = |index: u8| Literal::u8_unsuffixed(index);
    let relation = match row.relation {
        Relation::None => quote! { rt::Relation::None },
        Relation::SizedBy(other) => {
            let other = index(other);
            quote! { rt::Relation::SizedBy(#other) }
        }
        Relation::SizeOf(other) => {
            let other = index(other);
            quote! { rt::Relation::SizeOf(#other) }
        }
        Relation::OfMap(other) => {
            let other = index(other);
            quote! { rt::Relation::OfMap(#other) }
        }
    };
    let (site, about) = (site(row.site), subject(row.subject));
    quote! {
        rt::Arg {
            name: #name,
            class: #class,
            subject: #about,
            flags: rt::TypeFlags::from_bits_retain(#flags),
            size: #size,
            relation: #relation,
            site: #site,
        }
    }
}

fn callable(row: &Callable, driver: &Ident) -> TokenStream {
    let name = &row.name;
    let (number_, flags) = (number(row.number), number(row.flags.bits()));
    let condition = guard(&row.guard);
    let args = row.args.iter().map(arg);
    let ty = match row.ret.ty {
        RetType::Void => quote! { rt::RetType::Void },
        RetType::Integer => quote! { rt::RetType::Integer },
        RetType::Pointer(ty) => {
            let ty = reg_type(ty);
            quote! { rt::RetType::Pointer(#ty) }
        }
    };
    let map = option(row.ret.map.map(|map| {
        let map = Literal::u8_unsuffixed(map);
        quote!(#map)
    }));
    let (size, about) = (number(row.ret.size), subject(row.ret.subject));
    let lifetime = match row.ret.lifetime {
        Lifetime::Source => quote! { rt::Lifetime::Source },
        Lifetime::Run => quote! { rt::Lifetime::Run },
        Lifetime::Until(at) => {
            let at = Literal::u16_unsuffixed(at);
            quote! { rt::Lifetime::Until(#at) }
        }
    };
    let (kfunc, concepts) = (number(row.kfunc.bits()), number(row.concepts.bits()));
    let aliases = row.aliases.iter().map(|(name, when)| {
        let when = guard(when);
        quote! { rt::Alias { name: #name, guard: #when } }
    });
    let driver = option((!row.steps.is_empty()).then(|| quote! { super::driver::#driver }));
    let body = option(row.body.map(|body| {
        let body = variant(&format!("{body:?}"));
        quote! { rt::Intrinsic::#body }
    }));
    let host = rows::binding(&row.host);
    let allowed = option(row.allowed.as_ref().map(|(when, text)| {
        let when = guard(when);
        quote! { (#when, #text) }
    }));
    let site = site(row.site);
    quote! {
        rt::Callable {
            name: #name,
            aliases: &[#(#aliases),*],
            number: #number_,
            guard: #condition,
            allowed: #allowed,
            flags: rt::CallableFlags::from_bits_retain(#flags),
            kfunc: rt::KfuncFlags::from_bits_retain(#kfunc),
            concepts: rt::Concepts::from_bits_retain(#concepts),
            args: &[#(#args),*],
            ret: rt::Ret { ty: #ty, map: #map, size: #size, subject: #about, lifetime: #lifetime },
            driver: #driver,
            body: #body,
            host: #host,
            site: #site,
        }
    }
}

fn view(index: usize, row: &View) -> TokenStream {
    let (name, fields, size, site) = (&row.name, names::fields(index), number(row.size), site(row.site));
    let host_size = number(row.host_size);
    quote! { rt::View { name: #name, size: #size, host_size: #host_size, fields: &#fields, site: #site } }
}

fn field(row: &Field) -> TokenStream {
    let (name, offset, size, site) = (&row.name, number(row.offset), number(row.size), site(row.site));
    let access = row.access.iter().map(|rule| {
        let condition = guard(&rule.guard);
        let (read, write) = (number(u32::from(rule.read.bits())), number(u32::from(rule.write.bits())));
        let (unaligned, narrow, yields) = (rule.unaligned, number(rule.narrow), reg_type(rule.yields));
        quote! {
            rt::Access {
                guard: #condition,
                read: rt::SizeMask::from_bits_retain(#read),
                write: rt::SizeMask::from_bits_retain(#write),
                unaligned: #unaligned,
                narrow: #narrow,
                yields: #yields,
            }
        }
    });
    let element = number(row.element);
    let (host_offset, host_size) = (number(row.host.offset), number(row.host.size));
    quote! {
        rt::Field {
            name: #name,
            offset: #offset,
            size: #size,
            element: #element,
            access: &[#(#access),*],
            host: rt::HostField { offset: #host_offset, size: #host_size },
            site: #site,
        }
    }
}

fn prog_type(row: &ProgType) -> TokenStream {
    let (name, number_, site_) = (&row.name, number(row.number), site(row.site));
    let condition = guard(&row.guard);
    let ctx = Literal::u16_unsuffixed(row.ctx);
    let entry = row.entry.iter().map(|(register, ty)| {
        let (register, ty) = (Literal::u8_unsuffixed(*register), reg_type(*ty));
        quote! { (#register, #ty) }
    });
    let (offers, kfuncs) = (names::offers(&row.name), names::kfuncs(&row.name));
    let may = option(row.may_sleep.as_ref().map(guard));
    let must = option(row.must_sleep.as_ref().map(|(when, text)| {
        let when = guard(when);
        quote! { (#when, #text) }
    }));
    let packet = number(u32::from(row.packet.bits()));
    let exit = row.exit.iter().map(|exit| {
        let (condition, site) = (guard(&exit.guard), site(exit.site));
        let range = returns(exit.range);
        quote! { rt::ExitRange { guard: #condition, range: #range, site: #site } }
    });
    let attach = row.attach.iter().map(|(name, value)| {
        let value = number(*value);
        quote! { rt::AttachType { name: #name, number: #value } }
    });
    let default_attach = option(row.default_attach.map(number));
    let flags = number(row.flags.bits());
    let unsupported = row.unsupported.iter().map(|(condition, what)| {
        let condition = guard(condition);
        quote! { (#condition, #what) }
    });
    quote! {
        rt::ProgType {
            name: #name,
            number: #number_,
            guard: #condition,
            ctx: #ctx,
            entry: &[#(#entry),*],
            callables: &#offers,
            kfuncs: &#kfuncs,
            packet: rt::PacketAccess::from_bits_retain(#packet),
            exit: &[#(#exit),*],
            attach: &[#(#attach),*],
            default_attach: #default_attach,
            flags: rt::ProgFlags::from_bits_retain(#flags),
            sleep: rt::Sleep { may: #may, must: #must },
            unsupported: &[#(#unsupported),*],
            site: #site_,
        }
    }
}

fn section(row: &Section) -> TokenStream {
    let (name, prefix) = (&row.name, row.prefix);
    let (prog_type, attach, flags) = (number(row.prog_type), number(row.attach), number(row.flags));
    let target = option(row.target.as_ref().map(|prefix| quote! { #prefix }));
    quote! {
        rt::Section {
            name: #name,
            prefix: #prefix,
            prog_type: #prog_type,
            attach: #attach,
            flags: #flags,
            target: #target,
        }
    }
}

fn allowance(row: &Allowance) -> TokenStream {
    let probity_platform::Policy { pointer_leaks, uninit_stack, atomics, loops, unaligned, speculation } =
        row.policy;
    let (guard, site) = (guard(&row.guard), site(row.site));
    quote! {
        rt::Allowance {
            policy: rt::Policy {
                pointer_leaks: #pointer_leaks,
                uninit_stack: #uninit_stack,
                atomics: #atomics,
                loops: #loops,
                unaligned: #unaligned,
                speculation: #speculation,
            },
            guard: #guard,
            site: #site,
        }
    }
}

fn limits(model: &Model) -> TokenStream {
    let limits = &model.limits;
    let [insns, processed, pending, frames, subprogs] =
        [limits.insns, limits.processed, limits.pending, limits.frames, limits.subprogs].map(number);
    let [stack, stack_align, tail_call_stack, may_goto_stack, maps] =
        [limits.stack, limits.stack_align, limits.tail_call_stack, limits.may_goto_stack, limits.maps]
            .map(number);
    quote! {
        rt::Limits {
            insns: #insns,
            processed: #processed,
            pending: #pending,
            frames: #frames,
            subprogs: #subprogs,
            stack: #stack,
            stack_align: #stack_align,
            tail_call_stack: #tail_call_stack,
            may_goto_stack: #may_goto_stack,
            maps: #maps,
        }
    }
}
