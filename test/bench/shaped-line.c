/*
 * A slow and lossy line between two network namespaces, for systems whose kernel has no netem: two tun devices, and between
 * them what netem would do. Each packet waits for its turn at the line's rate, then for half the round trip; some are lost;
 * what does not fit into the queue is dropped. shaped-network.ts compiles, starts and ends it.
 *
 *   shaped-line PID PID DEVICE BYTES_PER_SECOND DELAY_US LOSS_PER_MILLION QUEUE_BYTES
 *
 * PID: a process in each namespace. Says "ready" when the devices are there, and ends at the end of stdin.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES 1600
/* A power of two, above what two round trips at 1 Gbit/s and 200 ms hold. */
#define SLOTS 32768
#define NANOSECONDS 1000000000LL

struct packet {
  int64_t due;
  uint16_t bytes;
  unsigned char data[PACKET_BYTES];
};

struct direction {
  int from, to;
  /* When the line has sent all that it was given, nanoseconds. */
  int64_t free;
  unsigned head, tail;
  struct packet *packets;
};

static int64_t bytesPerSecond, delay, lossPerMillion, queueBytes;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

static int openDevice(const char *pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) fail(path);
  close(space);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl(device, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return device;
}

static void take(struct direction *line) {
  while (line->head - line->tail < SLOTS) {
    struct packet *packet = &line->packets[line->head % SLOTS];
    ssize_t bytes = read(line->from, packet->data, PACKET_BYTES);
    if (bytes <= 0) return;
    int64_t at = now();
    if (line->free < at) line->free = at;
    int64_t waiting = (line->free - at) * bytesPerSecond / NANOSECONDS;
    if (waiting + bytes > queueBytes || random() % 1000000 < lossPerMillion) continue;
    line->free += bytes * NANOSECONDS / bytesPerSecond;
    packet->due = line->free + delay;
    packet->bytes = (uint16_t)bytes;
    line->head += 1;
  }
}

/* Sends what is due. Returns when the next is, or the greatest number. */
static int64_t give(struct direction *line) {
  int64_t at = now();
  while (line->tail != line->head) {
    struct packet *packet = &line->packets[line->tail % SLOTS];
    if (packet->due > at) return packet->due;
    /* A device that is full or down loses the packet, as a line would. */
    if (write(line->to, packet->data, packet->bytes) < 0 && errno == EBADFD) exit(0);
    line->tail += 1;
  }
  return INT64_MAX;
}

int main(int count, char **arguments) {
  if (count != 8) return 2;
  bytesPerSecond = atoll(arguments[4]);
  delay = atoll(arguments[5]) * 1000;
  lossPerMillion = atoll(arguments[6]);
  queueBytes = atoll(arguments[7]);
  int devices[2] = {openDevice(arguments[1], arguments[3]), openDevice(arguments[2], arguments[3])};
  struct direction lines[2];
  for (int one = 0; one < 2; one += 1) {
    lines[one] = (struct direction){.from = devices[one], .to = devices[1 - one], .packets = calloc(SLOTS, sizeof(struct packet))};
    if (lines[one].packets == NULL) fail("memory");
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    int64_t next = INT64_MAX;
    for (int one = 0; one < 2; one += 1) {
      take(&lines[one]);
      int64_t due = give(&lines[one]);
      if (due < next) next = due;
    }
    struct pollfd waits[3] = {{.fd = devices[0], .events = POLLIN}, {.fd = devices[1], .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    int64_t rest = next - now();
    if (rest < 0) rest = 0;
    struct timespec timeout = {.tv_sec = rest / NANOSECONDS, .tv_nsec = rest % NANOSECONDS};
    ppoll(waits, 3, next == INT64_MAX ? NULL : &timeout, NULL);
    char end;
    if ((waits[2].revents & (POLLIN | POLLHUP)) != 0 && read(0, &end, 1) <= 0) return 0;
  }
}
