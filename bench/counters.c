#include "bench/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const counter_names[COUNTER_COUNT] = {"cycles", "instructions", "cache_misses", "branch_misses"};

static const uint64_t counter_events[COUNTER_COUNT] = {PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS,
                                                       PERF_COUNT_HW_CACHE_MISSES, PERF_COUNT_HW_BRANCH_MISSES};

static int open_counter(uint64_t event, int leader)
{
	struct perf_event_attr attributes;
	memset(&attributes, 0, sizeof attributes);
	attributes.size = sizeof attributes;
	attributes.type = PERF_TYPE_HARDWARE;
	attributes.config = event;
	attributes.disabled = leader < 0;
	attributes.exclude_kernel = 1;
	attributes.exclude_hv = 1;
	attributes.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

static void explain(struct counters *counters, int error_number)
{
	char *reason = counters->reason;
	size_t size = sizeof counters->reason;
	char paranoid[16] = "unknown";
	FILE *setting = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	if (setting) {
		if (fgets(paranoid, sizeof paranoid, setting))
			paranoid[strcspn(paranoid, "\n")] = '\0';
		fclose(setting);
	}
	switch (error_number) {
	case EACCES:
	case EPERM:
		snprintf(reason, size, "the kernel forbids it: kernel.perf_event_paranoid is %s, 2 or less is needed",
		         paranoid);
		break;
	case ENOENT:
	case EOPNOTSUPP:
	case ENODEV: snprintf(reason, size, "this machine offers no hardware counters, as many virtual ones"); break;
	case ENOSYS: snprintf(reason, size, "the kernel has no perf_event_open"); break;
	default: snprintf(reason, size, "perf_event_open: %s", strerror(error_number));
	}
}

bool counters_open(struct counters *counters)
{
	counters->reason[0] = '\0';
	int leader = -1;
	for (int i = 0; i < COUNTER_COUNT; i++) {
		counters->descriptors[i] = i && leader < 0 ? -1 : open_counter(counter_events[i], leader);
		if (i == 0 && (leader = counters->descriptors[0]) < 0)
			explain(counters, errno);
	}
	return leader >= 0;
}

/* Values are those since the group was opened: RESET would leave the two times alone. */
static bool read_group(struct counters *counters, struct counter_reading *reading)
{
	ssize_t got = read(counters->descriptors[0], reading, sizeof *reading);
	return got >= (ssize_t)(4 * sizeof(uint64_t));
}

void counters_start(struct counters *counters)
{
	memset(&counters->start, 0, sizeof counters->start);
	read_group(counters, &counters->start);
	ioctl(counters->descriptors[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

bool counters_stop(struct counters *counters, struct counter_values *values)
{
	struct counter_reading now = {0};
	ioctl(counters->descriptors[0], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	memset(values, 0, sizeof *values);
	if (!read_group(counters, &now) || now.running <= counters->start.running)
		return false;
	/* When others use the counters too, the kernel takes turns: the count is of `running` out of `enabled`. */
	double share =
	    (double)(now.running - counters->start.running) / (double)(now.enabled - counters->start.enabled);
	for (unsigned i = 0, at = 0; i < COUNTER_COUNT; i++) {
		if (counters->descriptors[i] < 0 || at >= now.count)
			continue;
		values->known[i] = true;
		values->value[i] = (double)(now.value[at] - counters->start.value[at]) / share;
		at++;
	}
	return true;
}

void counters_close(struct counters *counters)
{
	for (int i = COUNTER_COUNT - 1; i >= 0; i--)
		if (counters->descriptors[i] >= 0)
			close(counters->descriptors[i]);
}
