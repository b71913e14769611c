#include "indexer/settings.h"

#include <string.h>

#include "base/error.h"

static bool is_zero_analysis(const trawl_analysis *analysis)
{
	return !analysis->language && !analysis->stop_words && !analysis->fold_diacritics;
}

int settings_apply(struct manifest *manifest, const char *path, const trawl_writer_options *options, trawl_error *error)
{
	const trawl_analysis *wanted = &options->analysis;
	const char *language = wanted->language && *wanted->language ? wanted->language : "english";
	uint32_t flags =
	    (wanted->stop_words ? FLAG_STOP_WORDS : 0) | (wanted->fold_diacritics ? FLAG_FOLD_DIACRITICS : 0);
	if (manifest->generation) {
		uint32_t stored = manifest->flags & (FLAG_STOP_WORDS | FLAG_FOLD_DIACRITICS);
		bool differs =
		    !is_zero_analysis(wanted) && (flags != stored || strcmp(language, manifest->language) != 0);
		if (differs || (options->no_positions && manifest->flags & FLAG_POSITIONS) ||
		    (options->bigrams && !(manifest->flags & FLAG_BIGRAMS)))
			return error_set(error, TRAWL_EINVAL,
			                 "%s was made with other settings (language %s%s%s%s%s): leave them out, or "
			                 "index into a new file",
			                 path, manifest->language, stored & FLAG_STOP_WORDS ? ", stop words" : "",
			                 stored & FLAG_FOLD_DIACRITICS ? ", folded diacritics" : "",
			                 manifest->flags & FLAG_POSITIONS ? "" : ", no positions",
			                 manifest->flags & FLAG_BIGRAMS ? ", bigrams" : "");
		return 0;
	}
	if (strlen(language) >= sizeof manifest->language)
		return error_set(error, TRAWL_EINVAL, "no such language: %s", language);
	memcpy(manifest->language, language, strlen(language) + 1);
	if (options->bigrams && options->no_positions)
		return error_set(error, TRAWL_EINVAL, "bigram lists need positions");
	manifest->flags = flags | (options->no_positions ? 0 : FLAG_POSITIONS) | (options->bigrams ? FLAG_BIGRAMS : 0);
	return 0;
}
