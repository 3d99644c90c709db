// SPDX-License-Identifier: Apache-2.0 OR MIT
/* Mistakes with packets: one a program. Compiled by build.sh. */
#include "reports.h"

SEC("xdp")
int packet_not_compared(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if (eth->protocol == bpf_htons(0x0800))
		return XDP_DROP;
	return XDP_PASS;
}

SEC("xdp")
int packet_compared_too_little(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(eth + 1) > data_end)
		return XDP_PASS;
	if (ip->version == 4)
		return XDP_DROP;
	return XDP_PASS;
}

/* The comparison is of the header, the access of what lies behind its options. */
SEC("xdp")
int packet_moved_after_comparison(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data;
	__be16 *port;

	if ((void *)(ip + 1) > data_end)
		return XDP_PASS;
	port = data + ip->header_words * 4;
	return *port == bpf_htons(80) ? XDP_DROP : XDP_PASS;
}

/* The packet may have moved: what pointed into it points nowhere. */
SEC("xdp")
int packet_used_after_it_moved(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > data_end)
		return XDP_PASS;
	if (bpf_xdp_adjust_head(ctx, -14))
		return XDP_PASS;
	eth->protocol = 0;
	return XDP_PASS;
}

SEC("cgroup_skb/ingress")
int packet_written_where_read_only(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;

	if ((void *)(data + 1) > data_end)
		return 1;
	*data = 0;
	return 1;
}

SEC("xdp")
int packet_passed_to_helper(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;

	if ((void *)(data + 8) > data_end)
		return XDP_PASS;
	bpf_trace_printk(data, 8);
	return XDP_PASS;
}

/* Nothing bounds the offset. */
SEC("xdp")
int packet_offset_not_bounded(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	__u8 *at = (void *)(long)ctx->data;
	__u64 offset = bpf_ktime_get_ns();

	at += offset;
	if ((void *)(at + 1) > data_end)
		return XDP_PASS;
	return *at ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
