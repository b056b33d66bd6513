#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "run/fiber.h"
#include "run/files.h"
#include "run/loop.h"
#include "run/memfd.h"
#include "run/net.h"
#include "base/sanitized.h"
#include "run/sandbox.h"
#include "run/stream.h"
#include "run/tls.h"
#include "run/tls_cert.h"
#include "run/worker.h"

enum { DID_IT = 1, REFUSED = 2, FINE = 3, NOT_IN = 4 };

static char dir[] = "/tmp/sandbox_test.XXXXXX";
static char inside[64], outside[64];
static int inside_fd, abi_max;
static bool connects, everywhere;
static uint16_t ports[2]; /* it may connect to the first */
static const struct sandbox_call *const with_files[] = {sandbox_files, NULL};
static const struct sandbox_call *const with_sockets[] = {sandbox_connect, NULL};

static result enter(bool files)
{
	struct sandbox_path path = {.fd = inside_fd, .rights = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE};
	struct sandbox s = {.room = "test", .abi_max = abi_max};
	if (files) {
		s.tables = with_files;
		s.paths = &path;
		s.path_count = 1;
	}
	struct sandbox_port port = {.port = ports[0]};
	if (connects) {
		s.tables = with_sockets;
		s.ports = &port;
		s.port_count = 1;
		s.every_port = everywhere;
	}
	struct sandbox_state state;
	return sandbox_enter(&s, &state);
}

/* Runs fn jailed in a child; its wait status, and its standard error in *said. */
static int in_jail(bool files, int (*fn)(void), buf *said)
{
	int pipe_fds[2];
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		dup2(pipe_fds[1], STDERR_FILENO);
		_exit(failed(enter(files)) ? NOT_IN : fn());
	}
	close(pipe_fds[1]);
	char text[512];
	for (ssize_t n; (n = read(pipe_fds[0], text, sizeof(text))) > 0; )
		buf_put(said, str_of(text, (size_t)n));
	close(pipe_fds[0]);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int answer(long r)
{
	return r < 0 ? REFUSED : DID_IT;
}

static int try_open_outside(void)
{
	return answer(open(outside, O_RDONLY));
}

static int try_create_outside(void)
{
	char other[80];
	snprintf(other, sizeof(other), "%s.new", outside);
	return answer(open(other, O_WRONLY | O_CREAT, 0600));
}

static int try_delete_outside(void)
{
	return answer(unlinkat(AT_FDCWD, outside, 0));
}

static int try_rename_in(void)
{
	char to[80];
	snprintf(to, sizeof(to), "%s/stolen", inside);
	return answer(renameat(AT_FDCWD, outside, AT_FDCWD, to));
}

static int try_proc(void)
{
	return answer(open("/proc/self/mem", O_RDWR));
}

static int try_truncate(void)
{
	return answer(truncate(outside, 0));
}

static int try_chmod(void)
{
	return answer(chmod(outside, 0777));
}

static int try_chown(void)
{
	return answer(chown(outside, 1, 1));
}

static int try_utime(void)
{
	return answer(utimensat(AT_FDCWD, outside, NULL, 0));
}

static int try_xattr(void)
{
	return answer(setxattr(outside, "user.x", "y", 1, 0));
}

static int try_link(void)
{
	char to[80];
	snprintf(to, sizeof(to), "%s/hard", inside);
	return answer(link(outside, to));
}

static int try_symlink(void)
{
	char to[80];
	snprintf(to, sizeof(to), "%s/soft", inside);
	return answer(symlink(outside, to));
}

