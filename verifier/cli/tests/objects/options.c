// What comes from the kernel: options of its configuration, and the place of a member.
#include "bpf.h"

extern unsigned int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));
extern _Bool CONFIG_BPF __attribute__((section(".kconfig"), weak));

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

SEC("socket")
int versions(void *ctx)
{
	if (LINUX_KERNEL_VERSION < (4 << 16) || !CONFIG_BPF)
		// Reads what was never written: rejected.
		return *(volatile int *)0;
	return 0;
}

SEC("socket")
int place(void *ctx)
{
	return __builtin_preserve_field_info(((struct task_struct *)0)->tgid, 0);
}

char _license[] SEC("license") = "GPL";
