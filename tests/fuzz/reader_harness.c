/* examples/reader.c over many damaged rings in one process: the file named is one, and each line of
 * standard input has pairs of a word's number and its value, which are put into it for one turn.
 * Prints how many rings were refused, and how many frames were read. Ends with 0. */
#include <sys/mman.h>

enum { GUARD = 1 << 20 };

/* As mmap, with pages behind the mapping that nobody may read. */
static void *guarded_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
    char *room = mmap(at, size + GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return room;
    return mmap(room, size, prot, flags | MAP_FIXED, fd, offset);
}

#define mmap guarded_mmap
#define munmap(at, size) munmap(at, (size) + GUARD)
#define main reader_main
#include READER
#undef main

static unsigned long refused, frames;

static void turn(const char *path) {
    struct stat told = {0}, file;
    struct ring ring;
    uint64_t captured = 0;
    const int fd = open_trusted(path, geteuid(), &file);
    if (fd < 0) exit(1);
    if (attach(fd, &ring)) {
        uint8_t *frame = malloc(ring.capacity / 4);
        const uint64_t cursor = load(&ring.words[CURSOR]);
        for (uint64_t back = 0; back < 4; back++)
            if (read_frame(&ring, cursor - back, frame, &captured)) frames++;
        if (replaced(path, fd, &told)) exit(1);
        free(frame);
        detach(&ring);
    } else {
        refused++;
    }
    close(fd);
}

int main(int argc, char **argv) {
    enum { MOST = 16 };
    char line[2048];
    if (argc != 2) return 64;
    const int fd = open(argv[1], O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fgets(line, sizeof line, stdin)) {
        uint64_t before[MOST], value;
        off_t at[MOST];
        int changed = 0, used;
        for (char *rest = line; changed < MOST; rest += used, changed++) {
            unsigned long word;
            if (sscanf(rest, "%lu %" SCNu64 "%n", &word, &value, &used) != 2) break;
            at[changed] = (off_t)(word * 8);
            if (pread(fd, &before[changed], 8, at[changed]) != 8) return 1;
            if (pwrite(fd, &value, 8, at[changed]) != 8) return 1;
        }
        turn(argv[1]);
        while (changed--)
            if (pwrite(fd, &before[changed], 8, at[changed]) != 8) return 1;
    }
    printf("%lu %lu\n", refused, frames);
    return fd < 0;
}
