// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of shadows: allocated one by one when a virtual CPU wants one more, as many as
 * KVM would allow itself for shadows, and given back when the host is short of memory.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/shrinker.h>
#include "ring1.h"

#define LEAST_PAGES	16	/* that a virtual CPU always has */
#define TOP_UP		32	/* at once, where we may sleep */

/* All virtual CPUs with pages; shrinkers wait for nobody, so they only try the lock. */
static LIST_HEAD(pools);
static DEFINE_MUTEX(pools_lock);
static atomic_long_t pages_to_give;
static struct shrinker *shrinker;

/* KVM's rule for its own shadows: 2% of the guest's memory. */
static u32 most_pages(struct vcpu_vmi *vmi)
{
	return max_t(u32, READ_ONCE(vmi->vcpu.kvm->arch.n_max_mmu_pages), 4 * LEAST_PAGES);
}

static struct spage *alloc_spage(gfp_t gfp)
{
	struct spage *s = kzalloc(sizeof(*s), gfp);

	if (!s)
		return NULL;
	s->table = (u64 *)__get_free_page(gfp | __GFP_ZERO);
	if (!s->table) {
		kfree(s);
		return NULL;
	}
	set_page_private(virt_to_page(s->table), (unsigned long)s);
	kvm_account_pgtable_pages(s->table, 1);
	atomic_long_inc(&pages_to_give);
	return s;
}

static void free_spage(struct spage *s)
{
	kvm_account_pgtable_pages(s->table, -1);
	set_page_private(virt_to_page(s->table), 0);
	free_page((unsigned long)s->table);
	kfree(s);
	atomic_long_dec(&pages_to_give);
}

/**
 * new_spage - for the core: one more page, zeroed
 * @v: the virtual CPU
 *
 * In the loop, interrupts are off.  Where nothing is free, more come on the way out.
 * Context: any.
 * Return: NULL if there is none; the core then does with those that it has.
 */
struct spage *new_spage(struct vcpu *v)
{
	struct vcpu_vmi *vmi = to_vmi(v);
	struct spage *s;

	if (v->nr_pages >= most_pages(vmi))
		return NULL;
	s = alloc_spage(GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!s)
		vmi->pages_short = true;
	return s;
}

static bool top_up(struct vcpu_vmi *vmi, u32 n)
{
	struct vcpu *v = &vmi->ring1;
	struct spage *s;

	for (; n; n--) {
		s = alloc_spage(GFP_KERNEL_ACCOUNT);
		if (!s)
			return false;
		s->list = v->free_pages;
		v->free_pages = s;
		v->nr_pages++;
	}
	return true;
}

/* Pages that are not in use, to the host. */
static unsigned long free_unused(struct vcpu *v)
{
	unsigned long n = 0;
	struct spage *s;

	while (v->free_pages && v->nr_pages > LEAST_PAGES) {
		s = v->free_pages;
		v->free_pages = s->list;
		v->nr_pages--;
		free_spage(s);
		n++;
	}
	return n;
}

/**
 * pool_balance - a virtual CPU on its way out: give what was asked for, or take
 * @vmi: the virtual CPU
 *
 * Context: may sleep.
 */
void pool_balance(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;

	if (READ_ONCE(vmi->pages_asked)) {
		WRITE_ONCE(vmi->pages_asked, false);
		vmi->pages_short = false;
		if (v->root)
			shadow_trim(v);
		free_unused(v);
	} else if (vmi->pages_short) {
		vmi->pages_short = false;
		if (v->nr_pages + TOP_UP <= most_pages(vmi))
			top_up(vmi, TOP_UP);
	}
}

/* It slept, and may have been woken for its pages. */
void pool_unblocking(struct kvm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu_to_vmi(vcpu)->pages_asked))
		pool_balance(vcpu_to_vmi(vcpu));
}

/* From here on the shrinker may have some of them. */
int pool_create(struct vcpu_vmi *vmi)
{
	if (!top_up(vmi, LEAST_PAGES))
		return -ENOMEM;
	mutex_lock(&pools_lock);
	list_add(&vmi->pool, &pools);
	mutex_unlock(&pools_lock);
	return 0;
}

void pool_free(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	struct spage *s, *next;

	if (vmi->pool.next) {		/* pool_create() came that far */
		mutex_lock(&pools_lock);
		list_del(&vmi->pool);
		mutex_unlock(&pools_lock);
	}
	if (v->used_pages) {
		v->used_last->list = v->free_pages;
		v->free_pages = v->used_pages;
	}
	for (s = v->free_pages; s; s = next) {
		next = s->list;
		free_spage(s);
	}
}

static unsigned long count_pages(struct shrinker *shrink, struct shrink_control *sc)
{
	return atomic_long_read(&pages_to_give) ?: SHRINK_EMPTY;
}

/* Of one that QEMU does not run: all.  One that it runs gives its own, soon. */
static unsigned long ask_for_pages(struct vcpu_vmi *vmi)
{
	struct vcpu *v = &vmi->ring1;
	unsigned long n;

	if (mutex_trylock(&vmi->vcpu.mutex)) {
		if (v->root)
			shadow_reset(v);
		n = free_unused(v);
		mutex_unlock(&vmi->vcpu.mutex);
		return n;
	}
	n = v->nr_pages > LEAST_PAGES ? v->nr_pages - LEAST_PAGES : 0;
	/* Asked before, it has given none yet: that is no progress to tell of. */
	if (!n || READ_ONCE(vmi->pages_asked))
		return 0;
	WRITE_ONCE(vmi->pages_asked, true);
	kvm_make_request(KVM_REQ_UNBLOCK, &vmi->vcpu);
	kvm_vcpu_kick(&vmi->vcpu);
	return n;
}

static unsigned long give_pages(struct shrinker *shrink, struct shrink_control *sc)
{
	unsigned long given = 0;
	struct vcpu_vmi *vmi, *next;
	LIST_HEAD(asked);

	if (!mutex_trylock(&pools_lock))
		return SHRINK_STOP;
	list_for_each_entry_safe(vmi, next, &pools, pool) {
		if (given >= sc->nr_to_scan)
			break;
		list_move_tail(&vmi->pool, &asked);
		given += ask_for_pages(vmi);
	}
	list_splice_tail(&asked, &pools);
	mutex_unlock(&pools_lock);
	return given;
}

static int shadows_show(struct seq_file *m, void *unused)
{
	struct kvm *kvm = m->private;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	seq_puts(m, "vcpu used held most fills resets trims\n");
	kvm_for_each_vcpu(i, vcpu, kvm) {
		struct vcpu_vmi *vmi = vcpu_to_vmi(vcpu);
		struct vcpu *v = &vmi->ring1;

		seq_printf(m, "%d %llu %u %u %llu %llu %llu\n", vcpu->vcpu_id,
			   v->count[C_SHADOW_PAGES], v->nr_pages, most_pages(vmi),
			   v->count[C_SHADOW_FILL], v->count[C_SHADOW_RESET],
			   v->count[C_SHADOW_TRIM]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(shadows);

/* KVM has made the guest's directory before there is a virtual CPU. */
void pool_debugfs(struct kvm *kvm)
{
	if (!xchg(&container_of(kvm, struct kvm_vmi, kvm)->has_debugfs, true))
		debugfs_create_file("vmi_shadows", 0444, kvm->debugfs_dentry, kvm, &shadows_fops);
}

int pool_init(void)
{
	shrinker = shrinker_alloc(0, "kvm-vmi");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count_pages;
	shrinker->scan_objects = give_pages;
	shrinker_register(shrinker);
	return 0;
}

void pool_exit(void)
{
	shrinker_free(shrinker);
}
