// Functions of a user, which run over the rows of a table. Compile: see build.sh.

#include "table.h"

#define SEC(name) __attribute__((section(name), used))

// The sum of what is in the rows behind a cursor.
SEC("function/total")
int total(struct call *call)
{
	struct row_iter it;
	struct row *row;
	__u64 sum = 0;

	struct cursor *cursor = cursor_open(call->table);
	if (!cursor)
		return 1;
	row_iter_new(&it, cursor);
	while ((row = row_iter_next(&it)))
		sum += row->amount;
	row_iter_destroy(&it);
	cursor_close(cursor);
	call->result = sum;
	return 0;
}

struct search {
	__u64 least;
	__u64 found;
};

static int raise_amount(struct row *row, struct search *search)
{
	if (row->amount < search->least) {
		row->amount = search->least;
		row->flags |= 1;
		search->found++;
	}
	return 0;
}

// Raises what is less than the argument, in at most a hundred rows.
SEC("function/raise")
int raise(struct call *call)
{
	struct search search = { .least = call->argument };

	for_each_row(call->table, 100, raise_amount, &search);
	call->result = search.found;
	return 0;
}

// What the row with the argument's number holds.
SEC("function/lookup")
int lookup(struct call *call)
{
	struct row *row = row_get(call->argument);

	if (!row)
		return 1;
	call->result = row->amount;
	return 0;
}
