/*
 * letter.h - decoders of posting lists and positions by the letter of docs/FORMAT.md, bit by bit, to hold the real ones against.
 *
 * They share nothing with store/ but the meaning of a length byte. Nothing beyond what is given is read.
 */
#ifndef TRAWL_TESTS_LETTER_H
#define TRAWL_TESTS_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An integer run of n from bit *bit on, of `bits` bits in all; *bit moves behind it. false: there is none. */
bool letter_run(const uint8_t *bytes, uint64_t bits, uint64_t *bit, size_t n, unsigned width, uint32_t *values);

/* A sparse list of n postings. false: malformed. */
bool letter_sparse_list(const uint8_t *bytes, uint64_t length, uint32_t n, uint32_t documents, uint32_t *docs,
                        uint32_t *tfs);

/* The positions of one posting, from bit `first` on. false: malformed. */
bool letter_positions(const uint8_t *bytes, uint32_t first, uint32_t tf, uint8_t last_byte, uint32_t *positions);

/* The postings of a chunk of 1,024 documents, the first being 0; *n: how many. false: not as an encoder would write it. */
bool letter_chunk(const uint8_t *bytes, uint32_t length, unsigned offset_bytes, unsigned exception_bits,
                  uint32_t docs[1024], uint32_t tfs[1024], uint32_t *n);

#endif
