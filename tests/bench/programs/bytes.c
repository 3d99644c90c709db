/* A loop over bytes of memory, with a bounds check for each. */
#include "program.h"

PROGRAM(bytes)
{
	u32 sum = 0, mixed = 0;
	for (u32 i = 0; i < 1500; i++) {
		u8 *at = data + i;
		if (!HOLDS(at, 1))
			break;
		sum += *at;
		mixed = (mixed << 1 | mixed >> 31) ^ *at;
	}
	return sum ^ mixed;
}
