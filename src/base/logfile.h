#ifndef TRPO_LOGFILE_H
#define TRPO_LOGFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/**
 * A file that grows by whole pieces, each at once on its way to the system. Every failure is noticed where it
 * happens, and a piece that could not be written whole leaves nothing of itself behind.
 * All return OK, E_NO_FILE, E_IO or what is said, and then the reason in the fault.
 */
typedef struct LogFile {
  int fd;           /* -1: closed */
  int64_t position; /* bytes of complete pieces */
} LogFile;

/** Opens a new file, or an old one for being emptied by logfile_cut. */
Status logfile_create(LogFile *file, const char *path, Fault *fault);

/** Opens a file to go on behind its first `position` bytes. E_FORMAT when it has fewer. */
Status logfile_resume(LogFile *file, const char *path, int64_t position, Fault *fault);

/** Removes everything behind the position. */
Status logfile_cut(LogFile *file, Fault *fault);

/** Appends n bytes. */
Status logfile_append(LogFile *file, const void *data, size_t n, Fault *fault);

/** The most files that are synced together. */
enum { LOGFILE_TOGETHER = 16 };

/**
 * Brings n <= LOGFILE_TOGETHER files to the disk, all at the same time: a slow disk is waited for once, and not n times.
 *
 * failed  [out]  index of the first file that could not be synced, -1 when there is none
 */
Status logfile_sync(LogFile *const *files, int n, int *failed, Fault *fault);

/** Closes the file; a second time does nothing. */
Status logfile_close(LogFile *file, Fault *fault);

#endif
