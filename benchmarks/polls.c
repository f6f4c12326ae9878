/* The snapshot client of the benchmark: connections that ask for one picture again and again.
 *
 *     polls PORT PATH CONNECTIONS keep|close
 *
 * Each connection asks, reads the answer to its end and asks again at once: on the same connection
 * (keep), or on a new one after "Connection: close" (close). Everything is on 127.0.0.1.
 *
 * Bodies are thrown away inside the kernel (recv with MSG_TRUNC, tcp(7)), all but the first and the
 * last two bytes, which must be a JPEG's SOI and EOI. Placeholders are told by the header that both
 * servers send (X-UStreamer-Online), and are no answers. It speaks as load.c does: "ready" once each
 * connection has had an answer, then "measure" and "report" on standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 512,
    HEAD_MAX = 2048,   /* bytes; an answer's head, and what of its body is read along with it */
    BUCKET_US = 20,    /* resolution of the histogram of times */
    BUCKETS = 100000,  /* 2 s; what takes longer falls into the last one */
    READY_S = 60,      /* in which each connection must have had an answer */
};

struct poller {
    int fd, served;
    int headed;          /* the answer's head is there */
    int last;            /* the server closes after it */
    int placeholder;     /* it is no picture of the camera's */
    size_t used;         /* bytes in head */
    uint64_t left;       /* bytes of the body that are still to come */
    char end[2];         /* the body's last two bytes so far, once there are no more than two left */
    int64_t asked_ns;    /* before connecting, where that was needed */
    char head[HEAD_MAX + 1];
};

static struct {
    uint64_t answers, bytes, broken, refused, closed, placeholders, connected;
    uint32_t times[BUCKETS];
} counters;

static int epoll, keep, waiting;
static struct sockaddr_in address;
static char request[512];
static size_t request_length;
static int64_t measured_from_ns;

