// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * One small program for each kind of verdict that the command can give. Compiled by build.sh.
 */
#include "bpf.h"

struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, __u64);
} values SEC(".maps");

SEC("xdp")
int fine(struct xdp_md *ctx)
{
	return 2;
}

/* The value may be null. */
SEC("xdp")
int no_null_check(struct xdp_md *ctx)
{
	__u64 key = 1;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return *value;
}

/* The packet is no key: the spec of the helper demands memory of the key's size. */
SEC("xdp")
int context_as_key(struct xdp_md *ctx)
{
	return bpf_map_lookup_elem(&values, ctx) != 0;
}

/* Half of the key lies above the frame. */
SEC("xdp")
int short_key(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&values, &key) != 0;
}

/* Loaded only when asked for. */
SEC("?xdp")
int optional(struct xdp_md *ctx)
{
	return 2;
}

/* A section that says no program type. */
SEC("my/section")
int untyped(struct xdp_md *ctx)
{
	return 2;
}

char _license[] SEC("license") = "Dual MIT/GPL";
