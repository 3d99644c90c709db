// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * A small firewall. It drops packets from blocked addresses, and new TCP connections and UDP
 * datagrams to ports outside the configured range; it counts every packet by what became of it.
 */
#include "bpf.h"

enum { XDP_ABORTED, XDP_DROP, XDP_PASS };

struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
};

struct ethhdr {
	__u8 destination[6];
	__u8 source[6];
	__be16 protocol;
} __attribute__((packed));

struct iphdr {
	__u8 header_words : 4, version : 4;
	__u8 tos;
	__be16 total_length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__be32 source;
	__be32 destination;
};

struct tcphdr {
	__be16 source;
	__be16 destination;
	__be32 sequence;
	__be32 acknowledged;
	__u8 offset;
	__u8 flags;
	__be16 window;
	__u16 checksum;
	__be16 urgent;
};

struct udphdr {
	__be16 source;
	__be16 destination;
	__be16 length;
	__u16 checksum;
};

enum { ETH_P_IP = 0x0800, IPPROTO_TCP = 6, IPPROTO_UDP = 17, TCP_SYN = 2, TCP_ACK = 16 };

enum reason { PASSED, OTHER_PROTOCOL, MALFORMED, BLOCKED_ADDRESS, CLOSED_PORT, REASONS };

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct config {
	__u16 first_port;
	__u16 last_port;
	__u32 count_only; /* 1: nothing is dropped */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10000);
	__type(key, __be32);
	__type(value, struct counter);
} blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASONS);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config);
} settings SEC(".maps");

static __noinline int is_blocked(__be32 address, __u64 bytes)
{
	struct counter *hits = bpf_map_lookup_elem(&blocked, &address);

	if (!hits)
		return 0;
	__sync_fetch_and_add(&hits->packets, 1);
	__sync_fetch_and_add(&hits->bytes, bytes);
	return 1;
}

static __noinline int is_open(const struct config *config, void *transport, void *data_end,
			      __u8 protocol)
{
	__u16 port;

	if (protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = transport;

		if ((void *)(tcp + 1) > data_end)
			return 0;
		if ((tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
			return 1; /* part of a connection that was let in */
		port = bpf_ntohs(tcp->destination);
	} else {
		struct udphdr *udp = transport;

		if ((void *)(udp + 1) > data_end)
			return 0;
		port = bpf_ntohs(udp->destination);
	}
	return port >= config->first_port && port <= config->last_port;
}

static __always_inline enum reason classify(const struct config *config, void *data,
					    void *data_end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(eth + 1) > data_end)
		return MALFORMED;
	if (eth->protocol != bpf_htons(ETH_P_IP))
		return OTHER_PROTOCOL;
	if ((void *)(ip + 1) > data_end || ip->header_words < 5)
		return MALFORMED;
	if (is_blocked(ip->source, data_end - data))
		return BLOCKED_ADDRESS;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return OTHER_PROTOCOL;
	if (!is_open(config, (void *)ip + ip->header_words * 4, data_end, ip->protocol))
		return CLOSED_PORT;
	return PASSED;
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u32 key = 0;
	struct config *config = bpf_map_lookup_elem(&settings, &key);

	if (!config)
		return XDP_ABORTED;

	__u32 reason = classify(config, data, data_end);
	struct counter *counter = bpf_map_lookup_elem(&counters, &reason);

	if (counter) {
		counter->packets += 1;
		counter->bytes += data_end - data;
	}
	if (config->count_only)
		return XDP_PASS;
	return reason >= MALFORMED ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
