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
number=$(sed -n 's/.*lab\.host=\([0-9]*\).*/\1/p' /proc/cmdline)
if grep -qw lab.udevd /proc/cmdline; then
    printf 'global { use_lvmpolld=1 }\nactivation { monitoring=0 }\n' > /etc/lvm/lvm.conf
    if [ "$number" ]; then
        hostname "$(printf "\\x$(printf %x $((96 + number)))")"
        printf 'global { use_lvmlockd=1 }\nlocal { host_id=%d }\n' "$number" >> /etc/lvm/lvm.conf
        modprobe -a virtio_net dlm
        mount -t configfs configfs /sys/kernel/config
        mount -t debugfs debugfs /sys/kernel/debug
        ip address add "10.77.0.$number/24" dev eth0
        ip link set eth0 up
    fi
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
