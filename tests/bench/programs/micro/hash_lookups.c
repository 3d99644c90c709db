/* Look-ups in a hash table, and an increment of what was found. The first run fills it. */
#include "../program.h"

MAP(counters, HASH, u32, u64, 1024);

PROGRAM(hash_lookups)
{
	u32 i = 0;
	for (; i < ITERATIONS; i++) {
		u32 key = i & 63;
		u64 *value = map_lookup(&counters, &key);
		if (!value) {
			u64 first = 1;
			map_update(&counters, &key, &first, 0);
			continue;
		}
		++*value;
	}
	return i;
}
