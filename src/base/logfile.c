#include "base/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static Status open_for(LogFile *file, const char *path, int flags, Fault *fault) {
  *file = (LogFile){.fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0666)};
  return file->fd >= 0 ? OK : fault_errno(fault, errno);
}

Status logfile_create(LogFile *file, const char *path, Fault *fault) {
  return open_for(file, path, O_CREAT, fault);
}

static Status check_size(LogFile *file, int64_t position, Fault *fault) {
  struct stat info;
  if (fstat(file->fd, &info) != 0) {
    return fault_errno(fault, errno);
  }
  if (info.st_size < position) {
    return fault_set(fault, E_FORMAT, "it has %lld bytes, and the checkpoint was taken at %lld",
                     (long long)info.st_size, (long long)position);
  }
  file->position = position;
  return OK;
}

Status logfile_resume(LogFile *file, const char *path, int64_t position, Fault *fault) {
  Status status = open_for(file, path, 0, fault);
  if (status != OK) {
    return status;
  }
  status = check_size(file, position, fault);
  if (status != OK) {
    logfile_close(file, &(Fault){0});
  }
  return status;
}

Status logfile_cut(LogFile *file, Fault *fault) {
  struct stat info;
  if (fstat(file->fd, &info) != 0) {
    return fault_errno(fault, errno);
  }
  /* devices have no bytes to cut off */
  if (info.st_size > file->position && ftruncate(file->fd, file->position) != 0) {
    return fault_errno(fault, errno);
  }
  return OK;
}

Status logfile_append(LogFile *file, const void *data, size_t n, Fault *fault) {
  const char *at = data;
  size_t left = n;
  while (left > 0) {
    ssize_t written = write(file->fd, at, left);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      int error = errno;
      logfile_cut(file, &(Fault){0});
      return fault_errno(fault, error);
    }
    at += written;
    left -= (size_t)written;
  }
  file->position += (int64_t)n;
  return OK;
}

/* one file on its way to the disk */
typedef struct {
  pthread_t thread;
  int fd;
  int threaded; /* whether the thread was started */
  int error;    /* 0, or that of fsync */
} Syncing;

static void *bring(void *one) {
  Syncing *s = one;
  s->error = fsync(s->fd) == 0 ? 0 : errno;
  return NULL;
}

/* devices and pipes cannot be synced, and need not */
static int is_failure(int error) {
  return error != 0 && error != EINVAL && error != EROFS;
}

Status logfile_sync(LogFile *const *files, int n, int *failed, Fault *fault) {
  Syncing all[LOGFILE_TOGETHER];
  sigset_t every, before;
  /* signals belong to the host's threads */
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  /* the last one by this thread, and any for which there is no other one */
  for (int i = 0; i < n; i++) {
    all[i] = (Syncing){.fd = files[i]->fd};
    all[i].threaded = i < n - 1 && pthread_create(&all[i].thread, NULL, bring, &all[i]) == 0;
    if (!all[i].threaded) bring(&all[i]);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  *failed = -1;
  for (int i = 0; i < n; i++) {
    if (all[i].threaded) pthread_join(all[i].thread, NULL);
    if (*failed < 0 && is_failure(all[i].error)) *failed = i;
  }
  return *failed < 0 ? OK : fault_errno(fault, all[*failed].error);
}

Status logfile_close(LogFile *file, Fault *fault) {
  int fd = file->fd;
  file->fd = -1;
  return fd < 0 || close(fd) == 0 ? OK : fault_errno(fault, errno);
}
