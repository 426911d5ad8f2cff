/* A disk that can be told to fail, and that remembers what was made safe.

   Loaded with LD_PRELOAD into a process that writes below $SHIM_DATA:
   - shim_fail(operation, errno, skip, count, part) makes writes ('w') or syncs ('s') to files whose
     name contains `part` fail, after letting `skip` of them pass and `count` times (-1: for ever);
   - at each fsync or fdatasync the file is copied to $SHIM_SAFE under its inode number, and each synced
     folder's listing is noted; what a power cut leaves is put together from these (disk.py).
   A safe file is also linked there, so that its inode number is not given to another file.
   Nothing is really synced, which only makes the tests faster. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct { int operation, error, skip, count, hits; char part[64]; } fault;

int shim_fail(int operation, int error, int skip, int count, const char *part) {
    pthread_mutex_lock(&guard);
    int hits = fault.hits;
    fault.operation = operation, fault.error = error, fault.skip = skip, fault.count = count, fault.hits = 0;
    snprintf(fault.part, sizeof fault.part, "%s", part);
    pthread_mutex_unlock(&guard);
    return hits;
}

/* The path of a file below $SHIM_DATA, or 0. */
static int ours(int fd, char *path) {
    const char *data = getenv("SHIM_DATA");
    char link[40];
    if (!data) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return strncmp(path, data, strlen(data)) == 0;
}

static int fails(int operation, int fd) {
    char path[PATH_MAX];
    int error = 0;
    if (fault.operation != operation || !ours(fd, path) || !strstr(strrchr(path, '/'), fault.part)) return 0;
    pthread_mutex_lock(&guard);
    if (fault.skip > 0) fault.skip--;
    else if (fault.count != 0) {
        if (fault.count > 0) fault.count--;
        fault.hits++;
        error = fault.error;
    }
    pthread_mutex_unlock(&guard);
    return error;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL(operation, fd) do { int e = fails(operation, fd); if (e) { errno = e; return -1; } } while (0)

ssize_t write(int fd, const void *data, size_t size) { REAL(write); FAIL('w', fd); return real(fd, data, size); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(writev); FAIL('w', fd); return real(fd, v, n); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { REAL(pwrite); FAIL('w', fd); return real(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { REAL(pwrite64); FAIL('w', fd); return real(fd, data, size, at); }

static void copy(int from, int to) {
    char block[1 << 16];
    off_t at = 0;
    ssize_t size;
    while ((size = pread(from, block, sizeof block, at)) > 0) {
        if (syscall(SYS_write, to, block, size) != size) abort();
        at += size;
    }
}

static void list(const char *path, int to) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            dprintf(to, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
    if (folder) closedir(folder);
}

static int safe(int fd) {
    const char *folder = getenv("SHIM_SAFE");
    char path[PATH_MAX], fresh[PATH_MAX], kept[PATH_MAX], again[40];
    struct stat about;
    if (!ours(fd, path) || !folder || fstat(fd, &about)) return 0;
    pthread_mutex_lock(&guard);
    snprintf(fresh, sizeof fresh, "%s/new", folder);
    snprintf(kept, sizeof kept, "%s/%lu", folder, (unsigned long)about.st_ino);
    int to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (to < 0) abort();
    if (S_ISDIR(about.st_mode)) list(path, to);
    else {
        snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
        int from = open(again, O_RDONLY);
        if (from < 0) abort();
        copy(from, to);
        close(from);
    }
    close(to);
    if (rename(fresh, kept)) abort();
    if (!S_ISDIR(about.st_mode)) {
        strcat(kept, ".inode");
        if (link(path, kept) && errno != EEXIST && errno != ENOENT) abort();
    }
    pthread_mutex_unlock(&guard);
    return 0;
}

int fsync(int fd) { FAIL('s', fd); return safe(fd); }
int fdatasync(int fd) { FAIL('s', fd); return safe(fd); }
int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags) {
    REAL(sync_file_range);
    FAIL('s', fd);
    return real(fd, at, size, flags); /* asks for writing and promises nothing */
}
