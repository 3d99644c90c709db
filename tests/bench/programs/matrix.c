/* Products of matrices on the stack: 6 by 6 numbers, multiplied 24 times. */
#include "program.h"

#define N 6

PROGRAM(matrix)
{
	u32 a[N * N], b[N * N], row[N];
	if (!HOLDS(data, 2 * N * N))
		return 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < N * N; i++) {
		a[i] = data[i];
		b[i] = data[N * N + i];
	}
#pragma clang loop unroll(disable)
	for (u32 round = 0; round < 24; round++) {
#pragma clang loop unroll(disable)
		for (u32 i = 0; i < N; i++) {
#pragma clang loop unroll(disable)
			for (u32 j = 0; j < N; j++) {
				u32 sum = 0;
				for (u32 k = 0; k < N; k++)
					sum += a[i * N + k] * b[k * N + j];
				row[j] = sum;
			}
			for (u32 j = 0; j < N; j++)
				a[i * N + j] = row[j];
		}
	}
	u32 sum = 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < N * N; i++)
		sum = sum * 31 + a[i];
	return sum;
}
