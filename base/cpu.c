#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum cpu_level cpu_level_available(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") ||
	    !__builtin_cpu_supports("popcnt"))
		return CPU_SCALAR;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
		return CPU_AVX512;
	return CPU_AVX2;
#else
	return CPU_SCALAR;
#endif
}

const char *cpu_level_name(enum cpu_level level)
{
	static const char *const names[] = {"scalar", "avx2", "avx512"};
	return names[level];
}

/* The level that TRAWL_KERNEL names, CPU_AVX512 + 1 for a name that is none; the best one when it is not set. */
static int wanted_level(void)
{
	const char *name = getenv("TRAWL_KERNEL");
	if (!name || !*name)
		return (int)cpu_level_available();
	int level = CPU_SCALAR;
	while (level <= CPU_AVX512 && strcmp(name, cpu_level_name((enum cpu_level)level)) != 0)
		level++;
	return level;
}

enum cpu_level cpu_level(void)
{
	static atomic_int decided = -1;
	int level = atomic_load_explicit(&decided, memory_order_relaxed);
	if (level >= 0)
		return (enum cpu_level)level;
	int best = (int)cpu_level_available(), wanted = wanted_level();
	level = wanted < best ? wanted : best;
	atomic_store_explicit(&decided, level, memory_order_relaxed);
	return (enum cpu_level)level;
}

int cpu_check(trawl_error *error)
{
	enum cpu_level best = cpu_level_available();
	int wanted = wanted_level();
	if (wanted <= (int)best)
		return 0;
	if (wanted > CPU_AVX512)
		return error_set(error, TRAWL_EINVAL, "TRAWL_KERNEL is '%s': scalar, avx2 and avx512 are known",
		                 getenv("TRAWL_KERNEL"));
	return error_set(error, TRAWL_EINVAL, "TRAWL_KERNEL is %s, which this processor cannot run; its best is %s",
	                 cpu_level_name((enum cpu_level)wanted), cpu_level_name(best));
}

const char *trawl_kernel_name(void)
{
	return cpu_level_name(cpu_level());
}
