/* Adler-32 of a packet, the remainders taken once a block. */
#include "program.h"

PROGRAM(adler)
{
	u32 a = 1, b = 0;
	PASSES(3) {
		for (u32 block = 0; block < 23; block++) {
			u8 *at = data + block * 64;
			if (!HOLDS(at, 64))
				return 0;
			for (u32 i = 0; i < 64; i++) {
				a += at[i];
				b += a;
			}
			a %= 65521;
			b %= 65521;
		}
	}
	return b << 16 | a;
}
