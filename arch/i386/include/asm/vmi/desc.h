/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_VMI_DESC_H
#define _ASM_X86_VMI_DESC_H

/* Descriptor tables, their entries, and the task register. */

#include <asm/vmi/site.h>

static inline void load_gdt(const struct desc_ptr *dtr)
{
	VMI_DO1(SET_GDT, VMI_PAD2 "lgdt (%[a])", dtr);
}

static __always_inline void load_idt(const struct desc_ptr *dtr)
{
	VMI_DO1(SET_IDT, VMI_PAD2 "lidt (%[a])", dtr);
}

static inline void vmi_lldt(unsigned long selector)
{
	VMI_DO1(SET_LDT, VMI_PAD2 "lldt %w[a]", selector);
}

static inline void vmi_ltr(unsigned long selector)
{
	VMI_DO1(SET_TR, VMI_PAD2 "ltr %w[a]", selector);
}

static inline void store_gdt(struct desc_ptr *dtr)
{
	VMI_DO1(GET_GDT, VMI_PAD2 "sgdt (%[a])", dtr);
}

static inline void store_idt(struct desc_ptr *dtr)
{
	VMI_DO1(GET_IDT, VMI_PAD2 "sidt (%[a])", dtr);
}

static inline unsigned long vmi_sldt(void)
{
	return VMI_GET(GET_LDT, VMI_PAD2 "sldt %[val]");
}

static inline unsigned long vmi_str(void)
{
	return VMI_GET(GET_TR, VMI_PAD2 "str %[val]");
}

#define load_TR_desc()		vmi_ltr(GDT_ENTRY_TSS * 8)
#define load_tr(tr)		vmi_ltr(tr)
#define load_ldt(ldt)		vmi_lldt(ldt)
#define store_tr(tr)		((tr) = vmi_str())
#define store_ldt(ldt)		((ldt) = vmi_sldt())

/*
 * Write a descriptor's two halves.  The entry's address is at hand; its table
 * is computed from that in the thunk, where it costs a native kernel nothing.
 */
#define VMI_WRITE_DESC(id, entry, index, desc)				\
do {									\
	const u32 *__desc = (const void *)(desc);			\
									\
	asm_inline volatile(VMI_THUNK("movl %[lo],(%[e]); movl %[hi],4(%[e])", \
				      VMI_ARGS4("%[e]", "%[i]", "%[lo]", "%[hi]") \
				      "; neg %%edx; lea (%%eax,%%edx,8),%%eax; neg %%edx", \
				      VMI_DROP1, VMI_RESTORE)		\
			    : : VMI_OPERAND(id), [e] "r" (entry),	\
				[i] "ri" (index), [lo] "r" (__desc[0]),	\
				[hi] "r" (__desc[1]) : "memory");	\
} while (0)

static inline void write_ldt_entry(struct desc_struct *ldt, int entry, const void *desc)
{
	VMI_WRITE_DESC(WRITE_LDT_ENTRY, &ldt[entry], entry, desc);
}

static inline void write_gdt_entry(struct desc_struct *gdt, int entry,
				   const void *desc, int type)
{
	VMI_WRITE_DESC(WRITE_GDT_ENTRY, &gdt[entry], entry, desc);
}

static inline void write_idt_entry(gate_desc *idt, int entry, const gate_desc *gate)
{
	VMI_WRITE_DESC(WRITE_IDT_ENTRY, &idt[entry], entry, gate);
}

static inline void load_TLS(struct thread_struct *t, unsigned int cpu)
{
	struct desc_struct *gdt = get_cpu_gdt_rw(cpu);

	BUILD_BUG_ON(GDT_ENTRY_TLS_ENTRIES != 3);
	write_gdt_entry(gdt, GDT_ENTRY_TLS_MIN, &t->tls_array[0], DESCTYPE_S);
	write_gdt_entry(gdt, GDT_ENTRY_TLS_MIN + 1, &t->tls_array[1], DESCTYPE_S);
	write_gdt_entry(gdt, GDT_ENTRY_TLS_MIN + 2, &t->tls_array[2], DESCTYPE_S);
}

static inline void set_tssldt_descriptor(void *d, unsigned long addr,
					 unsigned int type, unsigned int size);

static inline void set_ldt(const void *addr, unsigned int entries)
{
	ldt_desc ldt;

	if (likely(!entries)) {
		vmi_lldt(0);
		return;
	}
	set_tssldt_descriptor(&ldt, (unsigned long)addr, DESC_LDT,
			      entries * LDT_ENTRY_SIZE - 1);
	write_gdt_entry(get_cpu_gdt_rw(smp_processor_id()), GDT_ENTRY_LDT,
			&ldt, DESC_LDT);
	vmi_lldt(GDT_ENTRY_LDT * 8);
}

static inline void paravirt_alloc_ldt(struct desc_struct *ldt, unsigned int entries)
{
}

static inline void paravirt_free_ldt(struct desc_struct *ldt, unsigned int entries)
{
}

#endif /* _ASM_X86_VMI_DESC_H */
