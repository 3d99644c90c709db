//! The words that items and clauses begin with, each with its rule of the grammar.

use super::grammar::Rule;

/// A word and the rule that reads what begins with it.
pub(super) type Row = (&'static str, Rule);

/// What items begin with.
pub(super) const ITEMS: &[Row] = &[
    ("platform", Rule::platform_item),
    ("prelude", Rule::prelude_item),
    ("use", Rule::use_item),
    ("part", Rule::part_head),
    ("kind", Rule::kind_head),
    ("argclass", Rule::argclass_head),
    ("extend", Rule::extend_head),
    ("map_flags", Rule::map_flags_head),
    ("map_type", Rule::map_type_head),
    ("global_data", Rule::global_data_item),
    ("special_field", Rule::special_field_item),
    ("helper", Rule::helper_head),
    ("view", Rule::view_head),
    ("set", Rule::set_head),
    ("prog_type", Rule::prog_type_head),
    ("policy", Rule::policy_head),
    ("limits", Rule::limits_head),
    ("switch", Rule::switch_item),
    ("version", Rule::version_item),
];

/// What properties of kinds begin with.
pub(super) const KIND: &[Row] = &[
    ("prints", Rule::prints_prop),
    ("offset", Rule::offset_prop),
    ("bound", Rule::bound_prop),
    ("never_null", Rule::flag_clause),
    ("no_arithmetic", Rule::flag_clause),
];

/// What stands in argument classes and their extensions.
pub(super) const ARG_CLASS: &[Row] = &[("accepts", Rule::accepts_clause)];

/// What clauses of map types begin with. Another word alone is a trait.
pub(super) const MAP_TYPE: &[Row] = &[
    ("since", Rule::since_clause),
    ("until", Rule::until_clause),
    ("key", Rule::key_clause),
    ("value", Rule::value_clause),
    ("element", Rule::element_clause),
    ("max_entries", Rule::entries_clause),
    ("extra", Rule::extra_clause),
    ("flags", Rule::flags_clause),
    ("requires", Rule::requires_clause),
    ("exclusive", Rule::exclusive_clause),
    ("unsupported", Rule::map_unsupported),
    ("used_by", Rule::used_by_clause),
    ("null_check", Rule::null_check_clause),
];

/// What clauses of helpers begin with, apart from `overload`.
pub(super) const HELPER: &[Row] = &[
    ("since", Rule::since_clause),
    ("until", Rule::until_clause),
    ("proto", Rule::proto_clause),
    ("returns", Rule::returns_clause),
    ("where", Rule::where_clause),
    ("precise", Rule::precise_clause),
    ("invalidates", Rule::invalidates_clause),
    ("acquires", Rule::acquires_clause),
    ("releases", Rule::releases_clause),
    ("casts", Rule::casts_clause),
    ("tail_call", Rule::tail_call_clause),
    ("nonnull", Rule::nonnull_clause),
    ("body", Rule::body_clause),
    ("unsupported", Rule::unsupported_clause),
    ("gpl_only", Rule::guarded_flag),
    ("pkt_access", Rule::guarded_flag),
    ("might_sleep", Rule::guarded_flag),
    ("fastcall", Rule::guarded_flag),
    ("map_read", Rule::guarded_flag),
    ("map_write", Rule::guarded_flag),
    ("overload", Rule::overload_head),
];

/// What clauses of program types begin with.
pub(super) const PROG_TYPE: &[Row] = &[
    ("since", Rule::since_clause),
    ("until", Rule::until_clause),
    ("ctx", Rule::ctx_head),
    ("helpers", Rule::helpers_clause),
    ("packet", Rule::packet_clause),
    ("returns", Rule::exit_clause),
    ("ld_abs", Rule::flag_clause),
    ("private_stack", Rule::flag_clause),
    ("sleepable", Rule::flag_clause),
    ("unsupported", Rule::unsupported_clause),
    ("entry", Rule::entry_clause),
    ("attach", Rule::attach_clause),
    ("section", Rule::section_clause),
];

/// What rules about a context begin with.
pub(super) const CTX: &[Row] = &[
    ("deny", Rule::ctx_fields),
    ("read", Rule::ctx_fields),
    ("write", Rule::ctx_write),
    ("sizes", Rule::ctx_sizes),
];

/// What stands in policies.
pub(super) const POLICY: &[Row] = &[("allow", Rule::allow_clause)];

/// True when items begin with the word.
pub(super) fn is_item(word: &str) -> bool {
    ITEMS.iter().any(|row| row.0 == word)
}
