/* The pump: takes the usual frame from its hint to the viewers in step, one after another, in one go.
 *
 * It waits for the descriptors of the worker's event loop. As long as nothing but the hints' socket is
 * ready, and what comes there is wholly usual, Python is not entered. All else is Python's: the pump
 * returns, with what it has found and has not dealt with in `struct pump`, and knows no reasons. The
 * structure is web_workers/native/state.py's, 64-bit words; the counts in it other threads read
 * meanwhile. One thread runs it, which alone opens and closes the descriptors, and maps the ring.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { VIEWERS = 32, EVENTS = 64, SAID = 4096, BOUNDS = 12, HEAD = 512 };

/* What Fanout counts (counts/progress.py). */
struct progress {
    uint64_t published, frames, bytes, captured_ns, age_ns, ages[BOUNDS + 1];
};

struct pump {
    int64_t epoll, hints;                        /* descriptors */
    uint64_t progress, hash;                     /* addresses: of a struct progress, of XXH3_64bits */
    uint64_t interval_word, claimed_word, arena; /* addresses in the segment (framebus/ring/layout.py) */
    uint64_t capacity, largest, epoch, interval_ns;
    uint64_t part, room;     /* memory that a part is made in */
    uint64_t bounds[BOUNDS]; /* of ages (counts/tally.py) */
    uint64_t viewers;        /* how many descriptors follow */
    int64_t sockets[VIEWERS];
    uint64_t silence_ns, until_ns; /* it returns at `until_ns`, and after so long without a frame: */
    uint64_t look_ns;
    uint64_t sent_ns; /* when the newest frame was sent */
    uint64_t published;  /* frames of the camera by then, delivered or not */
    uint64_t newest[11]; /* its descriptor's words; that of the last frame dealt with, to begin with */
    uint64_t start, size; /* where in the part its JPEG begins; bytes of the part */
    uint64_t pumped;      /* frames */
    uint64_t behind;      /* not 0: somebody did not take all of the newest */
    int64_t taken[VIEWERS]; /* what each took of it, or a negative errno */
    uint64_t events;        /* how many pairs follow, of descriptor and epoll events */
    uint64_t ready[2 * EVENTS];
    uint64_t said_size; /* bytes that came from the hints' socket, and are not dealt with */
    uint8_t said[SAID];
};

enum word { SEQUENCE, POSITION, LENGTH, CHECK, CAPTURED, CAPTURED_UTC, PUBLISHED, DEVICE, WIDTH, HEIGHT, FLAGS };

/* framebus/ring/announcement.py in a message of framebus/zmtp/wire.py. */
struct hint {
    uint8_t flags, size;
    uint8_t epoch[8], descriptor[128];
};

typedef uint64_t (*hash_function)(const void *, size_t);

static const uint64_t LARGEST_COUNT = 1ull << 62, EARLY_NS = 1000000000;
static const uint64_t FALLBACK = 8; /* framebus/frame.py: it has one header more */
static const char END[] = "\r\n--boundarydonotcross\r\n";

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const void *at(uint64_t address) {
    return (const void *)(uintptr_t)address;
}

static bool usual(const struct pump *pump, const struct hint *hint, const uint64_t *frame) {
    uint64_t epoch;
    memcpy(&epoch, hint->epoch, sizeof epoch);
    return epoch == pump->epoch && frame[SEQUENCE] > pump->newest[SEQUENCE] &&
           frame[SEQUENCE] <= LARGEST_COUNT && frame[CAPTURED] > pump->newest[CAPTURED] &&
           frame[CAPTURED] <= now_ns() + EARLY_NS && frame[CAPTURED_UTC] <= INT64_MAX &&
           !(frame[FLAGS] & FALLBACK) && frame[POSITION] <= LARGEST_COUNT && frame[LENGTH] <= pump->largest &&
           frame[POSITION] % pump->capacity + frame[LENGTH] <= pump->capacity &&
           frame[LENGTH] + HEAD <= pump->room &&
           *(const volatile uint64_t *)at(pump->interval_word) == pump->interval_ns;
}

/* Copy a frame out of the ring, between a part's headers and its end (web_workers/wire/multipart.py), then
 * validate the copy, as framebus/ring/reader.py does; the letters are layout.py's. */
static bool make_part(struct pump *pump, const uint64_t *frame) {
    char *const part = (char *)(uintptr_t)pump->part;
    const uint64_t us = frame[CAPTURED_UTC] / 1000;
    const int start = snprintf(part, HEAD,
                               "Content-Type: image/jpeg\r\nContent-Length: %" PRIu64 "\r\n"
                               "X-Timestamp: %" PRIu64 ".%06" PRIu64 "\r\nX-Sequence: %" PRIu64 "\r\n\r\n",
                               frame[LENGTH], us / 1000000, us % 1000000, frame[SEQUENCE]);
    char *const payload = part + start;
    memcpy(payload, (const char *)at(pump->arena) + frame[POSITION] % pump->capacity, frame[LENGTH]); /* b */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    const uint64_t claimed = *(const volatile uint64_t *)at(pump->claimed_word); /* c */
    if (claimed + pump->largest > frame[POSITION] + pump->capacity) return false;
    const hash_function hash = (hash_function)(uintptr_t)pump->hash;
    uint64_t checked[16] = {0};
    memcpy(checked, frame, sizeof pump->newest);
    checked[CHECK] = hash(payload, frame[LENGTH]);
    if (hash(checked, sizeof checked) != frame[CHECK]) return false; /* e */
    memcpy(payload + frame[LENGTH], END, sizeof END - 1);
    pump->start = (uint64_t)start;
    pump->size = (uint64_t)start + frame[LENGTH] + sizeof END - 1;
    return true;
}

