/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GUEST_LINUX_COMPILER_H
#define _GUEST_LINUX_COMPILER_H

#define __always_inline	inline __attribute__((__always_inline__))
#define asm_inline	asm __inline

#endif /* _GUEST_LINUX_COMPILER_H */
