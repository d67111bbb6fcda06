/* Stands between a server and its disk, for tests: notes what the server does to its files and what
 * it tells its clients, in one order, and makes the calls fail that a test wants to fail.
 *
 * Preloaded (LD_PRELOAD), so that the server under test is the real one. It reads
 *   ECHAT_SHIM_ROOT    the folder whose files it watches, absolute
 *   ECHAT_SHIM_RECORD  where it appends its notes; without it nothing is noted (record.rs reads them)
 *   ECHAT_SHIM_RULE    "WHAT ERRNO SKIP TIMES SUFFIX": of the calls of this kind on files whose path
 *                      ends so ("-" is any), let SKIP pass and fail TIMES; -1 is all, and errno 0
 *                      kills the process instead
 *   ECHAT_SHIM_SWITCH  the rule holds while this file exists; without it, always
 *
 * The real calls are made as system calls: whatever libc calls them, nothing is called twice. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The kinds of notes, as record.rs names them. */
enum note {
    STARTED = 1, MADE, MADE_FOLDER, REMOVED, RENAMED, WRITTEN, RESIZED, SYNCED, NOT_SYNCED,
    SYNCED_FOLDER, READY, ACCEPTED, SENT, NOT_SYNCED_FOLDER
};

/* What a rule can be about. A write that needs no new space is what a full disk still allows. */
enum what { NOTHING = 0, WRITE = 1, GROW = 2, SYNC = 4, NAME = 8, ANY = 15, READ = 16 };

#define FILES 65536
static char watched[FILES];
static char root[4096];
static int record = -1;
static struct {
    enum what what;
    int error;
    long skip, times;
    char suffix[64];
    const char *switch_path;
} rule;

static void note(enum note kind, uint64_t file, uint64_t at, const void *data, size_t length)
{
    if (record < 0)
        return;
    uint64_t head[4] = { kind, file, at, length };
    struct iovec parts[2] = { { head, sizeof head }, { (void *)data, length } };
    if (syscall(SYS_writev, record, parts, 2) != (ssize_t)(sizeof head + length))
        abort();
}

static void note_path(enum note kind, uint64_t file, const char *path)
{
    note(kind, file, 0, path, strlen(path));
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("ECHAT_SHIM_ROOT");
    if (!path)
        return;
    snprintf(root, sizeof root, "%s/", path);
    const char *text = getenv("ECHAT_SHIM_RULE");
    char what[16];
    if (text && sscanf(text, "%15s %d %ld %ld %63s", what, &rule.error, &rule.skip, &rule.times,
                       rule.suffix) == 5)
        rule.what = !strcmp(what, "write") ? WRITE | GROW : !strcmp(what, "grow") ? GROW
                  : !strcmp(what, "sync") ? SYNC : !strcmp(what, "read") ? READ : ANY;
    rule.switch_path = getenv("ECHAT_SHIM_SWITCH");
    const char *to = getenv("ECHAT_SHIM_RECORD");
    if (to)
        record = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    note(STARTED, 0, 0, NULL, 0);
}

static int within(const char *path)
{
    return root[0] && !strncmp(path, root, strlen(root));
}

static int watches(int fd)
{
    return fd >= 0 && fd < FILES && watched[fd];
}

static int exists(const char *path)
{
    return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

/* Whether the rule wants this call to fail; if so, errno says how. */
static int fails_at(enum what what, const char *path)
{
    if (!(rule.what & what) || (rule.switch_path && !exists(rule.switch_path)))
        return 0;
    size_t length = strlen(path), suffix = strlen(rule.suffix);
    if (strcmp(rule.suffix, "-")
        && (length < suffix || strcmp(path + length - suffix, rule.suffix)))
        return 0;
    if (rule.skip > 0) {
        rule.skip--;
        return 0;
    }
    if (rule.times == 0)
        return 0;
    if (rule.times > 0)
        rule.times--;
    if (!rule.error)
        syscall(SYS_kill, getpid(), SIGKILL);
    errno = rule.error;
    return 1;
}

static void path_of(int fd, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
    path[length < 0 ? 0 : length] = 0;
}

static int fails(enum what what, int fd)
{
    char path[4096];
    if (!rule.what)
        return 0;
    path_of(fd, path, sizeof path);
    return fails_at(what, path);
}

static struct stat state(int fd)
{
    struct stat found;
    if (fstat(fd, &found))
        abort();
    return found;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    int ours = within(path), makes = ours && (flags & O_CREAT) && !exists(path);
    if (makes && fails_at(NAME, path))
        return -1;
    int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0 || fd >= FILES)
        return fd;
    /* A folder is opened to sync it, and the one above ours is where ours has its name. */
    watched[fd] = ours || (root[0] && (flags & O_ACCMODE) == O_RDONLY && S_ISDIR(state(fd).st_mode));
    if (makes)
        note_path(MADE, state(fd).st_ino, path);
    else if (ours && (flags & O_TRUNC))
        note(RESIZED, state(fd).st_ino, 0, NULL, 0);
    return fd;
}

