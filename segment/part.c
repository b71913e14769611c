#include "segment/part.h"

#include <string.h>

#include "base/error.h"

int part_read_all(struct snapshot *snapshot, uint32_t segment, uint32_t number, struct buffer *out, trawl_error *error)
{
	const uint8_t *payload;
	uint32_t length = EXTENT_PAYLOAD;
	for (uint32_t extent = 0; length == EXTENT_PAYLOAD; extent++) {
		trawl_error why = {0};
		int code = snapshot_extent(snapshot, segment, number, extent, &payload, &length, &why);
		if (code == TRAWL_ENOTFOUND && extent)
			break;
		if (code)
			return error_set(error, code == TRAWL_ENOTFOUND ? TRAWL_ECORRUPT : code, "%s", why.text);
		if (!buffer_append(out, payload, length))
			return error_set_memory(error);
	}
	return 0;
}

int part_in_one(struct part *part, const uint8_t **bytes, uint8_t **copy, trawl_error *error)
{
	uint64_t left, n = part->bytes;
	if (!n)
		return 0;
	*bytes = part_at(part, 0, &left, error);
	if (!*bytes)
		return error_code(error);
	if (left >= n)
		return 0;
	*copy = memory_new(n + EXTENT_SLACK);
	if (!*copy)
		return error_set_memory(error);
	for (uint64_t at = 0; at < n; at += left) {
		const uint8_t *piece = part_at(part, at, &left, error);
		if (!piece)
			return error_code(error);
		memcpy(*copy + at, piece, left);
	}
	memset(*copy + n, 0, EXTENT_SLACK);
	*bytes = *copy;
	return 0;
}

int part_write(struct store_batch *batch, uint32_t segment, uint32_t number, const void *bytes, uint64_t length,
               trawl_error *error)
{
	struct part_writer part;
	int code = part_writer_init(&part, batch, segment, number, error);
	if (!code)
		code = part_writer_append(&part, bytes, length, error);
	if (!code)
		code = part_writer_finish(&part, error);
	part_writer_release(&part);
	return code;
}

uint64_t part_file_bytes(uint64_t bytes)
{
	uint64_t full = bytes / EXTENT_PAYLOAD, rest = bytes % EXTENT_PAYLOAD;
	uint64_t last = rest ? rest + 16 + EXTENT_HEADER + EXTENT_SLACK : 0;
	return full * 64 * 4096 + (last > 2000 ? (last + 4095) / 4096 * 4096 : last);
}
