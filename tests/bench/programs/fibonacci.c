/* Fibonacci numbers, each sequence from two bytes of the packet. */
#include "program.h"

PROGRAM(fibonacci)
{
	u64 sum = 0;
	for (u32 i = 0; i < 150; i++) {
		u8 *at = data + i * 4;
		if (!HOLDS(at, 2))
			break;
		u64 a = at[0], b = at[1];
		for (u32 n = 0; n < 90; n++) {
			u64 next = a + b;
			a = b;
			b = next;
		}
		sum ^= b;
	}
	return fold(sum);
}
