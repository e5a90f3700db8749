# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What those who put Debian on a disk share.

# archive [LABEL]: where the machine's own apt sources have bookworm
archive()
{
	found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		"Label: ${1:-Debian}" | grep -v '^$' | head -n 1)
	[ -n "$found" ] || { echo "apt has no source for ${1:-Debian}" >&2; return 1; }
	echo "$found"
}
