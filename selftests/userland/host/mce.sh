#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A machine check of the first processor, while it works.
. /tests/host/lib

(while :; do everyday; done) &
ask_host "machine check"
sleep 60
exit 1
