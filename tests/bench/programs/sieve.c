/* A sieve in 384 bytes of stack: every number below 20 strikes its multiples. */
#include "program.h"

#define N 384

PROGRAM(sieve)
{
	u8 struck[N];
	u32 sum = 0;
	for (u32 part = 0; part < 3; part++) {
		u8 *at = data + part * N;
		if (!HOLDS(at, N))
			break;
		u8 mark = at[12];
		for (u32 i = 0; i < N; i++)
			struck[i] = at[i] & 0x66;
		/* Without a look at whether it is struck itself: loops in branches are costly to verify. */
		for (u32 p = 2; p < 20; p++) {
			for (u32 i = p * p; i < N; i += p)
				struck[i] |= mark;
		}
		for (u32 i = 2; i < N; i++)
			sum += struck[i] * i;
	}
	return sum;
}
