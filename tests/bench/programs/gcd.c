/* Greatest common divisors of pairs of numbers in the packet, by Euclid. */
#include "program.h"

PROGRAM(gcd)
{
	u32 sum = 0;
	for (u32 i = 0; i < 60; i++) {
		u8 *at = data + i * 8;
		if (!HOLDS(at, 8))
			break;
		u32 a = read32(at), b = read32(at + 4);
		for (u32 step = 0; step < 48 && b; step++) {
			u32 rest = a % b;
			a = b;
			b = rest;
		}
		sum += a;
	}
	return sum;
}
