/* Preloaded into an engine: sees each call that changes what is durable below DISK_CALLS_ROOTS (paths, colon between them).
 *
 * DISK_CALLS_JOURNAL: a file to which each call is appended once it has succeeded, with its data, in the order of the calls.
 * DISK_CALLS_FAULT:   CALL|NTH|MODE|GLOB; at the NTH such call on a path that matches, MODE is
 *     before, after   SIGKILL before or after it
 *     torn            half of the bytes are written, then SIGKILL
 *     enospc, eio     it fails, as all such calls do from then on
 *
 * What the kernel does behind a mapping is not seen; SQLite maps only its -shm file, which is not durable anyway.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

enum mode { NONE, BEFORE, AFTER, TORN, FAILS };

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static const char *roots;
static int journal = -1;
static struct { char call[16], glob[PATH_MAX]; unsigned long nth, passed; enum mode mode; int error; } fault;

/* Called again by a process that was forked, once its variables are set. */
__attribute__((constructor)) void disk_calls_begin(void)
{
    const char *path = getenv("DISK_CALLS_JOURNAL"), *armed = getenv("DISK_CALLS_FAULT");
    char mode[16];
    REAL(open);
    roots = getenv("DISK_CALLS_ROOTS");
    if (path)
        journal = real(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (armed && sscanf(armed, "%15[^|]|%lu|%15[^|]|%4095s", fault.call, &fault.nth, mode, fault.glob) == 4) {
        fault.mode = !strcmp(mode, "before") ? BEFORE : !strcmp(mode, "after") ? AFTER : !strcmp(mode, "torn") ? TORN : FAILS;
        fault.error = !strcmp(mode, "enospc") ? ENOSPC : EIO;
    }
}

static int ours(const char *path)
{
    for (const char *root = roots; root && *root;) {
        size_t length = strcspn(root, ":");
        if (!strncmp(path, root, length) && (path[length] == '/' || !path[length]))
            return 1;
        root += length + (root[length] == ':');
    }
    return 0;
}

/* Finds the path of an open file; false if it is none of ours. */
static int path_of(int descriptor, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = roots ? readlink(link, path, PATH_MAX - 1) : -1;
    if (length <= 0)
        return 0;
    path[length] = 0;
    return ours(path);
}

/* Finds the path that a name stands for; false if it is none of ours. */
static int path_at(int directory, const char *name, char *path)
{
    char base[PATH_MAX] = "";
    if (!roots || !name)
        return 0;
    if (*name == '/')
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && ours(path);
    if (directory == AT_FDCWD ? !getcwd(base, sizeof base) : !path_of(directory, base))
        return 0;
    return snprintf(path, PATH_MAX, "%s/%s", base, name) < PATH_MAX && ours(path);
}

static uint64_t inode_of(const char *path)
{
    struct stat found;
    return lstat(path, &found) ? 0 : found.st_ino;
}

static void record(const char *call, uint64_t inode, int64_t offset, const char *path, const char *other, const void *data, uint32_t size)
{
    struct __attribute__((packed)) { char call[12]; uint64_t inode; int64_t offset; uint32_t size; uint16_t path, other; } head = {
        .inode = inode, .offset = offset, .size = size, .path = (uint16_t)strlen(path), .other = (uint16_t)strlen(other)};
    REAL(write);
    if (journal < 0)
        return;
    snprintf(head.call, sizeof head.call, "%s", call);
    if (real(journal, &head, sizeof head) < 0 || real(journal, path, head.path) < 0 || real(journal, other, head.other) < 0
        || (data && real(journal, data, size) < 0))
        abort();
}

static enum mode met(const char *call, const char *path)
{
    if (fault.mode == NONE || strcmp(call, fault.call) || fnmatch(fault.glob, path, FNM_PATHNAME))
        return NONE;
    fault.passed++;
    return fault.mode == FAILS ? (fault.passed >= fault.nth ? FAILS : NONE) : fault.passed == fault.nth ? fault.mode : NONE;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

/* Runs CALL as WHAT on PATH under the fault; RECORD, a statement, follows where it succeeded. */
#define PASS(what, path, result, call, recording)                        \
    do {                                                                 \
        pthread_mutex_lock(&order);                                      \
        enum mode mode_ = met(what, path);                               \
        if (mode_ == BEFORE)                                             \
            die();                                                       \
        if (mode_ == FAILS) {                                            \
            pthread_mutex_unlock(&order);                                \
            errno = fault.error;                                         \
            return -1;                                                   \
        }                                                                \
        result = call;                                                   \
        int error_ = errno;                                              \
        if (result >= 0)                                                 \
            recording;                                                   \
        if (mode_ == AFTER)                                              \
            die();                                                       \
        pthread_mutex_unlock(&order);                                    \
        errno = error_;                                                  \
    } while (0)

/* -- data ---------------------------------------------------------------------------------------------------------- */

static ssize_t write_at(int descriptor, const void *data, size_t size, off64_t offset, int here)
{
    char path[PATH_MAX];
    struct stat64 found;
    ssize_t result;
    __typeof__(&write) real_write = (__typeof__(&write))dlsym(RTLD_NEXT, "write");
    __typeof__(&pwrite64) real_pwrite = (__typeof__(&pwrite64))dlsym(RTLD_NEXT, "pwrite64");
#define DO(count) (here ? real_write(descriptor, data, count) : real_pwrite(descriptor, data, count, offset))
    if (!path_of(descriptor, path) || fstat64(descriptor, &found) || !S_ISREG(found.st_mode))
        return DO(size);
    if (here)
        offset = fcntl(descriptor, F_GETFL) & O_APPEND ? found.st_size : lseek64(descriptor, 0, SEEK_CUR);
    if (fault.mode == TORN) {
        pthread_mutex_lock(&order);
        if (met("write", path) == TORN) {
            if (DO(size / 2) > 0)
                record("write", found.st_ino, offset, path, "", data, (uint32_t)(size / 2));
            die();
        }
        pthread_mutex_unlock(&order);
        return DO(size);
    }
    PASS("write", path, result, DO(size), record("write", found.st_ino, offset, path, "", data, (uint32_t)result));
#undef DO
    return result;
}

ssize_t write(int descriptor, const void *data, size_t size) { return write_at(descriptor, data, size, 0, 1); }
ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) { return write_at(descriptor, data, size, at, 0); }
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t at) { return write_at(descriptor, data, size, at, 0); }

