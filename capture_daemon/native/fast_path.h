/* The fast path: what the usual frame takes from its buffer to the ring and to who listens, in one go.
 *
 * Whatever is unusual in the least is handed to the slow path, which is Python and alone knows what a
 * JPEG is, what is rejected and why, and what an error means. Both write the same state, and never at
 * once: it is here, in structures of 64-bit words that state.py describes to Python, under one mutex.
 * Nothing here waits for anybody while it holds that, or allocates memory, or knows Python.
 */
#ifndef FAST_PATH_H
#define FAST_PATH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMPS = 61, SUBSCRIBERS = 512, HEADER_MAX = 4096, BUFFERS = 32, MUTEX_WORDS = 8 };

/* The way into the ring (capturing/switcher.py); all but the mutex and what is constant is under it. */
struct outlet {
    uint64_t mutex[MUTEX_WORDS];
    uint64_t memory, epoch, count, arena, capacity; /* the segment (framebus/ring/layout.py) */
    uint64_t hash;                                  /* address of XXH3_64bits */
    uint64_t on_air, newest_from;                   /* an input's number */
    uint64_t newest_ns;                             /* when the ring's newest frame was captured */
    uint64_t others;      /* not 0: somebody listens whom only the slow path can send to */
    uint64_t subscribers; /* how many descriptors follow */
    int64_t descriptors[SUBSCRIBERS];
};

/* One capture thread's part of it. Without a header no frame is usual. */
struct input {
    uint64_t number;
    uint64_t heartbeat_ns;                         /* when the fast path last began to wait */
    uint64_t captured, published, valid, missed;   /* counts of frames (capturing/counters.py) */
    uint64_t newest_ns, arrived_ns;
    uint64_t next_sequence;                        /* the device's next number; 0 if unknown */
    uint64_t stamped;                              /* stamps ever; the last STAMPS are kept */
    uint64_t stamps[STAMPS];
    uint64_t same_length, same_hash, same_since_ns; /* capturing/freeze_detector.py */
    uint64_t suspect;                              /* capturing/publisher.py */
    uint64_t limit_ns, due_ns;                     /* capturing/rate_gate.py */
    uint64_t unwatched;                            /* how many it dropped here */
    uint64_t width, height, flags;
    uint64_t header_length;
    uint8_t header[HEADER_MAX];                    /* up to the coded data, as examined last */
};

/* A frame that may be usual. */
struct frame {
    const uint8_t *data;
    uint64_t length, captured_ns, device_sequence, arrived_ns;
};

/* Nanoseconds. */
uint64_t clock_ns(clockid_t clock);

/* Publish and count a frame, if it is usual, or drop it, if nobody wants it; if not, nothing was changed. */
bool publish_if_usual(struct outlet *, struct input *, const struct frame *);

/* Write a frame into the ring (ring.c) and tell of it; returns what CHECK was made of. The mutex is held. */
void write_frame(const struct outlet *, const struct input *, const struct frame *, uint64_t hash);

#endif
