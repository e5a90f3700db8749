// SPDX-License-Identifier: GPL-2.0-only
/* The host's clocks.  ABI calls 62, 66, 67, 70 and 106. */
#include <linux/atomic.h>
#include <linux/clocksource.h>
#include <linux/cpufeature.h>
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/time64.h>

#include <asm/paravirt.h>
#include <asm/tsc.h>
#include <asm/vmi/site.h>
#ifndef CONFIG_PARAVIRT
#include <asm/vmi/time.h>
#endif
#include <asm/x86_init.h>

#include "vmi.h"

static u64 cycles_hz;		/* of GetCycleCounter */

static u64 vmi_clock_read(struct clocksource *cs)
{
	return vmi_call1(GET_CYCLE_COUNTER, VMI_CYCLES_REAL);
}

static struct clocksource vmi_clock = {
	.name	= "vmi",
	.read	= vmi_clock_read,
	.rating	= 400,
	.mask	= CLOCKSOURCE_MASK(64),
	.flags	= CLOCK_SOURCE_IS_CONTINUOUS | CLOCK_SOURCE_VALID_FOR_HRES,
};

static u64 stolen_time(void)
{
	if (!cycles_hz)
		return 0;
	return mul_u64_u64_div_u64(vmi_call1(GET_CYCLE_COUNTER, VMI_CYCLES_STOLEN),
				   NSEC_PER_SEC, cycles_hz);
}

#ifdef CONFIG_PARAVIRT

static DEFINE_PER_CPU(atomic64_t, last_stolen_time);

/*
 * A run queue's clock may be updated by any processor, but the host is asked for the
 * own time only: of another one, what it asked for last.
 */
static u64 vmi_steal_clock(int cpu)
{
	atomic64_t *last = per_cpu_ptr(&last_stolen_time, cpu);

	if (cpu == smp_processor_id())
		atomic64_set(last, stolen_time());
	return atomic64_read(last);
}

static void __init hook_steal_clock(void)
{
	static_call_update(pv_steal_clock, vmi_steal_clock);
	static_key_slow_inc(&paravirt_steal_enabled);
	static_key_slow_inc(&paravirt_steal_rq_enabled);
}

#else

/**
 * paravirt_steal_clock() - time that the host took from this processor
 * @cpu: the running processor
 *
 * Context: scheduler tick; only if the ROM has GetCycleCounter.
 *
 * Return: ns since the processor was started for the first time.
 */
u64 paravirt_steal_clock(int cpu)
{
	return stolen_time();
}

static void __init hook_steal_clock(void) {}

#endif

static void vmi_get_wallclock(struct timespec64 *now)
{
	*now = ns_to_timespec64(vmi_call0(GET_WALLCLOCK_TIME));
}

/**
 * vmi_hook_wallclock() - let the ROM tell the time of day
 *
 * Context: boot processor, before timekeeping starts; only if a ROM was
 * accepted.
 */
void __init vmi_hook_wallclock(void)
{
	if (vmi_patched(VMI_OP_GET_WALLCLOCK_TIME))
		x86_platform.get_wallclock = vmi_get_wallclock;
}

static unsigned long vmi_tsc_khz(void)
{
	return div_u64(vmi_call0(GET_TSC_FREQUENCY), 1000);
}

/**
 * vmi_hook_tsc() - let the ROM tell the rate of the TSC
 *
 * Then it is not measured, neither early nor again by a timer later.
 *
 * Context: vmi_init(); only if a ROM was accepted.
 */
void __init vmi_hook_tsc(void)
{
	if (!vmi_patched(VMI_OP_GET_TSC_FREQUENCY) || !vmi_tsc_khz())
		return;
	x86_platform.calibrate_cpu = vmi_tsc_khz;
	x86_platform.calibrate_tsc = vmi_tsc_khz;
	setup_force_cpu_cap(X86_FEATURE_TSC_KNOWN_FREQ);
}

static void (*restore_sched_clock_state)(void);

/* Suspend to RAM ends in a reset: the host has forgotten this processor. */
static void vmi_restore_sched_clock_state(void)
{
	vmi_call2(SET_INITIAL_AP_STATE, 0, cpu_physical_id(0));
	restore_sched_clock_state();
}

/**
 * vmi_hook_clock() - use the ROM's cycle counters
 *
 * Programs read the TSC without a system call, so it is better where it can be
 * trusted. A ROM without GetCycleFrequency counts at the TSC's rate: only stolen
 * time is of interest then.
 *
 * Context: boot processor, early initcall; only if a ROM was accepted.
 */
void __init vmi_hook_clock(void)
{
	if (!vmi_patched(VMI_OP_GET_CYCLE_COUNTER))
		return;
	if (!vmi_patched(VMI_OP_GET_CYCLE_FREQUENCY)) {
		if (vmi_patched(VMI_OP_GET_TSC_FREQUENCY))
			cycles_hz = vmi_call0(GET_TSC_FREQUENCY);
		if (cycles_hz)
			hook_steal_clock();
		return;
	}
	cycles_hz = vmi_call0(GET_CYCLE_FREQUENCY);
	if (!cycles_hz)
		return;
	hook_steal_clock();

	if (vmi_patched(VMI_OP_SET_INITIAL_AP_STATE)) {
		restore_sched_clock_state = x86_platform.restore_sched_clock_state;
		x86_platform.restore_sched_clock_state = vmi_restore_sched_clock_state;
	}
	if (boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	    boot_cpu_has(X86_FEATURE_NONSTOP_TSC) && !check_tsc_unstable())
		vmi_clock.rating = 299;
	if (cycles_hz <= U32_MAX)
		clocksource_register_hz(&vmi_clock, cycles_hz);
	else
		clocksource_register_khz(&vmi_clock, div_u64(cycles_hz, 1000));
}
