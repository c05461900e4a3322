/* What processes that share a folder must know of each other: who lives, since when, on which boot. */
#include "lua/l_process.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/l_check.h"
#include "lua/l_files.h"

#ifdef __linux__
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

/* the largest process id that any system gives */
#define LAST_PID 2147483647

/* the first bytes of a small file as a string; 0 when it cannot be read */
static size_t read_start(const char *path, char *text, size_t room) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t n = read(file, text, room - 1);
  close(file);
  text[n > 0 ? n : 0] = '\0';
  return n > 0 ? (size_t)n : 0;
}

/* ---- who lives --------------------------------------------------------------------------------- */

#ifdef __linux__

/* start of a process in clock ticks since the boot; -1 when there is none, or only its remains */
static double start_of(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  if (read_start(path, text, sizeof text) == 0) return -1;
  /* the name in parentheses may hold anything; fields 3 (state) to 22 (start) follow the last one */
  const char *field = strrchr(text, ')');
  if (field == NULL || field[1] != ' ') return -1;
  char state = field[2];
  if (state == 'Z' || state == 'X' || state == 'x') return -1;
  for (int i = 2; i < 22 && field != NULL; i++) field = strchr(field + 1, ' ');
  return field != NULL ? strtod(field + 1, NULL) : -1;
}

#else

/* without /proc nothing tells when a process began: 0 for all that live */
static double start_of(pid_t pid) {
  return kill(pid, 0) == 0 || errno == EPERM ? 0 : -1;
}

#endif

/***
When a process began. Two processes that had the same number differ in this.
@function process.started
@tparam integer pid
@treturn number|nil clock ticks since the boot (0 where the system does not tell); nil when no such process lives
*/
static int l_process_started(lua_State *L) {
  double start = start_of((pid_t)l_integer_in(L, 1, "process.started", "pid", 1, LAST_PID));
  if (start < 0) return 0;
  lua_pushnumber(L, start);
  return 1;
}

/***
What process numbers are counted in. Numbers of processes compare only where both are equal.
@function process.boot
@treturn string the kernel's boot, empty where the system does not tell
@treturn string the space of process numbers (a container has its own), empty where the system does not tell
*/
static int l_process_boot(lua_State *L) {
  char boot[64], space[64];
  size_t n = read_start("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
  if (n > 0 && boot[n - 1] == '\n') boot[n - 1] = '\0';
  lua_pushstring(L, n > 0 ? boot : "");
  ssize_t m = readlink("/proc/self/ns/pid", space, sizeof space - 1);
  lua_pushlstring(L, space, m > 0 ? (size_t)m : 0);
  return 2;
}

/* ---- dying together ---------------------------------------------------------------------------- */

#ifdef __linux__

static int follow(pid_t parent) {
  (void)parent;
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

#else

/* ends the process within a second of its parent's end */
static void *watch(void *parent) {
  while (getppid() == (pid_t)(intptr_t)parent) sleep(1);
  _exit(128 + SIGKILL);
}

static int follow(pid_t parent) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, watch, (void *)(intptr_t)parent) != 0) return 0;
  pthread_detach(thread);
  return 1;
}

#endif

/***
Asks to be killed when the parent ends, however it ends.
@function process.die_with_parent
@tparam integer pid the parent's number
@treturn boolean false when that process is not the parent (it has ended already), or the system refuses
*/
static int l_process_die_with_parent(lua_State *L) {
  pid_t parent = (pid_t)l_integer_in(L, 1, "process.die_with_parent", "pid", 1, LAST_PID);
  /* a parent that ended before the request is noticed by its number */
  lua_pushboolean(L, follow(parent) && getppid() == parent);
  return 1;
}

/* ---- signs of life ------------------------------------------------------------------------------- */

/***
Sets the times of a file to now, by the clock of the file's server.
@function process.touch
@tparam string path
@treturn[1] boolean true
@treturn[2] nil
@treturn[2] string message
@treturn[2] string "io"
*/
static int l_process_touch(lua_State *L) {
  const char *path = l_files_check_path(L, "process.touch");
  if (utimensat(AT_FDCWD, path, NULL, 0) == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  int why = errno;
  lua_pushnil(L);
  lua_pushfstring(L, "cannot touch '%s': %s", path, strerror(why));
  lua_pushliteral(L, "io");
  return 3;
}

/* ---- one at a time ------------------------------------------------------------------------------- */

static const char *const LOCK = "trpo.process.Lock";

/* a file descriptor, or -1 */
typedef struct {
  int file;
} Lock;

static void unlock(Lock *lock) {
  if (lock->file >= 0) close(lock->file);
  lock->file = -1;
}

static int l_process_collect_lock(lua_State *L) {
  unlock(lua_touserdata(L, 1));
  return 0;
}

/***
Locks a file or folder for this process; nothing is written. The system takes the lock back when the process ends, however
it ends, and the processes that this one starts do not hold it.
@function process.lock
@tparam string path of something that is there
@treturn[1] Lock held until `process.unlock(lock)`, or until it is collected
@treturn[2] nil
@treturn[2] string "busy": it is locked, by another process or by this one; "none": it cannot be locked
*/
static int l_process_lock(lua_State *L) {
  const char *path = l_files_check_path(L, "process.lock");
  Lock *lock = l_files_push_owner(L, LOCK, sizeof *lock);
  lock->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (lock->file >= 0 && flock(lock->file, LOCK_EX | LOCK_NB) == 0) return 1;
  int busy = lock->file >= 0 && errno == EWOULDBLOCK;
  unlock(lock);
  lua_pushnil(L);
  lua_pushstring(L, busy ? "busy" : "none");
  return 2;
}

/***
Gives a lock back.
@function process.unlock
@tparam Lock lock given back already: nothing happens
*/
static int l_process_unlock(lua_State *L) {
  Lock *lock = l_object(L, 1, LOCK);
  if (lock == NULL) {
    l_fail(L, "process.unlock", "lock must be a lock, got %s", l_describe(L, 1));
    return 0;
  }
  unlock(lock);
  return 0;
}

/* ---- standard streams ---------------------------------------------------------------------------- */

/***
Opens what a caller has closed of the three standard streams, so that no other file gets their numbers: reading finds
nothing there, and writing fails as before.
@function process.open_standard_streams
*/
static int l_process_open_standard_streams(lua_State *L) {
  (void)L;
  for (int fd = 0; fd <= 2; fd++) {
    /* the lowest free number is the one that is missing */
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) < 0) break;
  }
  return 0;
}

static const luaL_Reg functions[] = {
    {"started", l_process_started},
    {"boot", l_process_boot},
    {"die_with_parent", l_process_die_with_parent},
    {"touch", l_process_touch},
    {"lock", l_process_lock},
    {"unlock", l_process_unlock},
    {"open_standard_streams", l_process_open_standard_streams},
    {NULL, NULL},
};

void l_process_open(lua_State *L) {
  l_files_register_owner(L, LOCK, l_process_collect_lock);
  l_files_add_module(L, "process", functions);
}
