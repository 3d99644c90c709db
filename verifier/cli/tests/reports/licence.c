// SPDX-License-Identifier: Apache-2.0 OR MIT
/* A helper that wants another licence than the object has. Compiled by build.sh. */
#include "reports.h"

SEC("kprobe/do_nothing")
int helper_wants_another_licence(void *ctx)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), ctx);
	return value != 0;
}

char _license[] SEC("license") = "Apache-2.0";
