/*
 * json_choice.h - which of simdjson's implementations a parser gets.
 *
 * Left alone, simdjson chooses when one is first needed, and makes strings of the names of all that it has where an exception ends
 * the process: if memory is short in that moment. Here that is an answer.
 */
#ifndef TRAWL_INPUT_JSON_CHOICE_H
#define TRAWL_INPUT_JSON_CHOICE_H

#include <simdjson.h>

/* Give a parser that has none yet the best implementation for this machine. false: out of memory. */
bool json_choose(simdjson::ondemand::parser &parser, size_t capacity);

/* Whether the parser has the buffer that strings are decoded into: its allocate() forgets to look. */
bool json_has_buffer(simdjson::ondemand::parser &parser);

#endif
