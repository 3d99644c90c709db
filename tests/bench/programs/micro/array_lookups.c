/* Look-ups in an array, and an increment of what was found. */
#include "../program.h"

MAP(counters, ARRAY, u32, u64, 64);

PROGRAM(array_lookups)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++) {
		u32 key = i & 63;
		u64 *value = map_lookup(&counters, &key);
		if (!value)
			break;
		++*value;
	}
	return i;
}
