/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_OPS_H
#define _ASM_X86_VMI_OPS_H

/*
 * The table of operations.  Everything that lists operations is made from it:
 * enum vmi_op, the ROMs' slots and counters, debugfs, the tests, vmi.rst.
 *
 * VMI_OP(number, ID, name, type, group, in, out, native)
 *
 * number	call number of the wire ABI (0..95: VMI 3.0, 96..: extensions)
 * ID		identifier, used as VMI_OP_<ID>
 * name		name of the call in the wire ABI
 * type		CALL: the routine returns to the site; JUMP: it does not
 * group	what the call is about
 * in		registers that carry arguments, in the order of the arguments;
 *		a number stands for that many words on the stack
 * out		registers that carry the result, or none
 * native	what the routine stands for, in the words of the processor
 *
 * A routine may change EAX, ECX, EDX and the arithmetic flags; those of group
 * IRQ may change only EAX and the flags; those of type JUMP nothing.
 *
 * The file holds nothing but preprocessor lines, so assembly includes it too.
 */
#define VMI_OPS(VMI_OP) \
VMI_OP(0, CPUID, "CPUID", CALL, CPU, "eax ecx", "eax ebx ecx edx", "cpuid") \
VMI_OP(1, WRMSR, "WRMSR", CALL, MSR, "ecx eax edx", "", "wrmsr") \
VMI_OP(2, RDMSR, "RDMSR", CALL, MSR, "ecx", "edx:eax", "rdmsr") \
VMI_OP(3, SET_GDT, "SetGDT", CALL, DESC, "eax", "", "lgdt") \
VMI_OP(4, SET_LDT, "SetLDT", CALL, DESC, "eax", "", "lldt") \
VMI_OP(5, SET_IDT, "SetIDT", CALL, DESC, "eax", "", "lidt") \
VMI_OP(6, SET_TR, "SetTR", CALL, DESC, "eax", "", "ltr") \
VMI_OP(7, GET_GDT, "GetGDT", CALL, DESC, "eax", "", "sgdt") \
VMI_OP(8, GET_LDT, "GetLDT", CALL, DESC, "", "eax", "sldt") \
VMI_OP(9, GET_IDT, "GetIDT", CALL, DESC, "eax", "", "sidt") \
VMI_OP(10, GET_TR, "GetTR", CALL, DESC, "", "eax", "str") \
VMI_OP(11, WRITE_GDT_ENTRY, "WriteGDTEntry", CALL, DESC, "eax edx ecx 1", "", "mov to GDT entry") \
VMI_OP(12, WRITE_LDT_ENTRY, "WriteLDTEntry", CALL, DESC, "eax edx ecx 1", "", "mov to LDT entry") \
VMI_OP(13, WRITE_IDT_ENTRY, "WriteIDTEntry", CALL, DESC, "eax edx ecx 1", "", "mov to IDT entry") \
VMI_OP(14, UPDATE_KERNEL_STACK, "UpdateKernelStack", CALL, DESC, "eax edx", "", "mov to TSS") \
VMI_OP(15, SET_CR0, "SetCR0", CALL, CR, "eax", "", "mov to CR0") \
VMI_OP(16, SET_CR2, "SetCR2", CALL, CR, "eax", "", "mov to CR2") \
VMI_OP(17, SET_CR3, "SetCR3", CALL, CR, "eax", "", "mov to CR3") \
VMI_OP(18, SET_CR4, "SetCR4", CALL, CR, "eax", "", "mov to CR4") \
VMI_OP(19, GET_CR0, "GetCR0", CALL, CR, "", "eax", "mov from CR0") \
VMI_OP(20, GET_CR2, "GetCR2", CALL, CR, "", "eax", "mov from CR2") \
VMI_OP(21, GET_CR3, "GetCR3", CALL, CR, "", "eax", "mov from CR3") \
VMI_OP(22, GET_CR4, "GetCR4", CALL, CR, "", "eax", "mov from CR4") \
VMI_OP(23, WBINVD, "WBINVD", CALL, CPU, "", "", "wbinvd") \
VMI_OP(24, SET_DR, "SetDR", CALL, CR, "eax edx", "", "mov to DR") \
VMI_OP(25, GET_DR, "GetDR", CALL, CR, "eax", "eax", "mov from DR") \
VMI_OP(26, RDPMC, "RDPMC", CALL, CPU, "ecx", "edx:eax", "rdpmc") \
VMI_OP(27, RDTSC, "RDTSC", CALL, CPU, "", "edx:eax", "rdtsc") \
VMI_OP(28, CLTS, "CLTS", CALL, CR, "", "", "clts") \
VMI_OP(29, ENABLE_INTERRUPTS, "EnableInterrupts", CALL, IRQ, "", "", "sti") \
VMI_OP(30, DISABLE_INTERRUPTS, "DisableInterrupts", CALL, IRQ, "", "", "cli") \
VMI_OP(31, GET_INTERRUPT_MASK, "GetInterruptMask", CALL, IRQ, "", "eax", "pushf; pop") \
VMI_OP(32, SET_INTERRUPT_MASK, "SetInterruptMask", CALL, IRQ, "eax", "", "push; popf") \
VMI_OP(33, IRET, "IRET", JUMP, RETURN, "", "", "iret") \
VMI_OP(34, SYSEXIT, "SYSEXIT", JUMP, RETURN, "", "", "sti; sysexit") \
VMI_OP(35, HALT, "Halt", CALL, CPU, "", "", "sti; hlt") \
VMI_OP(36, REBOOT, "Reboot", CALL, CPU, "", "", "") \
VMI_OP(37, SHUTDOWN, "Shutdown", CALL, CPU, "", "", "") \
VMI_OP(38, SET_PXE, "SetPxE", CALL, MMU, "eax edx ecx", "", "mov to 32-bit PTE") \
VMI_OP(39, SET_PXE_LONG, "SetPxELong", CALL, MMU, "eax edx ecx 1", "", "mov to 64-bit PTE") \
VMI_OP(40, UPDATE_PXE, "UpdatePxE", CALL, MMU, "eax edx", "", "") \
VMI_OP(41, UPDATE_PXE_LONG, "UpdatePxELong", CALL, MMU, "eax edx", "", "") \
VMI_OP(42, MACHINE_TO_PHYSICAL, "MachineToPhysical", CALL, MMU, "eax", "eax", "") \
VMI_OP(43, PHYSICAL_TO_MACHINE, "PhysicalToMachine", CALL, MMU, "eax", "eax", "") \
VMI_OP(44, ALLOCATE_PAGE, "AllocatePage", CALL, MMU, "eax edx ecx 2", "", "") \
VMI_OP(45, RELEASE_PAGE, "ReleasePage", CALL, MMU, "eax edx", "", "") \
VMI_OP(46, INVAL_PAGE, "InvalPage", CALL, MMU, "eax", "", "invlpg") \
VMI_OP(47, FLUSH_TLB, "FlushTLB", CALL, MMU, "eax", "", "mov CR3 to CR3") \
VMI_OP(48, SET_LINEAR_MAPPING, "SetLinearMapping", CALL, MMU, "eax edx ecx 1", "", "") \
VMI_OP(61, SET_IOPL_MASK, "SetIOPLMask", CALL, CPU, "eax", "", "push; popf") \
VMI_OP(62, SET_INITIAL_AP_STATE, "SetInitialAPState", CALL, APIC, "eax edx", "", "") \
VMI_OP(63, APIC_WRITE, "APICWrite", CALL, APIC, "eax edx", "", "mov to local APIC") \
VMI_OP(64, APIC_READ, "APICRead", CALL, APIC, "eax", "eax", "mov from local APIC") \
VMI_OP(65, IO_DELAY, "IODelay", CALL, CPU, "", "", "out to port 0x80") \
VMI_OP(66, GET_CYCLE_FREQUENCY, "GetCycleFrequency", CALL, TIME, "", "edx:eax", "") \
VMI_OP(67, GET_CYCLE_COUNTER, "GetCycleCounter", CALL, TIME, "eax", "edx:eax", "") \
VMI_OP(68, SET_ALARM, "SetAlarm", CALL, TIME, "eax edx ecx 2", "", "") \
VMI_OP(69, CANCEL_ALARM, "CancelAlarm", CALL, TIME, "eax", "eax", "") \
VMI_OP(70, GET_WALLCLOCK_TIME, "GetWallclockTime", CALL, TIME, "", "edx:eax", "") \
VMI_OP(71, WALLCLOCK_UPDATED, "WallclockUpdated", CALL, TIME, "", "eax", "") \
VMI_OP(73, SET_LAZY_MODE, "SetLazyMode", CALL, MMU, "eax", "", "") \
VMI_OP(96, GET_OP_COUNT, "GetOpCount", CALL, DEBUG, "eax", "edx:eax", "") \
VMI_OP(97, SPIN_WAIT, "SpinWait", CALL, SMP, "eax edx", "", "pause") \
VMI_OP(98, SPIN_KICK, "SpinKick", CALL, SMP, "eax", "", "") \
VMI_OP(99, SEND_IPI_MASK, "SendIPIMask", CALL, SMP, "eax edx ecx 1", "eax", "") \
VMI_OP(100, FLUSH_LATER, "FlushLater", CALL, SMP, "eax", "eax", "") \
VMI_OP(101, CPU_PREEMPTED, "CpuPreempted", CALL, SMP, "eax", "eax", "") \
VMI_OP(102, YIELD_TO, "YieldTo", CALL, SMP, "eax", "", "") \
VMI_OP(103, PAGE_STATE, "PageState", CALL, MMU, "eax edx ecx", "", "") \
VMI_OP(104, HALT_POLL, "HaltPoll", CALL, CPU, "eax", "", "") \
VMI_OP(105, FLUSH_RANGE, "FlushRange", CALL, MMU, "eax edx", "", "invlpg of each page") \
VMI_OP(106, GET_TSC_FREQUENCY, "GetTSCFrequency", CALL, TIME, "", "edx:eax", "")

/* One more than the highest call number; tables are indexed by number. */
#define VMI_NR_OPS	107

#endif /* _ASM_X86_VMI_OPS_H */
