/* Makes system calls on a database fail in a program that is started with this in LD_PRELOAD.
 *
 * FAULT_CALL   write | sync | open    the calls: writing and extending; fsync and fdatasync; opening for writing
 * FAULT_ERRNO  a number
 * FAULT_AT     n: the n-th of these calls fails, counted from 1; 0 or unset: all of them
 * FAULT_EVER   1: all calls after the n-th fail, too
 * FAULT_WHILE  a path: calls fail only while it exists
 *
 * FAULT_NAMES  1: lookups are answered here: "silent…" after a minute, "here…" with this machine
 * FAULT_DOWN   a path: while it exists, connections to FAULT_PORT of this machine fail
 *
 * Only affects files whose path ends in ".db", ".db-wal", ".db-shm" or ".db-journal".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long seen;

static int ours(const char *path) {
    const char *at = strstr(path, ".db");
    return at && (!at[3] || !strcmp(at + 3, "-wal") || !strcmp(at + 3, "-shm") || !strcmp(at + 3, "-journal"));
}

static int our_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return ours(path);
}

static int fails(const char *call) {
    const char *which = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"), *ever = getenv("FAULT_EVER");
    const char *during = getenv("FAULT_WHILE");
    if (!which || strcmp(which, call)) return 0;
    if (during && access(during, F_OK)) return 0;
    long number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST), first = at ? atol(at) : 0;
    if (first && number != first && !(ever && number > first)) return 0;
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    REAL(getaddrinfo);
    if (!node || !getenv("FAULT_NAMES")) return real(node, service, hints, found);
    if (!strncmp(node, "silent", 6)) {
        sleep(60);
        return EAI_AGAIN;
    }
    return strncmp(node, "here", 4) ? EAI_NONAME : real("127.0.0.1", service, hints, found);
}

int connect(int fd, const struct sockaddr *to, socklen_t length) {
    REAL(connect);
    const char *down = getenv("FAULT_DOWN"), *port = getenv("FAULT_PORT");
    if (down && port && to->sa_family == AF_INET && !access(down, F_OK)
        && ntohs(((const struct sockaddr_in *)to)->sin_port) == atoi(port)) {
        errno = ENETUNREACH;
        return -1;
    }
    return real(fd, to, length);
}

ssize_t write(int fd, const void *from, size_t size) {
    REAL(write);
    return our_fd(fd) && fails("write") ? -1 : real(fd, from, size);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    REAL(pwrite);
    return our_fd(fd) && fails("write") ? -1 : real(fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    REAL(pwrite64);
    return our_fd(fd) && fails("write") ? -1 : real(fd, from, size, at);
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    return our_fd(fd) && fails("write") ? -1 : real(fd, size);
}
int fsync(int fd) {
    REAL(fsync);
    return our_fd(fd) && fails("sync") ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return our_fd(fd) && fails("sync") ? -1 : real(fd);
}
int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return (flags & (O_WRONLY | O_RDWR)) && ours(path) && fails("open") ? -1 : real(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    REAL(open);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return (flags & (O_WRONLY | O_RDWR)) && ours(path) && fails("open") ? -1 : real(path, flags, mode);
}
