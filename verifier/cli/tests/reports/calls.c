// SPDX-License-Identifier: Apache-2.0 OR MIT
/* Mistakes with helpers: one a program. Compiled by build.sh. */
#include "reports.h"

struct {
	__uint(type, 27 /* BPF_MAP_TYPE_RINGBUF */);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct tuple {
	__u32 from, to;
	__be16 from_port, to_port;
};

SEC("xdp")
int helper_of_another_type(struct xdp_md *ctx)
{
	__u8 byte = 0;

	bpf_skb_load_bytes(ctx, 0, &byte, 1);
	return byte;
}

SEC("xdp")
int helper_that_does_not_exist(struct xdp_md *ctx)
{
	long (*const new_helper)(void *) = (void *)9999;

	return new_helper(ctx);
}

SEC("kprobe/do_nothing")
int helper_that_may_sleep(void *ctx)
{
	__u64 value = 0;

	bpf_copy_from_user(&value, sizeof(value), (void *)8);
	return 0;
}

SEC("tc")
int socket_not_released(struct __sk_buff *skb)
{
	struct tuple tuple = {};
	void *sock = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple), -1, 0);

	return sock != 0;
}

/* The early return forgets it. */
SEC("tc")
int socket_not_released_on_one_path(struct __sk_buff *skb)
{
	struct tuple tuple = {};
	void *sock = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple), -1, 0);

	if (!sock)
		return 0;
	if (skb->len > 100)
		return 1;
	bpf_sk_release(sock);
	return 0;
}

SEC("tc")
int socket_released_though_null(struct __sk_buff *skb)
{
	struct tuple tuple = {};
	void *sock = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple), -1, 0);

	bpf_sk_release(sock);
	return 0;
}

SEC("tc")
int socket_released_twice(struct __sk_buff *skb)
{
	struct tuple tuple = {};
	void *sock = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple), -1, 0);

	if (!sock)
		return 0;
	bpf_sk_release(sock);
	bpf_sk_release(sock);
	return 0;
}

/* The socket of the packet was lent, not acquired. */
SEC("tc")
__naked int socket_released_without_being_held(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 168)\nif r1 == 0 goto 1f\ncall 86\n1: r0 = 0\nexit");
}

SEC("tc")
__naked int socket_pointer_moved(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 168)\nif r1 == 0 goto 1f\nr2 = 4\nr1 += r2\nr1 *= 2\n1: r0 = 0\nexit");
}

SEC("tc")
int record_size_not_constant(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&ring, skb->len & 63, 0);

	if (record)
		bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tc")
int record_submitted_with_an_offset(struct __sk_buff *skb)
{
	char *record = bpf_ringbuf_reserve(&ring, 16, 0);

	if (record)
		bpf_ringbuf_submit(record + 8, 0);
	return 0;
}

SEC("tc")
int record_written_behind_its_end(struct __sk_buff *skb)
{
	char *record = bpf_ringbuf_reserve(&ring, 16, 0);

	if (!record)
		return 0;
	record[16] = 1;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("kprobe/do_nothing")
int kernel_memory_read_directly(void *ctx)
{
	__u64 *address = (void *)bpf_get_current_pid_tgid();

	return *address != 0;
}

char _license[] SEC("license") = "GPL";
