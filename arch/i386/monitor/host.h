/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MON_HOST_H
#define MON_HOST_H

/*
 * What the ring-1 core asks of the monitor, its host: the machine has one guest, whose
 * frame numbers are the machine's, and the shadows are loaded while C code runs.
 */

/* A range of the machine's physical memory. */
struct range {
	u64 start, end;
	u32 type;
};

struct boot_info {
	struct range map[64];
	u32 nr_map;
	u64 ram_top;		/* end of the highest RAM */
	u64 mon_start, mon_end;	/* the monitor's own, taken out of the map */
	u64 kernel, kernel_size;
	u64 initrd, initrd_size;
	char cmdline[2048];
	/* The monitor's own command line. */
	bool only_int;		/* hypercalls=int */
	u32 refused_msr;	/* refuse-msr=, for tests; all ones: none */
};

extern struct boot_info boot;
extern struct vcpu *vcpus[MAX_CPUS];
extern u32 nr_cpus;
extern struct rom rom;
extern u64 reserved_bits;

/* Of an entry of a page table, where there is NX. */
static inline u64 pte_reserved(struct vcpu *vcpu)
{
	return reserved_bits;
}

static inline void *phys_ptr(u64 gpa)
{
	return (void *)(DIRECT_BASE + gpa);
}

static inline u64 mon_phys(const void *p)
{
	return (u64)p - MON_BASE + boot.mon_start;
}

static inline bool mon_owns(u64 gpa)
{
	return gpa >= boot.mon_start && gpa < boot.mon_end;
}

/* memory.c */
bool find_guest_ram(u64 gpa, u32 len);
extern struct range *last_ram;	/* mostly it is the same range again */

static inline bool is_guest_ram(u64 gpa, u32 len)
{
	struct range *r = __atomic_load_n(&last_ram, __ATOMIC_RELAXED);

	return (gpa >= r->start && gpa + len <= r->end) || find_guest_ram(gpa, len);
}

/**
 * guest_ram - the guest's RAM at a physical address
 *
 * Return: NULL if any of it is not RAM or not the guest's.
 */
static inline u8 *guest_ram(u64 gpa, u32 len)
{
	return is_guest_ram(gpa, len) ? phys_ptr(gpa) : NULL;
}

/* Calls that only some hosts have: none. */
#define HOST_OPS(X)

/* The machine. */

static inline u32 vcpu_count(struct vcpu *vcpu)
{
	return nr_cpus;
}

static inline struct vcpu *vcpu_nr(struct vcpu *vcpu, u32 n)
{
	return vcpus[n];
}

static inline struct rom *rom_of(struct vcpu *vcpu)
{
	return &rom;
}

/* Tables of the guest's, for walk.c. */

static inline void *guest_table(struct vcpu *vcpu, u64 gpa)
{
	return guest_ram(gpa, PAGE);
}

static inline bool may_mark(struct vcpu *vcpu, u64 gpa)
{
	return true;
}

static inline bool host_must_act(struct vcpu *vcpu)
{
	return false;
}

static inline void read_pdptes(struct vcpu *vcpu, u64 pdpte[4])
{
	u64 *p = (u64 *)guest_ram(vcpu->cr3 & ~31u, 32);
	u32 i;

#pragma GCC unroll 4
	for (i = 0; i < 4; i++)
		pdpte[i] = p ? p[i] : 0;
}

/* Shadow tables, for shadow.c. */

static inline u64 table_phys(void *table)
{
	return mon_phys(table);
}

static inline u64 *table_virt(u64 pa)
{
	return (u64 *)(MON_BASE + pa - boot.mon_start);
}

/* What describes the table that an entry names. */
static inline struct spage *spage_of(struct vcpu *vcpu, u64 entry)
{
	return &vcpu->pool[((entry & PFN_MASK) - vcpu->pool_phys) / PAGE];
}

