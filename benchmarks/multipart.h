/* What one viewer of a multipart stream makes of the bytes that come. Part of load.c.
 *
 * Bodies are thrown away inside the kernel (recv with MSG_TRUNC copies nothing, tcp(7)), all but
 * the first and the last two bytes, which must be a JPEG's SOI and EOI. So a viewer costs little,
 * and yet each part is checked: boundary, length, both ends, and that it is no older than the one
 * before. The age of a frame is taken when its last byte is here.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_MAX = 1024,     /* bytes; a part's head, and what of its body is read along with it */
    BUCKET_US = 20,      /* resolution of the histogram of ages */
    BUCKETS = 100000,    /* 2 s; what is older falls into the last one */
};

enum state { RESPONSE, PART, BODY, CLOSED };

struct viewer {
    int fd;
    enum state state;
    int ending;              /* the head's first two bytes are the last of the body before it */
    int judged;              /* they have been looked at */
    size_t used;             /* bytes in head */
    uint64_t skip;           /* bytes of the body that are still to be thrown away */
    double stamp, previous;  /* capture time of the part under way and of the one before, s */
    int stamped, placeholder;
    uint64_t parts, total;   /* whole parts since "measure", and ever */
    char head[HEAD_MAX + 1];
};

static struct {
    uint64_t bytes, broken, backwards, placeholders, unstamped, closed;
    uint32_t ages[BUCKETS];
} counters;

static const char *stamp_header;
static clockid_t stamp_clock;

static int64_t now_ns(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

static void drop(struct viewer *v)
{
    close(v->fd);
    v->state = CLOSED;
    counters.closed++;
}

/* There is no telling where the next part begins. */
static int lose(struct viewer *v)
{
    counters.broken++;
    drop(v);
    return 0;
}

/* The value of a header in a NUL-terminated head, or NULL. */
static const char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (!strncasecmp(line, name, length) && line[length] == ':')
            return line + length + 1;
    }
    return NULL;
}

/* The last two bytes of a body are here: the part is whole, and old by so much. */
static void judge(struct viewer *v)
{
    v->judged = 1;
    if (memcmp(v->head, "\xff\xd9", 2)) {
        counters.broken++;
        return;
    }
    v->parts++;
    v->total++;
    if (v->placeholder) {
        counters.placeholders++;
    } else if (!v->stamped) {
        counters.unstamped++;
    } else {
        int64_t bucket = (int64_t)((now_ns(stamp_clock) / 1e3 - v->stamp * 1e6) / BUCKET_US);
        counters.ages[bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket]++;
        if (v->stamp < v->previous)
            counters.backwards++;
        v->previous = v->stamp;
    }
}

/* Keep what follows the first `count` bytes of the head. */
static void keep_from(struct viewer *v, size_t count)
{
    v->used -= count;
    memmove(v->head, v->head + count, v->used + 1);
}

/* Look at what has been read; 1 when something was understood and more may follow in the head. */
static int parse(struct viewer *v)
{
    if (v->ending && !v->judged && v->used >= 2)
        judge(v);
    size_t from = v->ending ? 2 : 0;
    if (v->used < from + 4)
        return 0;
    const char *mark = v->state == RESPONSE ? "HTTP" : v->ending ? "\r\n--" : "--";
    if (strncmp(v->head + from, mark, strlen(mark)))
        return lose(v); /* no boundary where the part before ended */
    char *end = strstr(v->head + from, "\r\n\r\n");
    if (!end)
        return v->used == HEAD_MAX ? lose(v) : 0;
    size_t body = end + 4 - v->head;
    if (v->state == RESPONSE) {
        if (strncmp(v->head, "HTTP/1.", 7) || strncmp(v->head + 8, " 200", 4)) {
            fprintf(stderr, "load: the server answered %.*s\n", (int)strcspn(v->head, "\r"), v->head);
            exit(1);
        }
        v->state = PART;
        keep_from(v, body);
        return 1;
    }
    if (v->used < body + 2)
        return 0; /* the body's first two bytes are wanted too */
    end[2] = '\0'; /* here end the headers, and so the search for one */
    const char *text = v->head + from;
    const char *length = header(text, "Content-Length");
    uint64_t size = length ? strtoull(length, NULL, 10) : 0;
    if (size < 4)
        return lose(v);
    if (memcmp(v->head + body, "\xff\xd8", 2))
        counters.broken++;
    const char *stamp = header(text, stamp_header);
    v->stamped = stamp != NULL;
    v->stamp = stamp ? strtod(stamp, NULL) : 0;
    v->placeholder = header(text, "X-Placeholder") != NULL;
    v->ending = 1;
    v->judged = 0;
    size_t ahead = v->used - body;
    if (ahead > size - 2) {
        keep_from(v, body + size - 2);
        return 1;
    }
    v->skip = size - 2 - ahead;
    v->used = 0;
    v->head[0] = '\0';
    v->state = v->skip ? BODY : PART;
    return 0;
}

/* NUL bytes would end the strings above. No head has any; a body's stand behind the blank line. */
static void receive(struct viewer *v)
{
    while (v->state != CLOSED) {
        size_t asked = v->state == BODY ? v->skip : HEAD_MAX - v->used;
        ssize_t got = v->state == BODY ? recv(v->fd, NULL, asked, MSG_TRUNC)
                                       : recv(v->fd, v->head + v->used, asked, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            drop(v);
            return;
        }
        counters.bytes += got;
        if (v->state == BODY) {
            v->skip -= got;
            if (!v->skip)
                v->state = PART;
        } else {
            v->used += got;
            v->head[v->used] = '\0';
            while (parse(v))
                ;
        }
        if ((size_t)got < asked)
            return; /* epoll tells of what comes later */
    }
}
