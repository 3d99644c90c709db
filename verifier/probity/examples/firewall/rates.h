/* What the versions of the limiter share: a new version goes on where the old one was. */
#pragma once
#include "plugin.h"

struct rate {
	__u64 second;
	__u64 packets;
};

/* How many packets each address sent in a second. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__type(key, __u32);
	__type(value, struct rate);
} rates SEC(".maps");

/* Place 0: how many packets a second are allowed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} limit SEC(".maps");

/* Counts a packet; true when its sender sent too many in this second. */
static inline int too_many(struct frame *frame, __u32 source)
{
	struct rate first = { .second = frame->time / 1000000000, .packets = 1 };
	struct rate *rate = bpf_map_lookup_elem(&rates, &source);
	__u32 zero = 0;
	__u64 *most;

	if (!rate || rate->second != first.second) {
		bpf_map_update_elem(&rates, &source, &first, 0);
		return 0;
	}
	rate->packets += 1;
	most = bpf_map_lookup_elem(&limit, &zero);
	return most && rate->packets > *most;
}
