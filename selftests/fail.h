/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures on request, in kernels that have fault injection: which allocations
 * and which of the module's own points may fail (debugfs), and that the Nth one
 * that this thread comes by does (/proc/thread-self/fail-nth).
 *
 * What the kernel asks before it fails is where the stack leads: with the range
 * set to the module only that counts which is called from there, however deep.
 * The points of the module's own have no such range and always count.
 */
#ifndef RHUGEFS_FAIL_H
#define RHUGEFS_FAIL_H

#include "rhugefs_test.h"

#define FAIL_DEBUGFS	"/sys/kernel/debug"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

/* Some number that no count of points comes near. */
#define FAIL_NEVER	1000000000U

/* --- files of numbers ---------------------------------------------------- */

/* First line of a file that must be there. */
static inline void fail_read(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	must(file && fgets(text, size, file));
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
}

/* Set @name of fault attribute @attr, which must be there, to @value. */
static inline void fail_set(const char *attr, const char *name,
			    unsigned long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), FAIL_DEBUGFS "/%s/%s", attr, name);
	snprintf(text, sizeof(text), "%#lx", value);
	must(tell_kernel(path, text) == 0);
}

static inline void fail_set_bool(const char *attr, const char *name, bool value)
{
	char path[128];

	snprintf(path, sizeof(path), FAIL_DEBUGFS "/%s/%s", attr, name);
	must(tell_kernel(path, value ? "Y" : "N") == 0);
}

static inline bool fail_has(const char *attr)
{
	char path[128];

	snprintf(path, sizeof(path), FAIL_DEBUGFS "/%s/verbose", attr);
	return access(path, F_OK) == 0;
}

/* A point of the module's own. */
#define FAIL_COPY	"rhugefs/inject_copy"

/* For this process alone; the harness's own must not fail. */
static inline void fail_inject(const char *attr, unsigned long space,
			       unsigned long times)
{
	must(tell_kernel("/proc/self/make-it-fail", "1") == 0);
	fail_set(attr, "verbose", 0);
	fail_set_bool(attr, "task-filter", true);
	fail_set(attr, "interval", 1);
	fail_set(attr, "space", space);
	fail_set(attr, "times", times);
	fail_set(attr, "probability", 100);
}

/* Let it fail the next @times times. */
static inline void fail_next(const char *attr, unsigned long times)
{
	fail_inject(attr, 1, times);
}

/* --- what there is ------------------------------------------------------- */

/* Why nothing can be made to fail here, or NULL. */
static inline const char *fail_missing(void)
{
	if (access(FAIL_NTH, W_OK) || !fail_has("failslab") ||
	    !fail_has("fail_page_alloc"))
		return "this kernel has no fault injection";
	if (access(FAIL_DEBUGFS "/failslab/require-start", W_OK))
		return "this kernel cannot limit failures to the module";
	return NULL;
}

/*
 * To be returned from main(): a line that says why all of it is skipped.
 */
static inline int fail_skip(const char *why)
{
	ksft_print_header();
	ksft_set_plan(1);
	ksft_test_result_skip("%s\n", why);
	return KSFT_SKIP;
}

