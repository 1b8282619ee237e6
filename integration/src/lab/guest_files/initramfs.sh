#!/bin/busybox sh
# First program of a lab guest, in the initramfs: builds the guest's root from the host's and changes over to it.
#
# The root is an overlay: our own binaries, perhaps over the lock packages, over the host's files (all read-only, over 9p) below a tmpfs, so the guest
# has every package that the host has and nothing that it writes survives it.

/bin/busybox mkdir -p /proc /sys /dev /host /locks /layer /modules /memory /root
/bin/busybox --install -s /bin
export PATH=/bin

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/drivers/$module" || echo "lab: insmod $module failed"; done < /drivers/order

nine_p=trans=virtio,version=9p2000.L,msize=1048576,cache=loose,ro
mount -t 9p -o $nine_p host /host
mount -t 9p -o $nine_p layer /layer
lower=/layer:/host
case $(cat /proc/cmdline) in *lab.host=*)
    mount -t 9p -o $nine_p locks /locks
    lower=/layer:/locks:/host
esac
mount -t 9p -o $nine_p modules /modules
mount -t tmpfs memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=$lower,upperdir=/memory/upper,workdir=/memory/work overlay /root

mkdir -p /root/usr/lib/modules
mount -t tmpfs run /root/run
mount -t tmpfs tmp /root/tmp
# All processes go to a group of their own, so that the copying of the kernel's threads can be slowed down alone.
mkdir /root/run/lab-blkio
mount -t cgroup -o blkio lab-blkio /root/run/lab-blkio
mkdir /root/run/lab-blkio/processes
echo $$ > /root/run/lab-blkio/processes/cgroup.procs
for folder in proc sys dev; do mount -o move /$folder /root/$folder; done
mount -o move /modules /root/usr/lib/modules
exec switch_root /root /usr/sbin/lvmwarden-lab-init
