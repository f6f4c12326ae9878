/* The loop over a V4L2 stream's buffers, for as long as frames are usual. One thread runs it, the capture
 * thread, which opened the device and alone closes it, so the descriptor is its own. Mappings outlive
 * the device: the kernel keeps a mapped buffer's pages after an unplug. */
#include "fast_path.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/* capture_daemon/v4l2/fast_stream.py has the same. */
struct stream {
    uint64_t ioctl; /* address of ioctl(2), or of a test's */
    int64_t device, interrupt;
    uint64_t buffer;                 /* address of a struct v4l2_buffer: the one dequeued last */
    int64_t held;                    /* the number of ours, to be queued; -1 if there is none */
    int64_t sequence, raw;           /* v4l2/counting.py: the last numbers, -1 if there is none */
    uint64_t seen_ns, resumed_ns;    /* the same; 0 if there is none */
    uint64_t events;                 /* of poll, where there was no buffer */
    int64_t error;                   /* errno of what failed */
    uint64_t buffers;                /* how many follow */
    uint64_t addresses[BUFFERS], lengths[BUFFERS];
};

enum outcome { NOTHING, UNUSUAL, NO_BUFFER, QUEUE_FAILED, DEQUEUE_FAILED };

static const uint64_t STALE_NS = 500000000;

typedef int (*ioctl_function)(int, unsigned long, ...);

static bool request(struct stream *stream, unsigned long number, struct v4l2_buffer *buffer) {
    const ioctl_function call = (ioctl_function)(uintptr_t)stream->ioctl;
    int result;
    do result = call((int)stream->device, number, buffer);
    while (result < 0 && errno == EINTR);
    stream->error = result < 0 ? errno : 0;
    return result >= 0;
}

static bool give_back(struct stream *stream) {
    struct v4l2_buffer buffer = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    if (stream->held < 0) return true;
    buffer.index = (uint32_t)stream->held;
    stream->held = -1;
    return request(stream, VIDIOC_QBUF, &buffer);
}

static bool publish(struct outlet *outlet, struct input *input, struct stream *stream,
                    const struct v4l2_buffer *buffer) {
    const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    const uint64_t stamp_ns = (uint64_t)buffer->timestamp.tv_sec * 1000000000 +
                              (uint64_t)buffer->timestamp.tv_usec * 1000;
    const uint32_t step = buffer->sequence - (uint32_t)stream->raw;
    if (buffer->flags & V4L2_BUF_FLAG_ERROR) return false;
    if ((buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) return false;
    if (!stamp_ns || stamp_ns >= now_ns) return false;
    if (buffer->index >= stream->buffers || buffer->bytesused > stream->lengths[buffer->index]) return false;
    if (stream->sequence < 0 || !step || step > INT32_MAX) return false;
    if (!stream->seen_ns || now_ns - stream->seen_ns > STALE_NS) return false;
    if (stream->resumed_ns && stamp_ns + STALE_NS < stream->resumed_ns) return false;
    const struct frame frame = {
        .data = (const uint8_t *)(uintptr_t)stream->addresses[buffer->index],
        .length = buffer->bytesused,
        .captured_ns = stamp_ns,
        .device_sequence = (uint64_t)stream->sequence + step,
        .arrived_ns = now_ns,
    };
    if (!publish_if_usual(outlet, input, &frame)) return false;
    stream->sequence += step;
    stream->raw = buffer->sequence;
    stream->seen_ns = now_ns;
    return true;
}

/* The size that fast_stream.py must agree with, and that of a buffer as the kernel has it here. */
uint64_t fast_path_stream_sizes(void) {
    return sizeof(struct stream) << 32 | sizeof(struct v4l2_buffer);
}

/* Publish frames until there is one that is not usual (in `buffer`, dequeued, of which nothing is counted
 * yet), none for so long, an interrupt, a signal or an error. */
int fast_path_stream(struct outlet *outlet, struct input *input, struct stream *stream, int timeout_ms) {
    struct v4l2_buffer *buffer = (struct v4l2_buffer *)(uintptr_t)stream->buffer;
    for (;;) {
        __atomic_store_n(&input->heartbeat_ns, clock_ns(CLOCK_MONOTONIC), __ATOMIC_RELAXED);
        if (!give_back(stream)) return QUEUE_FAILED;
        struct pollfd polled[] = {{.fd = (int)stream->device, .events = POLLIN},
                                  {.fd = (int)stream->interrupt, .events = POLLIN}};
        if (poll(polled, 2, timeout_ms) <= 0 || polled[1].revents) return NOTHING;
        stream->events = (uint64_t)polled[0].revents;
        memset(buffer, 0, sizeof *buffer);
        buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
        buffer->memory = V4L2_MEMORY_MMAP;
        if (!request(stream, VIDIOC_DQBUF, buffer))
            return stream->error == EAGAIN ? NO_BUFFER : DEQUEUE_FAILED;
        stream->held = buffer->index;
        if (!publish(outlet, input, stream, buffer)) return UNUSUAL;
    }
}
