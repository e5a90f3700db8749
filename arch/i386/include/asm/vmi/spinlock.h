/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_SPINLOCK_H
#define _ASM_X86_VMI_SPINLOCK_H

/*
 * Spinlocks whose waiters the host puts to sleep: Linux's own paravirtual
 * queued spinlocks, chosen at boot.  For <asm/qspinlock.h>.
 */
#ifdef CONFIG_VMI

void vmi_wait(u8 *ptr, u8 val);
void vmi_kick(int cpu);
bool vmi_cpu_preempted(int cpu);

/* With CONFIG_PARAVIRT it is pv_ops.lock that is chosen. */
#ifndef CONFIG_PARAVIRT

#include <asm/vmi/site.h>

void __pv_queued_spin_lock_slowpath(struct qspinlock *lock, u32 val);
void vmi_spin_unlock(void);

#define pv_wait		vmi_wait
#define pv_kick		vmi_kick

/* A lock that is taken: the native way looks at virt_spin_lock() first. */
#define pv_queued_spin_lock_slowpath	native_queued_spin_lock_slowpath

#define virt_spin_lock virt_spin_lock
static inline bool virt_spin_lock(struct qspinlock *lock)
{
	if (!vmi_patched(VMI_OP_SPIN_WAIT))
		return false;
	__pv_queued_spin_lock_slowpath(lock, 0);
	return true;
}

/*
 * The thunk takes the lock's address twice.  If it is relative to ESP, which
 * each push moves by 4, the second one is off by twice as much as the first,
 * and vmi_spin_unlock() can tell where the lock is.
 */
static __always_inline void pv_queued_spin_unlock(struct qspinlock *lock)
{
	asm_inline volatile(VMI_SITE_CODE(VMI_PAD2 "movb $0,%[locked]")
			    ".subsection 1\n"
			    "774:\tpush %%eax; lea %[locked],%%eax\n\t"
			    "push %%eax; mov 4(%%esp),%%eax\n\t"
			    "lea %[locked],%%eax\n\t"
			    "call vmi_spin_unlock\n\t"
			    "pop %%eax; pop %%eax; jmp 773b\n\t"
			    ".subsection 0\n"
			    VMI_SITE_ROW("771b", "773b", "774b - .", "0")
			    : [locked] "=m" (lock->locked)
			    : VMI_OPERAND(SPIN_KICK) : "memory");
}

static __always_inline bool pv_vcpu_is_preempted(int cpu)
{
	return vmi_patched(VMI_OP_CPU_PREEMPTED) && vmi_cpu_preempted(cpu);
}

/* CpuPreempted needs no feature flag. */
static inline void paravirt_set_cap(void) {}

#endif /* !CONFIG_PARAVIRT */
#endif /* CONFIG_VMI */
#endif /* _ASM_X86_VMI_SPINLOCK_H */
