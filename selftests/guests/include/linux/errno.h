/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GUEST_LINUX_ERRNO_H
#define _GUEST_LINUX_ERRNO_H

#define EINVAL	22

#endif /* _GUEST_LINUX_ERRNO_H */
