#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "trawl.h"

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

enum cpu_level cpu_level(void)
{
	static atomic_int decided = -1;
	int level = atomic_load_explicit(&decided, memory_order_relaxed);
	if (level >= 0)
		return (enum cpu_level)level;
	level = (int)cpu_level_available();
	const char *forced = getenv("TRAWL_KERNEL");
	for (int i = 0; forced && i < level; i++)
		if (strcmp(forced, cpu_level_name((enum cpu_level)i)) == 0)
			level = i;
	atomic_store_explicit(&decided, level, memory_order_relaxed);
	return (enum cpu_level)level;
}

const char *trawl_kernel_name(void)
{
	return cpu_level_name(cpu_level());
}
