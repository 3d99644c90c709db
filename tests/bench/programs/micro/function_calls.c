/* Calls of a function in the program. */
#include "../program.h"

APART u64 step(u64 value)
{
	OPAQUE(value);
	return value + 3;
}

PROGRAM(function_calls)
{
	u64 value = 0;
	for (u32 i = 0; i < ITERATIONS; i++)
		value = step(value);
	return (u32)value;
}
