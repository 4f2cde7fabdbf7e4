/* SPDX-License-Identifier: MIT */
#ifndef LSV_CRC32C_H
#define LSV_CRC32C_H

/* CRC-32C (Castagnoli), as in RFC 3720: "123456789" gives e3069283. */

#include <stddef.h>
#include <stdint.h>

uint32_t lsv_crc32c(const void *data, size_t n);
/* The same, by a table, on processors without an instruction for it. */
uint32_t lsv_crc32c_portable(const void *data, size_t n);

#endif
