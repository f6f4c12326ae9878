/* A stand-in for a V4L2 MJPEG camera, for programs that read nothing but /dev/videoN.
 *
 *     LD_PRELOAD=./v4l2_shim.so SHIM_DEVICE=/tmp/video SHIM_CLIP=clip.mjpeg SHIM_FPS=30 \
 *         SHIM_WIDTH=1280 SHIM_HEIGHT=720 PROGRAM
 *
 * Takes over open, close, mmap and ioctl for that one path, so that a peer can be measured on the same
 * frames as framebus on a machine without a camera, or whose kernel has no V4L2. It is a source of
 * load, not the model of a camera: no faults, no controls, and one opening at a time. The
 * descriptor is a timer, so that poll() and select() tell of a frame when one is due; the buffers
 * are one memfd.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 32, BUFFER_BYTES = 4 << 20, FRAMES_MAX = 1024 };

static int device = -1, memory = -1;
static uint8_t *buffers;
static const uint8_t *clip;
static const uint8_t *frames[FRAMES_MAX + 1]; /* where each begins; the last one's end */
static int frame_count, next_frame;
static unsigned queue[BUFFERS], queued, dequeued; /* a ring of indices, in the order of QBUF */
static uint32_t sequence;
static int streaming;

typedef int (*close_function)(int);
typedef int (*open_function)(const char *, int, ...);
typedef int (*ioctl_function)(int, unsigned long, void *);
typedef void *(*mmap_function)(void *, size_t, int, int, int, off64_t);

static int setting(const char *name, int otherwise)
{
    const char *value = getenv(name);
    return value ? atoi(value) : otherwise;
}

static int refuse(int reason)
{
    errno = reason;
    return -1;
}

/* Once: a camera does not search its frames, and what is done for each is charged to the program.
 * An EOI that is followed by an SOI can only be where one ends (floor.c). */
static void find_frames(size_t size)
{
    const uint8_t *end = clip + size, *border = clip;
    for (; border && frame_count < FRAMES_MAX; frame_count++) {
        frames[frame_count] = border;
        border = memmem(border, end - border, "\xff\xd9\xff\xd8", 4);
        border = border ? border + 2 : NULL;
    }
    frames[frame_count] = border ? border : end;
}

