/* SPDX-License-Identifier: MIT */
#ifndef LSV_EXPORT_H
#define LSV_EXPORT_H

/* All else is hidden.  liblsvfs.so's names are listed in liblsvfs.syms. */
#define LSV_EXPORT __attribute__((visibility("default")))

#endif
