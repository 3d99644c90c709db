/* The second plug-in: an address sends only so many packets a second. */
#include "rates.h"

SEC("filter")
int rate_limit(struct frame *frame)
{
	struct ip_header *ip = ip_of(frame);

	if (!ip || too_many(frame, ip->source))
		return decide(DROP);
	return hand_on(frame);
}
