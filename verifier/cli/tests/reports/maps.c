// SPDX-License-Identifier: Apache-2.0 OR MIT
/* Mistakes with maps: one a program. Compiled by build.sh. */
#include "reports.h"

struct counts {
	__u64 of[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} events SEC(".maps");

const volatile __u32 limit = 5;

SEC("xdp")
int value_not_compared_with_null(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index;
	struct counts *value = bpf_map_lookup_elem(&counts, &key);

	value->of[3]++;
	return XDP_PASS;
}

SEC("xdp")
int value_index_not_bounded(struct xdp_md *ctx)
{
	__u32 key = 0, index = ctx->rx_queue_index;
	struct counts *value = bpf_map_lookup_elem(&counts, &key);

	if (!value)
		return XDP_PASS;
	value->of[index]++;
	return XDP_PASS;
}

/* One more than there are. */
SEC("xdp")
int value_index_bounded_too_late(struct xdp_md *ctx)
{
	__u32 key = 0, index = ctx->rx_queue_index;
	struct counts *value = bpf_map_lookup_elem(&counts, &key);

	if (!value || index > 16)
		return XDP_PASS;
	value->of[index]++;
	return XDP_PASS;
}

SEC("xdp")
int value_index_negative(struct xdp_md *ctx)
{
	__u32 key = 0;
	int index = ctx->rx_queue_index;
	struct counts *value = bpf_map_lookup_elem(&counts, &key);

	if (!value || index >= 16)
		return XDP_PASS;
	value->of[index]++;
	return XDP_PASS;
}

/* Bounded from both sides, and the lower bound is wrong. */
SEC("xdp")
int value_index_below_zero(struct xdp_md *ctx)
{
	__u32 key = 0;
	long index = (int)ctx->rx_queue_index;
	__u8 *value = bpf_map_lookup_elem(&counts, &key);

	if (!value || index >= 16 || index < -4)
		return XDP_PASS;
	value[index]++;
	return XDP_PASS;
}

SEC("xdp")
int value_read_behind_its_end(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct counts *value = bpf_map_lookup_elem(&counts, &key);

	return value ? (value + 1)->of[0] & 1 : 0;
}

SEC("xdp")
int constant_written(struct xdp_md *ctx)
{
	*(volatile __u32 *)&limit = 6;
	return XDP_PASS;
}

SEC("xdp")
int map_type_not_taken(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&events, &key) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int key_may_be_null(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct counts *value = bpf_map_lookup_elem(&counts, &key);

	return bpf_map_lookup_elem(&counts, value) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int context_for_a_map(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(ctx, &key) ? XDP_PASS : XDP_DROP;
}

/* The value has 128 bytes, the variable 8. */
SEC("xdp")
int value_too_short(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 value = 1;

	bpf_map_update_elem(&counts, &key, &value, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
