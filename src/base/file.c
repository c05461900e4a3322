#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* the kernel moves at most 2 GiB a call */
static const size_t ONE_CALL = (size_t)1 << 30;

/* --- reading --------------------------------------------------------------------------------------------- */

/* a regular file of acceptable size? */
static Status check_kind(const struct stat *info, size_t limit, Fault *fault) {
  if (S_ISDIR(info->st_mode)) {
    return fault_set(fault, E_IO, "it is a directory");
  }
  if (!S_ISREG(info->st_mode)) {
    return fault_set(fault, E_IO, "it is not a regular file");
  }
  if ((unsigned long long)info->st_size > limit) {
    return fault_set(fault, E_TOO_LARGE, "it has %lld bytes, more than the %zu that are allowed",
                     (long long)info->st_size, limit);
  }
  return OK;
}

static Status read_all(int fd, char *data, size_t bytes, Fault *fault) {
  while (bytes > 0) {
    ssize_t n = read(fd, data, bytes < ONE_CALL ? bytes : ONE_CALL);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fault_errno(fault, errno);
    }
    if (n == 0) {
      return fault_set(fault, E_IO, "it became shorter while it was read");
    }
    data += n;
    bytes -= (size_t)n;
  }
  return OK;
}

static Status read_open(Buffer **out, int fd, size_t limit, Fault *fault) {
  struct stat info;
  if (fstat(fd, &info) != 0) {
    return fault_errno(fault, errno);
  }
  Status status = check_kind(&info, limit, fault);
  if (status != OK) {
    return status;
  }
  Buffer *buffer = buffer_new((size_t)info.st_size);
  if (buffer == NULL) {
    return fault_set(fault, E_NOMEM, "there is not enough memory for its %lld bytes",
                     (long long)info.st_size);
  }
  status = read_all(fd, buffer->data, buffer->bytes, fault);
  if (status != OK) {
    buffer_release(buffer);
    return status;
  }
  *out = buffer;
  return OK;
}

Status file_read(Buffer **out, const char *path, size_t limit, Fault *fault) {
  /* a pipe without a writer must not block */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return fault_errno(fault, errno);
  }
  Status status = read_open(out, fd, limit, fault);
  close(fd);
  return status;
}

/* --- writing --------------------------------------------------------------------------------------------- */

static Status write_all(int fd, const char *data, size_t bytes, Fault *fault) {
  while (bytes > 0) {
    ssize_t n = write(fd, data, bytes < ONE_CALL ? bytes : ONE_CALL);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fault_errno(fault, errno);
    }
    data += n;
    bytes -= (size_t)n;
  }
  return OK;
}

/* opens a new file next to the target, under a name of its own */
static Status open_temporary(int *fd, char *name, size_t room, const char *target, Fault *fault) {
  static atomic_uint counter;
  for (int attempt = 0; attempt < 100; attempt++) {
    unsigned number = atomic_fetch_add(&counter, 1);
    int n = snprintf(name, room, "%s.%ld-%u.tmp", target, (long)getpid(), number);
    if (n < 0 || (size_t)n >= room) {
      return fault_errno(fault, ENAMETOOLONG);
    }
    *fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (*fd >= 0) {
      return OK;
    }
    if (errno != EEXIST) {
      return fault_errno(fault, errno);
    }
  }
  return fault_errno(fault, EEXIST);
}

/* contents, the old file's permissions, and all of it on the disk if that is wanted */
static Status fill(int fd, const struct stat *old_, const void *data, size_t bytes, FileSync sync,
                   Fault *fault) {
  Status status = write_all(fd, data, bytes, fault);
  if (status == OK && old_ != NULL && fchmod(fd, old_->st_mode & 07777) != 0) {
    status = fault_errno(fault, errno);
  }
  if (status == OK && sync == FILE_SYNCED && fsync(fd) != 0) {
    status = fault_errno(fault, errno);
  }
  if (close(fd) != 0 && status == OK) {
    status = fault_errno(fault, errno);
  }
  return status;
}

/* makes a rename last; a file system that cannot sync folders keeps the file all the same */
static void sync_folder(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  int n = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
  snprintf(folder, sizeof folder, "%.*s", n, slash == NULL ? "." : path);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    (void)!fsync(fd);
    close(fd);
  }
}

static Status replace(const char *target, const struct stat *old_, const void *data, size_t bytes,
                      FileSync sync, Fault *fault) {
  char temporary[PATH_MAX];
  int fd = -1;
  Status status = open_temporary(&fd, temporary, sizeof temporary, target, fault);
  if (status != OK) {
    return status;
  }
  status = fill(fd, old_, data, bytes, sync, fault);
  if (status == OK && rename(temporary, target) != 0) {
    status = fault_errno(fault, errno);
  }
  if (status != OK) {
    unlink(temporary);
    return status;
  }
  if (sync == FILE_SYNCED) {
    sync_folder(target);
  }
  return OK;
}

Status file_write(const char *path, const void *data, size_t bytes, FileSync sync, Fault *fault) {
  struct stat old;
  int exists = stat(path, &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    return check_kind(&old, 0, fault);
  }
  char *real = exists ? realpath(path, NULL) : NULL;
  Status status = replace(real != NULL ? real : path, exists ? &old : NULL, data, bytes, sync,
                          fault);
  free(real);
  return status;
}
