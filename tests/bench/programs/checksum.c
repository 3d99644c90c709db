/* The Internet checksum of a packet, in 16-bit words. */
#include "program.h"

PROGRAM(checksum)
{
	u64 sum = 0;
	if (!HOLDS(data, 1480))
		return 0;
	PASSES(8) {
		for (u32 i = 0; i < 740; i++) {
			sum += read16(data + i * 2);
		}
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}
