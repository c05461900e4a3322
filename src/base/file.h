#ifndef TRPO_FILE_H
#define TRPO_FILE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/fault.h"

/** Files of more bytes are not read: 64 GiB. */
#define FILE_LIMIT ((size_t)1 << 36)

/**
 * Reads a whole regular file.
 *
 * out    [out]  new buffer with the file's bytes, one owner
 * limit  [in]   most bytes to be read, checked before any memory is taken
 * fault  [out]  the reason, when the status is negative
 *
 * Returns OK, E_NO_FILE, E_IO (a directory, a device, no permission, a failing disk), E_TOO_LARGE or E_NOMEM.
 */
Status file_read(Buffer **out, const char *path, size_t limit, Fault *fault);

/** Whether a file has reached the disk when it is written, or is left to the system to bring there. */
typedef enum FileSync { FILE_SYNCED, FILE_LAZY } FileSync;

/**
 * Replaces a file, or makes it, whole or not at all: the bytes go to a temporary file in the same folder, which is
 * synced and then renamed. On any failure, a full disk included, the old file is as it was and the temporary one
 * is removed. An old file's permissions are kept, and a symbolic link to one is followed.
 * FILE_LAZY does not sync: other processes see the old file or the new one, but after a crash of the machine
 * it may be empty.
 *
 * Returns OK, E_NO_FILE (no such folder), E_IO or E_NOMEM.
 */
Status file_write(const char *path, const void *data, size_t bytes, FileSync sync, Fault *fault);

#endif
