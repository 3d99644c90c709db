/* The rounds of SipHash-2-4 over a packet: additions, rotations, exclusive ors. */
#include "program.h"

#define ROTATE(value, by) ((value) << (by) | (value) >> (64 - (by)))
#define ROUND                                                                            \
	v0 += v1, v1 = ROTATE(v1, 13), v1 ^= v0, v0 = ROTATE(v0, 32);                    \
	v2 += v3, v3 = ROTATE(v3, 16), v3 ^= v2;                                         \
	v0 += v3, v3 = ROTATE(v3, 21), v3 ^= v0;                                         \
	v2 += v1, v1 = ROTATE(v1, 17), v1 ^= v2, v2 = ROTATE(v2, 32)

PROGRAM(siphash)
{
	u64 v0 = 0x736f6d6570736575ull, v1 = 0x646f72616e646f6dull;
	u64 v2 = 0x6c7967656e657261ull, v3 = 0x7465646279746573ull;
	if (!HOLDS(data, 1200))
		return 0;
	PASSES(4) {
		for (u32 i = 0; i < 150; i++) {
			u64 word = read64(data + i * 8);
			v3 ^= word;
			ROUND;
			ROUND;
			v0 ^= word;
		}
	}
	v2 ^= 0xff;
	for (u32 i = 0; i < 4; i++) {
		ROUND;
	}
	return fold(v0 ^ v1 ^ v2 ^ v3);
}
