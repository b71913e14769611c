#include "segment/segment_writer.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "segment/id_index.h"
#include "segment/part.h"

int segment_writer_init(struct segment_writer *writer, struct store_batch *batch, uint32_t number, bool positions,
                        trawl_error *error)
{
	*writer = (struct segment_writer){.batch = batch, .number = number, .positions = positions};
	if (!number || number == UINT32_MAX)
		return error_set(error, TRAWL_ELIMIT,
		                 "the index has used up the numbers of its segments; index again, into a new file");
	return documents_writer_init(&writer->stored, batch, number, error);
}

void segment_writer_release(struct segment_writer *writer)
{
	documents_writer_release(&writer->stored);
	part_writer_release(&writer->postings_part);
	part_writer_release(&writer->positions_part);
	postings_encoder_release(&writer->encoder);
	terms_writer_release(&writer->terms);
	buffer_release(&writer->first_hashes);
}

int segment_writer_document(struct segment_writer *writer, const trawl_document *document, trawl_error *error)
{
	return documents_writer_add(&writer->stored, document, error);
}

static int write_part(struct segment_writer *writer, uint32_t number, const void *bytes, uint64_t length,
                      trawl_error *error)
{
	return part_write(writer->batch, writer->number, number, bytes, length, error);
}

int segment_writer_begin_terms(struct segment_writer *writer, uint32_t documents, const uint8_t *lengths,
                               const uint8_t *last_positions, uint64_t tokens, const uint32_t *order,
                               const uint32_t *hashes, trawl_error *error)
{
	struct postings_encoder *encoder = &writer->encoder;
	writer->documents = documents;
	writer->ordered = order != NULL;
	writer->lengths = lengths;
	writer->tokens = tokens;
	writer->average = documents ? (float)((double)tokens / documents) : 0;
	int code = documents_writer_finish(&writer->stored, error);
	if (!code)
		code = id_index_write(writer->batch, writer->number, hashes, documents, &writer->first_hashes, error);
	if (!code && order)
		code = write_part(writer, PART_ORDER, order, 4 * (uint64_t)documents, error);
	if (!code)
		code = write_part(writer, PART_LENGTHS, lengths, documents, error);
	if (!code && last_positions)
		code = write_part(writer, PART_LAST_POSITIONS, last_positions, documents, error);
	if (!code)
		code = part_writer_init(&writer->postings_part, writer->batch, writer->number, PART_POSTINGS, error);
	if (!code && writer->positions)
		code = part_writer_init(&writer->positions_part, writer->batch, writer->number, PART_POSITIONS, error);
	if (!code)
		code = terms_writer_init(&writer->terms, writer->batch, writer->number, PART_TERMS, writer->positions,
		                         error);
	if (code)
		return code;
	encoder->postings = &writer->postings_part;
	encoder->positions = writer->positions ? &writer->positions_part : NULL;
	encoder->lengths = lengths;
	encoder->last_positions = last_positions ? last_positions : lengths;
	encoder->documents = documents;
	bm25_denominators(BUILD_K1, BUILD_B, writer->average, encoder->denominators);
	return 0;
}

int segment_writer_term(struct segment_writer *writer, const struct term_list *list, trawl_error *error)
{
	struct term_entry entry = {.df = list->df};
	struct part_writer *positions = writer->encoder.positions;
	int code;
	writer->postings_count += list->df;
	if (list->df > 1) {
		code = postings_encode(&writer->encoder, list->docs, list->tfs, list->df, list->source, &entry.place,
		                       error);
	} else {
		entry.doc = list->docs[0];
		entry.tf = list->tfs[0];
		entry.position_inline = positions && entry.tf == 1;
		entry.place.positions = positions ? positions->address : 0;
		if (entry.position_inline)
			code = list->source->next(list->source->context, 1, &entry.position, error);
		else
			code = positions_encode(&writer->encoder, entry.doc, entry.tf, list->source, error);
		if (!code)
			code = positions_finish(&writer->encoder, error);
		entry.place.positions_bytes = positions ? positions->address - entry.place.positions : 0;
	}
	return code ? code : terms_writer_add(&writer->terms, list->term, list->length, &entry, error);
}

/* A term in a run of encoded ones; its bytes follow, and then its list, or with df = 1 its positions unless inline. */
struct encoded_term {
	uint64_t positions_bytes; /* df = 1 */
	uint32_t df, doc, tf, position;
	uint8_t length;
	bool position_inline;
};

void segment_writer_encoder(const struct segment_writer *writer, struct postings_encoder *encoder)
{
	const struct postings_encoder *own = &writer->encoder;
	*encoder = (struct postings_encoder){.postings = own->postings,
	                                     .positions = own->positions,
	                                     .lengths = own->lengths,
	                                     .last_positions = own->last_positions,
	                                     .documents = own->documents};
	memcpy(encoder->denominators, own->denominators, sizeof own->denominators);
}

