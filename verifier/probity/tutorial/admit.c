#include "gate.h"

/* Bytes that each client sent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} traffic SEC(".maps");

SEC("gate")
int admit(struct request *request)
{
	__u32 number = request->client;
	__u64 bytes = request->bytes, *sum;
	struct client *client = client_get(number);
	int let_in;

	if (!client) {
		request->status = 404;
		return 0;
	}
	client->requests++;
	let_in = client->requests <= client->limit;
	client_put(client);
	request->status = let_in ? 200 : 429;

	sum = bpf_map_lookup_elem(&traffic, &number);
	if (sum)
		*sum += bytes;
	else
		bpf_map_update_elem(&traffic, &number, &bytes, 0);
	return let_in;
}