static int try_socket(void)
{
	return answer(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_unix_socket(void)
{
	return answer(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_ptrace(void)
{
	return answer(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int try_read_parent(void)
{
	char c;
	struct iovec local = {&c, 1}, remote = {outside, 1};
	return answer(syscall(SYS_process_vm_readv, getppid(), &local, 1, &remote, 1, 0));
}

static int try_execve(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return REFUSED;
}

static int try_fork(void)
{
	return answer(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int try_kill_parent(void)
{
	return answer(kill(getppid(), 0));
}

static int try_tgkill_parent(void)
{
	return answer(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int try_signal_by_descriptor(void)
{
	return answer(fcntl(STDERR_FILENO, F_SETOWN, getppid()));
}

static int try_mprotect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return answer(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_mmap_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? REFUSED : DID_IT;
}

static int try_unshare(void)
{
	return answer(syscall(SYS_unshare, 0x10000000));
}

static int try_io_uring(void)
{
	char params[256] = {0};
	return answer(syscall(SYS_io_uring_setup, 1, params));
}

static int try_setrlimit(void)
{
	struct rlimit core = {RLIM_INFINITY, RLIM_INFINITY};
	return answer(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &core, NULL));
}

static int try_take_sigsys(void)
{
	struct sigaction act = {.sa_handler = SIG_IGN};
	return answer(syscall(SYS_rt_sigaction, SIGSYS, &act, NULL, 8));
}

static int try_dumpable(void)
{
	return answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

#ifdef __x86_64__
static void *use_x32(void *unused)
{
	(void)unused;
	syscall(0x40000000 | SYS_getpid);
	return NULL;
}

/* From a thread: the whole room must end, not the thread alone. */
static int try_other_table(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, use_x32, NULL) != 0)
		return DID_IT;
	pthread_join(thread, NULL);
	return DID_IT;
}
#endif

static const struct attempt {
	const char *what;
	int (*fn)(void);
	const char *call;  /* named in the last words; NULL: refused with an errno */
	bool open_to_sanitizer;
} attempts[] = {
	{"open a file outside", try_open_outside, NULL, false},
	{"create a file outside", try_create_outside, NULL, false},
	{"delete a file outside", try_delete_outside, NULL, false},
	{"move a file in", try_rename_in, NULL, false},
	{"open its own memory", try_proc, NULL, false},
	{"truncate a file outside", try_truncate, "truncate", false},
	{"chmod a file outside", try_chmod, "chmod", false},
	{"chown a file outside", try_chown, "chown", false},
	{"set times of a file outside", try_utime, "utimensat", false},
	{"set attributes of a file outside", try_xattr, "setxattr", false},
	{"link a file in", try_link, "link", false},
	{"make a symbolic link", try_symlink, "symlink", false},
	{"make an Internet socket", try_socket, "socket", false},
	{"make a local socket", try_unix_socket, "socket", false},
	{"trace its parent", try_ptrace, "ptrace", false},
	{"read its parent's memory", try_read_parent, "process_vm_readv", false},
	{"run a program", try_execve, "execve", false},
	{"make a process", try_fork, "clone", false},
	{"signal its parent", try_kill_parent, "kill", false},
	{"signal its parent's thread", try_tgkill_parent, "tgkill", false},
	{"signal through a descriptor", try_signal_by_descriptor, "fcntl", false},
	{"make memory executable", try_mprotect_exec, "mprotect", false},
	{"map executable memory", try_mmap_exec, "mmap", false},
	{"make a namespace", try_unshare, "unshare", false},
	{"use io_uring", try_io_uring, "io_uring_setup", false},
	{"raise a limit", try_setrlimit, "prlimit64", false},
	{"take over SIGSYS", try_take_sigsys, "rt_sigaction", false},
	{"become dumpable", try_dumpable, "prctl", true},
#ifdef __x86_64__
	{"use another table of calls", try_other_table, "", false},
#endif
};

static void check_attempt(const struct attempt *a, bool files)
{
	AUTO_BUF buf said = buf_new(65536);
	int status = in_jail(files, a->fn, &said);
	bool refused = WIFEXITED(status) && WEXITSTATUS(status) == REFUSED;
	if (!a->call && !refused && !(sandbox_ended(status) && !files))
		fail_msg("could %s: status %x, said %.*s", a->what, (unsigned)status, STR_ARG(buf_str(&said)));
	if (!a->call)
		return;
	if (!sandbox_ended(status))
		fail_msg("could %s: status %x, said %.*s", a->what, (unsigned)status, STR_ARG(buf_str(&said)));
	struct sandbox_report r;
	assert_true(sandbox_read_report(buf_str(&said), &r));
	assert_str(r.room, STR("test"));
	assert_str(r.call, str_from(a->call));
}

static void try_all(bool files)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		if (!SANITIZED || !attempts[i].open_to_sanitizer)
			check_attempt(&attempts[i], files);
	struct stat st;
	assert_int_equal(stat(outside, &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_room_without_files_can_do_none_of_it(void **state)
{
	(void)state;
	try_all(false);
}

static void a_room_with_files_keeps_to_its_folder(void **state)
{
	(void)state;
	try_all(true);
}

static void the_floor_of_landlock_is_enough(void **state)
{
	(void)state;
	abi_max = SANDBOX_ABI_FLOOR;
	try_all(true);
	try_all(false);
	abi_max = 0;
}

/* ---- what must still work ---- */

static int work_in_folder(void)
{
	AUTO_BUF buf out = buf_new(100);
	bool ok = !failed(file_write_at(inside_fd, "f", STR("one"), 0600))
		&& !failed(file_write_at(inside_fd, "f", STR("two"), 0600))
		&& !failed(dir_make_at(inside_fd, "d", 0700)) && !failed(file_read_at(inside_fd, "f", &out))
		&& str_eq(buf_str(&out), STR("two")) && renameat(inside_fd, "f", inside_fd, "d/f") == 0
		&& unlinkat(inside_fd, "d/f", 0) == 0 && unlinkat(inside_fd, "d", AT_REMOVEDIR) == 0;
	return ok ? FINE : REFUSED;
}

static struct worker *worker;
static struct tls_context *server, *client;
static int pair[2], done;

static void think(void *ctx, struct job **jobs, size_t n)
{
	(void)ctx;
	(void)jobs;
	for (size_t i = 0; i < n; i++) {
		void *p = mem_alloc(1 << 20);
		memset(p, 1, 1 << 20);
		mem_free(p);
	}
}

static void serve(void *arg)
{
	(void)arg;
	struct stream *s = NULL;
	str line;
	must(!failed(stream_open(pair[0], &s)) && !failed(stream_start_tls(s, server)));
	must(!failed(stream_read_line(s, 100, LINE_CRLF, &line)) && str_eq(line, STR("hello")));
	struct job job;
	must(!failed(worker_run(worker, &job)));
	int fd = -1;
	must(!failed(memfd_of(STR("body"), &fd)));
	close(fd);
	must(!failed(stream_write(s, STR("bye\r\n"))) && !failed(stream_end(s)));
	stream_free(&s);
	done++;
}

static void ask(void *arg)
{
	(void)arg;
	struct stream *s = NULL;
	str line;
	must(!failed(stream_open(pair[1], &s)) && !failed(stream_start_tls_client(s, client, STR(""))));
	must(!failed(fiber_sleep(5)));
	must(!failed(stream_write(s, STR("hello\r\n"))) && !failed(stream_flush(s)));
	must(!failed(stream_read_line(s, 100, LINE_CRLF, &line)) && str_eq(line, STR("bye")));
	stream_free(&s);
	done++;
}

static int work_as_a_room(void)
{
	struct worker_plan plan = {.run = think, .name = "store", .queue_max = 10};
	must(!failed(worker_open(&plan, &worker)));
	must(!failed(fiber_start(serve, NULL, "serve", NULL)) && !failed(fiber_start(ask, NULL, "ask", NULL)));
	loop_run();
	worker_close(&worker);
	loop_close();
	return done == 2 ? FINE : REFUSED;
}

static void expect(bool files, int (*fn)(void), int want)
{
	AUTO_BUF buf said = buf_new(65536);
	int status = in_jail(files, fn, &said);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("status %x, said %.*s", (unsigned)status, STR_ARG(buf_str(&said)));
}


static int connect_to(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
	close(fd);
	return r;
}

static int connect_both(void)
{
	bool first = connect_to(ports[0]) == 0, second = connect_to(ports[1]) == 0;
	return first && !second ? FINE : second ? DID_IT : REFUSED;
}

static int connect_to_either(void)
{
	return connect_to(ports[0]) == 0 && connect_to(ports[1]) == 0 ? FINE : REFUSED;
}

static void only_the_given_ports_are_reached(void **state)
{
	(void)state;
	struct sandbox_state have;
	sandbox_probe(&have);
	if (have.landlock_abi < 4)
		skip();
	int listeners[2];
	for (int i = 0; i < 2; i++) {
		net_addr at;
		assert_ok(net_parse(STR("127.0.0.1:0"), &at));
		assert_ok(net_listen(&at, &listeners[i]));
		assert_ok(net_local(listeners[i], &at));
		ports[i] = at.port;
	}
	connects = true;
	expect(false, connect_both, FINE);
	everywhere = true;
	expect(false, connect_to_either, FINE);
	connects = everywhere = false;
	close(listeners[0]);
	close(listeners[1]);
}

static int abort_inside(void)
{
	abort();
}

static void a_jailed_room_works(void **state)
{
	(void)state;
	expect(true, work_in_folder, FINE);
	struct tls_pem pem;
	str name = STR("mail.example.test");
	assert_ok(tls_self_signed(&name, 1, 30, &pem));
	assert_ok(tls_server_context(buf_str(&pem.chain), buf_str(&pem.key), &server));
	tls_pem_free(&pem);
	assert_ok(tls_client_context(STR(""), &client));
	assert_ok(net_pair(SOCK_STREAM, pair));
	assert_ok(loop_open());
	expect(false, work_as_a_room, FINE);
	loop_close();
	tls_context_free(&server);
	tls_context_free(&client);
	close(pair[0]);
	close(pair[1]);
}

static void our_own_bug_ends_as_itself(void **state)
{
	(void)state;
	AUTO_BUF buf said = buf_new(65536);
	int status = in_jail(false, abort_inside, &said);
	assert_true(WIFSIGNALED(status) || SANITIZED);
	assert_false(sandbox_ended(status));
}

static void the_list_is_sorted_and_marks_conditions(void **state)
{
	(void)state;
	AUTO_BUF buf out = buf_new(65536);
	struct sandbox s = {.room = "test", .tables = with_files};
	assert_ok(sandbox_list(&s, &out));
	str list = buf_str(&out);
	assert_true(str_find(list, STR(" mmap* ")) != STR_NONE);
	assert_true(str_find(list, STR(" newfstatat ")) != STR_NONE); /* the files table lifts base's condition */
	assert_true(str_find(list, STR(" fdatasync ")) != STR_NONE);
	assert_true(str_find(list, STR("execve")) == STR_NONE);
	s.tables = NULL;
	buf_clear(&out);
	assert_ok(sandbox_list(&s, &out));
	assert_true(str_find(buf_str(&out), STR("newfstatat*")) != STR_NONE);
	assert_true(str_find(buf_str(&out), STR("openat")) == STR_NONE);
}

static void a_line_that_is_no_report_is_none(void **state)
{
	(void)state;
	struct sandbox_report r;
	str good = STR("postern: room a: system call 41 (socket) is not allowed; the room ends\n");
	assert_true(sandbox_read_report(good, &r));
	assert_str(r.room, STR("a"));
	assert_int_equal(r.number, 41);
	assert_str(r.call, STR("socket"));
	static const char *const bad[] = {"", "postern: room ", "postern: room a: system call ", "x",
		"postern: room a: system call x (y) is", "postern: room a) : system call 4 (y is",
		"postern: room a: system call 4)"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(sandbox_read_report(str_from(bad[i]), &r));
}

static int make_folders(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(inside, sizeof(inside), "%s/inside", dir);
	snprintf(outside, sizeof(outside), "%s/outside", dir);
	return failed(file_write_at(AT_FDCWD, outside, STR("secret"), 0600))
		|| failed(dir_make_at(AT_FDCWD, inside, 0700)) || failed(dir_open_at(AT_FDCWD, inside, &inside_fd)) ? -1 : 0;
}

static int remove_folders(void **state)
{
	(void)state;
	close(inside_fd);
	unlink(outside);
	rmdir(inside);
	return rmdir(dir);
}

int main(void)
{
	struct sandbox_state have;
	sandbox_probe(&have);
	printf("Landlock ABI %d, seccomp %s\n", have.landlock_abi, have.seccomp ? "yes" : "no");
	if (!have.landlock_abi || !have.seccomp) {
		printf("skipped: this machine has no %s\n", have.seccomp ? "Landlock" : "seccomp");
		return 77;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_without_files_can_do_none_of_it),
		cmocka_unit_test(a_room_with_files_keeps_to_its_folder), cmocka_unit_test(the_floor_of_landlock_is_enough),
		cmocka_unit_test(a_jailed_room_works), cmocka_unit_test(only_the_given_ports_are_reached),
		cmocka_unit_test(our_own_bug_ends_as_itself),
		cmocka_unit_test(the_list_is_sorted_and_marks_conditions), cmocka_unit_test(a_line_that_is_no_report_is_none),
	};
	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
