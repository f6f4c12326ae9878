/* The load client of the benchmark: many viewers of one multipart stream, in one thread.
 *
 *     load PORT PATH VIEWERS STAMP CLOCK
 *
 * STAMP is the part header that carries the capture time in seconds, CLOCK the clock it was read
 * from: "realtime", "monotonic" or "monotonic-raw". Everything is on 127.0.0.1.
 *
 * It says "ready" on standard output once every viewer has received a part, then obeys lines on
 * standard input: "measure" sets all counters to zero, "report" prints them as one line of JSON.
 * It ends when standard input does.
 */
#define _GNU_SOURCE
#include "multipart.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>

enum {
    EVENTS_MAX = 512,
    READY_S = 60, /* in which every viewer must have received a part */
};

static int64_t measured_from_ns;

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void start(struct viewer *v, int epoll, int port, const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char request[512];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                          path, port);
    if ((v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        fail("socket");
    if (connect(v->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    if (send(v->fd, request, length, MSG_NOSIGNAL) != length)
        fail("send");
    fcntl(v->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &event))
        fail("epoll_ctl");
}

static void report(const struct viewer *viewers, int count)
{
    printf("{\"elapsed_ns\": %lld, \"bytes\": %llu, \"broken\": %llu, \"backwards\": %llu, "
           "\"placeholders\": %llu, \"unstamped\": %llu, \"closed\": %llu, \"bucket_us\": %d, ",
           (long long)(now_ns(CLOCK_MONOTONIC) - measured_from_ns),
           (unsigned long long)counters.bytes, (unsigned long long)counters.broken,
           (unsigned long long)counters.backwards, (unsigned long long)counters.placeholders,
           (unsigned long long)counters.unstamped, (unsigned long long)counters.closed, BUCKET_US);
    printf("\"parts\": [");
    for (int i = 0; i < count; i++)
        printf("%s%llu", i ? ", " : "", (unsigned long long)viewers[i].parts);
    printf("], \"ages\": [");
    for (int i = 0, first = 1; i < BUCKETS; i++)
        if (counters.ages[i]) {
            printf("%s[%d, %u]", first ? "" : ", ", i, counters.ages[i]);
            first = 0;
        }
    puts("]}");
    fflush(stdout);
}

/* Obey one line. */
static void obey(const char *line, struct viewer *viewers, int count)
{
    if (!strcmp(line, "measure")) {
        memset(&counters, 0, sizeof counters);
        for (int i = 0; i < count; i++)
            viewers[i].parts = 0;
        measured_from_ns = now_ns(CLOCK_MONOTONIC);
    } else if (!strcmp(line, "report")) {
        report(viewers, count);
    }
}

/* Obey what stands on standard input; 0 when it has ended. */
static int listen_to_input(struct viewer *viewers, int count)
{
    static char said[64];
    static size_t used;
    ssize_t got = read(STDIN_FILENO, said + used, sizeof said - used);
    if (got <= 0)
        return 0;
    used += got;
    for (char *end; (end = memchr(said, '\n', used));) {
        *end = '\0';
        obey(said, viewers, count);
        used -= end + 1 - said;
        memmove(said, end + 1, used);
    }
    return 1;
}

static int all_served(const struct viewer *viewers, int count)
{
    for (int i = 0; i < count; i++)
        if (!viewers[i].total)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: load PORT PATH VIEWERS STAMP realtime|monotonic|monotonic-raw\n");
        return 64;
    }
    int port = atoi(argv[1]), count = atoi(argv[3]), started = 0, ready = 0;
    stamp_header = argv[4];
    stamp_clock = !strcmp(argv[5], "monotonic-raw") ? CLOCK_MONOTONIC_RAW
                  : !strcmp(argv[5], "monotonic")   ? CLOCK_MONOTONIC
                                                    : CLOCK_REALTIME;
    struct viewer *viewers = calloc(count > 0 ? count : 1, sizeof *viewers);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event input = {.events = EPOLLIN}, events[EVENTS_MAX];
    if (!viewers || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input))
        fail("setting up");
    int64_t until = now_ns(CLOCK_MONOTONIC) + READY_S * INT64_C(1000000000);
    for (;;) {
        if (started < count)
            start(&viewers[started++], epoll, port, argv[2]);
        int got = epoll_wait(epoll, events, EVENTS_MAX, started < count ? 0 : ready ? -1 : 100);
        for (int i = 0; i < got; i++)
            if (events[i].data.ptr)
                receive(events[i].data.ptr);
            else if (!listen_to_input(viewers, count))
                return 0;
        if (!ready && started == count && all_served(viewers, count)) {
            ready = 1;
            puts("ready");
            fflush(stdout);
        }
        if (!ready && now_ns(CLOCK_MONOTONIC) > until) {
            fprintf(stderr, "load: not every viewer received a part within %d s\n", READY_S);
            return 1;
        }
    }
}
