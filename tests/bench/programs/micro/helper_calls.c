/* Calls of a helper that takes nothing and does little. */
#include "../program.h"

PROGRAM(helper_calls)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++)
		random_number();
	return i;
}
