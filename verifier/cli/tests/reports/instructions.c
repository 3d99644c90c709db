// SPDX-License-Identifier: Apache-2.0 OR MIT
/* Instructions that no compiler writes, and loops: one a program. Compiled by build.sh. */
#include "reports.h"

SEC("tc")
__naked int frame_pointer_changed(void)
{
	asm volatile("r10 += 8\nr0 = 0\nexit");
}

SEC("tc")
__naked int shift_too_wide(void)
{
	asm volatile("r0 = 1\nr0 <<= 64\nexit");
}

SEC("tc")
__naked int divided_by_zero(void)
{
	asm volatile("r0 = 1\nr0 /= 0\nexit");
}

SEC("tc")
__naked int opcode_unknown(void)
{
	asm volatile(".8byte 0xef\nr0 = 0\nexit");
}

/* A move with an offset that means nothing. */
SEC("tc")
__naked int field_reserved(void)
{
	asm volatile(".8byte 0x00000000007700b7\nexit");
}

SEC("tc")
__naked int register_that_does_not_exist(void)
{
	asm volatile(".8byte 0x0000000000000cb7\nr0 = 0\nexit");
}

SEC("tc")
__naked int jump_out_of_the_program(void)
{
	asm volatile("r0 = 0\ngoto +100\nexit");
}

SEC("tc")
__naked int jump_into_a_load(void)
{
	asm volatile("r0 = 0\nif r1 == 0 goto +1\nr0 = 0x1122334455667788 ll\nexit");
}

SEC("tc")
__naked int end_without_exit(void)
{
	asm volatile("r0 = 0");
}

SEC("tc")
__naked int code_that_nothing_reaches(void)
{
	asm volatile("r0 = 0\nexit\nr0 = 1\nexit");
}

SEC("tc")
int loop_without_an_end(struct __sk_buff *skb)
{
	for (;;)
		asm volatile("");
	return 0;
}

SEC("tc")
int loop_too_long(struct __sk_buff *skb)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < 2000000; i++)
		asm volatile("%0 += %1" : "+r"(sum) : "r"(i));
	return sum & 1;
}

SEC("tc")
__naked int context_multiplied(void)
{
	asm volatile("r0 = 0\nr1 *= 2\nexit");
}

SEC("tc")
__naked int load_in_two_halves_that_differ(void)
{
	asm volatile(".8byte 0x18\n.8byte 0x01\nexit");
}

char _license[] SEC("license") = "Dual MIT/GPL";
