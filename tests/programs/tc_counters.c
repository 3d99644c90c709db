// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * Statistics of a queue: a histogram of packet sizes, packets and bytes for each class, and a
 * checksum of the first bytes. Global variables, a bounded loop, and arithmetic on map values.
 */
#include "bpf.h"

enum { TC_ACT_OK = 0, TC_ACT_SHOT = 2 };
enum { BUCKETS = 16, CLASSES = 8, SAMPLE = 32 };

struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol;
	__u32 vlan_present;
	__u32 vlan_tci;
	__u32 vlan_proto;
	__u32 priority;
};

struct totals {
	__u64 packets[CLASSES];
	__u64 bytes[CLASSES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct totals);
} totals SEC(".maps");

const volatile __u32 largest = 9000; /* .rodata: a longer packet is dropped */
const volatile __u32 sample = 16; /* .rodata: how many bytes are summed */
__u64 histogram[BUCKETS]; /* .bss: by the logarithm of the size */
__u32 checksum = 1; /* .data */

static __noinline __u32 logarithm(__u32 value)
{
	__u32 result = 0;

	for (int i = 0; i < 32 && value > 1; i++) {
		value >>= 1;
		result++;
	}
	return result;
}

static __always_inline void add_sample(struct __sk_buff *skb)
{
	__u8 bytes[SAMPLE] = {};
	__u32 sum = checksum;

	if (bpf_skb_load_bytes(skb, 0, bytes, sizeof(bytes)) < 0)
		return;
	for (__u32 i = 0; i < SAMPLE && i < sample; i++)
		sum = sum * 31 + bytes[i];
	checksum = sum;
}

SEC("tc")
int count(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u32 class = skb->priority & (CLASSES - 1);
	__u32 bucket = logarithm(skb->len);
	struct totals *total = bpf_map_lookup_elem(&totals, &key);

	if (!total)
		return TC_ACT_OK;
	if (bucket < BUCKETS)
		__sync_fetch_and_add(&histogram[bucket], 1);
	__sync_fetch_and_add(&total->packets[class], 1);
	__sync_fetch_and_add(&total->bytes[class], skb->len);
	add_sample(skb);
	return skb->len > largest ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual MIT/GPL";
