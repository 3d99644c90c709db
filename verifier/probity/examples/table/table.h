/* The platform table. Generated from its spec: edits are lost. */
#ifndef __TABLE_PLATFORM_H__
#define __TABLE_PLATFORM_H__

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

/* What a function is called with. */
struct call {
	__u32 table;
	__u32 argument;
	__u64 result;
};

/* A cursor on a table, which must be closed. */
struct cursor {
	__u64 rows;
};

/* A row of the table that the call is about. */
struct row {
	__u64 id;
	__u64 amount;
	__u32 flags;
	__u8 __pad20[4];
};


/* The rows behind a cursor, one after the other. */
struct row_iter {
	__u64 opaque[2];
};

/* Closes a cursor. */
extern void cursor_close(struct cursor *cursor) __attribute__((section(".ksyms"), weak));

/* Opens a cursor. */
extern struct cursor *cursor_open(__u32 table) __attribute__((section(".ksyms"), weak));

/* Calls `visit` for at most `most` rows of a table. */
extern long long for_each_row(__u32 table, __u32 most, void *visit, void *ctx) __attribute__((section(".ksyms"), weak));

/* The row with a number, or null. */
extern struct row *row_get(__u64 id) __attribute__((section(".ksyms"), weak));

/* Ends the walk. */
extern void row_iter_destroy(struct row_iter *it) __attribute__((section(".ksyms"), weak));

/* Begins to walk the rows of a cursor. */
extern int row_iter_new(struct row_iter *it, struct cursor *cursor) __attribute__((section(".ksyms"), weak));

/* The next row, or null behind the last. */
extern struct row *row_iter_next(struct row_iter *it) __attribute__((section(".ksyms"), weak));

/* Holds the table still. */
extern void table_lock(__u32 table) __attribute__((section(".ksyms"), weak));

/* Lets the table go. */
extern void table_unlock(__u32 table) __attribute__((section(".ksyms"), weak));

enum {
	TABLE_PROG_TYPE_FUNCTION = 1,
};

#endif /* __TABLE_PLATFORM_H__ */
