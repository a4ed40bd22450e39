// SPDX-License-Identifier: MIT
/*
 *   measure ROW [bytes=N] [exits=N[/N]] -- clock
 *                                       -- read FILE
 *                                       -- write FILE TEXT
 *                                       -- times FILE
 *
 * A row of a bench (bench.h): reads the clock, reads N bytes from a device, reads
 * a file of sysfs, or writes a text to one. With `times`, the kernel does the work:
 * a number written to FILE makes it perform as many operations. The words before
 * -- are printed with the row.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "bench.h"

struct file {
	const char *text;
	char *data;
	size_t size;
	int fd;
};

static int read_clock(void *arg, uint64_t ops)
{
	uint64_t start = bench_ns();

	(void)arg;
	while (ops--)
		if (bench_ns() < start)
			return -1;
	return 0;
}

/* Reading from offset 0 makes sysfs call the driver's show() again. */
static int read_file(void *arg, uint64_t ops)
{
	struct file *file = arg;

	while (ops--)
		if (pread(file->fd, file->data, file->size, 0) <= 0)
			return -1;
	return 0;
}

static int read_bytes(void *arg, uint64_t ops)
{
	struct file *file = arg;
	ssize_t got;
	size_t at;

	while (ops--) {
		for (at = 0; at < file->size; at += got) {
			got = read(file->fd, file->data + at, file->size - at);
			if (got <= 0)
				return -1;
		}
	}
	return 0;
}

static int write_file(void *arg, uint64_t ops)
{
	struct file *file = arg;
	ssize_t length = strlen(file->text);

	while (ops--)
		if (pwrite(file->fd, file->text, length, 0) != length)
			return -1;
	return 0;
}

static int write_count(void *arg, uint64_t ops)
{
	struct file *file = arg;

	return dprintf(file->fd, "%llu", (unsigned long long)ops) > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *row = argc > 1 ? argv[1] : "", *what = "", *path = "";
	int (*operation)(void *arg, uint64_t ops) = read_clock;
	struct file file = { .size = 4096, .fd = -1 };
	char words[256] = "", ops[24];
	int at, left;

	for (at = 2; at < argc && strcmp(argv[at], "--"); at++) {
		if (strlen(words) + strlen(argv[at]) + 2 > sizeof(words))
			return 2;
		if (*words)
			strcat(words, " ");
		strcat(words, argv[at]);
		if (!strncmp(argv[at], "bytes=", 6)) {
			file.size = strtoul(argv[at] + 6, NULL, 10);
			operation = read_bytes;
		}
	}
	left = argc - at;
	if (left > 1)
		what = argv[at + 1];
	if (left > 2)
		path = argv[at + 2];

	/*
	 * Where exits are counted, as many bytes for each size: what a driver
	 * has asked for in advance must not count.
	 */
	if (operation == read_bytes && file.size && getenv("BENCH_OPS")) {
		snprintf(ops, sizeof(ops), "%zu", file.size < 65536 ? 65536 / file.size : 1);
		setenv("BENCH_OPS", ops, 1);
	}

	if (left == 3 && file.size && !strcmp(what, "read")) {
		if (operation == read_clock)
			operation = read_file;
		file.fd = open(path, O_RDONLY);
		file.data = malloc(file.size);
	} else if (left == 4 && !strcmp(what, "write")) {
		operation = write_file;
		file.text = argv[at + 3];
		file.fd = open(path, O_WRONLY);
	} else if (left == 3 && !strcmp(what, "times")) {
		operation = write_count;
		file.fd = open(path, O_WRONLY);
	} else if (left != 2 || strcmp(what, "clock")) {
		fputs("usage: measure ROW [bytes=N] [exits=N[/N]] -- clock | read FILE | write FILE TEXT | times FILE\n",
		      stderr);
		return 2;
	}

	errno = 0;
	if ((*path && file.fd < 0) || bench_row(row, operation, &file, words)) {
		fprintf(stderr, "measure: %s: %s %s: %s\n", row, what, path,
			errno ? strerror(errno) : "nothing came");
		return 1;
	}
	return 0;
}
