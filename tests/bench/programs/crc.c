/* CRC-32 of 250 bytes, bit by bit. */
#include "program.h"

PROGRAM(crc)
{
	u32 crc = 0xffffffff;
	for (u32 i = 0; i < 250; i++) {
		u8 *at = data + i;
		if (!HOLDS(at, 1))
			break;
		crc ^= *at;
		for (u32 bit = 0; bit < 8; bit++) {
			/* Not a mask: the kernel follows both values of what is all ones or zero. */
			u32 low = crc & 1;
			OPAQUE(low);
			crc = crc >> 1 ^ 0xedb88320 * low;
		}
	}
	return ~crc;
}
