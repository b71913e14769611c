#include "searcher/kernel.h"

#include <stddef.h>

const struct kernel *kernel_for(enum cpu_level level)
{
	if (level > cpu_level_available())
		return NULL;
	switch (level) {
#if defined(__x86_64__)
	case CPU_AVX512: return &kernel_avx512;
	case CPU_AVX2: return &kernel_avx2;
#else
	case CPU_AVX512:
	case CPU_AVX2: return NULL;
#endif
	case CPU_SCALAR: break;
	}
	return &kernel_scalar;
}

const struct kernel *kernel_get(void)
{
	return kernel_for(cpu_level());
}
