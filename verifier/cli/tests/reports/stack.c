// SPDX-License-Identifier: Apache-2.0 OR MIT
/* Mistakes with the stack and with functions: one a program. Compiled by build.sh. */
#include "reports.h"

SEC("tc")
int stack_index_too_large(struct __sk_buff *skb)
{
	volatile __u8 seen[16] = {};

	seen[skb->queue_mapping & 31] = 1;
	return seen[3];
}

SEC("tc")
int size_not_bounded(struct __sk_buff *skb)
{
	__u8 buffer[32];
	__u32 size = skb->len;

	bpf_skb_load_bytes(skb, 0, buffer, size);
	return 0;
}

SEC("tc")
int size_may_be_zero(struct __sk_buff *skb)
{
	__u8 buffer[32];
	__u32 size = skb->len;

	if (size > sizeof(buffer))
		return 0;
	bpf_skb_load_bytes(skb, 0, buffer, size);
	return 0;
}

SEC("tc")
int size_may_be_negative(struct __sk_buff *skb)
{
	__u8 buffer[32];
	long size = (int)skb->len;

	if (size > (long)sizeof(buffer))
		return 0;
	asm volatile("r1 = %0\nr2 = 0\nr3 = %1\nr4 = %2\ncall 26"
		     : : "r"(skb), "r"(buffer), "r"(size) : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
	return 0;
}

SEC("tc")
int size_larger_than_the_buffer(struct __sk_buff *skb)
{
	__u8 buffer[32];

	bpf_skb_load_bytes(skb, 0, buffer, 64);
	return 0;
}

SEC("tc")
__naked int stack_too_deep(void)
{
	asm volatile("r0 = 0\n*(u64 *)(r10 - 520) = r0\nexit");
}

SEC("tc")
__naked int stack_misaligned(void)
{
	asm volatile("r0 = 0\n*(u64 *)(r10 - 12) = r0\nexit");
}

SEC("tc")
__naked int pointer_stored_in_part(void)
{
	asm volatile("*(u32 *)(r10 - 8) = r1\nr0 = 0\nexit");
}

static __naked __noinline __attribute__((used)) void *local_address(void)
{
	asm volatile("r0 = r10\nr0 += -8\nexit");
}

SEC("tc")
__naked int stack_pointer_returned(void)
{
	asm volatile("call local_address\nr0 = 0\nexit");
}

static __noinline int deep(struct __sk_buff *skb)
{
	volatile __u8 large[300] = {};

	large[skb->hash & 255] = 1;
	return large[7];
}

SEC("tc")
int stack_of_the_chain_too_deep(struct __sk_buff *skb)
{
	volatile __u8 large[300] = {};

	large[skb->hash & 255] = 1;
	return deep(skb) + large[7];
}

#define CALLS(name, next)                                                       \
	static __noinline int name(struct __sk_buff *skb)                       \
	{                                                                       \
		volatile int kept = next(skb);                                  \
		return kept;                                                    \
	}
static __noinline int last(struct __sk_buff *skb)
{
	return skb->len;
}
CALLS(seventh, last)
CALLS(sixth, seventh)
CALLS(fifth, sixth)
CALLS(fourth, fifth)
CALLS(third, fourth)
CALLS(second, third)
CALLS(first, second)

SEC("tc")
int calls_too_deep(struct __sk_buff *skb)
{
	volatile int kept = first(skb);

	return kept & 1;
}

SEC("tc")
__naked int register_never_set(void)
{
	asm volatile("r0 = r7\nexit");
}

SEC("tc")
__naked int result_set_on_one_path_only(void)
{
	asm volatile("r2 = *(u32 *)(r1 + 0)\nif r2 > 60 goto 1f\nr0 = 0\n1: exit");
}

SEC("tc")
__naked int register_destroyed_by_a_call(void)
{
	asm volatile("r6 = r1\n"
		     "call 5\n"
		     "r0 = *(u32 *)(r1 + 0)\n"
		     "exit");
}

char _license[] SEC("license") = "Dual MIT/GPL";