int segment_term_encode(struct postings_encoder *encoder, const struct term_list *list, struct buffer *out,
                        trawl_error *error)
{
	struct encoded_term head = {.df = list->df, .doc = list->docs[0], .tf = list->tfs[0], .length = list->length};
	size_t at = out->length;
	int code = 0;
	head.position_inline = list->df == 1 && encoder->positions && list->tfs[0] == 1;
	if (!buffer_append(out, &head, sizeof head) || !buffer_append(out, list->term, list->length) ||
	    !buffer_pad(out, 8))
		return error_set_memory(error);
	if (list->df > 1)
		return postings_encode_to(encoder, list->docs, list->tfs, list->df, list->source, out, error);
	size_t positions_at = out->length;
	encoder->apart = out;
	if (head.position_inline)
		code = list->source->next(list->source->context, 1, &head.position, error);
	else
		code = positions_encode(encoder, head.doc, head.tf, list->source, error);
	if (!code)
		code = positions_finish(encoder, error);
	head.positions_bytes = out->length - positions_at;
	memcpy(out->data + at, &head, sizeof head);
	return !code && !buffer_pad(out, 8) ? error_set_memory(error) : code;
}

int segment_writer_place(struct segment_writer *writer, const struct buffer *encoded, trawl_error *error)
{
	const uint8_t *at = encoded->data, *end = at + encoded->length;
	struct part_writer *positions = writer->encoder.positions;
	int code = 0;
	while (!code && at < end) {
		const struct encoded_term *head = (const void *)at;
		const char *term = (const char *)(head + 1);
		struct term_entry entry = {.df = head->df};
		writer->postings_count += head->df;
		at += (sizeof *head + head->length + 7) & ~(size_t)7;
		if (head->df > 1) {
			code = postings_place(&writer->encoder, &at, &entry.place, error);
		} else {
			entry.doc = head->doc;
			entry.tf = head->tf;
			entry.position_inline = head->position_inline;
			entry.position = head->position;
			entry.place.positions = positions ? positions->address : 0;
			entry.place.positions_bytes = head->positions_bytes;
			if (positions)
				code = part_writer_append(positions, at, head->positions_bytes, error);
			at += (head->positions_bytes + 7) & ~(size_t)7;
		}
		if (!code)
			code = terms_writer_add(&writer->terms, term, head->length, &entry, error);
	}
	return code;
}

static void length_extremes(const struct segment_writer *writer, uint8_t *least, uint8_t *greatest)
{
	*least = 255;
	*greatest = 0;
	for (uint32_t i = 0; i < writer->documents; i++) {
		uint8_t code = writer->lengths[i];
		*least = code < *least ? code : *least;
		*greatest = code > *greatest ? code : *greatest;
	}
}

static int write_root(struct segment_writer *writer, trawl_error *error)
{
	struct buffer root = {0};
	uint8_t fixed[ROOT_FIXED] = {0};
	float k1 = BUILD_K1, b = BUILD_B;
	const struct documents_writer *stored = &writer->stored;
	store32(fixed + ROOT_DOCUMENTS, writer->documents);
	store32(fixed + ROOT_ORDINALS, stored->ordinal);
	store64(fixed + ROOT_TOKENS, writer->tokens);
	store64(fixed + ROOT_POSTINGS, writer->postings_count);
	store64(fixed + ROOT_TERMS, writer->terms.terms);
	store64(fixed + ROOT_TEXT_BYTES, writer->text_bytes);
	memcpy(fixed + ROOT_K1, &k1, 4);
	memcpy(fixed + ROOT_B, &b, 4);
	memcpy(fixed + ROOT_AVERAGE, &writer->average, 4);
	length_extremes(writer, &fixed[ROOT_LEAST_LENGTH], &fixed[ROOT_GREATEST_LENGTH]);
	const uint64_t bytes[PART_TERMS - PART_DOCUMENTS + 1] = {stored->documents.address,
	                                                         stored->blocks.address,
	                                                         stored->dictionary.length,
	                                                         stored->ids.address,
	                                                         stored->id_blocks.address,
	                                                         ID_ENTRY * (uint64_t)writer->documents,
	                                                         writer->ordered ? 4 * (uint64_t)writer->documents : 0,
	                                                         writer->documents,
	                                                         writer->postings_part.address,
	                                                         writer->positions_part.address,
	                                                         writer->terms.part.address};
	memcpy(fixed + ROOT_PART_BYTES, bytes, sizeof bytes);
	int code = buffer_append(&root, fixed, ROOT_FIXED) &&
	                   buffer_append(&root, writer->terms.first_terms.data, writer->terms.first_terms.length) &&
	                   buffer_append(&root, writer->first_hashes.data, writer->first_hashes.length)
	               ? 0
	               : error_set_memory(error);
	if (!code)
		code = write_part(writer, PART_ROOT, root.data, root.length, error);
	buffer_release(&root);
	return code;
}

int segment_writer_finish(struct segment_writer *writer, struct manifest_segment *summary, trawl_error *error)
{
	int code = part_writer_finish(&writer->postings_part, error);
	if (!code && writer->positions)
		code = part_writer_finish(&writer->positions_part, error);
	if (!code)
		code = terms_writer_finish(&writer->terms, error);
	if (!code)
		code = write_root(writer, error);
	*summary = (struct manifest_segment){.number = writer->number,
	                                     .documents = writer->documents,
	                                     .live_tokens = writer->tokens,
	                                     .live_postings = writer->postings_count,
	                                     .live_text_bytes = writer->text_bytes};
	return code;
}
