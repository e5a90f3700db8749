/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm.rom: takes over what KVM offers to do better, everything else stays
 * native.  What that is, rom_init16 asks KVM, and writes the answers of
 * get_reloc into the image as long as the BIOS lets it.  Without KVM, and
 * before rom_init16, all of them are NONE.
 *
 *	feature of KVM		operation
 *	NOP_IO_DELAY		IODelay is erased
 *	PV_EOI			APICWrite ends an interrupt without an exit
 *
 * PV EOI: each processor gives KVM a word of memory.  KVM sets bit 0 when it
 * injects an interrupt whose end it need not see.  Then clearing the bit is
 * the end of interrupt; otherwise the APIC is written as ever.  A processor
 * that KVM has reset finds its bit clear, always, so that a word which KVM
 * does not know (any more) costs an exit, and nothing worse.
 */
#include "header.inc"

#define BDA_MEMORY_KB		0x413	/* u16: conventional memory in KB */
#define APIC_EOI		0xb0	/* register, offset in its page */
#define PAGE_MASK		0xfff
#define CPUID_1_ECX_HYPERVISOR	31

#define KVM_CPUID_SIGNATURE	0x40000000	/* here, or some steps higher */
#define KVM_CPUID_STEP		0x100
#define KVM_CPUID_END		0x40010000
#define KVM_SIGNATURE_EBX	0x4b4d564b	/* "KVMK" */
#define KVM_SIGNATURE_ECX	0x564b4d56	/* "VMKV" */
#define KVM_SIGNATURE_EDX	0x0000004d	/* "M" */
#define KVM_FEATURE_NOP_IO_DELAY 1
#define KVM_FEATURE_PV_EOI	6
#define MSR_KVM_PV_EOI_EN	0x4b564d04
#define KVM_MSR_ENABLED		1

/*
 * Data, in conventional memory.  A processor's slot is at its APIC id.  To ask
 * for that id is an exit, so a processor is told by where its GDT is: the map
 * has the offset of the slot, by a hash of that address, and the slot has the
 * address.  Offset 0 is no slot: the word where its address would be is 0.
 *
 * Only a processor itself writes into its slot, and only while it ends an
 * interrupt, with interrupts off.  So what it finds there stays right, however
 * many processors share an entry of the map.
 */
#define DATA_PHYS		0	/* u32: physical address of the data */
#define DATA_MAP		1024	/* u32 for each hash */
#define DATA_SLOTS		2048
#define DATA_KB			18
#define SLOT_FLAG		0	/* u32: the word that KVM writes to */
#define SLOT_GDT		4	/* u32: linear address; 0: KVM does not know */
#define SLOT_SHIFT		6	/* one cache line each */
#define SLOTS			256
#define GDT_HASH_SHIFT		12	/* then the low 8 bits */

.if DATA_SLOTS + (SLOTS << SLOT_SHIFT) != 1024 * DATA_KB
	.error	"the slots do not fill the data"
.endif

	vmi_rom	"KVM ROM"
	vmi_rom_partial

	.balign	4
rom_features:				/* bits of KVM that are used */
	.long	0
rom_to_data:				/* physical data minus physical ROM */
	.long	0

	.code16

/* answer id, type, routine: what get_reloc says from now on; the BIOS's part */
.macro answer id, type, routine
	movw	$\routine, %cs:rom_relocs + 4 * OP_NR_\id
	movw	$\type, %cs:rom_relocs + 4 * OP_NR_\id + 2
.endm

rom_init16:
	pushal
	push	%ds
	push	%es
	cmpl	$0, %cs:rom_features
	jne	9f
	call	kvm_features
	and	$(1 << KVM_FEATURE_NOP_IO_DELAY | 1 << KVM_FEATURE_PV_EOI), %eax
	jz	9f
	mov	%eax, %cs:rom_features

	bt	$KVM_FEATURE_NOP_IO_DELAY, %eax
	jnc	1f
	answer	IO_DELAY, VMI_RELOC_NOP, op_erased
1:	bt	$KVM_FEATURE_PV_EOI, %eax
	jnc	2f
	answer	APIC_WRITE, VMI_RELOC_CALL, apic_write
	answer	SET_INITIAL_AP_STATE, VMI_RELOC_CALL, set_initial_ap_state
	call	take_memory
2:	call	set_checksum
9:	pop	%es
	pop	%ds
	popal
	lret

/* EAX: KVM's features, 0 without KVM.  Changes ECX, EDX, EBX, ESI. */
kvm_features:
	mov	$1, %eax
	cpuid
	bt	$CPUID_1_ECX_HYPERVISOR, %ecx
	jnc	2f
	mov	$KVM_CPUID_SIGNATURE, %esi
1:	mov	%esi, %eax
	cpuid
	cmp	$KVM_SIGNATURE_EBX, %ebx
	jne	3f
	cmp	$KVM_SIGNATURE_ECX, %ecx
	jne	3f
	cmp	$KVM_SIGNATURE_EDX, %edx
	jne	3f
	lea	1(%esi), %eax
	cpuid
	ret
3:	add	$KVM_CPUID_STEP, %esi
	cmp	$KVM_CPUID_END, %esi
	jb	1b
2:	xor	%eax, %eax
	ret

