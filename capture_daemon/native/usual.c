/* Tells the usual frame, and publishes and counts it as the slow path would (capturing/publisher.py). */
#include "fast_path.h"

#include <string.h>
#include <time.h>

enum { TAIL = 64 }; /* bytes in which the end of a picture is looked for, as sources/pictures/jpeg.py does */

_Static_assert(sizeof(pthread_mutex_t) <= MUTEX_WORDS * sizeof(uint64_t), "the mutex has room");

static pthread_mutex_t *mutex_of(struct outlet *outlet) {
    return (pthread_mutex_t *)outlet->mutex;
}

/* Where the picture ends, after its EOI; 0 if it has another header than the last, or no EOI nearby. */
static uint64_t end_of(const struct input *input, const struct frame *frame) {
    const uint64_t begin = input->header_length;
    if (!begin || frame->length < begin + 2 || memcmp(frame->data, input->header, begin)) return 0;
    const uint64_t first = frame->length - begin > TAIL ? frame->length - TAIL : begin;
    for (uint64_t at = frame->length - 1; at > first; at--)
        if (frame->data[at - 1] == 0xFF && frame->data[at] == 0xD9) return at + 1;
    return 0;
}

static void count_arrival(struct input *input, const struct frame *frame) {
    input->captured++;
    input->valid++;
    input->missed += frame->device_sequence - input->next_sequence;
    input->next_sequence = frame->device_sequence + 1;
    input->newest_ns = frame->captured_ns;
    input->arrived_ns = frame->arrived_ns;
    input->stamps[input->stamped++ % STAMPS] = frame->captured_ns;
}

static void count_published(struct input *input, const struct frame *frame, uint64_t hash) {
    count_arrival(input, frame);
    input->published++;
    if (frame->length != input->same_length || hash != input->same_hash) {
        input->same_length = frame->length;
        input->same_hash = hash;
        input->same_since_ns = frame->captured_ns;
    }
    const uint64_t longest = frame->length + frame->length / 16, faded = input->suspect - input->suspect / 256;
    input->suspect = longest > faded ? longest : faded;
}

static void drop(struct outlet *outlet, struct input *input, const struct frame *frame) {
    pthread_mutex_lock(mutex_of(outlet));
    count_arrival(input, frame);
    input->unwatched++;
    pthread_mutex_unlock(mutex_of(outlet));
}

static bool may_publish(const struct outlet *outlet, const struct input *input, const struct frame *frame) {
    return outlet->on_air == input->number && outlet->newest_from == input->number &&
           frame->captured_ns >= outlet->newest_ns && !outlet->others;
}

bool publish_if_usual(struct outlet *outlet, struct input *input, const struct frame *found) {
    struct frame frame = *found;
    if (!input->next_sequence || frame.device_sequence < input->next_sequence) return false;
    const bool limited = __atomic_load_n(&input->limit_ns, __ATOMIC_RELAXED);
    if (limited && frame.captured_ns < input->due_ns) {
        drop(outlet, input, &frame);
        return true;
    }
    if (limited || input->due_ns || frame.length > input->suspect) return false;
    frame.length = end_of(input, &frame);
    if (!frame.length || frame.length > outlet->capacity / 4) return false;
    uint64_t (*hash_of)(const void *, size_t) = (uint64_t (*)(const void *, size_t))(uintptr_t)outlet->hash;
    const uint64_t hash = hash_of(frame.data, frame.length);
    pthread_mutex_lock(mutex_of(outlet));
    const bool usual = may_publish(outlet, input, &frame);
    if (usual) {
        write_frame(outlet, input, &frame, hash);
        outlet->newest_ns = frame.captured_ns;
        count_published(input, &frame, hash);
    }
    pthread_mutex_unlock(mutex_of(outlet));
    return usual;
}

/* -- what Python calls -------------------------------------------------------------------------- */

/* The sizes that state.py must agree with. */
uint64_t fast_path_sizes(void) {
    return sizeof(struct outlet) << 32 | sizeof(struct input);
}

/* Recursive, as threading.RLock: who publishes by the slow path announces under it. */
int fast_path_init(struct outlet *outlet) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    const int error = pthread_mutex_init(mutex_of(outlet), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error;
}

void fast_path_lock(struct outlet *outlet) {
    pthread_mutex_lock(mutex_of(outlet));
}

void fast_path_unlock(struct outlet *outlet) {
    pthread_mutex_unlock(mutex_of(outlet));
}

/* A frame of a source that is no V4L2 device. */
bool fast_path_publish(struct outlet *outlet, struct input *input, const uint8_t *data, uint64_t length,
                       uint64_t captured_ns, uint64_t device_sequence) {
    const struct frame frame = {data, length, captured_ns, device_sequence, clock_ns(CLOCK_MONOTONIC)};
    return publish_if_usual(outlet, input, &frame);
}
