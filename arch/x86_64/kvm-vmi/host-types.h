/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVM_VMI_HOST_TYPES_H
#define KVM_VMI_HOST_TYPES_H

/* For ring1.h: types, and what this host keeps in a vcpu besides struct vcpu_vmi. */

#include <linux/kvm_host.h>

/* A macro, in a kernel without PARAVIRT_XXL: the core has one of that name. */
#undef load_ldt
#include <asm/mce.h>

/* The core's headers have these by the same values, but written differently. */
#undef APIC_EOI
#undef APIC_LDR
#undef APIC_DFR
#undef APIC_SVR
#undef APIC_TMR
#undef APIC_TMICT
#undef APIC_TDCR
#undef DR6_BS
#undef EFER_SCE
#undef EFER_LME
#undef MCG_STATUS_MCIP
#undef EFER_NX

#define HOST_VCPU

#endif
