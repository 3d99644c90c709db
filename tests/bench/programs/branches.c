/* A machine of sixteen instructions, which are the bytes of the packet: a table of branches. */
#include "program.h"

PROGRAM(branches)
{
	u32 a = 1, b = 2;
	for (u32 i = 0; i < 800; i++) {
		u8 *at = data + i;
		if (!HOLDS(at, 1))
			return 0;
		u32 code = *at, operand = code >> 4;
		switch (code & 15) {
		case 0: a += operand; break;
		case 1: a -= b; break;
		case 2: a ^= operand << 8; break;
		case 3: b += a; break;
		case 4: b = b * 3 + operand; break;
		case 5: a = a << 3 | a >> 29; break;
		case 6: b ^= a >> 5; break;
		case 7: a |= 1 << operand; break;
		case 8: a &= ~(2 << operand); break;
		case 9: b -= operand * 77; break;
		case 10: a = ~a; break;
		case 11: b = -b; break;
		case 12: a *= b | 1; break;
		case 13: b = b >> 1 ^ operand; break;
		case 14: a += b << 2; break;
		default: b ^= 0x1234567; break;
		}
	}
	return a ^ b;
}
