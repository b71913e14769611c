/* readers.h - who may read a new index: nobody who may not read what goes into it. */
#ifndef TRAWL_CLI_READERS_H
#define TRAWL_CLI_READERS_H

#include <stdbool.h>

#include "trawl.h"

/* If there is no index at `path` yet, narrow this process's umask to those who can read all of the source's files, and say so in
 * one line, unless `quiet`. */
void limit_readers(const trawl_source *source, const char *path, bool quiet);

#endif