/* One more page, zeroed; NULL: there is none. */
static inline struct spage *new_spage(struct vcpu *vcpu)
{
	struct spage *s = &vcpu->pool[vcpu->pool_used];

	if (vcpu->pool_used >= vcpu->pool_size)
		return NULL;
	s->table = (u64 *)(vcpu->pool_mem + vcpu->pool_used++ * PAGE);
	return s;
}

static inline void flush_tlb(struct vcpu *vcpu)
{
	write_cr3(mon_phys(vcpu->pml4));
}

static inline void flush_tlb_page(struct vcpu *vcpu, u32 gva)
{
	invlpg(gva);
}

/*
 * The guest's frame numbers are the machine's, but for ROM and shared page, the
 * local APIC (read-only), and, for which it gets a scratch page: our own memory and
 * the APIC's message range, where a store could be an INIT.
 */
extern u8 scratch[PAGE];

static __always_inline bool plain_frame(u64 gpa)
{
	if (gpa - VMI_ROM_START < LOW_MEMORY - VMI_ROM_START)
		return false;
	return gpa < boot.mon_start ||
	       (gpa >= boot.mon_end && gpa - LAPIC_PAGE > LAPIC_LAST - LAPIC_PAGE);
}

static inline bool in_rom(u64 gpa)
{
	return gpa - rom.phys < rom.code_pages * PAGE && rom.phys;
}

/* Of a 4 KB page: its entry. */
static inline u64 map_frame(struct vcpu *vcpu, struct leaf *l)
{
	u64 gpa = l->frame, shared = gpa - rom.shared;

	if (plain_frame(gpa))
		return gpa | l->rights;
	if (mon_owns(gpa) || (gpa > LAPIC_PAGE && gpa <= LAPIC_LAST)) {
		vcpu->count[C_REFUSED_FRAME]++;
		return mon_phys(scratch) | l->rights;
	}
	if (in_rom(gpa))
		return mon_phys(rom.copy + (gpa - rom.phys)) | (l->rights & ~PTE_W);
	if (shared < SH_PAGES * PAGE && rom.phys)
		return mon_phys((u8 *)vcpu->vmi_page + shared) | l->rights;
	if (gpa == LAPIC_PAGE)
		return gpa | (l->rights & ~(PTE_W | PTE_PAT)) | PTE_UC;
	return gpa | l->rights;
}

/* The same, of most frames; 0 of the others. */
static __always_inline u64 map_plain(struct vcpu *vcpu, struct leaf *l)
{
	return plain_frame(l->frame) ? l->frame | l->rights : 0;
}

/* Of a 2 MB page, as map_frame(): 0 if not every frame of it is plain. */
static inline u64 map_large_frame(struct vcpu *vcpu, struct leaf *l)
{
	u64 gpa = l->frame & ~(LARGE - 1);

	if (mon_owns(gpa) || gpa < LARGE || gpa == (LAPIC_PAGE & ~(LARGE - 1)))
		return 0;
	return gpa | l->rights;
}

/* ROM, LAPIC and our memory never become writable: not the shadow's to fix. */
static inline enum fill check_frame_access(struct vcpu *vcpu, struct leaf *l, u32 access,
					   u32 *pfec)
{
	if (!(access & ACC_WRITE) || plain_frame(l->frame))
		return FILL_DONE;
	if (l->frame == LAPIC_PAGE)
		return FILL_HOST;
	if (!in_rom(l->frame))
		return FILL_DONE;
	*pfec = PFEC_P | (access & (PFEC_W | PFEC_U));
	return FILL_FAULT;
}

/* The processor's own. */

static inline bool read_gate_desc(struct vcpu *vcpu, u32 gva, u64 *d)
{
	bool ok;

	MAY_FAULT(ok, "movq (%2), %1", , "=r" (*d) : "r" ((u64)gva));
	return ok;
}

static inline void load_ldt(struct vcpu *vcpu, u16 sel)
{
	asm volatile("lldt %w0" : : "r" (sel));
}

static inline void host_wbinvd(void)
{
	asm volatile("wbinvd" : : : "memory");
}

#endif
