#ifndef TRPO_INTERRUPT_H
#define TRPO_INTERRUPT_H

/**
 * Whether work that may never end by itself is asked to end. Whoever watches signals asks; loops without a bound look
 * once in a while. All of it may be called in a signal handler and in any thread.
 */
void interrupt_ask(void);

/** Takes it back. */
void interrupt_clear(void);

/** Nonzero between interrupt_ask and interrupt_clear. */
int interrupt_asked(void);

#endif
