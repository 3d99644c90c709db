/* The second plug-in, its next version: only packets that open a connection count. */
#include "rates.h"

SEC("filter")
int rate_limit(struct frame *frame)
{
	struct ip_header *ip = ip_of(frame);
	struct tcp_header *tcp;

	if (!ip)
		return decide(DROP);
	tcp = tcp_of(frame, ip);
	if (tcp && !(tcp->flags & SYN))
		return hand_on(frame);
	if (too_many(frame, ip->source))
		return decide(DROP);
	return hand_on(frame);
}
