/* What the plug-ins of this folder share: maps, the headers of packets, the way through the chain. */
#pragma once
#include "firewall.h"

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

/* Writes a constant text to the log. */
#define LOG(text) log_line(text, sizeof(text) - 1)

enum verdict { DROP, PASS, REJECT };

struct eth_header {
	__u8 destination[6], source[6];
	__u16 protocol;
} __attribute__((packed));

struct ip_header {
	__u8 length : 4, version : 4, tos;
	__u16 total_length, id, fragment;
	__u8 ttl, protocol;
	__u16 checksum;
	__u32 source, destination;
};

struct tcp_header {
	__u16 source, destination;
	__u32 sequence, acknowledged;
	__u8 offset, flags;
	__u16 window, checksum, urgent;
};

enum { TCP = 6, FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* The plug-ins behind the first one, by their places. The host puts them there. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} chain SEC(".maps");

/* How many packets got which verdict; each run slot counts for itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

/* Counts a verdict, and gives it. */
static inline int decide(enum verdict verdict)
{
	__u32 key = verdict;
	__u64 *count = bpf_map_lookup_elem(&verdicts, &key);

	if (count)
		*count += 1;
	return verdict;
}

/* Hands a packet on; behind the last plug-in it passes. */
static inline int hand_on(struct frame *frame)
{
	frame->stage += 1;
	bpf_tail_call(frame, &chain, frame->stage);
	return decide(PASS);
}

/* The IP header of a frame; null when it has none. */
static inline struct ip_header *ip_of(struct frame *frame)
{
	struct eth_header *eth = frame->data;
	struct ip_header *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > frame->data_end || eth->protocol != __builtin_bswap16(0x0800))
		return 0;
	return ip->length == 5 ? ip : 0;
}

/* The TCP header of a frame; null when it has none. */
static inline struct tcp_header *tcp_of(struct frame *frame, struct ip_header *ip)
{
	struct tcp_header *tcp = (void *)(ip + 1);

	return ip->protocol == TCP && (void *)(tcp + 1) <= frame->data_end ? tcp : 0;
}