static void store(uint64_t *count, uint64_t value) {
    __atomic_store_n(count, value, __ATOMIC_RELEASE);
}

/* Send the part to all. What is counted in the order in which Fanout.delivery reads it backwards: nobody
 * sees a frame as published that is not begun for those in step. */
static void send_part(struct pump *pump, const uint64_t *frame) {
    struct progress *const progress = (struct progress *)(uintptr_t)pump->progress;
    pump->published += frame[SEQUENCE] - pump->newest[SEQUENCE];
    memcpy(pump->newest, frame, sizeof pump->newest);
    pump->pumped++;
    pump->sent_ns = now_ns();
    pump->look_ns = pump->sent_ns + pump->silence_ns;
    store(&progress->captured_ns, frame[CAPTURED]);
    store(&progress->frames, progress->frames + 1);
    store(&progress->published, pump->published);
    for (uint64_t i = 0; i < pump->viewers; i++) {
        ssize_t took;
        do took = send((int)pump->sockets[i], at(pump->part), pump->size, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (took < 0 && errno == EINTR);
        pump->taken[i] = took < 0 ? -errno : took;
        if ((uint64_t)pump->taken[i] != pump->size) pump->behind = 1;
    }
    store(&progress->bytes, progress->bytes + pump->size);
    const int64_t age_ns = (int64_t)(now_ns() - frame[CAPTURED]);
    size_t bucket = 0;
    while (bucket < BOUNDS && age_ns > (int64_t)pump->bounds[bucket]) bucket++;
    progress->ages[bucket]++;
    progress->age_ns += (uint64_t)age_ns;
}

/* Take what has come from the hints' socket; false if that, or a part of it, is Python's. */
static bool take_hints(struct pump *pump) {
    const ssize_t got = recv((int)pump->hints, pump->said, SAID, MSG_DONTWAIT);
    const struct hint *const hints = (const struct hint *)pump->said;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) { /* it has ended: Python sees that for itself */
        pump->events = 1;
        return false;
    }
    const size_t count = (size_t)got / sizeof *hints;
    bool whole = (size_t)got % sizeof *hints == 0;
    for (size_t i = 0; i < count; i++)
        whole = whole && !hints[i].flags && hints[i].size == sizeof *hints - 2;
    if (!whole) {
        pump->said_size = (uint64_t)got;
        return false;
    }
    uint64_t frame[11];
    memcpy(frame, hints[count - 1].descriptor, sizeof frame);
    if (!usual(pump, &hints[count - 1], frame) || !make_part(pump, frame)) {
        memmove(pump->said, &hints[count - 1], sizeof *hints); /* only the newest matters */
        pump->said_size = sizeof *hints;
        return false;
    }
    send_part(pump, frame);
    return !pump->behind;
}

/* The size that state.py must agree with. */
uint64_t pump_size(void) {
    return sizeof(struct pump);
}

/* Room for a viewer in step, which has nothing under way: a Unix socket tells of it with each read. */
static bool is_no_news(const struct pump *pump, const struct epoll_event *event) {
    if (event->events != EPOLLOUT) return false;
    for (uint64_t i = 0; i < pump->viewers; i++)
        if (event->data.fd == pump->sockets[i]) return true;
    return false;
}

/* Wait for what is news, or until something is due; false if nothing has come. */
static bool wait_for_news(struct pump *pump) {
    struct epoll_event ready[EVENTS];
    const uint64_t now = now_ns();
    const uint64_t until = pump->look_ns < pump->until_ns ? pump->look_ns : pump->until_ns;
    const uint64_t left = until > now ? until - now : 0;
    const int count = epoll_wait((int)pump->epoll, ready, EVENTS, (int)((left + 999999) / 1000000));
    pump->events = 0;
    for (int i = 0; i < count; i++) {
        if (is_no_news(pump, &ready[i])) continue;
        pump->ready[2 * pump->events] = (uint64_t)ready[i].data.fd;
        pump->ready[2 * pump->events + 1] = ready[i].events;
        pump->events++;
    }
    return count > 0;
}

/* Pump until there is something for Python: other descriptors, what is not usual, a time, or a signal. */
void pump_run(struct pump *pump) {
    pump->pumped = pump->behind = pump->said_size = 0;
    while (wait_for_news(pump)) {
        const bool hinted = pump->ready[0] == (uint64_t)pump->hints && pump->ready[1] == EPOLLIN;
        if (pump->events > 1 || (pump->events && !hinted)) return;
        if (!pump->events) continue;
        pump->events = 0;
        if (!take_hints(pump)) return;
    }
}
