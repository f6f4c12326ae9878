/* Read frames from a live framebus ring, in C, with no library but libc and the header of xxHash (Debian:
 * libxxhash-dev).
 *
 *     cc -O2 -o reader examples/reader.c
 *     ./reader /run/framebus/camera.ring 30 > frames.mjpeg
 *
 * The argument is RUNTIME/CAMERA.ring, which tells the name of the segment in /dev/shm, or a segment
 * of your own. Prints one line per frame on standard error: sequence, bytes, age in milliseconds. The
 * layout, and what is believed, is that of docs/ring.md. It polls; a real program would rather wait on
 * CAMERA.frames (ZeroMQ). Ends with 0 after COUNT frames (without COUNT: never), 1 when there is no
 * ring, no permission, or somebody else could have made it, 2 when it is no ring of this layout.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL /* nothing to link with */
#include <xxhash.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "a ring's words are little-endian"
#endif

enum { MAGIC, VERSION, EPOCH, SIZE, DESCRIPTORS, COUNT, ARENA, CAPACITY, PID, INTERVAL };
enum { CLAIMED = 16, CURSOR = 24 };
enum { SEQUENCE, POSITION, LENGTH, CHECK, CAPTURED, DESCRIPTOR_WORDS = 16 };
enum { PAGE = 4096, TABLE = 12288, DESCRIPTOR_BYTES = 128, NAME_MAX_BYTES = 128 };

static const uint64_t LAYOUT_VERSION = 2, LARGEST_COUNT = UINT64_C(1) << 62;
static const uint64_t SMALLEST_CAPACITY = UINT64_C(1) << 16, LARGEST_CAPACITY = UINT64_C(1) << 34;
static const uint64_t EARLY_NS = 1000000000;

/* A mapped ring. What its header said is checked once and kept: it is not read again. */
struct ring {
    const uint64_t *words;
    uint64_t size, count, arena, capacity;
};

static uint64_t load(const uint64_t *word) {
    return atomic_load_explicit((const _Atomic uint64_t *)word, memory_order_acquire);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int refuse(const char *path, const char *why) {
    fprintf(stderr, "%s: %s\n", path, why);
    return -1;
}

static bool ours_or_roots(uid_t owner) {
    return owner == geteuid() || owner == 0;
}

/* Open a regular file of `owner` that nobody else may write; -1, with a word why, for all else. */
static int open_trusted(const char *path, uid_t owner, struct stat *file) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, file) < 0) {
        perror(path);
    } else if (!S_ISREG(file->st_mode)) {
        refuse(path, "is no regular file");
    } else if (file->st_uid != owner) {
        refuse(path, "belongs to another user than it should");
    } else if (file->st_mode & (S_IWGRP | S_IWOTH)) {
        refuse(path, "may be written by others");
    } else {
        return fd;
    }
    if (fd >= 0) close(fd);
    return -1;
}

/* Whose files are believed that are found through the directory `path`: its owner's. False, with a
 * word why, where somebody else could have made it, or may write it. */
static bool trusted_owner(const char *path, uid_t *owner) {
    char above[4096];
    struct stat directory, parent;
    if (lstat(path, &directory) < 0) {
        perror(path);
        return false;
    }
    *owner = directory.st_uid;
    if (!S_ISDIR(directory.st_mode) || directory.st_mode & (S_IWGRP | S_IWOTH)) {
        refuse(path, "is no directory, or others may write it");
        return false;
    }
    if (ours_or_roots(directory.st_uid)) return true;
    const int length = snprintf(above, sizeof above, "%s/..", path);
    if (length < 0 || (size_t)length >= sizeof above || lstat(above, &parent) < 0) {
        perror(path);
        return false;
    }
    if (ours_or_roots(parent.st_uid) && !(parent.st_mode & (S_IWGRP | S_IWOTH))) return true;
    refuse(path, "belongs to a user who may have put it there");
    return false;
}

/* The name of a segment: framebus-, then no character that could lead out of /dev/shm. */
static bool is_segment(const char *name) {
    const size_t length = strlen(name);
    return !strncmp(name, "framebus-", 9) && length > 9 + 32 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == length;
}

/* Open the segment that a ring file tells of; a descriptor, or -1 with a word why. */
static int open_told(const char *ring_file, struct stat *told) {
    char directory[4096], name[NAME_MAX_BYTES + 1], path[sizeof "/dev/shm/" + NAME_MAX_BYTES];
    struct stat segment;
    uid_t owner;
    const char *slash = strrchr(ring_file, '/');
    const size_t length = slash ? (size_t)(slash - ring_file) : 1;
    if (length >= sizeof directory) return refuse(ring_file, "is too long a path");
    memcpy(directory, slash ? ring_file : ".", length);
    directory[length] = 0;
    if (!trusted_owner(length ? directory : "/", &owner)) return -1;
    const int fd = open_trusted(ring_file, owner, told);
    if (fd < 0) return -1;
    const ssize_t got = read(fd, name, NAME_MAX_BYTES);
    close(fd);
    name[got > 0 ? got : 0] = 0;
    name[strcspn(name, "\n")] = 0;
    if (!is_segment(name)) return refuse(ring_file, "does not name a ring");
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return open_trusted(path, owner, &segment);
}

