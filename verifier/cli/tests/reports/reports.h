/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the programs that are rejected on purpose share. */
#pragma once
#include "bpf.h"

#define __naked __attribute__((naked))

struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
	__u32 egress_ifindex;
};

/* The beginning of the context of socket programs: as much as is used here. */
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
	__u32 ingress_ifindex;
	__u32 ifindex;
	__u32 tc_index;
	__u32 cb[5];
	__u32 hash;
	__u32 tc_classid;
	__u32 data;
	__u32 data_end;
};

struct ethhdr {
	__u8 destination[6];
	__u8 source[6];
	__be16 protocol;
};

struct iphdr {
	__u8 header_words : 4, version : 4;
	__u8 tos;
	__be16 length;
	__u32 rest[4];
};

enum { XDP_DROP = 1, XDP_PASS = 2 };

/* Helpers that the example programs do without. */
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value,
					 __u64 flags) = (void *)2;
static long (*const bpf_trace_printk)(const char *format, __u32 size, ...) = (void *)6;
static __u32 (*const bpf_get_prandom_u32)(void) = (void *)7;
static long (*const bpf_xdp_adjust_head)(void *ctx, int delta) = (void *)44;
static void *(*const bpf_sk_lookup_tcp)(void *ctx, void *tuple, __u32 size, __u64 netns,
					__u64 flags) = (void *)84;
static long (*const bpf_sk_release)(void *sock) = (void *)86;
static long (*const bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
static void *(*const bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*const bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static long (*const bpf_copy_from_user)(void *to, __u32 size, const void *from) = (void *)148;
