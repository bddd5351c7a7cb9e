/* A wall clock of its own for one process: LD_PRELOAD it, CHAOS_CLOCK names a file with the seconds that it is ahead.
 *
 * libfaketime 0.9.10 lets no sleep with an absolute end through, which is what sleeping is in Python since 3.11. Here nothing
 * but reading the wall clock is another than the kernel's. The file is mapped, so a jump is there at once. It has to be
 * written in place, all 20 digits of it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int (*kernels_clock)(clockid_t, struct timespec *);
static const char *shown;

__attribute__((constructor)) static void prepare(void) {
    const char *path = getenv("CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    kernels_clock = dlsym(RTLD_NEXT, "clock_gettime");
    if (file < 0)
        return;
    void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    shown = page == MAP_FAILED ? NULL : page;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!kernels_clock)
        prepare();
    int failed = kernels_clock(clock, now);
    if (!failed && shown && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += atol(shown);
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept)
        *kept = exact.tv_sec;
    return exact.tv_sec;
}
