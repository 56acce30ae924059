#ifndef COUNTERSIGN_CLINUX_H
#define COUNTERSIGN_CLINUX_H

// What Swift's own Glibc module leaves out: Linux headers that it does not list, and macros and enum
// constants that the importer cannot turn into plain integers. Nothing here holds state or decides anything.

#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// GNU extensions. Swift builds its C modules without _GNU_SOURCE, and a define here would come too late for
// the headers that another module already read, so their manual pages' prototypes stand here.
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern const char *strerrorname_np(int code);
extern const char *strerrordesc_np(int code);

// The type and flags of every socket that we open. SOCK_* are enum constants in glibc, which Swift imports
// as a type of its own without the `|` operator.
static inline int countersign_stream_socket_type(void) {
  return SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
}

// SOCK_STREAM alone, for getaddrinfo's hints (it refuses the flags above with EAI_SOCKTYPE).
static inline int countersign_stream_hint(void) { return SOCK_STREAM; }

// The type and flags of the datagram sockets by which we speak to a service manager; SOCK_* as above.
static inline int countersign_datagram_socket_type(void) { return SOCK_DGRAM | SOCK_CLOEXEC; }

// O_PATH, open(2): a handle of the file itself, whatever it is. A GNU extension; its value is the same on every
// architecture that Swift runs on (asm-generic/fcntl.h), and <fcntl.h> here would become the home of `timespec`.
static inline int countersign_path_handle(void) { return 010000000; }

// The flags of accept4(2) are enum constants as above.
static inline int countersign_accept(int listener, struct sockaddr *address, socklen_t *length) {
  return accept4(listener, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

// MSG_NOSIGNAL is an enum constant: a peer that is gone is EPIPE, never SIGPIPE.
static inline int countersign_send_flags(void) { return MSG_NOSIGNAL; }

// EPOLL* events, EFD_* and SFD_* are enum constants; EPOLLET (1u << 31) does not fit Swift's import of it.
static inline unsigned countersign_epoll_edge(void) { return EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET; }
static inline unsigned countersign_epoll_level(void) { return EPOLLIN; }
// EPOLLEXCLUSIVE (1u << 28): one waiter of several is woken for a socket that they share.
static inline unsigned countersign_epoll_shared(void) { return EPOLLIN | EPOLLEXCLUSIVE; }
static inline unsigned countersign_epoll_readable(void) { return EPOLLIN; }
static inline unsigned countersign_epoll_writable(void) { return EPOLLOUT; }
static inline unsigned countersign_epoll_peer_closed(void) { return EPOLLRDHUP; }
static inline unsigned countersign_epoll_error(void) { return EPOLLERR; }
static inline unsigned countersign_epoll_hang_up(void) { return EPOLLHUP; }
static inline int countersign_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

// glibc 2.41 says that the events must not be NULL, older ones say nothing: one declaration for both.
static inline int countersign_epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds) {
  return epoll_wait(epoll, events, count, milliseconds);
}
static inline int countersign_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int countersign_signalfd(const sigset_t *signals) {
  return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

// A timer that is never due: a read of it fails with ECANCELED once the wall clock was set (timerfd_create(2),
// TFD_TIMER_CANCEL_ON_SET). TFD_* are enum constants. The moment is the last that the kernel takes.
static inline int countersign_clock_timer(void) {
  return timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}
static inline int countersign_clock_timer_arm(int timer) {
  struct itimerspec never = {{0, 0}, {0x7fffffff, 0}};
  return timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, 0);
}

// IN_* flags are enum constants in glibc. What is told of a folder: that a file in it was written and closed, or is
// another one than before, or has another mode; writes of files that stay open are not, as logs are such.
static inline int countersign_inotify(void) { return inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }
static inline unsigned countersign_inotify_changes(void) {
  return IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |
         IN_MOVE_SELF | IN_ONLYDIR;
}

// RLIMIT_NOFILE is an enum constant, and getrlimit's first parameter an enum in GNU C but an int elsewhere.
static inline int countersign_get_descriptor_limit(struct rlimit *limit) {
  return getrlimit(RLIMIT_NOFILE, limit);
}
static inline int countersign_set_descriptor_limit(const struct rlimit *limit) {
  return setrlimit(RLIMIT_NOFILE, limit);
}

// How many CPUs this process may run on, or -1. The system call itself, because CPU_* and sched_getaffinity's
// wrapper are GNU extensions; it answers how many bytes of the mask it wrote, and EINVAL where the machine
// has more CPUs than the mask has bits (sched_setaffinity(2), NOTES).
static inline int countersign_affinity_count(void) {
  unsigned long mask[1024];  // 65536 CPUs; the kernel's own limit is 8192.
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  if (bytes < 0) return -1;
  int count = 0;
  for (size_t word = 0; word < (size_t)bytes / sizeof mask[0]; word++) count += __builtin_popcountl(mask[word]);
  return count;
}

// prctl is variadic, and RLIMIT_CORE an enum constant like RLIMIT_NOFILE. Both answer 0 or -1 with errno.
static inline int countersign_set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int countersign_forbid_core_dumps(void) {
  struct rlimit none = {0, 0};
  return setrlimit(RLIMIT_CORE, &none);
}

#endif
