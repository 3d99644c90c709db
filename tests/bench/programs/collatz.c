/* Collatz sequences: how many of the first hundred numbers are odd. */
#include "program.h"

PROGRAM(collatz)
{
	u32 odd = 0;
	for (u32 i = 0; i < 24; i++) {
		u8 *at = data + 64 + i * 4;
		if (!HOLDS(at, 4))
			break;
		u32 n = read32(at);
		for (u32 step = 0; step < 100; step++) {
			if (n & 1) {
				n += (n >> 1) + 1;
				odd++;
			} else {
				n >>= 1;
			}
		}
	}
	return odd;
}
