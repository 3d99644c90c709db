/* Bubble sort of numbers on the stack. */
#include "program.h"

#define N 40

PROGRAM(bubble_sort)
{
	u64 list[N];
	u64 sum = 0;
	if (!HOLDS(data, 640 + N * 16))
		return 0;
	PASSES(4) {
		u8 *at = data + 640 + pass * N * 4;
		for (u32 i = 0; i < N; i++)
			list[i] = read32(at + i * 4);
		for (u32 last = N - 1; last > 0; last--) {
			for (u32 i = 0; i < last; i++) {
				u64 a = list[i], b = list[i + 1];
				if (a > b) {
					list[i] = b;
					list[i + 1] = a;
				}
			}
		}
		for (u32 i = 0; i < N; i++)
			sum = sum * 7 + list[i];
	}
	return fold(sum);
}
