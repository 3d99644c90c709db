/* A xorshift generator, and a count of what it draws. */
#include "program.h"

PROGRAM(xorshift)
{
	if (!HOLDS(data, 64))
		return 0;
	u64 state = read64(data + 32) | 1, sum = 0;
	for (u32 i = 0; i < 1500; i++) {
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		sum += state * 0x2545f4914f6cdd1dull;
	}
	return fold(sum);
}
