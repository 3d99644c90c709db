// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * Programs to run: each shows one thing of `probity run`.
 */
#include "bpf.h"

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX };
enum { TC_ACT_OK, TC_ACT_SHOT = 2 };
enum { ETH_P_IP = 0x0800 };

static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value,
					 __u64 flags) = (void *)2;
static long (*const bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)23;
static long (*const bpf_xdp_adjust_head)(void *ctx, int delta) = (void *)44;

struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
};

struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol;
	__u32 vlan[3];
	__u32 priority;
	__u32 ingress_ifindex;
	__u32 ifindex;
	__u32 tc_index;
	__u32 cb[5];
};

struct ethhdr {
	__u8 destination[6];
	__u8 source[6];
	__be16 protocol;
};

struct flow {
	__be16 protocol;
	__u8 broadcast : 1, first : 7;
	__u8 zero;
};

struct seen {
	__u64 packets;
	__u64 bytes;
	__s32 last;
	__u8 destination[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct flow);
	__type(value, struct seen);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} steps SEC(".maps");

__u32 limit = 1500;

/* Swaps the addresses of a frame and sends it back. */
SEC("xdp")
int swap(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	for (int i = 0; i < 6; i++) {
		__u8 byte = eth->destination[i];

		eth->destination[i] = eth->source[i];
		eth->source[i] = byte;
	}
	return XDP_TX;
}

/* Counts frames by EtherType. */
SEC("xdp")
int count(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	__u64 bytes = (long)ctx->data_end - (long)ctx->data;
	struct flow flow = {};
	struct seen *seen, first = { .packets = 1, .bytes = bytes, .last = -1 };
	__u32 key = 1;
	__u64 *total = bpf_map_lookup_elem(&totals, &key);

	if (total)
		*total += 1;
	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	flow.protocol = eth->protocol;
	flow.broadcast = eth->destination[0] == 0xff;
	flow.first = eth->destination[0] & 0x3f;
	seen = bpf_map_lookup_elem(&flows, &flow);
	if (seen) {
		seen->packets += 1;
		seen->bytes += bytes;
	} else {
		__builtin_memcpy(first.destination, eth->destination, 6);
		bpf_map_update_elem(&flows, &flow, &first, 0);
	}
	return bytes > limit ? XDP_DROP : XDP_PASS;
}

/* Puts a tag of four bytes in front. */
SEC("xdp")
int grow(struct xdp_md *ctx)
{
	__u32 *tag;

	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_ABORTED;
	tag = (void *)(long)ctx->data;
	if ((void *)(tag + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*tag = 0x04030201;
	return XDP_PASS;
}

/* Goes on in another program. */
SEC("xdp")
int enter(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &steps, 1);
	return XDP_ABORTED;
}

/* Is not accepted: the value may be null. */
SEC("xdp")
int trusting(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex + 6;
	__u64 *total = bpf_map_lookup_elem(&totals, &key);

	return *total ? XDP_PASS : XDP_DROP;
}

/* Needs what only a kernel has. */
SEC("xdp")
int away(struct xdp_md *ctx)
{
	return bpf_redirect(ctx->ingress_ifindex, 0);
}

/* Marks what is not IPv4. */
SEC("tc")
int mark(struct __sk_buff *skb)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	skb->mark = skb->len;
	skb->cb[2] = skb->ifindex + skb->priority;
	return TC_ACT_SHOT;
}

/* Keeps the first half. */
SEC("socket")
int half(struct __sk_buff *skb)
{
	return skb->len / 2;
}

struct sum {
	__u64 numbers[3];
	__u64 sum;
};

/* Sums up what the process passes along. */
SEC("syscall")
int add(struct sum *args)
{
	__u64 sum = 0;

	for (int i = 0; i < 3; i++)
		sum += args->numbers[i];
	args->sum = sum;
	return sum ? 0 : -22;
}

char _license[] SEC("license") = "Dual MIT/GPL";
