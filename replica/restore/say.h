/* SPDX-License-Identifier: MIT */
#ifndef LSV_SAY_H
#define LSV_SAY_H

/* Logs a reason that is complete in itself, without errno's words behind it,
 * and is 'err':  return say(-EBADMSG, "damaged %s: ...", name); */

#include "replica/base/log.h"

#define say(err, ...) (log_error(0, __VA_ARGS__), (err))

#endif
