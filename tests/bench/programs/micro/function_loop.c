/* What `function_calls` does, without the calls. */
#include "../program.h"

PROGRAM(function_loop)
{
	u64 value = 0;
	for (u32 i = 0; i < ITERATIONS; i++) {
		OPAQUE(value);
		value += 3;
	}
	return (u32)value;
}
