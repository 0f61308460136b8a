// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without the fuzzer: run a target on what it has found to be worth keeping, the
 * files of a directory. One that does not hold what must be ends the program.
 */
#include <dirent.h>
#include <kselftest.h>

#include "fuzz.h"

static void replay_file(const char *path)
{
	size_t room = 1 << 16, size;
	uint8_t *data = malloc(room), *exact;
	FILE *file = fopen(path, "rb");

	if (!file || !data)
		ksft_exit_fail_msg("cannot read %s\n", path);
	size = fread(data, 1, room, file);
	fclose(file);
	/* Of its own size, so that an access beyond is seen. */
	exact = malloc(size ? size : 1);
	if (!exact)
		ksft_exit_fail_msg("memory is short\n");
	memcpy(exact, data, size);
	fuzz_one(exact, size);
	free(exact);
	free(data);
}

static unsigned int replay_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char file[4096];
	unsigned int nr = 0;

	if (!dir)
		ksft_exit_fail_msg("there is no corpus %s\n", path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		/* Which one it was that ended the program. */
		ksft_print_msg("%s\n", entry->d_name);
		fflush(stdout);
		replay_file(file);
		nr++;
	}
	closedir(dir);
	return nr;
}

/* Programs are called test_fuzz_TARGET. */
static const char *corpus_of(const char *program)
{
	static char path[4096];
	const char *target = strstr(program, "test_fuzz_");

	if (!target)
		ksft_exit_fail_msg("what is the target of %s?\n", program);
	snprintf(path, sizeof(path), CORPUS "%s",
		 target + strlen("test_fuzz_"));
	return path;
}

int main(int argc, char **argv)
{
	unsigned int nr;

	ksft_print_header();
	ksft_set_plan(1);
	if (argc == 1) {
		nr = replay_all(corpus_of(argv[0]));
		ksft_test_result(nr, "the corpus of %u inputs\n", nr);
	} else {
		for (nr = 1; nr < argc; nr++)
			replay_file(argv[nr]);
		ksft_test_result_pass("what was given\n");
	}
	ksft_finished();
}