/* Check the header of an open segment, then map it. */
static bool attach(int fd, struct ring *ring) {
    uint64_t head[CAPACITY + 1];
    struct stat file;
    if (fstat(fd, &file) < 0 || pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head) return false;
    *ring = (struct ring){NULL, head[SIZE], head[COUNT], head[ARENA], head[CAPACITY]};
    if (memcmp(head, "FRAMEBUS", 8) || head[VERSION] != LAYOUT_VERSION || head[DESCRIPTORS] != TABLE)
        return false;
    if (ring->capacity < SMALLEST_CAPACITY || ring->capacity > LARGEST_CAPACITY ||
        ring->capacity % PAGE || !ring->count || ring->count > ring->capacity ||
        ring->count & (ring->count - 1))
        return false;
    const uint64_t table_end = TABLE + ring->count * DESCRIPTOR_BYTES;
    if (ring->arena != (table_end + PAGE - 1) / PAGE * PAGE ||
        ring->size != ring->arena + ring->capacity || ring->size != (uint64_t)file.st_size)
        return false;
    void *map = mmap(NULL, ring->size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return false;
    ring->words = map;
    return true;
}

static void detach(struct ring *ring) {
    munmap((void *)ring->words, ring->size);
}

/* Copy frame `sequence` to `frame`, of CAPACITY / 4 bytes; return its length, or 0 when it is gone. */
static size_t read_frame(const struct ring *ring, uint64_t sequence, uint8_t *frame, uint64_t *captured) {
    const uint64_t capacity = ring->capacity, margin = capacity / 4;
    const uint64_t *descriptor =
        ring->words + TABLE / 8 + (sequence & (ring->count - 1)) * DESCRIPTOR_WORDS;
    uint64_t copy[DESCRIPTOR_WORDS];

    if (!sequence || sequence > LARGEST_COUNT) return 0;
    if (load(&descriptor[SEQUENCE]) != sequence) return 0; /* a */
    memcpy(copy, descriptor, sizeof copy);                 /* b */
    if (copy[POSITION] > LARGEST_COUNT || copy[LENGTH] > margin) return 0;
    const uint64_t offset = copy[POSITION] % capacity;
    if (copy[LENGTH] > capacity - offset || copy[CAPTURED] > now_ns() + EARLY_NS) return 0;
    memcpy(frame, (const uint8_t *)ring->words + ring->arena + offset, copy[LENGTH]);
    atomic_thread_fence(memory_order_acquire);
    const uint64_t claimed = load(&ring->words[CLAIMED]);
    if (claimed > LARGEST_COUNT || claimed + margin > copy[POSITION] + capacity) return 0; /* c */
    if (load(&descriptor[SEQUENCE]) != sequence) return 0;                                 /* d */
    const uint64_t check = copy[CHECK];
    copy[CHECK] = XXH3_64bits(frame, copy[LENGTH]);
    if (XXH3_64bits(copy, sizeof copy) != check) return 0; /* e */
    *captured = copy[CAPTURED];
    return copy[LENGTH];
}

/* Whether there is another ring, or none: a real program begins again with the ring file. */
static bool replaced(const char *path, int fd, const struct stat *told) {
    struct stat now;
    if (!told->st_ino) return fstat(fd, &now) < 0 || now.st_nlink == 0;
    return lstat(path, &now) < 0 || now.st_ino != told->st_ino ||
           now.st_mtim.tv_sec != told->st_mtim.tv_sec || now.st_mtim.tv_nsec != told->st_mtim.tv_nsec;
}

/* Write `left` frames, a negative number for all there ever are. */
static int copy_frames(const struct ring *ring, const char *path, int fd, const struct stat *told, long left) {
    uint8_t *frame = malloc(ring->capacity / 4);
    uint64_t last = 0;
    while (frame && left) {
        const uint64_t cursor = load(&ring->words[CURSOR]);
        uint64_t captured = 0;
        const size_t length = cursor > last ? read_frame(ring, cursor, frame, &captured) : 0;
        if (!length) { /* nothing new, or lapped: the next look takes the newest */
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            if (replaced(path, fd, told)) break;
            continue;
        }
        const uint64_t now = now_ns();
        const double age_ms = now > captured ? (double)(now - captured) / 1e6 : 0.0;
        fprintf(stderr, "%" PRIu64 " %zu %.1f\n", cursor, length, age_ms);
        if (fwrite(frame, 1, length, stdout) != length) break;
        last = cursor;
        if (left > 0) left--;
    }
    free(frame);
    return left ? 1 : 0;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s RUNTIME/CAMERA.ring [COUNT]\n", argv[0]);
        return 64;
    }
    struct stat told = {0}, file;
    struct ring ring;
    /* A ring file is a line of text; a segment is larger than any. */
    const bool is_told = lstat(argv[1], &file) == 0 && S_ISREG(file.st_mode) && file.st_size < PAGE;
    const int fd = is_told ? open_told(argv[1], &told) : open_trusted(argv[1], geteuid(), &file);
    if (fd < 0) return 1;
    if (!attach(fd, &ring)) {
        fprintf(stderr, "%s is no framebus ring of layout version %" PRIu64 "\n", argv[1], LAYOUT_VERSION);
        close(fd);
        return 2;
    }
    const int result = copy_frames(&ring, argv[1], fd, &told, argc == 3 ? atol(argv[2]) : -1);
    detach(&ring);
    close(fd);
    return result;
}