static int open_device(open_function real_open)
{
    if (!clip) {
        struct stat status;
        int fd = real_open(getenv("SHIM_CLIP"), O_RDONLY);
        if (fd < 0 || fstat(fd, &status))
            return refuse(ENODEV);
        clip = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        find_frames(status.st_size);
        memory = memfd_create("v4l2_shim", MFD_CLOEXEC);
        if (memory < 0 || ftruncate(memory, (off_t)BUFFERS * BUFFER_BYTES))
            return refuse(ENOMEM);
        buffers = mmap(NULL, (size_t)BUFFERS * BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                       memory, 0);
    }
    return device = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

static int open_path(const char *symbol, const char *path, int flags, int mode)
{
    open_function real_open = (open_function)dlsym(RTLD_NEXT, symbol);
    const char *ours = getenv("SHIM_DEVICE");
    return ours && !strcmp(path, ours) ? open_device(real_open) : real_open(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return open_path("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return open_path("open64", path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd == device)
        device = -1; /* the number may be another file's next */
    return ((close_function)dlsym(RTLD_NEXT, "close"))(fd);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
    mmap_function real_mmap = (mmap_function)dlsym(RTLD_NEXT, "mmap64");
    return real_mmap(address, length, protection, flags, fd >= 0 && fd == device ? memory : fd,
                     offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mmap64(address, length, protection, flags, fd, offset);
}

static int capabilities(struct v4l2_capability *answer)
{
    memset(answer, 0, sizeof *answer);
    strcpy((char *)answer->driver, "uvcvideo");
    strcpy((char *)answer->card, "Benchmark clip");
    strcpy((char *)answer->bus_info, "usb-shim-1");
    answer->version = 6 << 16;
    answer->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_EXT_PIX_FORMAT;
    answer->capabilities = answer->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

static int describe_format(struct v4l2_fmtdesc *format)
{
    if (format->index || format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
        return refuse(EINVAL);
    format->flags = V4L2_FMT_FLAG_COMPRESSED;
    format->pixelformat = V4L2_PIX_FMT_MJPEG;
    strcpy((char *)format->description, "Motion-JPEG");
    return 0;
}

static int frame_size(struct v4l2_frmsizeenum *size)
{
    if (size->index)
        return refuse(EINVAL);
    size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    size->discrete.width = setting("SHIM_WIDTH", 1280);
    size->discrete.height = setting("SHIM_HEIGHT", 720);
    return 0;
}

static int frame_interval(struct v4l2_frmivalenum *interval)
{
    if (interval->index)
        return refuse(EINVAL);
    interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    interval->discrete.numerator = 1;
    interval->discrete.denominator = setting("SHIM_FPS", 30);
    return 0;
}

static int format(struct v4l2_pix_format *pixels)
{
    memset(pixels, 0, sizeof *pixels);
    pixels->width = setting("SHIM_WIDTH", 1280);
    pixels->height = setting("SHIM_HEIGHT", 720);
    pixels->pixelformat = V4L2_PIX_FMT_MJPEG;
    pixels->field = V4L2_FIELD_NONE;
    pixels->sizeimage = BUFFER_BYTES;
    pixels->colorspace = V4L2_COLORSPACE_JPEG;
    return 0;
}

static int parameters(struct v4l2_captureparm *capture)
{
    capture->capability = V4L2_CAP_TIMEPERFRAME;
    capture->timeperframe.numerator = 1;
    capture->timeperframe.denominator = setting("SHIM_FPS", 30);
    return 0;
}

static int request(struct v4l2_requestbuffers *wanted)
{
    if (wanted->memory != V4L2_MEMORY_MMAP)
        return refuse(EINVAL);
    if (wanted->count > BUFFERS)
        wanted->count = BUFFERS;
    queued = dequeued = 0;
    return 0;
}

static int query(struct v4l2_buffer *buffer)
{
    buffer->length = BUFFER_BYTES;
    buffer->m.offset = buffer->index * BUFFER_BYTES;
    return 0;
}

static int dequeue(struct v4l2_buffer *buffer)
{
    uint64_t due;
    struct timespec at;
    if (!streaming)
        return refuse(EINVAL);
    if (read(device, &due, sizeof due) != sizeof due || queued == dequeued)
        return refuse(EAGAIN); /* not due yet; or due, and no buffer to put it in: it is lost */
    const uint8_t *frame = frames[next_frame];
    buffer->index = queue[dequeued++ % BUFFERS];
    buffer->bytesused = frames[next_frame + 1] - frame;
    memcpy(buffers + (size_t)buffer->index * BUFFER_BYTES, frame, buffer->bytesused);
    next_frame = (next_frame + 1) % frame_count;
    clock_gettime(CLOCK_MONOTONIC, &at);
    buffer->timestamp.tv_sec = at.tv_sec;
    buffer->timestamp.tv_usec = at.tv_nsec / 1000;
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_DONE;
    buffer->memory = V4L2_MEMORY_MMAP;
    buffer->field = V4L2_FIELD_NONE;
    buffer->sequence = sequence++;
    return query(buffer);
}

static int stream(int on)
{
    struct itimerspec rate = {0};
    if (on)
        rate.it_interval.tv_nsec = 1000000000L / setting("SHIM_FPS", 30);
    rate.it_value = rate.it_interval;
    streaming = on;
    queued = on ? queued : 0;
    dequeued = on ? dequeued : 0;
    return timerfd_settime(device, 0, &rate, NULL);
}

int ioctl(int fd, unsigned long number, ...)
{
    va_list more;
    va_start(more, number);
    void *argument = va_arg(more, void *);
    va_end(more);
    if (fd < 0 || fd != device)
        return ((ioctl_function)dlsym(RTLD_NEXT, "ioctl"))(fd, number, argument);
    switch ((unsigned)number) {
    case VIDIOC_QUERYCAP: return capabilities(argument);
    case VIDIOC_ENUM_FMT: return describe_format(argument);
    case VIDIOC_ENUM_FRAMESIZES: return frame_size(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return frame_interval(argument);
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT: return format(&((struct v4l2_format *)argument)->fmt.pix);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: return parameters(&((struct v4l2_streamparm *)argument)->parm.capture);
    case VIDIOC_ENUMINPUT: return ((struct v4l2_input *)argument)->index ? refuse(EINVAL) : 0;
    case VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
    case VIDIOC_S_INPUT: return 0;
    case VIDIOC_REQBUFS: return request(argument);
    case VIDIOC_QUERYBUF: return query(argument);
    case VIDIOC_QBUF: queue[queued++ % BUFFERS] = ((struct v4l2_buffer *)argument)->index; return 0;
    case VIDIOC_DQBUF: return dequeue(argument);
    case VIDIOC_STREAMON: return stream(1);
    case VIDIOC_STREAMOFF: return stream(0);
    default: return refuse(ENOTTY);
    }
}
