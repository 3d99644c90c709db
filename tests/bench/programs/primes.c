/* Primes by trial division, from a number that the packet says. */
#include "program.h"

PROGRAM(primes)
{
	if (!HOLDS(data, 64))
		return 0;
	u32 first = 1001 + 2 * (data[20] & 15), count = 0;
	for (u32 i = 0; i < 80; i++) {
		u32 n = first + 2 * i, prime = 1;
		for (u32 d = 3; d < 36; d += 2) {
			if (d * d > n)
				break;
			if (n % d == 0) {
				prime = 0;
				break;
			}
		}
		count += prime;
	}
	return count;
}
