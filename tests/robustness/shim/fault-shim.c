/* A library to preload that makes chosen file operations of a program fail, come short, wait, or end the program.
 *
 *   cc -shared -fPIC -O2 -o fault-shim.so fault-shim.c -ldl -lpthread
 *   FAULT=write:3:ENOSPC FAULT_PATH=/where/it/writes/ LD_PRELOAD=./fault-shim.so node …
 *
 * FAULT       rules OPERATION:WHEN:ACTION, separated by commas; the first that fits is used
 *   OPERATION read write open create rename unlink rmdir mkdir truncate sync copy; `change` is each that changes something,
 *             `any` each; `open` is opening what is there, `create` opening to make or to empty
 *   WHEN      N (the Nth, from 1), N+ (from the Nth on), * (each)
 *   ACTION    the name of an errno; short (half of what was asked for); none (0 bytes, as at the end of a file);
 *             kill, stop or interrupt (SIGKILL, SIGSTOP or SIGINT to the program itself, before the operation); wait20 (20 ms)
 * FAULT_PATH  count only operations on paths that have this in them
 * FAULT_LOG   a file that gets a line `operation path` for each operation that is counted
 *
 * Operations on what is not a regular file or a folder (pipes, sockets, devices) are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST_RULES 16

struct rule {
  char operation[16], action[16];
  long nth, seen;
  int each, onward;
};

static struct rule rules[MOST_RULES];
static int rule_count;
static const char *path_part;
static int log_fd = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Set while this library itself calls what it replaces. */
static __thread int inside;

static const struct { const char *name; int number; } errors[] = {
  {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"EROFS", EROFS}, {"EINTR", EINTR}, {"EDQUOT", EDQUOT},
  {"ESTALE", ESTALE}, {"EFBIG", EFBIG}, {"ENOENT", ENOENT}, {"EAGAIN", EAGAIN},
};

static void read_environment(void) {
  const char *spec = getenv("FAULT"), *log = getenv("FAULT_LOG");
  path_part = getenv("FAULT_PATH");
  if (log) log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (!spec) return;
  char *copy = strdup(spec), *state;
  for (char *text = strtok_r(copy, ",", &state); text && rule_count < MOST_RULES; text = strtok_r(NULL, ",", &state)) {
    struct rule *rule = &rules[rule_count];
    char when[24];
    if (sscanf(text, "%15[^:]:%23[^:]:%15s", rule->operation, when, rule->action) != 3) continue;
    rule->each = when[0] == '*';
    rule->nth = atol(when);
    rule->onward = when[strlen(when) - 1] == '+';
    rule_count++;
  }
  free(copy);
}

static int changes(const char *operation) { return strcmp(operation, "read") && strcmp(operation, "open"); }

static int fits(const struct rule *rule, const char *operation) {
  return !strcmp(rule->operation, operation) || !strcmp(rule->operation, "any") ||
         (!strcmp(rule->operation, "change") && changes(operation));
}

static int fires(struct rule *rule) {
  rule->seen++;
  return rule->each || rule->seen == rule->nth || (rule->onward && rule->seen > rule->nth);
}

static void log_operation(const char *operation, const char *path) {
  char line[4200];
  int length = snprintf(line, sizeof line, "%s %s\n", operation, path);
  if (log_fd >= 0) syscall(SYS_write, log_fd, line, length);
}

/* Counts an operation and does what happens before it. @returns the action that remains to be done, or "" */
static const char *before(const char *operation, const char *path) {
  pthread_once(&once, read_environment);
  if (!path || (path_part && !strstr(path, path_part))) return "";
  const char *action = "";
  pthread_mutex_lock(&lock);
  log_operation(operation, path);
  for (int i = 0; i < rule_count && !*action; i++)
    if (fits(&rules[i], operation) && fires(&rules[i])) action = rules[i].action;
  pthread_mutex_unlock(&lock);
  if (!strcmp(action, "kill")) {
    kill(getpid(), SIGKILL);
    pause();
  }
  if (!strcmp(action, "stop")) kill(getpid(), SIGSTOP);
  if (!strcmp(action, "interrupt")) kill(getpid(), SIGINT);
  if (!strncmp(action, "wait", 4)) {
    long milliseconds = atol(action + 4);
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
  }
  return action;
}

static int error_of(const char *action) {
  for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
    if (!strcmp(action, errors[i].name)) return errors[i].number;
  return 0;
}

static size_t shortened(const char *action, size_t length) {
  return !strcmp(action, "short") && length > 1 ? length / 2 : length;
}

static int is_regular(int fd) {
  struct stat status;
  return syscall(SYS_fstat, fd, &status) == 0 && S_ISREG(status.st_mode);
}

static const char *path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = 0;
  return path;
}

