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
    ("special_field", Rule::special_field_head),
    ("helper", Rule::helper_head),
    ("kfunc", Rule::kfunc_head),
    ("region", Rule::region_head),
    ("stack_object", Rule::stack_object_head),
    ("callback", Rule::callback_head),
    ("object", Rule::object_head),
    ("targets", Rule::targets_head),
    ("every", Rule::every_head),
    ("words", Rule::words_head),
    ("host", Rule::host_item),
    ("view", Rule::view_head),
    ("struct", Rule::struct_head),
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
    ("body", Rule::body_clause),
];

/// What clauses of helpers and kfuncs begin with. Kfuncs have no `overload`, helpers no `flags`.
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
    ("alias", Rule::alias_clause),
    ("exists", Rule::exists_clause),
    ("allowed", Rule::allowed_clause),
    ("flags", Rule::kfunc_flags_clause),
    ("enters", Rule::enters_clause),
    ("leaves", Rule::leaves_clause),
    ("constructs", Rule::constructs_clause),
    ("advances", Rule::to_clause),
    ("destroys", Rule::arg_clause),
    ("clones", Rule::to_clause),
    ("slices", Rule::arg_clause),
    ("disowns", Rule::arg_clause),
    ("calls", Rule::calls_clause),
    ("member", Rule::member_clause),
    ("formats", Rule::formats_clause),
    ("lifetime", Rule::lifetime_clause),
    ("throws", Rule::guarded_flag),
    ("body", Rule::body_clause),
    ("unsupported", Rule::unsupported_clause),
    ("gpl_only", Rule::guarded_flag),
    ("pkt_access", Rule::guarded_flag),
    ("might_sleep", Rule::guarded_flag),
    ("fastcall", Rule::guarded_flag),
    ("map_read", Rule::guarded_flag),
    ("map_write", Rule::guarded_flag),
    ("variadic", Rule::guarded_flag),
    ("overload", Rule::overload_head),
];

/// What clauses of program types begin with.
pub(super) const PROG_TYPE: &[Row] = &[
    ("since", Rule::since_clause),
    ("until", Rule::until_clause),
    ("ctx", Rule::ctx_head),
    ("helpers", Rule::helpers_clause),
    ("kfuncs", Rule::kfuncs_clause),
    ("packet", Rule::packet_clause),
    ("returns", Rule::exit_clause),
    ("ld_abs", Rule::flag_clause),
    ("private_stack", Rule::flag_clause),
    ("attach_checked", Rule::attach_checked),
    ("sleepable", Rule::sleepable_clause),
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

/// What lines of regions begin with.
pub(super) const REGION: &[Row] = &[
    ("inside", Rule::inside_prop),
    ("prints", Rule::prints_prop),
    ("forbids", Rule::names_clause),
    ("allows", Rule::names_clause),
    ("on_leave", Rule::on_leave_clause),
    ("implicit", Rule::implicit_clause),
    ("counted", Rule::flag_clause),
    ("ordered", Rule::flag_clause),
];

/// What lines of stack objects begin with.
pub(super) const STACK_OBJECT: &[Row] = &[("prints", Rule::prints_prop), ("state", Rule::state_clause)];

/// What lines of callbacks begin with.
pub(super) const CALLBACK: &[Row] = &[
    ("sync", Rule::flag_clause),
    ("async", Rule::flag_clause),
    ("sleepable", Rule::flag_clause),
    ("r1", Rule::callback_register),
    ("r2", Rule::callback_register),
    ("r3", Rule::callback_register),
    ("r4", Rule::callback_register),
    ("r5", Rule::callback_register),
    ("returns", Rule::callback_returns),
    ("forbids", Rule::names_clause),
];

/// What lines of objects begin with, apart from fields.
pub(super) const OBJECT: &[Row] = &[
    ("trusted", Rule::trust_clause),
    ("trusted_or_null", Rule::trust_clause),
    ("rcu", Rule::trust_clause),
    ("rcu_or_null", Rule::trust_clause),
    ("upcast", Rule::names_clause),
    ("external", Rule::flag_clause),
    ("rcu_protected", Rule::flag_clause),
    ("plain", Rule::flag_clause),
];

/// What lines of special fields begin with.
pub(super) const SPECIAL_FIELD: &[Row] = &[
    ("prints", Rule::prints_prop),
    ("size", Rule::size_clause),
    ("maps", Rule::names_clause),
    ("denied", Rule::denied_clause),
    ("unique", Rule::flag_clause),
];

/// What stands in `every`.
pub(super) const EVERY: &[Row] = &[
    ("gpl_only", Rule::flag_clause),
    ("pkt_access", Rule::flag_clause),
    ("might_sleep", Rule::flag_clause),
    ("fastcall", Rule::flag_clause),
];

/// What stands in policies.
pub(super) const POLICY: &[Row] = &[("allow", Rule::allow_clause), ("follow", Rule::allow_clause)];

/// True when items begin with the word.
pub(super) fn is_item(word: &str) -> bool {
    ITEMS.iter().any(|row| row.0 == word)
}
