/* Writes a frame into the ring, and tells who listens. The order is that of framebus/ring/layout.py, the
 * hint's bytes are framebus/ring/announcement.py's in a message of ZMTP (framebus/zmtp/wire.py). */
#include "fast_path.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { CLAIMED = 16, CURSOR = 24, TABLE = 12288 / 8, DESCRIPTOR_WORDS = 16, SEQUENCE = 0, CHECK = 3 };
enum { NARROW_NS = 20000, TRIES = 4 };

struct hint {
    uint8_t flags, size; /* one part, no more; its bytes */
    uint8_t epoch[8], descriptor[DESCRIPTOR_WORDS * 8];
};
_Static_assert(sizeof(struct hint) == 2 + 8 + 128, "a hint has no gaps");

uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* As framebus/clocks.py: the two clocks cannot be read at once, so the narrowest of a few readings counts. */
static uint64_t utc_offset_ns(void) {
    uint64_t best = UINT64_MAX, offset = 0;
    for (int tries = 0; tries < TRIES && best > NARROW_NS; tries++) {
        const uint64_t before = clock_ns(CLOCK_MONOTONIC);
        const uint64_t utc = clock_ns(CLOCK_REALTIME);
        const uint64_t width = clock_ns(CLOCK_MONOTONIC) - before;
        if (width < best) {
            best = width;
            offset = utc - (before + width / 2);
        }
    }
    return offset;
}

/* Send to all, and wait for none: who lags misses it. Part of so short a message the kernel never takes;
 * who had one all the same could make nothing of what follows, and is hung up on. */
static void tell(const struct outlet *outlet, const uint64_t *descriptor) {
    struct hint hint = {.flags = 0, .size = sizeof hint - 2};
    memcpy(hint.epoch, &outlet->epoch, sizeof hint.epoch);
    memcpy(hint.descriptor, descriptor, sizeof hint.descriptor);
    for (uint64_t at = 0; at < outlet->subscribers; at++) {
        const int fd = (int)outlet->descriptors[at];
        const ssize_t sent = send(fd, &hint, sizeof hint, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0 && sent < (ssize_t)sizeof hint) shutdown(fd, SHUT_RDWR);
    }
}

void write_frame(const struct outlet *outlet, const struct input *input, const struct frame *frame,
                 uint64_t hash) {
    uint8_t *memory = (uint8_t *)(uintptr_t)outlet->memory;
    uint64_t *words = (uint64_t *)memory;
    uint64_t position = words[CLAIMED], offset = position % outlet->capacity;
    if (offset + frame->length > outlet->capacity) {
        position += outlet->capacity - offset;
        offset = 0;
    }
    const uint64_t sequence = words[CURSOR] + 1;
    uint64_t *slot = words + TABLE + (sequence & (outlet->count - 1)) * DESCRIPTOR_WORDS;

    /* 1 claim; the fence: nobody may see a byte of the frame before he can see the claim */
    __atomic_store_n(&words[CLAIMED], position + (frame->length + 7) / 8 * 8, __ATOMIC_RELAXED);
    __atomic_store_n(&slot[SEQUENCE], 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);

    /* 2 write */
    memcpy(memory + outlet->arena + offset, frame->data, frame->length);
    uint64_t descriptor[DESCRIPTOR_WORDS] = {
        sequence,
        position,
        frame->length,
        hash,
        frame->captured_ns,
        frame->captured_ns + utc_offset_ns(),
        clock_ns(CLOCK_MONOTONIC),
        frame->device_sequence,
        input->width,
        input->height,
        input->flags,
    };
    uint64_t (*hash_of)(const void *, size_t) = (uint64_t (*)(const void *, size_t))(uintptr_t)outlet->hash;
    descriptor[CHECK] = hash_of(descriptor, sizeof descriptor);
    memcpy(slot + 1, descriptor + 1, sizeof descriptor - sizeof *descriptor);

    /* 3 publish */
    __atomic_store_n(&slot[SEQUENCE], sequence, __ATOMIC_RELEASE);
    __atomic_store_n(&words[CURSOR], sequence, __ATOMIC_RELEASE);
    tell(outlet, descriptor);
}
