/* Binary searches in 64 ascending numbers on the stack. */
#include "program.h"

#define N 64

PROGRAM(binary_search)
{
	u32 list[N], last = 0, sum = 0;
	if (!HOLDS(data, 1024))
		return 0;
	for (u32 i = 0; i < N; i++) {
		last += 1 + data[i];
		list[i] = last;
	}
	PASSES(3) {
		for (u32 query = 0; query < 150; query++) {
			u32 wanted = read16(data + 256 + query * 2) & 0x3fff, low = 0;
			for (u32 half = N / 2; half > 0; half >>= 1) {
				if (list[(low + half) & (N - 1)] <= wanted)
					low += half;
			}
			sum = sum * 3 + low;
		}
	}
	return sum;
}