#define ON_DESCRIPTOR(what, call, offset)                                                                   \
    do {                                                                                                    \
        char path[PATH_MAX];                                                                                \
        struct stat64 found;                                                                                \
        int result;                                                                                         \
        if (!path_of(descriptor, path) || fstat64(descriptor, &found))                                      \
            return call;                                                                                    \
        PASS(what, path, result, call, record(what, found.st_ino, offset, path, "", 0, 0));                 \
        return result;                                                                                      \
    } while (0)

int fsync(int descriptor) { REAL(fsync); ON_DESCRIPTOR("sync", real(descriptor), 0); }
int fdatasync(int descriptor) { REAL(fdatasync); ON_DESCRIPTOR("sync", real(descriptor), 0); }
int ftruncate(int descriptor, off_t to) { REAL(ftruncate); ON_DESCRIPTOR("truncate", real(descriptor, to), to); }
int ftruncate64(int descriptor, off64_t to) { REAL(ftruncate64); ON_DESCRIPTOR("truncate", real(descriptor, to), to); }

/* These give the error back instead of -1. */
static int allocate(int descriptor, off64_t from, off64_t size)
{
    REAL(posix_fallocate64);
    ON_DESCRIPTOR("allocate", (errno = real(descriptor, from, size)) ? -1 : 0, from + size);
}
int posix_fallocate(int descriptor, off_t from, off_t size) { return allocate(descriptor, from, size) ? errno : 0; }
int posix_fallocate64(int descriptor, off64_t from, off64_t size) { return allocate(descriptor, from, size) ? errno : 0; }

/* -- names --------------------------------------------------------------------------------------------------------- */

