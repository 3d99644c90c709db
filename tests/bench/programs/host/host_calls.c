/* Calls of a function of the host, with two numbers; each needs what the one before gave. */
#include "../program.h"

PROGRAM(host_calls)
{
	u64 value = 1;
	for (u32 i = 0; i < ITERATIONS; i++)
		value = host_mix(value, i);
	return fold(value);
}
