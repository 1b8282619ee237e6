#!/bin/bash
# PID 1 of a lab guest: sets up what LVM needs, starts the agent, and reaps orphans ever after.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
mkdir -p /dev/pts /dev/shm /run/lvm /run/lock/lvm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
hostname lab
ip link set lo up
modprobe -a dm-mod dm-mirror dm-snapshot dm-thin-pool

# The host's LVM settings must not decide what a scenario sees.
rm -rf /etc/lvm/devices /etc/lvm/lvmlocal.conf
if grep -qw lab.udevd /proc/cmdline; then
    printf 'global { use_lvmpolld=1 }\nactivation { monitoring=0 }\n' > /etc/lvm/lvm.conf
    # This rule activates volume groups behind the scenario's back.
    rm -f /lib/udev/rules.d/69-lvm.rules
    /lib/systemd/systemd-udevd --daemon
    udevadm trigger --type=subsystems --action=add
    udevadm trigger --type=devices --action=add
    udevadm settle
else
    export DM_DISABLE_UDEV=1
    mkdir -p /dev/mapper
    [ -e /dev/mapper/control ] || mknod /dev/mapper/control c 10 236
    printf 'global { use_lvmpolld=1 }\nactivation { monitoring=0 udev_sync=0 udev_rules=0 }\ndevices { obtain_device_list_from_udev=0 }\n' > /etc/lvm/lvm.conf
fi

/usr/sbin/lvmwarden-lab agent &
while :; do
    sleep 3600 &
    wait $!
done
