/* Tricks with bits: how many are set, the lowest, the highest, reversed order, parity. */
#include "program.h"

INLINE u64 ones(u64 x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return x * 0x0101010101010101ull >> 56;
}

INLINE u64 reversed(u64 x)
{
	x = (x >> 1 & 0x5555555555555555ull) | (x & 0x5555555555555555ull) << 1;
	x = (x >> 2 & 0x3333333333333333ull) | (x & 0x3333333333333333ull) << 2;
	return (x >> 4 & 0x0f0f0f0f0f0f0f0full) | (x & 0x0f0f0f0f0f0f0f0full) << 4;
}

PROGRAM(bits)
{
	u64 sum = 0;
	if (!HOLDS(data, 800))
		return 0;
	PASSES(5) {
		for (u32 i = 0; i < 100; i++) {
			u64 x = read64(data + i * 8), low = x & -x, parity = x;
			parity ^= parity >> 32;
			parity ^= parity >> 16;
			parity ^= parity >> 8;
			parity = 0x6996966996696996ull >> (parity & 63) & 1;
			sum = sum * 3 + ones(x) + ones(x ^ low) + parity;
			sum ^= reversed(x);
		}
	}
	return fold(sum);
}