/* Take the data from the top of conventional memory.  Changes DS, ES. */
take_memory:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	BDA_MEMORY_KB, %ax
	sub	$DATA_KB, %ax
	mov	%ax, BDA_MEMORY_KB
	shl	$6, %ax				/* KB to paragraphs */
	mov	%ax, %es
	movzwl	%ax, %edx
	mov	%edx, %ecx
	shl	$4, %ecx
	mov	%ecx, %es:DATA_PHYS
	xor	%eax, %eax
	mov	%cs, %ax
	sub	%eax, %edx
	shl	$4, %edx
	mov	%edx, %cs:rom_to_data
	ret

/* The guest wants a sum of 0. */
set_checksum:
	mov	%cs, %ax
	mov	%ax, %ds
	xor	%si, %si
	xor	%dl, %dl
	mov	$rom_end, %cx
	cld
1:	lodsb
	add	%al, %dl
	loop	1b
	sub	%dl, rom_end - 1
	ret

	.code32

/*
 * A guest may start in the machine of another that ended, by kexec: nothing in
 * the slots is true then but the address of the data.  If KVM refuses the MSR
 * after all this is a fault, and the guest refuses the ROM.
 */
rom_vmi_init:
	here	%edx, 1
	testl	$(1 << KVM_FEATURE_PV_EOI), rom_features - 1b(%edx)
	jz	2f
	add	rom_to_data - 1b(%edx), %edx
	push	%edi
	lea	DATA_PHYS + 4 + rom_start - 1b(%edx), %edi
	mov	$(1024 * DATA_KB - 4) / 4, %ecx
	xor	%eax, %eax
	cld
	rep stosl
	pop	%edi
	sub	$8, %esp
	sgdt	2(%esp)
	mov	4(%esp), %ecx
	add	$8, %esp
	call	find_slot
2:	xor	%eax, %eax

/* The address that goes with an operation which is erased. */
op_erased:
	ret

/*
 * ECX is the address of this processor's GDT, new to us: find the slot, and if
 * the processor is new as well make the slot known to KVM.  Interrupts are
 * off.  Changes EAX, ECX, EDX.
 */
find_slot:
	push	%ebx
	push	%esi
	push	%edi
	mov	%ecx, %esi
	mov	$1, %eax
	xor	%ecx, %ecx
	cpuid					/* traps */
	shr	$24, %ebx			/* local APIC's id */
	shl	$SLOT_SHIFT, %ebx
	add	$DATA_SLOTS, %ebx

	here	%edi, 1
	add	rom_to_data - 1b(%edi), %edi
	lea	rom_start - 1b(%edi), %edi
	cmpl	$0, SLOT_GDT(%edi, %ebx)
	jne	2f
	movl	$0, SLOT_FLAG(%edi, %ebx)
	mov	DATA_PHYS(%edi), %eax
	lea	SLOT_FLAG + KVM_MSR_ENABLED(%eax, %ebx), %eax
	xor	%edx, %edx
	mov	$MSR_KVM_PV_EOI_EN, %ecx
	wrmsr					/* traps */

2:	mov	%esi, SLOT_GDT(%edi, %ebx)
	shr	$GDT_HASH_SHIFT, %esi
	and	$0xff, %esi
	mov	%ebx, DATA_MAP(%edi, %esi, 4)
	pop	%edi
	pop	%esi
	pop	%ebx
	ret

/* EAX register's address, EDX value */
apic_write:
	mov	%eax, %ecx
	and	$PAGE_MASK, %ecx
	cmp	$APIC_EOI, %ecx
	jne	4f

	push	%edx
	push	%eax
	sub	$8, %esp
	sgdt	2(%esp)
	mov	4(%esp), %ecx
	add	$8, %esp
	mov	%ecx, %eax
	shr	$GDT_HASH_SHIFT, %eax
	movzbl	%al, %eax
	here	%edx, 1
	add	rom_to_data - 1b(%edx), %edx
	add	DATA_MAP + rom_start - 1b(%edx, %eax, 4), %edx
	cmp	%ecx, SLOT_GDT + rom_start - 1b(%edx)
	jne	2f
	btrl	$0, SLOT_FLAG + rom_start - 1b(%edx)
	pop	%eax
	pop	%edx
	jnc	4f
	ret

2:	call	find_slot
	pop	%eax
	pop	%edx
4:	mov	%edx, (%eax)			/* traps */
	ret

/*
 * EAX state, EDX APIC id.  The guest starts this processor in its own way; for
 * KVM that is a reset, and the slot is unknown to it.  The processor may come
 * back under the GDT of another, so that the whole map is worth nothing.
 */
set_initial_ap_state:
	push	%edi
	here	%edi, 1
	add	rom_to_data - 1b(%edi), %edi
	cmp	$SLOTS, %edx
	jae	2f
	shl	$SLOT_SHIFT, %edx
	movl	$0, DATA_SLOTS + SLOT_FLAG + rom_start - 1b(%edi, %edx)
	movl	$0, DATA_SLOTS + SLOT_GDT + rom_start - 1b(%edi, %edx)
2:	lea	DATA_MAP + rom_start - 1b(%edi), %edi
	mov	$256, %ecx
	xor	%eax, %eax
	cld
	rep stosl
	pop	%edi
	ret
