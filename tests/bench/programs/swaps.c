/* Byte swaps and shifts, of 16, 32 and 64 bits. */
#include "program.h"

PROGRAM(swaps)
{
	u64 mixed = 0;
	if (!HOLDS(data, 1440))
		return 0;
	PASSES(5) {
		for (u32 i = 0; i < 180; i++) {
			u64 word = read64(data + i * 8);
			mixed ^= __builtin_bswap64(word) >> (i & 31);
			mixed += (u64)__builtin_bswap32((u32)(word >> 16)) << (i & 15);
			mixed ^= __builtin_bswap16((u16)(mixed >> 5));
			mixed = (u64)((long long)mixed >> 1) ^ (mixed << 7);
		}
	}
	return fold(mixed);
}
