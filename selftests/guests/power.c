// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end.  A host that has no better way returns from Reboot and Shutdown, and
 * the guest resets the machine itself: QEMU's exit status 0, where any guest
 * that goes through guest_exit() has an odd one.
 */
#include "layer.h"

#define KEYBOARD	0x64
#define PULSE_RESET	0xfe

static void t_shutdown(void)
{
	if (vmi_patched(VMI_OP_SHUTDOWN))
		vmi_call0(SHUTDOWN);
}

static void t_reboot(void)
{
	if (vmi_patched(VMI_OP_REBOOT))
		vmi_call0(REBOOT);
}

static void t_reset(void)
{
	if (ktap_failed())
		guest_exit(1);
	ktap_end("power", "reset");
	outb(KEYBOARD, PULSE_RESET);
	delay_us(1000000);
	guest_exit(1);
}

static const struct test tests[] = {
	{ "Shutdown returns", t_shutdown },
	{ "Reboot returns", t_reboot },
	{ "reset", t_reset },
	{ }
};

const struct suite suites[] = {
	{ "power", NULL, tests },
	{ }
};
