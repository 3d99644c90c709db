/* Insertion sort of numbers on the stack. */
#include "program.h"

#define N 40

PROGRAM(insertion_sort)
{
	u64 list[N], sum = 0;
#pragma clang loop unroll(disable)
	for (u32 part = 0; part < 6; part++) {
		u8 *at = data + part * N * 4;
		if (!HOLDS(at, N * 4))
			break;
		for (u32 i = 0; i < N; i++) {
			u64 value = read32(at + i * 4);
			int j = i;
			for (; j > 0 && list[j - 1] > value; j--)
				list[j] = list[j - 1];
			list[j] = value;
		}
		for (u32 i = 0; i < N; i++)
			sum = sum * 7 + list[i];
	}
	return fold(sum);
}
