// SPDX-License-Identifier: GPL-2.0-only
/*
 * What processors want from each other, where the host knows better: it may
 * have taken a processor away.  ABI calls 97 to 102.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include <asm/paravirt.h>
#include <asm/vmi/setup.h>
#include <asm/vmi/site.h>

#include "vmi.h"

/* Processors that one SendIPIMask reaches, by APIC id. */
#define IPI_MASK_BITS	64

#ifdef CONFIG_PARAVIRT_SPINLOCKS

/**
 * vmi_wait() - sleep while a byte has a value
 * @ptr: the byte
 * @val: the value
 *
 * Returns when vmi_kick() names this processor, and whenever the host wants.
 *
 * Context: the slow path of a spinlock; only if the ROM has SpinWait.  An NMI
 * must not sleep, since the kick is for what it interrupted.
 */
void vmi_wait(u8 *ptr, u8 val)
{
	if (!in_nmi())
		vmi_call2(SPIN_WAIT, (unsigned long)ptr, val);
}

/**
 * vmi_kick() - wake a processor that may be in vmi_wait()
 * @cpu: its number
 *
 * Context: unlocking a spinlock; only if the ROM has SpinKick.
 */
void vmi_kick(int cpu)
{
	vmi_call1(SPIN_KICK, cpu_physical_id(cpu));
}

/**
 * vmi_cpu_preempted() - has the host taken a processor away?
 * @cpu: its number
 *
 * Context: any; only if the ROM has CpuPreempted.
 *
 * Return: true if code on that processor does not advance right now.
 */
bool vmi_cpu_preempted(int cpu)
{
	return (u32)vmi_call1(CPU_PREEMPTED, cpu_physical_id(cpu));
}
EXPORT_SYMBOL(vmi_cpu_preempted);

#ifdef CONFIG_PARAVIRT

PV_CALLEE_SAVE_REGS_THUNK(vmi_cpu_preempted);

static void __init hook_pv_lock(void)
{
	if (vmi_patched(VMI_OP_SPIN_WAIT)) {
		pv_ops.lock.queued_spin_lock_slowpath = __pv_queued_spin_lock_slowpath;
		pv_ops.lock.queued_spin_unlock = PV_CALLEE_SAVE(__pv_queued_spin_unlock);
		pv_ops.lock.wait = vmi_wait;
		pv_ops.lock.kick = vmi_kick;
	}
	if (vmi_patched(VMI_OP_CPU_PREEMPTED))
		pv_ops.lock.vcpu_is_preempted = PV_CALLEE_SAVE(vmi_cpu_preempted);
}

#else

/* In entry.S; called by every unlock. */
EXPORT_SYMBOL(vmi_spin_unlock);

static void __init hook_pv_lock(void) {}

#endif

/**
 * vmi_hook_spinlock() - let the host know who waits for a spinlock
 *
 * Context: boot processor, alone, there is memory, no alternative is applied yet;
 * only if a ROM was accepted.
 */
void __init vmi_hook_spinlock(void)
{
	if (vmi_patched(VMI_OP_SPIN_WAIT))
		__pv_init_lock_hash();
	hook_pv_lock();
}

#endif /* CONFIG_PARAVIRT_SPINLOCKS */

static DEFINE_PER_CPU(struct cpumask, flush_now);

/**
 * vmi_flush_later() - leave TLB flushes to the host where it can
 * @cpus: processors whose TLB must be flushed
 *
 * Context: preemption off, not in an interrupt; only if the ROM has FlushLater.
 *
 * Return: those that must be told now; valid until the next call.
 */
const struct cpumask *vmi_flush_later(const struct cpumask *cpus)
{
	struct cpumask *now = this_cpu_ptr(&flush_now);
	int cpu;

	cpumask_copy(now, cpus);
	for_each_cpu(cpu, cpus) {
		if (cpu != smp_processor_id() &&
		    (u32)vmi_call1(FLUSH_LATER, cpu_physical_id(cpu)))
			__cpumask_clear_cpu(cpu, now);
	}
	return now;
}

static void (*native_send_ipi_mask)(const struct cpumask *mask, int vector);

static void vmi_send_ipi_mask(const struct cpumask *mask, int vector)
{
	u32 icr = vector == NMI_VECTOR ? APIC_DM_NMI : APIC_DM_FIXED | vector;
	u32 first, bit;
	u64 bits = 0;
	int cpu;

	if (cpumask_empty(mask))
		return;

	first = round_down(cpu_physical_id(cpumask_first(mask)), IPI_MASK_BITS);
	for_each_cpu(cpu, mask) {
		bit = cpu_physical_id(cpu) - first;
		if (bit >= IPI_MASK_BITS) {
			native_send_ipi_mask(mask, vector);
			return;
		}
		bits |= BIT_ULL(bit);
	}
	if ((u32)vmi_call4(SEND_IPI_MASK, first, (u32)bits, (u32)(bits >> 32), icr))
		native_send_ipi_mask(mask, vector);
}

/* The sender waits for all of them: let the first run that does not. */
static void vmi_send_call_func_ipi(const struct cpumask *mask)
{
	int cpu;

	native_send_call_func_ipi(mask);
	for_each_cpu(cpu, mask) {
		if (!idle_cpu(cpu) && vcpu_is_preempted(cpu)) {
			vmi_call1(YIELD_TO, cpu_physical_id(cpu));
			break;
		}
	}
}

/**
 * vmi_hook_ipi() - send interrupts to processors by way of the ROM
 *
 * Context: boot processor, the APIC's driver is chosen, the other processors
 * are not started yet; only if a ROM was accepted.
 */
void __init vmi_hook_ipi(void)
{
	if (vmi_patched(VMI_OP_SEND_IPI_MASK)) {
		native_send_ipi_mask = apic->send_IPI_mask;
		apic_update_callback(send_IPI_mask, vmi_send_ipi_mask);
	}
	if (vmi_patched(VMI_OP_YIELD_TO))
		smp_ops.send_call_func_ipi = vmi_send_call_func_ipi;
}
