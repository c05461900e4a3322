/* Interrupt, termination and broken pipes, only while a run asks for it. */
#include "lua/l_signal.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"

#define SIGNALS 3

static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGPIPE};
static struct sigaction before[SIGNALS]; /* what held when watching began */
static int watching;                     /* nested watches */
static volatile sig_atomic_t caught;     /* number of the first signal, or 0 */
static char note[160];                   /* written to the standard error output on a signal */
static volatile sig_atomic_t note_length;
static volatile sig_atomic_t patient; /* further signals change nothing */

/* only what a handler may do: set the flags, write(2); the second signal, whichever it is, does what it does to others,
 * unless the watch is a patient one */
static void on_signal(int number) {
  int saved = errno;
  if (caught != 0) {
    if (patient) return;
    signal(number, SIG_DFL);
    raise(number);
    return; /* which lets it in */
  }
  caught = number;
  interrupt_ask();
  if (note_length > 0) {
    ssize_t written = write(STDERR_FILENO, note, (size_t)note_length);
    (void)written; /* nobody is left to tell */
  }
  errno = saved;
}

/***
 * Starts to watch SIGINT and SIGTERM: the first one is remembered for `caught`, and ends a `trpo.play` that is
 * interruptible; the second one, be it the same or the other, kills at once. SIGPIPE is ignored meanwhile: who closes
 * the pipe that we write to makes a write fail, and does not kill us before the files are complete.
 * Watches nest; the outermost one installs the handlers, and its arguments count.
 * @function signals.watch
 * @tparam[opt] string note one line for the standard error output when a signal comes (at most 160 bytes)
 * @tparam[opt=false] boolean patient further signals change nothing: for a process that may be asked to stop from several
 *   sides, each of which can still kill it with SIGKILL
 */
static int l_signal_watch(lua_State *L) {
  size_t length = 0;
  const char *text = luaL_optlstring(L, 1, "", &length);
  if (watching++ > 0) return 0;
  /* nothing is caught yet, and the note is complete before a handler can read it */
  note_length = 0;
  if (length > sizeof note) length = sizeof note;
  memcpy(note, text, length);
  note_length = (sig_atomic_t)length;
  patient = lua_toboolean(L, 2);
  caught = 0;
  interrupt_clear();
  /* one signal at a time; interrupted system calls go on */
  struct sigaction action, ignore;
  memset(&ignore, 0, sizeof ignore);
  ignore.sa_handler = SIG_IGN;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  for (int i = 0; i < SIGNALS; i++)
    sigaction(numbers[i], numbers[i] == SIGPIPE ? &ignore : &action, &before[i]);
  return 0;
}

/***
 * The signal that came since `watch`.
 * @function signals.caught
 * @treturn string|nil "SIGINT" or "SIGTERM"
 * @treturn number|nil its number
 */
static int l_signal_caught(lua_State *L) {
  int number = caught;
  if (number == 0) return 0;
  lua_pushstring(L, number == SIGINT ? "SIGINT" : "SIGTERM");
  lua_pushinteger(L, number);
  return 2;
}

/***
 * Ends a watch and puts the earlier handlers back.
 * @function signals.restore
 * @tparam[opt] boolean ending leave SIGPIPE ignored, because the process is about to end
 */
static int l_signal_restore(lua_State *L) {
  const int ending = lua_toboolean(L, 1);
  if (watching == 0 || --watching > 0) return 0;
  for (int i = 0; i < SIGNALS; i++)
    if (numbers[i] != SIGPIPE || !ending) sigaction(numbers[i], &before[i], NULL);
  caught = 0;
  interrupt_clear();
  return 0;
}

/***
 * Lets SIGINT end the process at once, also amid a long call of C, which the interpreter's own handler would wait for. For
 * commands that keep nothing.
 * @function signals.release
 */
static int l_signal_release(lua_State *L) {
  (void)L;
  signal(SIGINT, SIG_DFL);
  return 0;
}

static const luaL_Reg functions[] = {
    {"release", l_signal_release},
    {"watch", l_signal_watch},
    {"caught", l_signal_caught},
    {"restore", l_signal_restore},
    {NULL, NULL},
};

void l_signal_open(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  lua_setfield(L, -2, "signals");
}
