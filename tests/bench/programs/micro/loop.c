/* The loop that the other small programs have, with nothing in it. */
#include "../program.h"

PROGRAM(loop)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++)
		OPAQUE(i);
	return i;
}