static int open_at(int directory, const char *name, int flags, mode_t mode)
{
    REAL(openat);
    char path[PATH_MAX];
    struct stat found;
    int result;
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !path_at(directory, name, path))
        return real(directory, name, flags, mode);
    if (!lstat(path, &found)) {
        if (!(flags & O_TRUNC) || (flags & O_EXCL) || !S_ISREG(found.st_mode))
            return real(directory, name, flags, mode);
        PASS("truncate", path, result, real(directory, name, flags, mode), record("truncate", found.st_ino, 0, path, "", 0, 0));
    } else
        PASS("create", path, result, real(directory, name, flags, mode), record("create", inode_of(path), 0, path, "", 0, 0));
    return result;
}

#define OPEN(function, parameters, directory)                                   \
    int function parameters                                                     \
    {                                                                           \
        mode_t mode = 0;                                                        \
        if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {              \
            va_list rest;                                                       \
            va_start(rest, flags);                                              \
            mode = va_arg(rest, mode_t);                                        \
            va_end(rest);                                                       \
        }                                                                       \
        return open_at(directory, name, flags, mode);                           \
    }
OPEN(open, (const char *name, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *name, int flags, ...), AT_FDCWD)
OPEN(openat, (int directory, const char *name, int flags, ...), directory)
OPEN(openat64, (int directory, const char *name, int flags, ...), directory)

static int move(int from, const char *old, int to, const char *new, unsigned flags, const char *what, int link_flags)
{
    char path[PATH_MAX], other[PATH_MAX];
    int result, linking = !strcmp(what, "link");
    __typeof__(&renameat2) real_rename = (__typeof__(&renameat2))dlsym(RTLD_NEXT, "renameat2");
    __typeof__(&linkat) real_link = (__typeof__(&linkat))dlsym(RTLD_NEXT, "linkat");
#define DO (linking ? real_link(from, old, to, new, link_flags) : real_rename(from, old, to, new, flags))
    if (!path_at(from, old, path) | !path_at(to, new, other))
        return DO;
    uint64_t inode = inode_of(path), exchanged = 0;
    if (flags & RENAME_EXCHANGE) {
        what = "exchange";
        exchanged = inode_of(other);
    }
    PASS(what, other, result, DO, record(what, inode, exchanged, path, other, 0, 0));
#undef DO
    return result;
}

int rename(const char *old, const char *new) { return move(AT_FDCWD, old, AT_FDCWD, new, 0, "rename", 0); }
int renameat(int from, const char *old, int to, const char *new) { return move(from, old, to, new, 0, "rename", 0); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) { return move(from, old, to, new, flags, "rename", 0); }
int link(const char *old, const char *new) { return move(AT_FDCWD, old, AT_FDCWD, new, 0, "link", 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) { return move(from, old, to, new, 0, "link", flags); }

#define ON_NAME(what, directory, call)                                                          \
    do {                                                                                        \
        char path[PATH_MAX];                                                                    \
        int result;                                                                             \
        if (!path_at(directory, name, path))                                                    \
            return call;                                                                        \
        uint64_t inode = inode_of(path);                                                        \
        PASS(what, path, result, call, record(what, inode ? inode : inode_of(path), 0, path, "", 0, 0)); \
        return result;                                                                          \
    } while (0)

int unlinkat(int directory, const char *name, int flags) { REAL(unlinkat); ON_NAME(flags & AT_REMOVEDIR ? "rmdir" : "unlink", directory, real(directory, name, flags)); }
int unlink(const char *name) { REAL(unlink); ON_NAME("unlink", AT_FDCWD, real(name)); }
int rmdir(const char *name) { REAL(rmdir); ON_NAME("rmdir", AT_FDCWD, real(name)); }
int mkdirat(int directory, const char *name, mode_t mode) { REAL(mkdirat); ON_NAME("mkdir", directory, real(directory, name, mode)); }
int mkdir(const char *name, mode_t mode) { REAL(mkdir); ON_NAME("mkdir", AT_FDCWD, real(name, mode)); }
