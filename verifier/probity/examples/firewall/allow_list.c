/* The first plug-in: only listed addresses come in. */
#include "plugin.h"

/* Addresses, and how many packets came from each. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__type(key, __u32);
	__type(value, __u64);
} allowed SEC(".maps");

SEC("filter")
int allow_list(struct frame *frame)
{
	struct ip_header *ip = ip_of(frame);
	__u32 source;
	__u64 *packets;

	if (!ip)
		return decide(DROP);
	source = ip->source;
	packets = bpf_map_lookup_elem(&allowed, &source);
	if (!packets) {
		LOG("a packet from a stranger");
		return decide(DROP);
	}
	__sync_fetch_and_add(packets, 1);
	return hand_on(frame);
}
