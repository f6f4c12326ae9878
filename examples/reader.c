/* Read frames from a live framebus ring, in C, with no library but libc.
 *
 *     cc -O2 -o reader examples/reader.c
 *     ./reader /dev/shm/framebus-DIGEST-camera 30 > frames.mjpeg
 *
 * Prints one line per frame on standard error: sequence, bytes, age in milliseconds. The layout
 * is that of docs/ring.md. It polls; a real program would rather wait on CAMERA.frames (ZeroMQ).
 * Ends with 0 after COUNT frames, 1 when there is no ring, 2 when its layout is unknown.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAGIC, VERSION, EPOCH, SIZE, DESCRIPTORS, COUNT, ARENA, CAPACITY, PID, INTERVAL };
enum { CLAIMED = 16, CURSOR = 24 };
enum { SEQUENCE, POSITION, LENGTH, CHECK, CAPTURED, DESCRIPTOR_WORDS = 16 };

static const uint64_t LAYOUT_VERSION = 1;

static uint64_t load(const uint64_t *word) {
    return atomic_load_explicit((const _Atomic uint64_t *)word, memory_order_acquire);
}

/* CRC-32 as in zlib, PNG and Ethernet: reflected polynomial 0xEDB88320. */
static uint32_t crc32(uint32_t crc, const uint8_t *data, size_t length) {
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t value = byte;
            for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
            table[byte] = value;
        }
    crc = ~crc;
    while (length--) crc = table[(crc ^ *data++) & 255] ^ crc >> 8;
    return ~crc;
}

/* Copy frame `sequence` to `frame`; return its length, or 0 when it is gone. */
static size_t read_frame(const uint64_t *ring, uint64_t sequence, uint8_t *frame, uint64_t *captured) {
    const uint64_t capacity = ring[CAPACITY], margin = capacity / 4;
    const uint64_t *descriptor =
        ring + ring[DESCRIPTORS] / 8 + (sequence & (ring[COUNT] - 1)) * DESCRIPTOR_WORDS;
    uint64_t copy[DESCRIPTOR_WORDS];

    if (load(&descriptor[SEQUENCE]) != sequence) return 0; /* a */
    memcpy(copy, descriptor, sizeof copy);                 /* b */
    const uint64_t offset = copy[POSITION] % capacity;
    if (copy[LENGTH] > margin || offset + copy[LENGTH] > capacity) return 0;
    memcpy(frame, (const uint8_t *)ring + ring[ARENA] + offset, copy[LENGTH]);
    atomic_thread_fence(memory_order_acquire);
    if (load(&ring[CLAIMED]) + margin > copy[POSITION] + capacity) return 0; /* c */
    if (load(&descriptor[SEQUENCE]) != sequence) return 0;                   /* d */
    const uint64_t check = copy[CHECK];
    copy[CHECK] = 0;
    uint32_t crc = crc32(0, frame, copy[LENGTH]);
    if (crc32(crc, (const uint8_t *)copy, sizeof copy) != check) return 0; /* e */
    *captured = copy[CAPTURED];
    return copy[LENGTH];
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s SEGMENT COUNT   (SEGMENT: /dev/shm/framebus-...)\n", argv[0]);
        return 64;
    }
    struct stat file;
    const int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) < 0 || file.st_size < 4096) {
        perror(argv[1]);
        return 1;
    }
    const uint64_t *ring = mmap(NULL, file.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (ring == MAP_FAILED || memcmp(ring, "FRAMEBUS", 8) || load(&ring[VERSION]) != LAYOUT_VERSION ||
        ring[SIZE] != (uint64_t)file.st_size) {
        fprintf(stderr, "%s is no framebus ring of layout version %" PRIu64 "\n", argv[1], LAYOUT_VERSION);
        return 2;
    }
    uint8_t *frame = malloc(ring[CAPACITY] / 4);
    uint64_t last = 0;
    for (long left = atol(argv[2]); frame && left > 0;) {
        const uint64_t cursor = load(&ring[CURSOR]);
        uint64_t captured = 0;
        const size_t length = cursor > last ? read_frame(ring, cursor, frame, &captured) : 0;
        if (!length) { /* nothing new, or lapped: the next look takes the newest */
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            /* A new daemon makes a new ring: a real program opens the name again here. */
            if (fstat(fd, &file) == 0 && file.st_nlink == 0) return 1;
            continue;
        }
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        const double age_ms = (now.tv_sec * 1e9 + now.tv_nsec - captured) / 1e6;
        fprintf(stderr, "%" PRIu64 " %zu %.1f\n", cursor, length, age_ms);
        fwrite(frame, 1, length, stdout);
        last = cursor;
        left--;
    }
    return 0;
}
