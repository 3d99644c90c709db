/* The 64-bit FNV-1a hash of a packet: a multiplication a byte. */
#include "program.h"

PROGRAM(fnv)
{
	u64 hash = 0xcbf29ce484222325ull;
	for (u32 i = 0; i < 1400; i++) {
		u8 *at = data + i;
		if (!HOLDS(at, 1))
			break;
		hash = (hash ^ *at) * 0x100000001b3ull;
	}
	return fold(hash);
}
