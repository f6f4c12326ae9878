/* Pictures that a program writes to a pipe, each whole and nothing between them, for as long as they are
 * usual. What does not look so is Python's (sources/pictures/splitter.py), which has the rules. */
#include "fast_path.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* capture_daemon/native/state.py has the same. */
struct pipe_state {
    int64_t interrupt, out, err; /* the ends of a child's two pipes; -1 if it has closed its standard error */
    uint64_t buffer, room, filled;
    uint64_t sequence; /* of the picture that was published last */
};

enum outcome { NOTHING, UNUSUAL };
enum { BLOCK = 64 };

/* Whether an EOI or an SOI is among these bytes. Without branches within a block, so that it is done many
 * bytes at once; one byte behind the last is looked at. */
static bool has_marker(const uint8_t *data, uint64_t length) {
    uint64_t at = 0;
    for (; at + BLOCK <= length; at += BLOCK) {
        uint8_t found = 0;
        for (int each = 0; each < BLOCK; each++)
            found |= (uint8_t)((data[at + each] == 0xFF) & ((data[at + each + 1] & 0xFE) == 0xD8));
        if (found) return true;
    }
    for (; at < length; at++)
        if (data[at] == 0xFF && (data[at + 1] & 0xFE) == 0xD8) return true;
    return false;
}

/* Whether what there is may be the beginning of the next usual picture. */
static bool may_become_one(const struct input *input, const uint8_t *data, uint64_t length) {
    const uint64_t header = input->header_length;
    return header && !memcmp(data, input->header, length < header ? length : header);
}

/* The size that state.py must agree with. */
uint64_t fast_path_pipe_size(void) {
    return sizeof(struct pipe_state);
}

/* Publish pictures until there is something else, of the pipe or of the child's words, nothing for so long,
 * or an interrupt or a signal. What is in the buffer then was neither published nor counted. */
int fast_path_pipe(struct outlet *outlet, struct input *input, struct pipe_state *pipe, int timeout_ms) {
    uint8_t *buffer = (uint8_t *)(uintptr_t)pipe->buffer;
    for (;;) {
        __atomic_store_n(&input->heartbeat_ns, clock_ns(CLOCK_MONOTONIC), __ATOMIC_RELAXED);
        struct pollfd polled[] = {{.fd = (int)pipe->interrupt, .events = POLLIN},
                                  {.fd = (int)pipe->out, .events = POLLIN},
                                  {.fd = (int)pipe->err, .events = POLLIN}};
        if (poll(polled, 3, timeout_ms) <= 0 || polled[0].revents) return NOTHING;
        if (polled[2].revents || !(polled[1].revents & POLLIN)) return UNUSUAL;
        const ssize_t taken = read((int)pipe->out, buffer + pipe->filled, pipe->room - pipe->filled);
        if (taken <= 0) return UNUSUAL;
        const uint64_t length = pipe->filled += (uint64_t)taken;
        if (length == pipe->room || !may_become_one(input, buffer, length)) return UNUSUAL;
        if (length < input->header_length + 2 || buffer[length - 2] != 0xFF || buffer[length - 1] != 0xD9)
            continue;
        if (has_marker(buffer + input->header_length, length - 2 - input->header_length)) return UNUSUAL;
        const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        const struct frame frame = {buffer, length, now_ns, pipe->sequence + 1, now_ns};
        if (!publish_if_usual(outlet, input, &frame)) return UNUSUAL;
        pipe->sequence++;
        pipe->filled = 0;
    }
}
