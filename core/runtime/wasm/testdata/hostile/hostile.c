// A guest that does at rcpt what the first letter of the recipient tells it:
// each a way in which a plugin can be broken or an enemy. Its other hooks are
// honest and do nothing.
//
// Built without any SDK:
//   clang-19 --target=wasm32 -O1 -nostdlib -Wl,--no-entry -Wl,-z,stack-size=16384
//     -Wl,--export-memory -o hostile.wasm hostile.c

#define EXPORT(name) __attribute__((export_name(name)))
void *memset(void *p, int c, unsigned long n);

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

IMPORT("mta1", "log") u64 host_log(const void *q, u32 n, void *r, u32 room);
IMPORT("mta1", "random") u64 host_random(const void *q, u32 n, void *r, u32 room);
IMPORT("wasi_snapshot_preview1", "proc_exit") void proc_exit(u32 status);
IMPORT("wasi_snapshot_preview1", "poll_oneoff") u32 poll_oneoff(const void *subs, void *events, u32 n, u32 *count);
IMPORT("wasi_snapshot_preview1", "fd_write") u32 fd_write(u32 fd, const void *iov, u32 n, u32 *written);
IMPORT("wasi_snapshot_preview1", "random_get") u32 random_get(void *p, u32 n);

static u8 buffer[65536] __attribute__((aligned(8)));
static u8 answer[256] __attribute__((aligned(8)));
static volatile u32 sink, zero;

EXPORT("mta1_buffer") u32 mta1_buffer(u32 size) { return size <= sizeof buffer ? (u32)buffer : 0; }

static u32 get32(const u8 *p) { return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24; }
static void put32(u8 *p, u32 v) { p[0] = v; p[1] = v >> 8; p[2] = v >> 16; p[3] = v >> 24; }

// block begins an answer block of a record with n slots.
static u8 *block(u32 size, u32 slots, u32 kind) {
	for (u32 i = 0; i < sizeof answer; i++) answer[i] = 0;
	put32(answer, size);
	put32(answer + 4, slots);
	put32(answer + 8, kind);
	return answer;
}

static u64 point(u32 at, u32 n) { return (u64)at << 32 | n; }

__attribute__((noinline)) static u32 deeper(u32 n) {
	volatile u8 frame[64];
	if (n == 0xffffffff) return 0;
	frame[n & 63] = n;
	return deeper(n + 1) + frame[n & 31];
}

__attribute__((noinline)) static u32 endless(u32 n) { return n == 0xffffffff ? 0 : endless(n + 1) + (sink ^ n); }

__attribute__((noinline)) static u32 tree(u32 n) { return n == 0 ? sink : tree(n - 1) + tree(n - 1); }

static u64 sleep_for(u64 ns) {
	static u64 sub[6], event[4];
	u32 count;
	sub[0] = 1;
	sub[1] = 0; // a clock
	sub[2] = 1; // monotonic
	sub[3] = ns;
	sub[4] = sub[5] = 0;
	poll_oneoff(sub, event, 1, &count);
	return 0;
}

static u64 storm(void) {
	static u8 q[48] __attribute__((aligned(8)));
	put32(q, 40 + 2);
	put32(q + 4, 2);
	put32(q + 8, 513);
	put32(q + 32, 40);
	put32(q + 36, 2);
	q[40] = 'h', q[41] = 'i';
	for (;;) host_log(q, 42, answer, sizeof answer);
}

static u64 flood(void) {
	static char text[4096];
	for (u32 i = 0; i < sizeof text; i++) text[i] = i % 2 ? '\n' : 'x';
	u32 iov[2] = {(u32)text, sizeof text}, written;
	for (;;) fd_write(2, iov, 1, &written);
}

EXPORT("mta1_on_rcpt") u64 on_rcpt(u32 n) {
	u32 record = get32(buffer + 40);
	if (n < 48 || record == 0) return 0;
	u32 at = get32(buffer + record), length = get32(buffer + record + 4);
	if (length == 0) return 0;
	switch (buffer[at]) {
	case 'a': // an action that there is not
		return 200;
	case 'b': // an answer outside of its memory
		return point(0xfffffff0, 64);
	case 'B': // and one that ends outside
		return point(__builtin_wasm_memory_size(0) * 65536 - 8, 64);
	case 'c': // a call storm
		return storm();
	case 'd': // recursion: its own stack runs over
		return deeper(0);
	case 'D': // recursion: the stack of the machine runs over
		sink = endless(0);
		return 0;
	case 'e': // an error whose text lies elsewhere
		return point(0xffffff00, 1024) | 0x80000000;
	case 'E': // an honest error
		answer[0] = 'n', answer[1] = 'o';
		return point((u32)answer, 2) | 0x80000000;
	case 'f': // writes without end
		return flood();
	case 'g': // memory without end
		for (;;)
			if (__builtin_wasm_memory_grow(0, 16) == (u32)-1) return 0;
	case 'G': // and touches all of it
		for (;;) {
			u32 was = __builtin_wasm_memory_grow(0, 16);
			if (was == (u32)-1) __builtin_trap();
			for (u32 i = 0; i < 16 * 65536; i += 4096) *(volatile u8 *)(was * 65536 + i) = 1;
		}
	case 'h': // half an answer: a header and no slots
		block(24, 6, 261);
		return point((u32)answer, 24);
	case 'i': // an action and a flag that is not defined
		return 0x0101;
	case 'k': // the answer of another hook
		block(24 + 48, 6, 257);
		return point((u32)answer, 24 + 48);
	case 'l': // a string that is longer than the block
		put32(block(24 + 48, 6, 261) + 24 + 16, 72);
		put32(answer + 24 + 20, 0x7fffffff);
		return point((u32)answer, 24 + 48);
	case 'L': // a list of a billion edits
		put32(block(24 + 48, 6, 261) + 24 + 24, 72);
		put32(answer + 24 + 28, 1000000000);
		return point((u32)answer, 24 + 48);
	case 'm': // a block that says that it is shorter than it is
		block(24, 6, 261);
		return point((u32)answer, 24 + 48);
	case 'o': // 10^9 operations, and an answer
		for (u32 i = 0; i < 1000000000; i++) sink += i;
		return 0;
	case 'p': // a huge answer
		return point(8, 0x7fffffff);
	case 'q': // a call with a request outside of its memory
		return host_log((void *)0xfffffff0, 64, answer, 64);
	case 'Q': // a call whose result belongs outside
		return host_random(buffer, 8, (void *)0xfffffff0, 64);
	case 'r': // a lot of randomness
		for (;;) random_get(buffer, sizeof buffer);
	case 's': // spins
		for (;;) sink++;
	case 'S': // spins in calls, without a loop
		return tree(60);
	case 't': // traps
		__builtin_trap();
	case 'u': // divides by zero
		return (sink + 7) / zero;
	case 'w': // fills memory again and again
		for (;;) __builtin_memset(buffer, 1, sizeof buffer);
	case 'x': // exits
		proc_exit(3);
	case 'y': // calls with nonsense
		for (u32 i = 0; i < 100; i++) host_log(buffer, i, answer, sizeof answer);
		return 0;
	case 'z': // sleeps for an hour
		return sleep_for(3600ull * 1000000000);
	case 'Z': // sleeps a little
		return sleep_for(1000000);
	}
	return 0;
}

EXPORT("mta1_on_data") u64 on_data(u32 n) { return 0; }
