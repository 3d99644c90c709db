/* What every program of the benchmark begins with: one source, four targets.
 *
 *   PROGRAM(name) { ... }
 *
 * is a function of `data` and `end`, the first byte of a packet and the one behind its last. What
 * it is entered with depends on the target:
 *
 *   FOR_XDP       a `struct xdp_md`, as Linux has it
 *   FOR_POINTERS  the address of two 64-bit pointers: rbpf, which has no context of 32-bit fields
 *   FOR_MEMORY    the packet in r1, its length in r2: the convention of conformance suites
 *   FOR_NATIVE    the two pointers, as arguments of an exported function
 */
#ifndef PROGRAM_H
#define PROGRAM_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))

/* The bounds check that verifiers ask for. */
#define HOLDS(from, size) ((from) + (size) <= end)

/* How often a small program does the one thing that is measured. */
#ifndef ITERATIONS
#define ITERATIONS 1000
#endif

/* Does something several times over, so that entering the program is nothing beside it. */
#define PASSES(count)                                                                    \
	_Pragma("clang loop unroll(disable)") for (u32 pass = 0; pass < (count); pass++)

/* A value that the compiler knows nothing about: keeps a loop a loop. */
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))

/* Reads at multiples of their size: elsewhere a compiler for BPF would read byte by byte. */
INLINE u16 read16(const u8 *at) { return *(const u16 *)at; }
INLINE u32 read32(const u8 *at) { return *(const u32 *)at; }
INLINE u64 read64(const u8 *at) { return *(const u64 *)at; }

INLINE u32 fold(u64 value) { return (u32)(value ^ (value >> 32)); }

#define BODY(name) INLINE u32 name##_body(u8 *data, u8 *end)

#if defined(FOR_XDP)

struct xdp_md {
	u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

#define PROGRAM(name)                                                                    \
	BODY(name);                                                                      \
	SECTION("xdp") u32 name(struct xdp_md *ctx)                                      \
	{                                                                                \
		return name##_body((u8 *)(long)ctx->data, (u8 *)(long)ctx->data_end);    \
	}                                                                                \
	BODY(name)

#elif defined(FOR_POINTERS)

struct pointers {
	u8 *data, *end;
};

#define PROGRAM(name)                                                                    \
	BODY(name);                                                                      \
	SECTION("xdp") u32 name(struct pointers *ctx)                                    \
	{                                                                                \
		return name##_body(ctx->data, ctx->end);                                 \
	}                                                                                \
	BODY(name)

#elif defined(FOR_MEMORY)

#define PROGRAM(name)                                                                    \
	BODY(name);                                                                      \
	SECTION("xdp") u32 name(u8 *data, u64 length)                                    \
	{                                                                                \
		return name##_body(data, data + length);                                 \
	}                                                                                \
	BODY(name)

#elif defined(FOR_NATIVE)

#define PROGRAM(name)                                                                    \
	BODY(name);                                                                      \
	u32 name(u8 *data, u8 *end)                                                      \
	{                                                                                \
		return name##_body(data, end);                                           \
	}                                                                                \
	BODY(name)

#else
#error "no target: define FOR_XDP, FOR_POINTERS, FOR_MEMORY or FOR_NATIVE"
#endif

#ifdef __bpf__

char licence[] SECTION("license") = "Apache-2.0 OR MIT";

/* Helpers by their numbers. */
static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u32 (*const processor)(void) = (void *)8;
static u32 (*const memory_node)(void) = (void *)42;
/* A function of the benchmark's own platform. */
static u64 (*const host_mix)(u64 value, u64 with) = (void *)100;

/* A map: MAP(name, its type's number, key, value, entries). */
#define MAP(name, number, key_type, value_type, entries)                                 \
	struct {                                                                         \
		int (*type)[number];                                                     \
		key_type *key;                                                           \
		value_type *value;                                                       \
		int (*max_entries)[entries];                                             \
	} name SECTION(".maps")
#define ARRAY 2
#define HASH 1

#else

/* Like rbpf's, next to nothing behind a call. */
APART u32 processor(void)
{
	static u32 number;
	OPAQUE(number);
	return number;
}

APART u32 memory_node(void)
{
	static u32 number;
	OPAQUE(number);
	return number;
}

/* What a host would do. */
APART u64 host_mix(u64 value, u64 with)
{
	OPAQUE(value);
	return (value ^ with) + 3;
}

#endif
#endif
