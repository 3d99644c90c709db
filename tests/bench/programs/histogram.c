/* A histogram of bytes in 64 counters on the stack. */
#include "program.h"

PROGRAM(histogram)
{
	u32 counts[64];
	for (u32 i = 0; i < 64; i++)
		counts[i] = 0;
	PASSES(3) {
		for (u32 i = 0; i < 1000; i++) {
			u8 *at = data + i;
			if (!HOLDS(at, 1))
				return 0;
			counts[*at & 63]++;
		}
	}
	u32 sum = 0;
	for (u32 i = 0; i < 64; i++)
		sum = sum * 5 + counts[i];
	return sum;
}
