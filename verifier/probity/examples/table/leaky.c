// A function with a mistake: the cursor stays open when the table is empty.

#include "table.h"

#define SEC(name) __attribute__((section(name), used))

SEC("function/rows")
int rows(struct call *call)
{
	struct cursor *cursor = cursor_open(call->table);

	if (!cursor)
		return 1;
	if (!cursor->rows)
		return 1;
	call->result = cursor->rows;
	cursor_close(cursor);
	return 0;
}
