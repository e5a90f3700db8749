// SPDX-License-Identifier: GPL-2.0-only
/* Paging as in the manual; mmu.h describes it. */
#include "mmu.h"

static bool bit(u64 value, unsigned int n)
{
	return value >> n & 1;
}

static u64 bits(u64 value, unsigned int high, unsigned int low)
{
	return value >> low & ((2UL << (high - low)) - 1);
}

/* Does the directory entry map a page by itself? */
bool mmu_large(const struct mmu *m, u64 pde)
{
	return bit(pde, 7) && (m->pae || m->pse);
}

static bool reserved(const struct mmu *m, u64 entry, bool large)
{
	unsigned int wide = m->maxphyaddr < 40 ? m->maxphyaddr : 40;

	if (!m->pae)
		return large && bits(entry, 21, 13 + wide - 32);
	if (bits(entry, 62, m->maxphyaddr))
		return true;
	if (bit(entry, 63) && !m->nxe)
		return true;
	return large && bits(entry, 20, 13);
}

static u64 address(const struct mmu *m, u64 entry, u32 lin, u32 span)
{
	u64 base;

	if (m->pae)
		base = bits(entry, 51, 12) << 12;
	else if (span == 4 << 20)
		base = bits(entry, 31, 22) << 22 | bits(entry, 20, 13) << 32;
	else
		base = bits(entry, 31, 12) << 12;
	base -= base % span;
	return base + lin % span / 4096 * 4096;
}

struct map mmu_map(const struct mmu *m, u32 lin, const struct path *p)
{
	struct map map = { .state = MAP_ABSENT };
	bool large = mmu_large(m, p->pde);
	u64 last = large ? p->pde : p->pte;

	if (!m->pg)
		return (struct map){
			.state = MAP_PRESENT, .user = true, .write = true,
			.accessed = true, .dirty = true,
			.page = lin / 4096 * 4096, .span = 4096,
		};
	if (m->pae && !bit(p->pdpte, 0))
		return map;
	map.state = MAP_RESERVED;
	if (p->pde_missing)
		return map;
	if (!bit(p->pde, 0)) {
		map.state = MAP_ABSENT;
		return map;
	}
	if (reserved(m, p->pde, large))
		return map;
	if (!large) {
		if (p->pte_missing)
			return map;
		if (!bit(p->pte, 0)) {
			map.state = MAP_ABSENT;
			return map;
		}
		if (reserved(m, p->pte, false))
			return map;
	}

	map.state = MAP_PRESENT;
	map.write = bit(p->pde, 1) && bit(last, 1);
	map.user = bit(p->pde, 2) && bit(last, 2);
	map.noexec = m->pae && (bit(p->pde, 63) || bit(last, 63));
	map.accessed = bit(p->pde, 5) && bit(last, 5);
	map.dirty = bit(last, 6);
	map.wt = bit(last, 3);
	map.cd = bit(last, 4);
	map.pat = bit(last, large ? 12 : 7);
	map.span = !large ? 4096 : m->pae ? 2 << 20 : 4 << 20;
	map.page = address(m, last, lin, map.span);
	return map;
}

bool mmu_allows(const struct mmu *m, const struct map *map, u32 access)
{
	bool user = access & MMU_USER;

	if (map->state != MAP_PRESENT)
		return false;
	if (user && !map->user)
		return false;
	if ((access & MMU_WRITE) && !map->write && (user || m->wp))
		return false;
	if (access & MMU_FETCH)
		return !map->noexec && (user || !map->user || !m->smep || !m->pg);
	return true;
}

/* The error code of an access that is not allowed. */
u32 mmu_error(const struct mmu *m, const struct map *map, u32 access)
{
	u32 error = access & (MMU_WRITE | MMU_USER);

	if (map->state != MAP_ABSENT)
		error |= 1;
	if (map->state == MAP_RESERVED)
		error |= 8;
	if ((access & MMU_FETCH) && (m->smep || (m->pae && m->nxe)))
		error |= 16;
	return error;
}
