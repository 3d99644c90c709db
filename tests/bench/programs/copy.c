/* A copy inside the packet, the order of its words reversed. What is read is never written. */
#include "program.h"

PROGRAM(copy)
{
	u64 mixed = 0;
	if (!HOLDS(data, 1400))
		return 0;
	PASSES(8) {
		for (u32 i = 0; i < 170; i++) {
			u32 word = read32(data + 4 * i);
			*(u32 *)(data + 700 + 4 * (169 - i)) = word;
			mixed = mixed * 9 + word;
		}
	}
	return fold(mixed);
}
