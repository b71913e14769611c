#include "checker/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "segment/format.h"

#define TEXT_BYTES 600
#define TOLD_EVERY ((uint64_t)4 << 20)

const char *part_name(uint32_t part)
{
	static const char *const names[] = {[PART_MANIFEST] = "manifest",
	                                    [PART_DOCUMENTS] = "documents",
	                                    [PART_DOCUMENT_BLOCKS] = "document blocks",
	                                    [PART_DOCUMENT_DICTIONARY] = "document dictionary",
	                                    [PART_IDS] = "ids",
	                                    [PART_ID_BLOCKS] = "id blocks",
	                                    [PART_ID_INDEX] = "id index",
	                                    [PART_ORDER] = "order",
	                                    [PART_LENGTHS] = "lengths",
	                                    [PART_POSTINGS] = "postings",
	                                    [PART_POSITIONS] = "positions",
	                                    [PART_TERMS] = "terms",
	                                    [PART_ROOT] = "root",
	                                    [PART_DELETIONS] = "deletions",
	                                    [PART_LAST_POSITIONS] = "last positions",
	                                    [PART_BIGRAM_POSTINGS] = "bigram postings",
	                                    [PART_BIGRAM_TERMS] = "bigram terms",
	                                    [PART_BIGRAM_ROOT] = "bigram root",
	                                    [PART_CONTENT_HASHES] = "content hashes"};
	return part < sizeof names / sizeof *names && names[part] ? names[part] : "a part without a name";
}

static void tell(struct report *report, bool harmless, uint32_t segment, const char *part, uint64_t offset,
                 const char *format, va_list arguments)
{
	char text[TEXT_BYTES];
	if (!report->finding)
		return;
	vsnprintf(text, sizeof text, format, arguments);
	trawl_finding finding = {harmless, segment, part, offset, text};
	report->finding(report->context, &finding);
}

void report_damage(struct report *report, uint32_t segment, const char *part, uint64_t offset, const char *format, ...)
{
	va_list arguments;
	report->damages++;
	va_start(arguments, format);
	tell(report, false, segment, part, offset, format, arguments);
	va_end(arguments);
}

void report_harmless(struct report *report, uint32_t segment, const char *part, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell(report, true, segment, part, NO_OFFSET, format, arguments);
	va_end(arguments);
}

void report_stage(struct report *report, uint64_t total, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(report->stage, sizeof report->stage, format, arguments);
	va_end(arguments);
	report->done = report->told = 0;
	report->total = total;
	if (report->progress)
		report->progress(report->context, report->stage, 0, total);
}

void report_progress(struct report *report, uint64_t more)
{
	report->done += more;
	if (!report->progress || report->done - report->told < TOLD_EVERY)
		return;
	report->told = report->done;
	report->progress(report->context, report->stage, report->done, report->total);
}

const char *shown(const void *bytes, size_t length, char *out, size_t room)
{
	static const char ellipsis[] = "...";
	const unsigned char *from = bytes;
	bool cut = length + 1 > room;
	size_t kept = cut ? room - sizeof ellipsis : length;
	for (size_t i = 0; i < kept; i++)
		out[i] = from[i] < 0x20 || from[i] == 0x7f ? '?' : (char)from[i];
	if (cut)
		memcpy(out + kept, ellipsis, sizeof ellipsis);
	else
		out[kept] = 0;
	return out;
}
