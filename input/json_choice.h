/* json_choice.h - choose how JSON is read (json_choice.cc). */
#ifndef TRAWL_INPUT_JSON_CHOICE_H
#define TRAWL_INPUT_JSON_CHOICE_H

#ifdef __cplusplus
extern "C" {
#endif
/* To be called before the first parser is made, from any thread, as often as one likes. false: out of memory. */
bool json_choose(void);
#ifdef __cplusplus
}
#endif

#endif
