/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_FUZZ_H
#define UNIT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What every target is: see that all holds which must, whatever the input is. The
 * fuzzer knows it by another name, see the Makefile.
 */
int fuzz_one(const uint8_t *data, size_t size);

/* The fuzzer takes note of an input that ends the program. */
#define must(condition)							\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: must be: %s\n",		\
				__FILE__, __LINE__, #condition);	\
			abort();					\
		}							\
	} while (0)

/**
 * struct input - what is left of the bytes that say what to do
 * @at: the next one
 * @left: how many there are
 */
struct input {
	const uint8_t *at;
	size_t left;
};

/* The next byte, 0 where there is none. */
static inline uint8_t take_byte(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

static inline uint8_t take_below(struct input *input, uint8_t limit)
{
	return take_byte(input) % limit;
}

/* Mostly small; the first byte says how many there are, and where they belong. */
static inline uint64_t take_number(struct input *input)
{
	uint8_t form = take_byte(input);
	uint64_t number = 0;
	int bytes = form & 7;

	while (bytes--)
		number = number << 8 | take_byte(input);
	return form & 8 ? ~number : number << (form >> 4) * 4;
}

/* The rest as a text, to be freed; it ends at the first byte that is 0. */
static inline char *take_text(struct input *input)
{
	char *text = strndup((const char *)input->at, input->left);

	must(text);
	input->left = 0;
	return text;
}

#endif
