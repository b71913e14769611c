/* cpu.h - which instruction sets may be used. */
#ifndef TRAWL_BASE_CPU_H
#define TRAWL_BASE_CPU_H

#include "base/target.h"
#include "trawl.h"

enum cpu_level {
	CPU_SCALAR,
	CPU_AVX2,  /* AVX2, BMI1, BMI2, POPCNT */
	CPU_AVX512 /* and AVX-512 F, BW, DQ, VL, VBMI, VBMI2 */
};

/* The best level this machine has. */
enum cpu_level cpu_level_available(void);

/* The level to use: the best one, or that named by the environment variable TRAWL_KERNEL ("scalar", "avx2", "avx512")
 * when the machine has it. Decided once. */
enum cpu_level cpu_level(void);

/* TRAWL_EINVAL when TRAWL_KERNEL names a level that this machine lacks, or that no machine has: for the calls that open an index.
 * cpu_level() passes over such a name. */
int cpu_check(trawl_error *error);

const char *cpu_level_name(enum cpu_level level);

#endif
