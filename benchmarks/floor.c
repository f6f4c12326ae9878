/* The floor of the benchmark: what serving costs when it is nothing but send().
 *
 *     floor PORT FPS CLIP
 *
 * Sends the JPEGs of CLIP (one after another, see tools.py), FPS of them a second and over and
 * over, to everybody who connects to 127.0.0.1:PORT, as parts framed as framebus frames them. No
 * HTTP is parsed, nothing is copied, no process hands frames to another. A viewer whose socket is
 * full is waited for with poll(); one that is still busy when the next frame is due misses it,
 * since a live stream sends the newest frame or none. Send buffers are as large as the system lets
 * them be, so that a frame mostly goes out in one call: cheaper than what the kernel finds by itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOUNDARY "--boundarydonotcross\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; " \
                 "boundary=boundarydonotcross\r\n\r\n" BOUNDARY
#define TAIL "\r\n" BOUNDARY

enum { HEAD = 192 /* bytes in front of each JPEG for its head */, VIEWERS_MAX = 4096,
       SEND_BUFFER = 1 << 19 /* SO_SNDBUF, bytes */ };

struct part {
    char *room;   /* HEAD bytes, the JPEG, the tail */
    size_t jpeg;  /* its length, bytes */
};

struct viewer {
    int fd;
    const char *rest;
    size_t left; /* bytes */
};

static struct viewer viewers[VIEWERS_MAX];
static struct pollfd waiting[VIEWERS_MAX];
static int count;

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

/* An EOI that is followed by an SOI can only be where one JPEG ends: entropy-coded data has no
 * marker but RSTn (ITU T.81 B.1.1.5), and a camera's headers hold no thumbnail. */
static int load(const char *path, struct part **parts)
{
    struct stat status;
    int fd = open(path, O_RDONLY), total = 0;
    if (fd < 0 || fstat(fd, &status))
        fail(path);
    size_t size = status.st_size;
    char *clip = malloc(size + 1);
    if (!clip || read(fd, clip, size) != (ssize_t)size)
        fail(path);
    close(fd);
    *parts = NULL;
    for (char *from = clip, *end = clip + size, *next; from < end; from = next) {
        char *border = memmem(from, end - from, "\xff\xd9\xff\xd8", 4);
        next = border ? border + 2 : end;
        struct part part = {malloc(HEAD + (next - from) + sizeof TAIL), next - from};
        *parts = realloc(*parts, (total + 1) * sizeof **parts);
        if (!part.room || !*parts)
            fail("memory");
        memcpy(part.room + HEAD, from, part.jpeg);
        memcpy(part.room + HEAD + part.jpeg, TAIL, sizeof TAIL - 1);
        (*parts)[total++] = part;
    }
    free(clip);
    return total;
}

/* Write the head so that it ends where the JPEG begins; return where it begins. Its length is the
 * same each time, so a viewer that is still busy with this very part loses nothing. */
static const char *stamp(struct part *part, uint64_t sequence)
{
    char head[HEAD];
    int64_t utc_us = now_ns(CLOCK_REALTIME) / 1000;
    int length = snprintf(head, sizeof head,
                          "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n"
                          "X-Timestamp: %lld.%06lld\r\nX-Sequence: %010llu\r\n\r\n",
                          part->jpeg, (long long)(utc_us / 1000000), (long long)(utc_us % 1000000),
                          (unsigned long long)sequence);
    return memcpy(part->room + HEAD - length, head, length);
}

/* Hand what is left to the kernel; 0 when the viewer is gone. */
static int push(struct viewer *viewer)
{
    ssize_t sent = send(viewer->fd, viewer->rest, viewer->left, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    viewer->rest += sent;
    viewer->left -= sent;
    return 1;
}

static void admit(int listener)
{
    int fd, on = 1, buffer = SEND_BUFFER;
    while (count < VIEWERS_MAX && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        send(fd, RESPONSE, sizeof RESPONSE - 1, MSG_NOSIGNAL);
        viewers[count++] = (struct viewer){.fd = fd};
    }
}

static void push_all(const char *from, size_t length)
{
    for (int i = 0; i < count;) {
        if (!viewers[i].left) {
            viewers[i].rest = from;
            viewers[i].left = length;
        }
        if (push(&viewers[i])) {
            i++;
        } else {
            close(viewers[i].fd);
            viewers[i] = viewers[--count];
        }
    }
}

/* Go on with the viewers whose sockets were full, until all are done or the time is up. A viewer
 * that fails here is closed by the next push_all. */
static void finish(int64_t until_ns)
{
    for (;;) {
        int busy = 0;
        for (int i = 0; i < count; i++) {
            waiting[i] = (struct pollfd){.fd = viewers[i].left ? viewers[i].fd : -1,
                                         .events = POLLOUT};
            busy += viewers[i].left > 0;
        }
        int64_t left_ns = until_ns - now_ns(CLOCK_MONOTONIC);
        if (!busy || left_ns <= 0)
            return;
        struct timespec timeout = {0, left_ns};
        if (ppoll(waiting, count, &timeout, NULL) <= 0)
            return;
        for (int i = 0; i < count; i++)
            if (waiting[i].revents & POLLOUT)
                push(&viewers[i]);
            else if (waiting[i].revents)
                viewers[i].left = 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: floor PORT FPS CLIP\n");
        return 64;
    }
    struct part *parts;
    int total = load(argv[3], &parts), on = 1;
    int64_t interval_ns = (int64_t)(1e9 / atof(argv[2]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        fail("listen");
    /* Several floors send at the same moments, as several workers do that were told of a frame. */
    int64_t due_ns = (now_ns(CLOCK_MONOTONIC) / interval_ns + 1) * interval_ns;
    for (uint64_t sequence = 1;; sequence++) {
        struct part *part = &parts[sequence % total];
        const char *from = stamp(part, sequence);
        admit(listener);
        push_all(from, part->room + HEAD + part->jpeg + sizeof TAIL - 1 - from);
        due_ns += interval_ns;
        if (due_ns < now_ns(CLOCK_MONOTONIC))
            due_ns = now_ns(CLOCK_MONOTONIC); /* too many viewers: late, but not for ever */
        finish(due_ns);
        struct timespec at = {due_ns / 1000000000, due_ns % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    }
}
