/* The platform firewall. Generated from its spec: edits are lost. */
#ifndef __FIREWALL_PLATFORM_H__
#define __FIREWALL_PLATFORM_H__

/* vmlinux.h and linux/types.h have these types already. */
#if !defined(__VMLINUX_H__) && !defined(_ASM_GENERIC_INT_LL64_H) && !defined(_UAPI_ASM_GENERIC_INT_LL64_H)
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
#endif

#ifndef SEC
#define SEC(name) __attribute__((section(name), used))
#endif
#ifndef __uint
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#endif

/* A connection that the host keeps. */
struct conn {
	__u64 packets;
	__u32 state;
	__u8 __pad12[4];
};

/* A packet as it comes in: what a plug-in is called with. */
struct frame {
	void *data;
	void *data_end;
	/* When it came, in nanoseconds. */
	__u64 time;
	/* The place in the chain of the plug-in that has it. */
	__u32 stage;
	/* The number of the network that it came from. */
	__u32 ingress;
};

/* What tells one connection from others, in the byte order of the network. */
struct conn_key {
	__u32 source;
	__u32 destination;
	__u16 ports[2];
	__u32 protocol;
};

/* Looks up the value stored under `key`. */
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *(*)(void *, const void *)) 1;

/*
 * Stores a copy of `value` under `key`. `flags`: `BPF_ANY`, `BPF_NOEXIST` only when the key
 * is new, `BPF_EXIST` only when it is not. 0, or a negative error.
 */
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (long (*)(void *, const void *, const void *, __u64)) 2;

/* Deletes what is stored under `key`. 0, or a negative error: elements of arrays stay. */
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (long (*)(void *, const void *)) 3;

/*
 * Runs the program at an index in the place of the rest of this one. Goes on here when there
 * is none, or after 33 such calls.
 */
static void (*const bpf_tail_call)(struct frame *ctx, void *prog_array_map, __u64 index) = (void (*)(struct frame *, void *, __u64)) 12;

/* Writes a line to the host's log. */
static void (*const log_line)(const void *text, __u32 size) = (void (*)(const void *, __u32)) 100;

/* The connection of a packet; null when there is none. */
extern struct conn *conn_lookup(const struct conn_key *key) __attribute__((section(".ksyms"), weak));

/* A new connection, in the place of one that may be there; null when there is no room. */
extern struct conn *conn_open(const struct conn_key *key) __attribute__((section(".ksyms"), weak));

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
};

enum {
	/* 0 drops a packet, 1 lets it pass, 2 answers that nobody is there. */
	FIREWALL_PROG_TYPE_FILTER = 1,
};

#endif /* __FIREWALL_PLATFORM_H__ */
