/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/* Finds the stopwatch that is called so in the machine, or the first one. */
#ifndef STOPWATCH_OPEN_H
#define STOPWATCH_OPEN_H

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOPWATCH_DRIVER "/sys/bus/platform/drivers/stopwatch"

/* The label of a device's node is its id. It has no line end, and a NUL. */
static inline int stopwatch_has_label(const char *directory, const char *id)
{
	char path[512], label[128] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/of_node/label", directory);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fread(label, 1, sizeof(label) - 1, file))
		*label = '\0';
	fclose(file);
	return !strcmp(label, id);
}

/*
 * The directory of the device in sysfs, of @size bytes at most. Without an @id the
 * one with the lowest address, as the module's parameters have it. -1 and errno
 * ENODEV if there is none.
 */
static inline int stopwatch_find(const char *id, char *directory, size_t size)
{
	glob_t found;
	int ret = -1;

	if (!glob(STOPWATCH_DRIVER "/*.stopwatch", 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && ret; i++) {
			if (id && !stopwatch_has_label(found.gl_pathv[i], id))
				continue;
			snprintf(directory, size, "%s", found.gl_pathv[i]);
			ret = 0;
		}
		globfree(&found);
	}
	if (ret)
		errno = ENODEV;
	return ret;
}

/* The path of its file in /dev. */
static inline int stopwatch_path(const char *directory, char *path, size_t size)
{
	char pattern[512];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/misc/stopwatch*", directory);
	if (glob(pattern, 0, NULL, &found)) {
		errno = ENODEV;
		return -1;
	}
	snprintf(path, size, "/dev/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return 0;
}

#endif /* STOPWATCH_OPEN_H */
