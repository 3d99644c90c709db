/* Calls of a helper that takes nothing and does next to nothing, and that nobody puts in their place. */
#include "../program.h"

PROGRAM(body_calls)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++)
		memory_node();
	return i;
}
