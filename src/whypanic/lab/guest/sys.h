/* System calls of arm64 without a libc. Numbers: Linux include/uapi/asm-generic/unistd.h. */
#ifndef SYS_H
#define SYS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

enum {
	SYS_IOCTL = 29,
	SYS_MKNODAT = 33,
	SYS_MKDIRAT = 34,
	SYS_MOUNT = 40,
	SYS_OPENAT = 56,
	SYS_CLOSE = 57,
	SYS_WRITE = 64,
	SYS_SYNC = 81,
	SYS_EXIT_GROUP = 94,
	SYS_NANOSLEEP = 101,
	SYS_SCHED_SETAFFINITY = 122,
	SYS_SCHED_GETAFFINITY = 123,
	SYS_SCHED_YIELD = 124,
	SYS_KILL = 129,
	SYS_RT_SIGPROCMASK = 135,
	SYS_RT_SIGTIMEDWAIT = 137,
	SYS_REBOOT = 142,
	SYS_CLONE = 220,
	SYS_MMAP = 222,
	SYS_WAIT4 = 260,
};

/* Error numbers: include/uapi/asm-generic/errno-base.h. */
enum { EINTR = 4, EAGAIN = 11, EINVAL = 22 };

/* sched.h, signal.h, mman-common.h, fcntl.h, mman.h of the same folders. */
enum {
	SIGKILL = 9,
	SIGCHLD = 17,
	SIG_BLOCK = 0,
	WNOHANG = 1,
	O_RDWR = 2,
	O_CLOEXEC = 02000000,
	AT_FDCWD = -100,
	PROT_READ_WRITE = 3,
	MAP_SHARED = 1,
	MAP_PRIVATE = 2,
	MAP_FIXED = 0x10,
	MAP_ANONYMOUS = 0x20,
};

struct timespec {
	s64 seconds;
	s64 nanoseconds;
};

static inline long sys6(long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register long x8 __asm__("x8") = number;
	register u64 x0 __asm__("x0") = a;
	register u64 x1 __asm__("x1") = b;
	register u64 x2 __asm__("x2") = c;
	register u64 x3 __asm__("x3") = d;
	register u64 x4 __asm__("x4") = e;
	register u64 x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return (long)x0;
}

#define sys4(number, a, b, c, d) sys6(number, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)
#define sys3(number, a, b, c) sys4(number, a, b, c, 0)
#define sys2(number, a, b) sys4(number, a, b, 0, 0)
#define sys1(number, a) sys4(number, a, 0, 0, 0)
#define sys0(number) sys4(number, 0, 0, 0, 0)

static inline long ioctl(int fd, u64 request, u64 argument)
{
	return sys3(SYS_IOCTL, fd, request, argument);
}

/* Zeroed pages; a negative error number as a pointer where there are none. */
static inline void *map_pages(u64 bytes, int sharing)
{
	return (void *)sys6(SYS_MMAP, 0, bytes, PROT_READ_WRITE, (u64)sharing | MAP_ANONYMOUS, (u64)-1, 0);
}

static inline int is_error(const void *pointer)
{
	return (u64)pointer >= (u64)-4095;
}

/* start.S: run `function` in a thread whose stack ends at `stack_top`; it never returns. */
long start_thread(void (*function)(void), void *stack_top);

#endif
