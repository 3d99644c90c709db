// SPDX-License-Identifier: Apache-2.0 OR MIT
/* Mistakes with contexts and exit values: one a program. Compiled by build.sh. */
#include "reports.h"

SEC("socket")
int field_not_for_this_type(struct __sk_buff *skb)
{
	return skb->tc_classid;
}

SEC("xdp")
int field_read_only(struct xdp_md *ctx)
{
	ctx->rx_queue_index = 1;
	return XDP_PASS;
}

SEC("xdp")
int field_read_in_part(struct xdp_md *ctx)
{
	return *((volatile __u8 *)&ctx->data + 1);
}

SEC("xdp")
int field_behind_the_struct(struct xdp_md *ctx)
{
	return *(volatile __u32 *)(ctx + 1);
}

SEC("tc")
__naked int context_moved(void)
{
	asm volatile("r1 += 8\nr0 = *(u32 *)(r1 + 0)\nexit");
}

SEC("tc")
__naked int context_at_a_variable_offset(void)
{
	asm volatile("r2 = *(u32 *)(r1 + 0)\nr2 &= 4\nr1 += r2\nr0 = *(u32 *)(r1 + 0)\nexit");
}

SEC("cgroup_skb/egress")
int exit_value_too_large(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("cgroup_skb/ingress")
int exit_value_of_an_error(struct __sk_buff *skb)
{
	__u8 byte;

	return bpf_skb_load_bytes(skb, 0, &byte, 1);
}

SEC("tc")
int context_used_atomically(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&skb->mark, 1);
	return 0;
}

/* One load, through the context on one path and through the stack on the other. */
SEC("tc")
__naked int pointers_mixed(void)
{
	asm volatile("r2 = *(u32 *)(r1 + 0)\n"
		     "*(u64 *)(r10 - 8) = r2\n"
		     "if r2 > 60 goto 1f\n"
		     "r1 = r10\n"
		     "r1 += -8\n"
		     "1: r0 = *(u32 *)(r1 + 0)\n"
		     "exit");
}

SEC("xdp")
__naked int packet_load_not_allowed(void)
{
	asm volatile("r6 = r1\nr0 = *(u8 *)skb[0]\nr0 = 0\nexit");
}

char _license[] SEC("license") = "Dual MIT/GPL";
