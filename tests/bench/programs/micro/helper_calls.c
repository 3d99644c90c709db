/* Calls of a helper that takes nothing and does next to nothing; the kernel puts it in their place. */
#include "../program.h"

PROGRAM(helper_calls)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++)
		processor();
	return i;
}
