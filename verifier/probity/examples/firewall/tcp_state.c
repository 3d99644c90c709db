/* The third plug-in: packets of TCP belong to a connection that was opened. */
#include "plugin.h"

enum state { OPEN = 1, CLOSED };

SEC("filter")
int tcp_state(struct frame *frame)
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
	if ((tcp->flags & (SYN | ACK)) == SYN) {
		conn = conn_open(&key);
		if (!conn)
			return decide(DROP);
		conn->state = OPEN;
	} else {
		conn = conn_lookup(&key);
		if (!conn || conn->state != OPEN) {
			LOG("a packet of no connection");
			return decide(REJECT);
		}
	}
	conn->packets += 1;
	if (tcp->flags & (FIN | RST))
		conn->state = CLOSED;
	return hand_on(frame);
}