#define OPEN(name)                                                                                  \
    int name(const char *path, int flags, ...)                                                      \
    {                                                                                               \
        va_list rest;                                                                               \
        va_start(rest, flags);                                                                      \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                   \
        va_end(rest);                                                                               \
        return open_any(path, flags, mode);                                                         \
    }
OPEN(open)
OPEN(open64)

int close(int fd)
{
    if (fd >= 0 && fd < FILES)
        watched[fd] = 0;
    return syscall(SYS_close, fd);
}

/* A call and its note are one step: the log is folded by a thread of its own. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static ssize_t write_at(int fd, const void *data, size_t length, off_t at)
{
    if (!watches(fd))
        return syscall(SYS_pwrite64, fd, data, length, at);
    pthread_mutex_lock(&turn);
    struct stat before = state(fd);
    ssize_t written = -1;
    if (!fails(at + (off_t)length > before.st_size ? GROW : WRITE, fd))
        written = syscall(SYS_pwrite64, fd, data, length, at);
    int error = errno;
    if (written > 0)
        note(WRITTEN, before.st_ino, at, data, written);
    pthread_mutex_unlock(&turn);
    errno = error;
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at)
{
    return write_at(fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at)
{
    return write_at(fd, data, length, at);
}

static ssize_t read_at(int fd, void *data, size_t length, off_t at)
{
    if (watches(fd) && fails(READ, fd))
        return -1;
    return syscall(SYS_pread64, fd, data, length, at);
}

ssize_t pread(int fd, void *data, size_t length, off_t at)
{
    return read_at(fd, data, length, at);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t at)
{
    return read_at(fd, data, length, at);
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (!watches(fd)) {
        ssize_t written = syscall(SYS_write, fd, data, length);
        if (fd == STDOUT_FILENO)
            note(READY, 0, 0, NULL, 0);
        return written;
    }
    off_t at = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t written = write_at(fd, data, length, at);
    if (written > 0)
        syscall(SYS_lseek, fd, at + written, SEEK_SET);
    return written;
}

static int resize(int fd, off_t length)
{
    if (!watches(fd))
        return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&turn);
    struct stat before = state(fd);
    int failed = fails(length > before.st_size ? GROW : WRITE, fd) || syscall(SYS_ftruncate, fd, length);
    int error = errno;
    if (!failed)
        note(RESIZED, before.st_ino, length, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = error;
    return failed ? -1 : 0;
}

int ftruncate(int fd, off_t length) { return resize(fd, length); }
int ftruncate64(int fd, off64_t length) { return resize(fd, length); }

static int sync_any(long call, int fd)
{
    if (!watches(fd))
        return syscall(call, fd);
    char path[4096];
    path_of(fd, path, sizeof path);
    pthread_mutex_lock(&turn);
    struct stat file = state(fd);
    int failed = fails_at(SYNC, path);
    int error = errno;
    if (S_ISDIR(file.st_mode))
        note_path(failed ? NOT_SYNCED_FOLDER : SYNCED_FOLDER, 0, path);
    else
        note(failed ? NOT_SYNCED : SYNCED, file.st_ino, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = error;
    /* The real thing is left out when it is noted: nobody cuts the power of this machine. */
    return failed ? -1 : record < 0 ? syscall(call, fd) : 0;
}

int fsync(int fd) { return sync_any(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_any(SYS_fdatasync, fd); }

int unlink(const char *path)
{
    if (within(path) && fails_at(NAME, path))
        return -1;
    int failed = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!failed && within(path))
        note_path(REMOVED, 0, path);
    return failed;
}

int rename(const char *from, const char *to)
{
    if (within(to) && fails_at(NAME, to))
        return -1;
    int failed = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (!failed && within(to)) {
        char both[8192];
        int length = snprintf(both, sizeof both, "%s\n%s", from, to);
        note(RENAMED, 0, 0, both, length);
    }
    return failed;
}

int mkdir(const char *path, mode_t mode)
{
    if (within(path) && fails_at(NAME, path))
        return -1;
    int failed = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (!failed && within(path))
        note_path(MADE_FOLDER, 0, path);
    return failed;
}

/* Copies go through write, where they are seen. */
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags)
{
    (void)in, (void)from, (void)out, (void)to, (void)length, (void)flags;
    errno = EXDEV;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *from, size_t length)
{
    (void)out, (void)in, (void)from, (void)length;
    errno = EINVAL;
    return -1;
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
    int fd = syscall(SYS_accept4, listener, address, length, flags);
    if (fd >= 0 && address && address->sa_family == AF_INET)
        note(ACCEPTED, fd, ntohs(((struct sockaddr_in *)address)->sin_port), NULL, 0);
    return fd;
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    ssize_t sent = syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
    if (sent > 0)
        note(SENT, fd, sent, NULL, 0);
    return sent;
}
