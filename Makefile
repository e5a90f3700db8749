# SPDX-License-Identifier: GPL-2.0-only
# vmi386: kernel, ROMs, monitor, userland and tests, all below build/.

B		:= build
KERNEL_VERSION	:= 6.12
TARBALL		:= /usr/src/linux-source-$(KERNEL_VERSION).tar.xz
PATCHES		:= $(sort $(wildcard patches/*.patch patches/*/*.patch))
SHIM		:= Kconfig Kbuild docs/abi.md docs/abi-rst.py $(wildcard vmi/*.[ch] vmi/include/asm/vmi/*.h \
		   arch/i386/*.[cS] arch/i386/include/asm/vmi/*.h)
JOBS		:= $(shell nproc)
# By this name make -n does not run it.
SUBMAKE		:= $(MAKE)
KMAKE		:= $(SUBMAKE) ARCH=i386 -j$(JOBS) CC="ccache gcc" \
		   KBUILD_BUILD_USER=vmi386 KBUILD_BUILD_HOST=vmi386 KBUILD_BUILD_VERSION=1 \
		   KBUILD_BUILD_TIMESTAMP="Thu Jan  1 00:00:00 UTC 1970"
STEP		:= selftests/step

unexport MAKEFLAGS

# For who gives a CCACHE_DIR, which checkouts can share; a first build only fills
# it, and takes longer for that.
ifdef CCACHE_DIR
export CCACHE_BASEDIR	:= $(CURDIR)
export CCACHE_DEPEND	:= 1
else
export CCACHE_DISABLE	:= 1
endif

.DELETE_ON_ERROR:
.PHONY: all bench bench-kvm bench-kvm-vmi bench-kvm-vmi-quick bench-native bench-quick bochs \
	boot check clean debian debs guests help host host-debian host-debug \
	kvm kvm-vmi linux-tests monitor native roms series setup soak userland FORCE

ifneq ($(filter-out debian,$(KERNEL)),)
$(error KERNEL=debian, or none)
endif

all: help

help:
	@echo 'make boot     boot natively and virtualized, show both side by side'
	@echo '              (KERNEL=debian: the kernel of make debs, under KVM, too)'
	@echo 'make check    build everything, run every test (T="name ..." for some); not without'
	@echo '              being asked: T=unpatched, the kernel without our changes; T=disasm-whole,'
	@echo '              is CONFIG_VMI=n the same; T=distro-more, a configuration as'
	@echo '              distributions have it: all of the userland, BPF, hibernation;'
	@echo '              T=monitor-debian-kernel, one that knows no VMI on our monitor;'
	@echo '              T=llvm, the kernel built with clang; T=builds, W=1, sparse, coccicheck,'
	@echo '              allmodconfig and 20 times randconfig of what we touch;'
	@echo '              T="kvm-more kvm-vmi-more", more of KVM and of our driver for it;'
	@echo '              T=kvm-vmi-fuzz-million, 1,000,000 random calls to KVM;'
	@echo '              T=kvm-vmi-hostile-all, all that a guest tries against its host;'
	@echo '              T=kvm-vmi-hostile-calls, 100,000 random calls beside another;'
	@echo '              T=kvm-vmi-loaded, guests that move while they serve pages;'
	@echo '              T=kvm-vmi-cpuid-fault, a processor that can make CPUID fault;'
	@echo '              T=kvm-vmi-shares, what a host gives each of four guests;'
	@echo '              T=kvm-vmi-psi, four guests in memory for three;'
	@echo '              T=kvm-vmi-two-hosts, a guest that moves between two (-50: 50 times)'
	@echo 'make native   a shell on the kernel, natively (ROM=trace: with that ROM)'
	@echo 'make monitor  a shell in it on our monitor, in ring 1'
	@echo 'make debian   Debian i386 on a disk, natively and on the monitor (KERNEL=debian: with'
	@echo '              the kernel of make debs; T=debian-kernel: that on every host)'
	@echo 'make debs     Debian'\''s own kernels of 6.1 (686, 686-pae) with CONFIG_VMI, as packages'
	@echo '              in $(B)/debs/ (FULL=1: with all of Debian'\''s modules, hours)'
	@echo 'make soak     boots, stress-ng and migrations, at random, for 30 minutes (T=MINUTES)'
	@echo 'make linux-tests  Linux'\''s own tests: the same results on every host (T="x86 ...");'
	@echo '              then selftests/run linux-kvm-vmi: on kvm-vmi as well'
	@echo 'make bochs    guests and Linux in Bochs, which checks what QEMU does not (5 minutes;'
	@echo '              T="irq-* hostile")'
	@echo 'selftests/run hostile-matrix  every interrupt vector, from every kind of device,'
	@echo '              wherever the monitor is (on what is built; some 15 minutes)'
	@echo 'make kvm      a shell in it under real KVM, in an emulated machine (ROM=kvm)'
	@echo 'make kvm-vmi  a shell in it on our driver for KVM, in an emulated machine without SVM'
	@echo 'make host     that driver, and Debian packages of it and of the ROMs, in $(B)/deb/'
	@echo 'make host-debug  a kernel for L1 with KASAN, lockdep and UBSAN, and kvm-vmi'"'"'s tests'
	@echo '              and fuzzer on it: no report (an hour)'
	@echo 'make host-debian  Debian amd64 with libvirt and these packages, in an emulated machine:'
	@echo '              its console, docs/libvirt.md; T=libvirt: what virsh does there'
	@echo 'make bench-kvm  exits of KVM: no ROM, kvm.rom, mainline as a KVM guest'
	@echo 'make bench-kvm-vmi  what kvm-vmi costs, beside the monitor, KVM, emulation and Xen;'
	@echo '              build/bench/kvm-vmi.md, io.md; make bench-kvm-vmi-quick: instructions of the'
	@echo '              first two (2 minutes)'
	@echo 'make bench    what it costs, against other systems; build/bench/report.md (an hour'
	@echo '              or two besides the kernels; if broken off, it goes on where it was)'
	@echo 'make bench-quick  the same in instructions, without other systems (5 minutes)'
	@echo 'make bench-native  what our changes cost Debian'\''s own kernel, and one without PAE,'
	@echo '              where there is no ROM; build/bench/native.md'
	@echo 'make series   the patches as mails for git am, in $(B)/series/'
	@echo 'make clean    remove $(B)/'

# The kernel trees: as Debian ships it, and a copy with our changes.

setup:
	@selftests/setup

$(B)/linux-orig/.done: $(TARBALL) | setup
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(STEP) "unpack $(notdir $(TARBALL))" unpack 0 \
		tar -C $(@D) --strip-components=1 -xf $(TARBALL)
	@touch $@

# Wherever apt-get put it; setup has made sure.
$(TARBALL): | setup ;

$(B)/linux/.done: $(B)/linux-orig/.done $(PATCHES) patches/apply
	@$(STEP) "apply patches/ to the kernel" patch 0 \
		patches/apply $(B)/linux-orig $(B)/linux
	@touch $@

$(B)/linux/.placed: $(B)/linux/.done $(SHIM) vmi/place
	@vmi/place $(B)/linux
	@touch $@

# Debian 12's own kernel, with the same shim.

$(B)/linux-6.1-orig/.done: | setup
	@selftests/setup linux-source-6.1
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(STEP) "unpack linux-source-6.1.tar.xz" unpack-6.1 0 \
		tar -C $(@D) --strip-components=1 -xf /usr/src/linux-source-6.1.tar.xz
	@touch $@

$(B)/linux-6.1/.done: $(B)/linux-6.1-orig/.done $(PATCHES) patches/apply
	@$(STEP) "apply patches/ to Linux 6.1" patch-6.1 0 \
		patches/apply $(B)/linux-6.1-orig $(B)/linux-6.1
	@touch $@

$(B)/linux-6.1/.placed: $(B)/linux-6.1/.done $(SHIM) vmi/place
	@vmi/place $(B)/linux-6.1
	@touch $@

# Three kernels from one configuration: ours; Debian's tree untouched; ours
# with CONFIG_VMI=n, which must come out the same.  A fourth for the benchmarks:
# Debian's tree with pv_ops and all that Linux has for KVM.  And ours as
# distributions and debuggers configure it.
#
# Of the second and third, most tests look only at SAME: the directories with the
# code that the patches touch, which also use what they touch in headers.
SAME		:= arch/x86/ arch/x86/lib/ init/ kernel/ mm/

# What the tests look at besides our kernel: with T= only what the tests and groups
# there want, some of it only then.
for_test = $(if $(filter $(1),$(T)),$(2))
by_default = $(if $(and $(T),$(if $(findstring *,$(T)),,some)),$(for_test),$(2))
KERNELS		:= $(call by_default,boot monitor distro% hibernate%,$(B)/distro/bzImage) \
		   $(call by_default,boot monitor kvm kvm-guest% 2level%,$(B)/2level/bzImage) \
		   $(call by_default,boot monitor 6.1%,$(B)/kernel-6.1/bzImage) \
		   $(call for_test,llvm%,$(B)/llvm/bzImage) \
		   $(call for_test,kvm-vmi-psi,$(B)/psi/bzImage) \
		   $(call for_test,unpatched monitor-without-vmi,$(B)/unpatched/bzImage) \
		   $(call for_test,disasm-whole,$(B)/unpatched/bzImage $(B)/novmi/vmlinux)
SAME_CODE	:= $(call by_default,disasm host,$(B)/unpatched/same.o $(B)/novmi/same.o)

# kbuild: TITLE,FILES,SOURCES,OBJECTS,TARGETS.  ccache sees paths that are relative
# to the objects; __FILE__ must not.
kbuild = @$(STEP) "$(1)" $(4) $(2) $(KMAKE) -C $(B)/$(3) O=$(CURDIR)/$(B)/$(4) \
	KCFLAGS=-fmacro-prefix-map=../$(3)/= $(5)

$(B)/kernel/.config: selftests/config $(B)/linux/.placed
	@selftests/configure $(B)/linux $(@D) CONFIG_VMI=y CONFIG_VMI_KUNIT_TEST=m

$(B)/distro/.config: selftests/config selftests/config-distro $(B)/linux/.placed
	@selftests/configure $(B)/linux $(@D) selftests/config-distro CONFIG_VMI=y \
		CONFIG_VMI_KUNIT_TEST=m

$(B)/2level/.config: selftests/config selftests/config-2level $(B)/linux/.placed
	@selftests/configure $(B)/linux $(@D) selftests/config-2level CONFIG_VMI=y

# Few files, since it is built for nothing else.
$(B)/kernel-6.1/.config: selftests/config selftests/config-2level $(B)/linux-6.1/.placed
	@grep -v '_HIGHMEM\|_PAE' selftests/config-2level >$(B)/config-6.1
	@selftests/configure $(B)/linux-6.1 $(@D) $(B)/config-6.1 CONFIG_VMI=y \
		CONFIG_LOCALVERSION=\"-kernel-6.1\"

# As distributions have it, for a guest that says where it lacks memory.
$(B)/psi/.config: selftests/config $(B)/linux/.placed
	@selftests/configure $(B)/linux $(@D) CONFIG_VMI=y CONFIG_VMI_KUNIT_TEST=m \
		CONFIG_PSI=y CONFIG_PSI_DEFAULT_DISABLED=y

$(B)/psi/bzImage: $(B)/psi/.config $(B)/linux/.placed
	$(call kbuild,build the kernel with PSI,2150,linux,psi,bzImage)
	@cp $(B)/psi/arch/x86/boot/bzImage $@

$(B)/novmi/.config: selftests/config $(B)/linux/.placed
	@selftests/configure $(B)/linux $(@D) CONFIG_VMI=n

$(B)/unpatched/.config: selftests/config $(B)/linux-orig/.done
	@selftests/configure $(B)/linux-orig $(@D)

$(B)/bzImage: $(B)/kernel/.config $(B)/linux/.placed
	$(call kbuild,build the kernel,2150,linux,kernel,bzImage modules)
	@cp $(B)/kernel/arch/x86/boot/bzImage $@

$(B)/distro/bzImage: $(B)/distro/.config $(B)/linux/.placed
	$(call kbuild,build the kernel as a distribution has it,2120,linux,distro,bzImage modules)
	@cp $(B)/distro/arch/x86/boot/bzImage $@

$(B)/2level/bzImage: $(B)/2level/.config $(B)/linux/.placed
	$(call kbuild,build a small kernel with 2-level page tables,1100,linux,2level,bzImage modules)
	@cp $(B)/2level/arch/x86/boot/bzImage $@

$(B)/kernel-6.1/bzImage: $(B)/kernel-6.1/.config $(B)/linux-6.1/.placed
	$(call kbuild,build Linux 6.1,1100,linux-6.1,kernel-6.1,bzImage modules)
	@cp $(B)/kernel-6.1/arch/x86/boot/bzImage $@

# Linux 6.12 for i386 takes clang 17 or later; Debian 12 has 14, and 19.
$(B)/llvm/.config: selftests/config $(B)/linux/.placed
	@selftests/setup clang-19 lld-19 llvm-19
	@LLVM=-19 selftests/configure $(B)/linux $(@D) CONFIG_VMI=y CONFIG_VMI_KUNIT_TEST=m

$(B)/llvm/bzImage: $(B)/llvm/.config $(B)/linux/.placed
	$(call kbuild,build the kernel with clang,2150,linux,llvm,LLVM=-19 CC="ccache clang-19" bzImage)
	@cp $(B)/llvm/arch/x86/boot/bzImage $@

$(B)/unpatched/bzImage: $(B)/unpatched/.config
	$(call kbuild,build the kernel without our changes,2140,linux-orig,unpatched,bzImage)
	@cp $(B)/unpatched/arch/x86/boot/bzImage $@

# What the kernel with PARAVIRT and KVM_GUEST is without us.
$(B)/2level-orig/.config: selftests/config selftests/config-2level $(B)/linux-orig/.done
	@selftests/configure $(B)/linux-orig $(@D) selftests/config-2level

$(B)/2level-orig/bzImage: $(B)/2level-orig/.config
	$(call kbuild,build the same small kernel without our changes,1100,linux-orig,2level-orig,bzImage)
	@cp $(B)/2level-orig/arch/x86/boot/bzImage $@

# The peer of kvm.rom: mainline with all it has for KVM.
KVM_GUEST	:= CONFIG_HYPERVISOR_GUEST=y CONFIG_PARAVIRT=y CONFIG_KVM_GUEST=y \
		   CONFIG_PARAVIRT_SPINLOCKS=y CONFIG_PARAVIRT_TIME_ACCOUNTING=y

$(B)/kvmguest/.config: selftests/config $(B)/linux-orig/.done
	@selftests/configure $(B)/linux-orig $(@D) $(KVM_GUEST)

$(B)/kvmguest/bzImage: $(B)/kvmguest/.config
	$(call kbuild,build mainline as a guest of KVM,2160,linux-orig,kvmguest,bzImage)
	@cp $(B)/kvmguest/arch/x86/boot/bzImage $@

$(B)/novmi/same.o: $(B)/novmi/.config $(B)/linux/.placed
	$(call kbuild,build the same code with CONFIG_VMI=n,570,linux,novmi,$(SAME))
	$(link-same)

$(B)/unpatched/same.o: $(B)/unpatched/.config
	$(call kbuild,build the same code without our changes,570,linux-orig,unpatched,$(SAME))
	$(link-same)

link-same = @cd $(@D) && ld -r -m elf_i386 -z noexecstack -o $(@F) --whole-archive \
	$(SAME:%/=%/built-in.a) arch/x86/lib/lib.a

$(B)/novmi/vmlinux: $(B)/novmi/.config $(B)/linux/.placed
	$(call kbuild,build the kernel with CONFIG_VMI=n,2130,linux,novmi,vmlinux)
	@touch $@

roms: | setup
	@$(STEP) "build the ROMs" roms 0 $(SUBMAKE) -C arch/i386/rom B=$(CURDIR)/$(B)

$(B)/monitor.elf: FORCE | setup
	@$(STEP) "build the monitor" monitor 0 \
		$(SUBMAKE) -C arch/i386/monitor B=$(CURDIR)/$(B)

$(B)/monitor-check.elf: FORCE | setup
	@$(STEP) "build the monitor that checks itself" monitor-check 0 \
		$(SUBMAKE) -C arch/i386/monitor B=$(CURDIR)/$(B) CHECK=1

# Its modules are for all kernels that are there.
userland: $(B)/bzImage $(if $(filter check,$(MAKECMDGOALS)),$(KERNELS))
	@$(STEP) "build the test userland" userland 0 \
		$(SUBMAKE) -C selftests B=$(CURDIR)/$(B) KSRC=$(CURDIR)/$(B)/linux

guests: roms
	@$(STEP) "build the stand-alone guests" guests 0 \
		$(SUBMAKE) -C selftests/guests B=$(CURDIR)/$(B)
	@python3 selftests/roms/damage.py $(B)/rom

series: $(B)/linux/.done
	@patches/make-series $(B)/linux-orig $(B)/series

# Running it.

$(B)/debian/disk.img: selftests/debian/image | $(B)/bzImage setup
	@selftests/setup debootstrap dpkg-dev
	@$(STEP) "put Debian i386 on a disk" debian 0 selftests/debian/image $(@D) $(B)/bzImage

debian: $(B)/bzImage $(B)/debian/disk.img $(B)/monitor.elf $(if $(KERNEL),$(B)/debian/kernel-686-pae.img)
	@selftests/debian/run $(if $(KERNEL),-p 686-pae) native monitor

# Debian's own kernels of 6.1, with CONFIG_VMI.
$(B)/debs/vmlinuz-%-unpatched: $(B)/linux-6.1-orig/.done \
		$(addprefix selftests/debian/,debs configure left-out)
	@selftests/setup dpkg-dev
	@$(STEP) "build Debian's kernel $* as it is" debs-$*-unpatched 3300 \
		selftests/debian/debs $(B)/linux-6.1-orig $(B)/debs $*

$(B)/debs/vmlinuz-%: $(B)/linux-6.1/.placed $(addprefix selftests/debian/,debs configure left-out) \
		$(if $(filter 1,$(FULL)),FORCE)
	@selftests/setup dpkg-dev rsync
	@$(STEP) "build Debian's kernel $* with CONFIG_VMI" debs-$* 12000 \
		selftests/debian/debs $(B)/linux-6.1 $(B)/debs $*

# Installed there by apt.
DEBIAN_KERNELS	:= $(B)/debian/kernel-686-pae.img $(B)/debian/kernel-686.img

$(B)/debian/kernel-%.img: selftests/debian/kernel-image $(wildcard selftests/module/*) \
		$(B)/debian/disk.img $(B)/debs/vmlinuz-%
	@selftests/setup fdisk
	@$(STEP) "install Debian's kernel $* with CONFIG_VMI" debian-kernel-$* 0 \
		selftests/debian/kernel-image $(B)/debian/disk.img $(B)/debs $* $(B)/bzImage $@

debs: $(B)/debs/vmlinuz-686 $(B)/debs/vmlinuz-686-pae
	@ls $(B)/debs/*.deb

native: $(B)/bzImage userland roms
	@selftests/shell native $(ROM)

monitor: $(B)/bzImage userland $(B)/monitor.elf
	@selftests/shell monitor

kvm: $(B)/bzImage userland roms
	@selftests/kvm/shell $(ROM)

kvm-vmi: $(B)/bzImage userland roms
	@selftests/kvm/shell -v

host: $(B)/linux-orig/.done roms
	@mkdir -p $(B)/kvm-vmi-l1
	@$(STEP) "build kvm-vmi" kvm-vmi 0 flock $(B)/kvm-vmi-l1/lock \
		$(SUBMAKE) -C selftests/kvm TOP=$(CURDIR) B=$(CURDIR)/$(B) VMI=1 module
	@$(STEP) "build Debian packages" deb 0 \
		arch/x86_64/deb/build $(B) $(KERNEL_VERSION)
	@ls $(B)/deb/*.deb

# A host's kernel that looks after itself: Debian's sources, as small as L1 may be.
$(B)/host-debug/kernel/.config: selftests/config-host-debug $(B)/linux-orig/.done
	@ARCH=x86_64 BASE=$< selftests/configure $(B)/linux-orig $(@D)

$(B)/host-debug/bzImage: $(B)/host-debug/kernel/.config
	@$(STEP) "build a host's kernel with KASAN and lockdep" host-debug 1400 \
		$(KMAKE) ARCH=x86_64 -C $(B)/linux-orig O=$(CURDIR)/$(@D)/kernel \
		KCFLAGS=-fmacro-prefix-map=../linux-orig/= bzImage modules
	@cp $(@D)/kernel/arch/x86/boot/bzImage $@

host-debug: $(B)/host-debug/bzImage $(B)/bzImage userland guests
	@selftests/run host-debug

# Debian with libvirt, and its guest: Debian i386, which GRUB boots.
HOST_DISKS	:= $(B)/host-debian/disk.img $(B)/host-debian/images.img

$(B)/host-debian/debs: host
	@mkdir -p $(@D)
	@md5sum $(B)/deb/*.deb | cmp -s - $@ || md5sum $(B)/deb/*.deb >$@

$(B)/host-debian/disk.img: selftests/debian/host-image selftests/debian/archive.sh \
		$(B)/host-debian/debs
	@selftests/setup debootstrap
	@$(STEP) "put Debian amd64 on a disk" host-debian 0 selftests/debian/host-image $(@D) $(B)/deb

$(B)/host-debian/images/vmi.img: selftests/debian/bootable $(B)/bzImage $(B)/debian/disk.img
	@selftests/setup fdisk
	@mkdir -p $(@D)
	@selftests/debian/bootable $(B)/debian/disk.img $(B)/bzImage $@

$(B)/host-debian/images.img: $(B)/host-debian/images/vmi.img docs/vmi-guest.xml
	@cp docs/vmi-guest.xml $(B)/host-debian/images/
	@rm -f $@
	@/sbin/mke2fs -q -t ext4 -d $(B)/host-debian/images $@ 4G

host-debian: $(HOST_DISKS)
	@selftests/debian/libvirt -i

bench-kvm: $(B)/bzImage $(B)/kvmguest/bzImage $(B)/2level/bzImage $(B)/2level-orig/bzImage \
		userland roms
	@selftests/kvm/bench
	@selftests/kvm/bench -g

boot: $(B)/bzImage userland roms $(B)/monitor.elf $(if $(KERNEL),$(B)/debs/vmlinuz-686-pae)
	@selftests/side-by-side $(KERNEL)

check: $(B)/bzImage $(KERNELS) $(SAME_CODE) $(call for_test,libvirt%,$(HOST_DISKS)) \
		$(call for_test,debian-kernel%,$(DEBIAN_KERNELS)) userland guests \
		$(B)/monitor.elf $(B)/monitor-check.elf
	@selftests/run -j $(JOBS) $(T)

bochs: $(B)/bzImage userland guests $(B)/monitor.elf
	@selftests/setup bochs bochs-term bochsbios vgabios
	@selftests/run -c selftests/bochs.cfg -j $(JOBS) $(T:%=bochs-%)

linux-tests: $(B)/bzImage userland roms $(B)/monitor.elf
	@$(STEP) "build Linux's own tests" linux-tests 0 \
		$(SUBMAKE) -C selftests/linux B=$(CURDIR)/$(B)
	@selftests/run -j $(JOBS) $(or $(T:%=linux-%),linux-tests)

soak: $(B)/bzImage userland roms $(B)/monitor.elf
	@selftests/soak $(T)

# What it costs.

BENCH	:= $(SUBMAKE) -C selftests/bench TOP=$(CURDIR) B=$(CURDIR)/$(B)

bench: $(B)/bzImage $(B)/unpatched/bzImage $(B)/kvmguest/bzImage $(B)/novmi/vmlinux \
		userland roms $(B)/monitor.elf
	@selftests/setup gnuplot-nox
	@$(STEP) "fetch and build what is measured" bench 0 $(BENCH) full
	@selftests/bench/run

bench-quick: $(B)/bzImage $(B)/unpatched/bzImage userland $(B)/monitor.elf
	@$(STEP) "build the probe" bench 0 $(BENCH) quick
	@selftests/bench/run --quick

bench-native: $(B)/debs/vmlinuz-686-pae $(B)/debs/vmlinuz-686-pae-unpatched \
		$(B)/2level/bzImage $(B)/2level-orig/bzImage userland roms
	@$(STEP) "fetch and build what is measured" bench 0 $(BENCH) native
	@selftests/bench/run --native

# Besides what is measured, L1, the machine in which kvm-vmi and its peers run.
KVM_VMI_L1 := flock $(B)/kvm-vmi-l1/lock $(SUBMAKE) -C selftests/kvm TOP=$(CURDIR) \
	B=$(CURDIR)/$(B) VMI=1 l1

bench-kvm-vmi: $(B)/bzImage userland roms $(B)/monitor.elf
	@mkdir -p $(B)/kvm $(B)/kvm-vmi-l1
	@$(STEP) "fetch and build what is measured" bench 0 $(BENCH) xen
	@$(STEP) "build L1 with SVM" kvm-l1 0 flock $(B)/kvm/lock \
		$(SUBMAKE) -C selftests/kvm TOP=$(CURDIR) B=$(CURDIR)/$(B) l1
	@$(STEP) "build L1 without" kvm-vmi-l1 0 $(KVM_VMI_L1)
	@selftests/bench/run --kvm-vmi
	@selftests/kvm/bench -v
	@selftests/bench/io

bench-kvm-vmi-quick: $(B)/bzImage userland $(B)/monitor.elf
	@mkdir -p $(B)/kvm-vmi-l1
	@$(STEP) "build the probe" bench 0 $(BENCH) quick
	@$(STEP) "build L1" kvm-vmi-l1 0 $(KVM_VMI_L1)
	@selftests/bench/run --kvm-vmi --quick

clean:
	rm -rf $(B)