/* Everything that may be asked to fail in an allocation or a copy. */
static const char *const fail_core[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static const char *const fail_module[] = {
	"rhugefs/inject_copy", "rhugefs/inject_node", "rhugefs/inject_pool",
	"rhugefs/inject_signal",
};

#define FAIL_COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* No allocation is too urgent, none too small, and none is talked about. */
static inline void fail_prepare(void)
{
	size_t i;

	for (i = 0; i < FAIL_COUNT(fail_core); i++) {
		if (!fail_has(fail_core[i]))
			continue;
		fail_set(fail_core[i], "verbose", 0);
		fail_set(fail_core[i], "stacktrace-depth", 32);
	}
	fail_set_bool("failslab", "ignore-gfp-wait", false);
	fail_set_bool("fail_page_alloc", "ignore-gfp-wait", false);
	fail_set_bool("fail_page_alloc", "ignore-gfp-highmem", false);
	fail_set("fail_page_alloc", "min-order", 0);
}

/* The same for the points of a module that has been loaded meanwhile. */
static inline void fail_prepare_module(void)
{
	size_t i;

	for (i = 0; i < FAIL_COUNT(fail_module); i++)
		if (fail_has(fail_module[i]))
			fail_set(fail_module[i], "verbose", 0);
}

/* --- where --------------------------------------------------------------- */

struct fail_range {
	unsigned long start;
	unsigned long end;
};

/* Everywhere in the kernel, and nowhere but at the module's own points. */
#define FAIL_ANYWHERE	((struct fail_range){ 0, ULONG_MAX })
#define FAIL_NOWHERE	((struct fail_range){ 1, 2 })

/*
 * The module's code, and some of its data, which never is on a stack as an
 * address to return to. False where it is not loaded.
 */
static inline bool fail_module_range(struct fail_range *range)
{
	FILE *file = fopen("/proc/modules", "re");
	unsigned long size, start;
	char line[256], name[64];
	bool found = false;

	must(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %lu %*s %*s %*s %lx", name, &size,
			       &start) == 3 && !strcmp(name, "rhugefs");
	fclose(file);
	if (found)
		*range = (struct fail_range){ start, start + size };
	return found;
}

/* All modules are within as much as this, which holds no other code. */
#define FAIL_AREA	(512UL << 20)

/*
 * Where modules are put, as one of them shows: for the code of its start, of
 * which nothing tells where it will lie.
 */
static inline struct fail_range fail_area(const struct fail_range *module)
{
	return (struct fail_range){
		module->start / FAIL_AREA * FAIL_AREA,
		0xffffffffff000000UL,
	};
}

/*
 * Copies stay limited to @copies, since this program's own asking for how many
 * points there were is one.
 */
static inline void fail_where(const struct fail_range *allocations,
			      const struct fail_range *copies)
{
	const struct fail_range *range;
	size_t i;

	for (i = 0; i < FAIL_COUNT(fail_core); i++) {
		if (!fail_has(fail_core[i]))
			continue;
		range = strcmp(fail_core[i], "fail_usercopy") ? allocations :
								copies;
		fail_set(fail_core[i], "require-start", range->start);
		fail_set(fail_core[i], "require-end", range->end);
	}
}

/* A function of the kernel, by name: until the next symbol begins. */
static inline bool fail_function_range(const char *function,
				       struct fail_range *range)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long start;
	char line[512], name[256];

	must(file);
	*range = (struct fail_range){ 0, ULONG_MAX };
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx %*c %255s", &start, name) == 2 &&
		    !strcmp(name, function))
			range->start = start;
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		start = strtoul(line, NULL, 16);
		if (start > range->start && start < range->end)
			range->end = start;
	}
	fclose(file);
	return range->start;
}

/* Nothing fails that @range calls, however deep. */
static inline void fail_nowhere_in(const struct fail_range *range)
{
	size_t i;

	for (i = 0; i < FAIL_COUNT(fail_core); i++) {
		if (!fail_has(fail_core[i]))
			continue;
		fail_set(fail_core[i], "reject-start", range->start);
		fail_set(fail_core[i], "reject-end", range->end);
	}
}

/* --- when ---------------------------------------------------------------- */

/* Failing once: what is known of it while it is under way. */
static struct {
	pid_t pid;
	int fd;
	bool armed;
	unsigned int nth;
	unsigned int left;
} fail_state;

/* Have the @nth point fail that this thread comes by from now on. */
static inline void fail_arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	/* One that was inherited would be the parent's. */
	if (fail_state.pid != getpid()) {
		fail_state.pid = getpid();
		fail_state.fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	}
	must(fail_state.fd >= 0);
	fail_state.nth = nth;
	fail_state.armed = true;
	must(pwrite(fail_state.fd, text, len, 0) == len);
}

/*
 * No more failures. May be called before what was armed is over, as soon as what
 * is to fail has been done; a second call changes nothing.
 */
static inline void fail_disarm(void)
{
	char text[16] = "";

	if (!fail_state.armed)
		return;
	must(pread(fail_state.fd, text, sizeof(text) - 1, 0) > 0);
	must(pwrite(fail_state.fd, "0", 1, 0) == 1);
	fail_state.left = strtoul(text, NULL, 10);
	fail_state.armed = false;
}

/* Whether anything was made to fail between fail_arm() and fail_disarm(). */
static inline bool fail_fired(void)
{
	return !fail_state.left;
}

/* How many points were passed; all of them where none was made to fail. */
static inline unsigned int fail_passed(void)
{
	return fail_state.nth - fail_state.left;
}

#endif
