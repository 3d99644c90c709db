// Tables of functions that a kernel calls, and maps that user space sizes.
#include "bpf.h"

static long (*const bpf_ringbuf_output)(void *ring, void *data, __u64 size, __u64 flags) = (void *)130;

struct sock;

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);
	char name[16];
};

struct {
	__uint(type, 1);
	__type(key, __u32);
	__type(value, __u64);
} sized_later SEC(".maps");

struct {
	__uint(type, 27);
	__uint(max_entries, 5000);
} ring SEC(".maps");

SEC("struct_ops/init")
void on_init(__u64 *ctx)
{
}

SEC("struct_ops")
__u32 threshold(__u64 *ctx)
{
	return 2;
}

SEC("?struct_ops")
__u32 undo(__u64 *ctx)
{
	return 3;
}

SEC("struct_ops")
__u32 of_optional(__u64 *ctx)
{
	return 4;
}

SEC("?struct_ops")
__u32 of_none(__u64 *ctx)
{
	return 5;
}

SEC(".struct_ops")
struct tcp_congestion_ops first = {
	.init = (void *)on_init,
	.ssthresh = (void *)threshold,
	.name = "first",
};

SEC(".struct_ops.link")
struct tcp_congestion_ops second = {
	.ssthresh = (void *)threshold,
	.undo_cwnd = (void *)undo,
	.name = "second",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops third = {
	.undo_cwnd = (void *)of_optional,
	.name = "third",
};

SEC("socket")
int use_maps(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&sized_later, &key);

	return value ? *value : bpf_ringbuf_output(&ring, &key, sizeof(key), 0);
}

char _license[] SEC("license") = "GPL";
