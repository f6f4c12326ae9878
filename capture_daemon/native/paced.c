/* Frames that are due at times, out of a recording or out of memory, for as long as they are usual. One
 * thread runs it, the capture thread. A frame may have bytes before it that are in its place already, and
 * some that follow: the test pattern's, of which only a part is another one each time. */
#include "fast_path.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* capture_daemon/native/state.py has the same. */
struct paced {
    int64_t interrupt, file; /* no file, -1: where a frame is, is an address */
    uint64_t start_ns;       /* when tick 0 was due */
    double interval_ns;
    uint64_t tick;              /* the next one */
    uint64_t frames, count, at; /* three words each: where, how long, and Python's; the next one */
    uint64_t by_tick;           /* a tick that is missed takes its frame with it, and its number */
    uint64_t buffer, room, before;
    uint64_t after, after_length;
    uint64_t sequence;            /* of the frame that was taken last */
    uint64_t captured_ns, length; /* of the frame in the buffer */
};

enum outcome { NOTHING, UNUSUAL, OVER, LOST };

/* Wait for that; false if the interrupt is set. */
static bool sleep_ns(const struct paced *paced, uint64_t ns) {
    struct pollfd polled = {.fd = (int)paced->interrupt, .events = POLLIN};
    const struct timespec wait = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    return ppoll(&polled, 1, &wait, NULL) == 0;
}

/* Bring a frame into the buffer; false if it is not there, or there is no room. */
static bool fetch(struct paced *paced, const uint64_t *entry) {
    uint8_t *place = (uint8_t *)(uintptr_t)paced->buffer + paced->before;
    const uint64_t length = entry[1], around = paced->before + paced->after_length;
    if (around > paced->room || length > paced->room - around) return false;
    if (paced->file < 0)
        memcpy(place, (const void *)(uintptr_t)entry[0], length);
    else if (pread((int)paced->file, place, length, (off_t)entry[0]) != (ssize_t)length)
        return false;
    if (paced->after_length) memcpy(place + length, (const void *)(uintptr_t)paced->after, paced->after_length);
    paced->length = length + around;
    return true;
}

/* The sizes that state.py must agree with. */
uint64_t fast_path_paced_size(void) {
    return sizeof(struct paced);
}

/* Publish frames, each when it is due, until one is not usual (it is in the buffer), one is LOST, all were
 * taken (OVER), none is due for so long, or an interrupt or a signal. */
int fast_path_paced(struct outlet *outlet, struct input *input, struct paced *paced, int timeout_ms) {
    const uint64_t most_ns = (uint64_t)timeout_ms * 1000000;
    for (;;) {
        if (paced->at >= paced->count) return OVER;
        uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        __atomic_store_n(&input->heartbeat_ns, now_ns, __ATOMIC_RELAXED);
        const uint64_t due_ns = paced->start_ns + (uint64_t)((double)paced->tick * paced->interval_ns);
        const uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
        if (!sleep_ns(paced, left_ns < most_ns ? left_ns : most_ns) || left_ns > most_ns) return NOTHING;
        now_ns = clock_ns(CLOCK_MONOTONIC);
        const uint64_t elapsed = (uint64_t)((double)(now_ns - paced->start_ns) / paced->interval_ns);
        const uint64_t tick = elapsed > paced->tick ? elapsed : paced->tick;
        if (paced->by_tick) paced->at += tick - paced->tick;
        if (paced->at >= paced->count) return OVER;
        const uint64_t *entry = (const uint64_t *)(uintptr_t)paced->frames + 3 * paced->at++;
        paced->sequence = paced->by_tick ? tick + 1 : paced->sequence + 1;
        paced->tick = tick + 1;
        paced->captured_ns = now_ns;
        if (!fetch(paced, entry)) return LOST;
        const struct frame frame = {(const uint8_t *)(uintptr_t)paced->buffer, paced->length, now_ns,
                                    paced->sequence, now_ns};
        if (!publish_if_usual(outlet, input, &frame)) return UNUSUAL;
    }
}
