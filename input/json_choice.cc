/*
 * json_choice.cc - which of simdjson's implementations reads JSON.
 *
 * Left alone simdjson chooses when it first needs to, and makes strings for the names of all that it has where an exception ends
 * the process: when memory is short in that moment. Here a failure is one that can be told.
 */
#include <simdjson.h>

#include <atomic>
#include <mutex>
#include <new>

#include "input/json_choice.h"

namespace
{

/* Make it the one in use, if this machine can run it. Never destroyed: parsers may outlive what is destroyed at exit. */
template <class Implementation> bool choose()
{
	auto &active = simdjson::get_active_implementation();
	alignas(Implementation) static unsigned char place[sizeof(Implementation)];
	auto candidate = new (place) Implementation();
	if (!candidate->supported_by_runtime_system()) {
		candidate->~Implementation();
		return false;
	}
	active = candidate;
	return true;
}

bool choose_best()
{
#if SIMDJSON_IMPLEMENTATION_ICELAKE
	if (choose<simdjson::icelake::implementation>())
		return true;
#endif
#if SIMDJSON_IMPLEMENTATION_HASWELL
	if (choose<simdjson::haswell::implementation>())
		return true;
#endif
#if SIMDJSON_IMPLEMENTATION_WESTMERE
	if (choose<simdjson::westmere::implementation>())
		return true;
#endif
#if SIMDJSON_IMPLEMENTATION_FALLBACK
	if (choose<simdjson::fallback::implementation>())
		return true;
#endif
	return true; /* on other machines simdjson chooses for itself */
}

} // namespace

bool json_choose(void)
{
	static std::atomic<bool> chosen;
	static std::mutex lock;
	if (chosen.load(std::memory_order_acquire))
		return true;
	try {
		std::lock_guard<std::mutex> hold(lock);
		if (!chosen.load(std::memory_order_relaxed))
			chosen.store(choose_best(), std::memory_order_release);
		return true;
	} catch (const std::bad_alloc &) {
		return false;
	}
}
