/* Calls of a helper that takes nothing and does next to nothing: the call itself is measured. The
 * kernel puts its body in the place of the call. */
#include "../program.h"

PROGRAM(helper_calls)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++)
		processor();
	return i;
}