static void fail(const char *what)
{
    fprintf(stderr, "polls: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static void ask(struct poller *p)
{
    p->headed = p->last = 0;
    p->used = 0;
    if (send(p->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length &&
        errno != EPIPE && errno != ECONNRESET) /* those are told of by the next recv */
        fail("send");
}

static void connect_and_ask(struct poller *p)
{
    p->asked_ns = now_ns();
    if ((p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        fail("socket");
    if (connect(p->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &event))
        fail("epoll_ctl");
    counters.connected++;
    ask(p);
}

static void again(struct poller *p)
{
    if (keep && !p->last) {
        p->asked_ns = now_ns();
        ask(p);
        return;
    }
    close(p->fd);
    connect_and_ask(p);
}

static void lose(struct poller *p, uint64_t *why)
{
    ++*why;
    close(p->fd);
    connect_and_ask(p);
}

static void answered(struct poller *p)
{
    if (p->placeholder) {
        counters.placeholders++;
        again(p);
        return;
    }
    int64_t bucket = (now_ns() - p->asked_ns) / 1000 / BUCKET_US;
    counters.times[bucket >= BUCKETS ? BUCKETS - 1 : bucket]++;
    counters.answers++;
    waiting -= !p->served;
    p->served = 1;
    again(p);
}

/* Read the head and two bytes of the body; 1 once they are there and right. */
static int read_head(struct poller *p)
{
    ssize_t got = recv(p->fd, p->head + p->used, HEAD_MAX - p->used, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0) {
        lose(p, &counters.closed);
        return 0;
    }
    counters.bytes += got;
    p->used += got;
    char *end = memmem(p->head, p->used, "\r\n\r\n", 4);
    if (!end || p->used < (size_t)(end + 6 - p->head)) {
        if (p->used == HEAD_MAX)
            lose(p, &counters.broken);
        return 0;
    }
    end[2] = '\0'; /* here end the headers, and so the search for one */
    const char *length = strcasestr(p->head, "\r\nContent-Length:");
    uint64_t size = length ? strtoull(length + 17, NULL, 10) : 0;
    size_t ahead = p->used - (end + 4 - p->head);
    if (strncmp(p->head, "HTTP/1.1 200", 12)) {
        lose(p, &counters.refused);
        return 0;
    }
    if (size < 4 || ahead > size || memcmp(end + 4, "\xff\xd8", 2)) {
        lose(p, &counters.broken);
        return 0;
    }
    p->last = strcasestr(p->head, "\r\nConnection: close") != NULL;
    p->placeholder = strcasestr(p->head, "\r\nX-UStreamer-Online: false") != NULL;
    p->headed = 1;
    p->left = size - ahead;
    memcpy(p->end, p->head + p->used - 2, 2);
    return 1;
}

/* Throw the body away, but for its last two bytes. */
static void read_body(struct poller *p)
{
    while (p->left) {
        char end[2];
        int tail = p->left <= 2;
        ssize_t got = tail ? recv(p->fd, end, p->left, 0)
                           : recv(p->fd, NULL, p->left - 2, MSG_TRUNC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            lose(p, &counters.closed);
            return;
        }
        counters.bytes += got;
        p->left -= got;
        if (tail) {
            p->end[0] = got == 2 ? end[0] : p->end[1];
            p->end[1] = end[got - 1];
        }
    }
    if (memcmp(p->end, "\xff\xd9", 2))
        lose(p, &counters.broken);
    else
        answered(p);
}

static void report(void)
{
    printf("{\"elapsed_ns\": %lld, \"answers\": %llu, \"bytes\": %llu, \"broken\": %llu, "
           "\"refused\": %llu, \"closed\": %llu, \"placeholders\": %llu, \"connected\": %llu, "
           "\"bucket_us\": %d, ",
           (long long)(now_ns() - measured_from_ns), (unsigned long long)counters.answers,
           (unsigned long long)counters.bytes, (unsigned long long)counters.broken,
           (unsigned long long)counters.refused, (unsigned long long)counters.closed,
           (unsigned long long)counters.placeholders, (unsigned long long)counters.connected,
           BUCKET_US);
    printf("\"times\": [");
    for (int i = 0, first = 1; i < BUCKETS; i++)
        if (counters.times[i]) {
            printf("%s[%d, %u]", first ? "" : ", ", i, counters.times[i]);
            first = 0;
        }
    puts("]}");
    fflush(stdout);
}

/* Obey what stands on standard input; 0 when it has ended. */
static int listen_to_input(void)
{
    static char said[64];
    static size_t used;
    ssize_t got = read(STDIN_FILENO, said + used, sizeof said - used);
    if (got <= 0)
        return 0;
    used += got;
    for (char *end; (end = memchr(said, '\n', used));) {
        *end = '\0';
        if (!strcmp(said, "measure")) {
            memset(&counters, 0, sizeof counters);
            measured_from_ns = now_ns();
        } else if (!strcmp(said, "report")) {
            report();
        }
        used -= end + 1 - said;
        memmove(said, end + 1, used);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: polls PORT PATH CONNECTIONS keep|close\n");
        return 64;
    }
    int port = atoi(argv[1]), count = atoi(argv[3]), started = 0, ready = 0;
    keep = !strcmp(argv[4], "keep");
    waiting = count;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    request_length = snprintf(request, sizeof request,
                              "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: polls\r\n"
                              "Accept: */*\r\n%s\r\n",
                              argv[2], port, keep ? "" : "Connection: close\r\n");
    struct poller *pollers = calloc(count > 0 ? count : 1, sizeof *pollers);
    struct epoll_event input = {.events = EPOLLIN}, events[EVENTS_MAX];
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!pollers || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input))
        fail("setting up");
    int64_t until = now_ns() + READY_S * INT64_C(1000000000);
    for (;;) {
        if (started < count)
            connect_and_ask(&pollers[started++]);
        int got = epoll_wait(epoll, events, EVENTS_MAX, started < count ? 0 : ready ? -1 : 100);
        for (int i = 0; i < got; i++) {
            struct poller *p = events[i].data.ptr;
            if (!p && !listen_to_input())
                return 0;
            if (p && (p->headed || read_head(p)))
                read_body(p);
        }
        if (!ready && !waiting) {
            ready = 1;
            puts("ready");
            fflush(stdout);
        }
        if (!ready && now_ns() > until) {
            fprintf(stderr, "polls: %d connections had no answer within %d s\n", waiting, READY_S);
            return 1;
        }
    }
}