#define REAL(type, name, ...) \
  typedef type function_(__VA_ARGS__); \
  static function_ *real; \
  if (!real) real = (function_ *)dlsym(RTLD_NEXT, #name)

#define FAIL_AS(action) \
  do { \
    int number_ = error_of(action); \
    if (number_) { errno = number_; return -1; } \
  } while (0)

/* Of bytes at a file descriptor: `length` is what is asked for. */
#define TRANSFER(name, operation, parameters, call, length, ...) \
  ssize_t name parameters { \
    REAL(ssize_t, name, __VA_ARGS__); \
    if (inside || !is_regular(fd)) return real call; \
    char path[4096]; \
    const char *action = before(operation, path_of(fd, path, sizeof path)); \
    FAIL_AS(action); \
    if (!strcmp(action, "none")) return 0; \
    length = shortened(action, length); \
    return real call; \
  }

TRANSFER(read, "read", (int fd, void *bytes, size_t length), (fd, bytes, length), length, int, void *, size_t)
TRANSFER(write, "write", (int fd, const void *bytes, size_t length), (fd, bytes, length), length, int, const void *, size_t)
TRANSFER(pread, "read", (int fd, void *bytes, size_t length, off_t at), (fd, bytes, length, at), length, int, void *, size_t, off_t)
TRANSFER(pread64, "read", (int fd, void *bytes, size_t length, off64_t at), (fd, bytes, length, at), length, int, void *, size_t, off64_t)
TRANSFER(pwrite, "write", (int fd, const void *bytes, size_t length, off_t at), (fd, bytes, length, at), length, int, const void *, size_t, off_t)
TRANSFER(pwrite64, "write", (int fd, const void *bytes, size_t length, off64_t at), (fd, bytes, length, at), length, int, const void *, size_t, off64_t)

/* Of several buffers: one that comes short has half of the first. */
#define TRANSFER_BUFFERS(name, operation, parameters, call, one, ...) \
  ssize_t name parameters { \
    REAL(ssize_t, name, __VA_ARGS__); \
    if (inside || !is_regular(fd)) return real call; \
    char path[4096]; \
    const char *action = before(operation, path_of(fd, path, sizeof path)); \
    FAIL_AS(action); \
    if (!strcmp(action, "none")) return 0; \
    if (strcmp(action, "short")) return real call; \
    size_t length = shortened(action, buffers[0].iov_len); \
    inside = 1; \
    ssize_t done = one; \
    inside = 0; \
    return done; \
  }

#define BUFFERS int fd, const struct iovec *buffers, int count
#define BUFFER_TYPES int, const struct iovec *, int
TRANSFER_BUFFERS(readv, "read", (BUFFERS), (fd, buffers, count), read(fd, buffers[0].iov_base, length), BUFFER_TYPES)
TRANSFER_BUFFERS(writev, "write", (BUFFERS), (fd, buffers, count), write(fd, buffers[0].iov_base, length), BUFFER_TYPES)
TRANSFER_BUFFERS(preadv, "read", (BUFFERS, off_t at), (fd, buffers, count, at), pread(fd, buffers[0].iov_base, length, at), BUFFER_TYPES, off_t)
TRANSFER_BUFFERS(pwritev, "write", (BUFFERS, off_t at), (fd, buffers, count, at), pwrite(fd, buffers[0].iov_base, length, at), BUFFER_TYPES, off_t)
TRANSFER_BUFFERS(preadv64, "read", (BUFFERS, off64_t at), (fd, buffers, count, at), pread64(fd, buffers[0].iov_base, length, at), BUFFER_TYPES, off64_t)
TRANSFER_BUFFERS(pwritev64, "write", (BUFFERS, off64_t at), (fd, buffers, count, at), pwrite64(fd, buffers[0].iov_base, length, at), BUFFER_TYPES, off64_t)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(int, name, const char *, int, ...); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list rest; \
      va_start(rest, flags); \
      mode = va_arg(rest, mode_t); \
      va_end(rest); \
    } \
    if (inside) return real(path, flags, mode); \
    FAIL_AS(before(flags & (O_CREAT | O_TRUNC) ? "create" : "open", path)); \
    return real(path, flags, mode); \
  }

OPEN(open)
OPEN(open64)

#define ON_PATH(name, operation, parameters, call, path, ...) \
  int name parameters { \
    REAL(int, name, __VA_ARGS__); \
    if (!inside) FAIL_AS(before(operation, path)); \
    return real call; \
  }

ON_PATH(rename, "rename", (const char *from, const char *to), (from, to), to, const char *, const char *)
ON_PATH(link, "create", (const char *from, const char *to), (from, to), to, const char *, const char *)
ON_PATH(symlink, "create", (const char *to, const char *path), (to, path), path, const char *, const char *)
ON_PATH(unlink, "unlink", (const char *path), (path), path, const char *)
ON_PATH(rmdir, "rmdir", (const char *path), (path), path, const char *)
ON_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), path, const char *, mode_t)

#define ON_FILE(name, operation, parameters, call, ...) \
  int name parameters { \
    REAL(int, name, __VA_ARGS__); \
    char path[4096]; \
    if (!inside && is_regular(fd)) FAIL_AS(before(operation, path_of(fd, path, sizeof path))); \
    return real call; \
  }

ON_FILE(ftruncate, "truncate", (int fd, off_t length), (fd, length), int, off_t)
ON_FILE(ftruncate64, "truncate", (int fd, off64_t length), (fd, length), int, off64_t)
ON_FILE(fdatasync, "sync", (int fd), (fd), int)
ON_FILE(fsync, "sync", (int fd), (fd), int)

#define COPY(name, parameters, call, ...) \
  ssize_t name parameters { \
    REAL(ssize_t, name, __VA_ARGS__); \
    if (inside || !is_regular(to)) return real call; \
    char path[4096]; \
    const char *action = before("copy", path_of(to, path, sizeof path)); \
    FAIL_AS(action); \
    if (!strcmp(action, "none")) return 0; \
    length = shortened(action, length); \
    return real call; \
  }

COPY(sendfile, (int to, int from, off_t *at, size_t length), (to, from, at, length), int, int, off_t *, size_t)
COPY(sendfile64, (int to, int from, off64_t *at, size_t length), (to, from, at, length), int, int, off64_t *, size_t)
COPY(copy_file_range, (int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags), (from, from_at, to, to_at, length, flags), int, off64_t *, int, off64_t *, size_t, unsigned)
