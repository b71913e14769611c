#include <string.h>

#include "tests/differential/program.h"

static bool fails(const struct program *program)
{
	char complaint[1400];
	size_t queries;
	return !program_holds(program, complaint, sizeof complaint, &queries);
}

/* Without steps [from, to). */
static void without(struct program *shorter, const struct program *program, size_t from, size_t to)
{
	struct program copy;
	program_copy(&copy, program);
	*shorter = copy;
	for (size_t i = from; i < to; i++) {
		buffer_release(&copy.steps[i].id);
		buffer_release(&copy.steps[i].title);
		buffer_release(&copy.steps[i].text);
	}
	memmove(shorter->steps + from, shorter->steps + to, (shorter->count - to) * sizeof *shorter->steps);
	shorter->count -= to - from;
}

static void keep(struct program *program, struct program *shorter)
{
	program_release(program);
	*program = *shorter;
}

/* Drop pieces of steps, large ones first. */
static bool drop_steps(struct program *program)
{
	bool any = false;
	for (size_t piece = (program->count + 1) / 2; piece; piece /= 2)
		for (size_t at = 0; at < program->count;) {
			struct program shorter;
			size_t end = at + piece < program->count ? at + piece : program->count;
			without(&shorter, program, at, end);
			if (fails(&shorter)) {
				keep(program, &shorter);
				any = true;
			} else {
				program_release(&shorter);
				at = end;
			}
		}
	return any;
}

/* Drop pieces of a step's text, from half of it down to single words. */
static bool drop_words(struct program *program, size_t step, size_t field)
{
	bool any = false;
	struct program shorter;
	for (size_t piece = 4096; piece; piece /= 4)
		for (size_t at = 0;;) {
			const struct step *from = &program->steps[step];
			const struct buffer *bytes = field ? &from->title : &from->text;
			if (at >= bytes->length)
				break;
			size_t end = at + piece < bytes->length ? at + piece : bytes->length;
			while (end < bytes->length && bytes->data[end - 1] != ' ')
				end++;
			program_copy(&shorter, program);
			struct buffer *to = field ? &shorter.steps[step].title : &shorter.steps[step].text;
			memmove(to->data + at, to->data + end, to->length - end);
			to->length -= end - at;
			if (fails(&shorter)) {
				keep(program, &shorter);
				any = true;
			} else {
				program_release(&shorter);
				at = end;
			}
		}
	return any;
}

#define STEPS_WITH_WORDS 400 /* of a program still longer, only steps are dropped */

void program_shrink(struct program *program)
{
	for (bool any = true; any;) {
		any = drop_steps(program);
		for (size_t i = 0; program->count <= STEPS_WITH_WORDS && i < program->count; i++) {
			any |= drop_words(program, i, 0);
			any |= drop_words(program, i, 1);
		}
	}
}
