/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's headers as far as vmi/ and the ABI need them, without a libc. */
#ifndef _GUEST_LINUX_TYPES_H
#define _GUEST_LINUX_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef int32_t __s32;
typedef uint64_t __u64;
typedef int8_t __s8;

#endif /* _GUEST_LINUX_TYPES_H */
