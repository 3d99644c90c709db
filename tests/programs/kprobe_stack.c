// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * Reports the files that processes open. The event is built in a buffer on the stack and sent
 * through a perf buffer; processes that open many files go on in a second program by a tail call.
 */
#include "bpf.h"

enum { BPF_F_CURRENT_CPU = -1U, COUNTED = 64, BUSY = 1000 };

/* x86-64: the registers of the probed function's caller. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct event {
	__u64 time;
	__u32 process;
	__u32 thread;
	__u64 opened;
	char command[16];
	char path[128];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTED);
	__type(key, __u32);
	__type(value, __u64);
} opened SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} next SEC(".maps");

static __noinline __u64 count(__u32 process)
{
	__u32 key = process % COUNTED;
	__u64 *value = bpf_map_lookup_elem(&opened, &key);

	if (!value)
		return 0;
	return __sync_fetch_and_add(value, 1) + 1;
}

SEC("kprobe/do_sys_openat2")
int opening(struct pt_regs *ctx)
{
	struct event event = {};
	__u64 id = bpf_get_current_pid_tgid();

	event.time = bpf_ktime_get_ns();
	event.process = id >> 32;
	event.thread = id;
	event.opened = count(event.process);
	if (event.opened > BUSY)
		bpf_tail_call(ctx, &next, 1);

	bpf_get_current_comm(event.command, sizeof(event.command));
	long length = bpf_probe_read_user_str(event.path, sizeof(event.path), (void *)ctx->si);
	if (length < 0)
		return 0;

	/* Only as much of the path as there is. */
	__u64 size = sizeof(event) - sizeof(event.path) + length;
	if (size > sizeof(event))
		return 0;
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, size);
	return 0;
}

SEC("kprobe/do_sys_openat2")
int opening_busy(struct pt_regs *ctx)
{
	__u64 short_event[2];

	short_event[0] = bpf_ktime_get_ns();
	short_event[1] = bpf_get_current_pid_tgid();
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, short_event, sizeof(short_event));
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
