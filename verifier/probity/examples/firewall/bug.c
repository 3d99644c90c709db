/* A plug-in with a mistake: there may be no such connection. */
#include "plugin.h"

SEC("filter")
int count_only(struct frame *frame)
{
	struct ip_header *ip = ip_of(frame);
	struct conn_key key = {};
	struct tcp_header *tcp;
	struct conn *conn;

	if (!ip)
		return decide(DROP);
	tcp = tcp_of(frame, ip);
	if (!tcp)
		return hand_on(frame);
	key.source = ip->source;
	key.destination = ip->destination;
	key.ports[0] = tcp->source;
	key.ports[1] = tcp->destination;
	key.protocol = TCP;
	conn = conn_lookup(&key);
	conn->packets += 1;
	return hand_on(frame);
}
