/* SPDX-License-Identifier: MIT */
#ifndef LSV_TEST_DICE_H
#define LSV_TEST_DICE_H

/* Random numbers that a seed repeats (splitmix64). */

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t dice_roll(struct dice *dice)
{
	dice->state += UINT64_C(0x9e3779b97f4a7c15);
	return dice_mix(dice->state);
}

/* 0..n-1 */
static inline uint32_t dice_below(struct dice *dice, uint32_t n)
{
	return (uint32_t)(dice_roll(dice) % n);
}

static inline bool dice_percent(struct dice *dice, uint32_t percent)
{
	return dice_below(dice, 100) < percent;
}

#endif
