#define SIMDJSON_EXCEPTIONS 0
#define SIMDJSON_DEVELOPMENT_CHECKS 0 /* else unoptimised builds have one more array that it forgets to look at */
#include <simdjson.h>

#ifndef SIMDJSON_REQUIRES_HASWELL /* the header asks for it, and leaves it undefined */
#define SIMDJSON_REQUIRES_HASWELL 0
#endif

#include "input/json_choice.h"

namespace
{

using parser_memory = std::unique_ptr<simdjson::internal::dom_parser_implementation>;
using string_memory = std::unique_ptr<uint8_t[]>;

/* The parser has no other door to its implementation, and to its buffer. An explicit instantiation may name what is private. */
parser_memory &member_of(simdjson::ondemand::parser &parser, parser_memory *);
string_memory &member_of(simdjson::ondemand::parser &parser, string_memory *);
template <class Memory, Memory simdjson::ondemand::parser::*Member> struct door {
	friend Memory &member_of(simdjson::ondemand::parser &parser, Memory *)
	{
		return parser.*Member;
	}
};
template struct door<parser_memory, &simdjson::ondemand::parser::implementation>;
template struct door<string_memory, &simdjson::ondemand::parser::string_buf>;

} // namespace

bool json_has_buffer(simdjson::ondemand::parser &parser)
{
	return member_of(parser, static_cast<string_memory *>(nullptr)) != nullptr;
}

#ifdef SIMDJSON_FALLBACK_IMPLEMENTATION_H /* the classes of the implementations are in the header */

namespace
{

/* Whether this machine can run it; then *problem is what came of it. */
template <class Implementation>
bool take(simdjson::ondemand::parser &parser, size_t capacity, simdjson::error_code *problem)
{
	Implementation candidate; /* has its names in strings, whose memory may be wanting */
	if (!candidate.supported_by_runtime_system())
		return false;
	*problem = candidate.create_dom_parser_implementation(capacity, parser.max_depth(),
	                                                      member_of(parser, static_cast<parser_memory *>(nullptr)));
	return true;
}

} // namespace

bool json_choose(simdjson::ondemand::parser &parser, size_t capacity)
{
	auto problem = simdjson::SUCCESS;
	try {
#if SIMDJSON_IMPLEMENTATION_ICELAKE
		if (take<simdjson::icelake::implementation>(parser, capacity, &problem))
			return !problem;
#endif
#if SIMDJSON_IMPLEMENTATION_HASWELL
		if (take<simdjson::haswell::implementation>(parser, capacity, &problem))
			return !problem;
#endif
#if SIMDJSON_IMPLEMENTATION_WESTMERE
		if (take<simdjson::westmere::implementation>(parser, capacity, &problem))
			return !problem;
#endif
#if SIMDJSON_IMPLEMENTATION_FALLBACK
		if (take<simdjson::fallback::implementation>(parser, capacity, &problem))
			return !problem;
#endif
	} catch (...) { // std::bad_alloc alone; naming it would export its type
		return false;
	}
	return true;
}

#else

bool json_choose(simdjson::ondemand::parser &, size_t)
{
	return true;
}

#endif
