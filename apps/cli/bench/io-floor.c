// What no merge can be faster than, in C: reads files from end to end and writes a number of bytes, with threads that share the pieces
// out. When it ends it writes the processor seconds of user and system to file descriptor 3.
// Usage: io-floor OUT_FILE OUT_BYTES THREADS INPUT…
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 4 << 20, PAGE = 4096, MOST_THREADS = 256 };

static int input_count, *inputs, output;
static off_t *input_bytes, output_bytes, longest;
static atomic_long next_piece;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void transfer(int file, void *piece, off_t at, off_t end, int writes) {
  size_t left = end - at < PIECE ? (size_t)(end - at) : PIECE;
  for (char *position = piece; left > 0;) {
    ssize_t done = writes ? pwrite(file, position, left, at) : pread(file, position, left, at);
    if (done <= 0) fail(writes ? "write" : "read");
    position += done;
    at += done;
    left -= (size_t)done;
  }
}

// Each piece of every file that reaches as far, then the piece of the output at the same place.
static void *work(void *unused) {
  void *piece = aligned_alloc(PAGE, PIECE);
  if (piece == NULL) fail("memory");
  memset(piece, 1, PIECE);
  for (off_t at; (at = (off_t)atomic_fetch_add(&next_piece, 1) * PIECE) < longest;) {
    for (int input = 0; input < input_count; input++)
      if (at < input_bytes[input]) transfer(inputs[input], piece, at, input_bytes[input], 0);
    if (at < output_bytes) transfer(output, piece, at, output_bytes, 1);
  }
  free(piece);
  return unused;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

int main(int count, char **arguments) {
  if (count < 4) return 2;
  output = open(arguments[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
  output_bytes = longest = atoll(arguments[2]);
  int threads = atoi(arguments[3]);
  if (output < 0 || ftruncate(output, output_bytes) != 0) fail(arguments[1]);
  if (threads < 1 || threads > MOST_THREADS) return 2;
  input_count = count - 4;
  inputs = calloc((size_t)input_count + 1, sizeof *inputs);
  input_bytes = calloc((size_t)input_count + 1, sizeof *input_bytes);
  for (int input = 0; input < input_count; input++) {
    struct stat stats;
    inputs[input] = open(arguments[4 + input], O_RDONLY);
    if (inputs[input] < 0 || fstat(inputs[input], &stats) != 0) fail(arguments[4 + input]);
    input_bytes[input] = stats.st_size;
    if (stats.st_size > longest) longest = stats.st_size;
  }
  pthread_t started[MOST_THREADS];
  for (int thread = 0; thread < threads; thread++)
    if (pthread_create(&started[thread], NULL, work, NULL) != 0) fail("thread");
  for (int thread = 0; thread < threads; thread++) pthread_join(started[thread], NULL);
  unlink(arguments[1]);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  dprintf(3, "%ld %f %f", usage.ru_maxrss * 1024, seconds(usage.ru_utime), seconds(usage.ru_stime));
  return 0;
}
