/* SPDX-License-Identifier: MIT */
#ifndef LSV_BACKWARDS_H
#define LSV_BACKWARDS_H

/* SQLite's checksum chain, backwards: each of its steps adds, so it can be
 * undone. */

#include <stdbool.h>
#include <stdint.h>

/* Takes the frame's own bytes out of the checksum s that it ends with: what is
 * left is the checksum that it continued. */
void lsv_frame_backwards(bool big_endian, const uint8_t *frame,
                         uint32_t page_size, uint32_t s[2]);

#endif
