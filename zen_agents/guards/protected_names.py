"""The protected set as shipped (R11): shell patterns for canonical unit ids, process names and paths."""

from __future__ import annotations

from fnmatch import fnmatchcase

#: Who loses these loses the host, or the way to it.
UNITS = (
    "init.scope", "-.slice", "*.slice", "*.target", "*.mount", "*.automount", "*.swap", "dev-*.device",
    "systemd-*.service", "systemd-*.socket", "dbus.service", "dbus.socket", "dbus-broker.service", "dbus-org.*.service",
    "polkit.service", "accounts-daemon.service", "emergency.service", "rescue.service", "debug-shell.service",
    "ssh.service", "ssh.socket", "ssh@*.service", "sshd.service", "sshd.socket", "sshd@*.service", "dropbear.service",
    "session-*.scope", "user@*.service", "user-runtime-dir@*.service", "getty@*.service", "serial-getty@*.service",
    "console-getty.service", "container-getty@*.service", "gdm.service", "gdm3.service", "sddm.service", "lightdm.service",
    "display-manager.service",
    "networking.service", "network.service", "NetworkManager*.service", "wicked*.service", "connman.service",
    "ifup@*.service", "ifupdown*.service", "netplan*.service", "dhcpcd*.service", "dhclient*.service", "iwd.service",
    "wpa_supplicant*.service", "nftables.service", "iptables.service", "ip6tables.service", "firewalld.service",
    "ufw.service", "netfilter-persistent.service", "wg-quick@*.service", "openvpn*.service", "tailscaled.service",
    "apt-daily*.service", "dpkg-db-backup.service", "unattended-upgrades.service", "packagekit.service",
    "dnf-automatic*.service", "auditd.service", "cloud-init*.service", "cloud-config.service", "cloud-final.service",
)  # fmt: skip

#: The init system, the ways in, the network, and package managers at work.
PROCESSES = (
    "systemd", "systemd-*", "(sd-pam)", "init", "dbus-daemon", "dbus-broker*", "polkitd", "agetty", "getty",
    "sshd", "sshd-*", "dropbear", "login", "NetworkManager", "dhclient", "dhcpcd", "wpa_supplicant", "iwd", "wickedd*",
    "connmand", "tailscaled", "auditd", "dpkg", "dpkg-*", "apt", "apt-get", "aptitude", "apt.systemd.dai",
    "unattended-upgr", "rpm", "dnf", "dnf5", "yum", "zypper", "pacman", "apk", "packagekitd",
)  # fmt: skip

#: What a person's live session hangs on, names as the kernel cuts them (15 characters): all below it is that person's.
SESSION_HOSTS = (
    "sshd", "sshd-*", "login", "dropbear", "mosh-server", "tmux", "tmux: *", "screen", "SCREEN", "zellij",
    "gdm*", "sddm*", "lightdm", "gnome-session*", "gnome-shell", "plasmashell", "kwin_*", "Xorg", "Xwayland",
)  # fmt: skip

#: These and everything below them.
TREES = (
    "/boot", "/efi", "/proc", "/sys", "/dev", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
    "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/share",
    "/etc/ssh", "/etc/pam.d", "/etc/security", "/etc/sudoers.d", "/etc/systemd", "/etc/apt", "/etc/dpkg", "/etc/network",
    "/etc/netplan", "/etc/NetworkManager", "/etc/init.d", "/etc/polkit-1", "/etc/dbus-1", "/etc/ld.so.conf.d",
    "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/profile.d",
    "/etc/selinux", "/etc/apparmor.d", "/etc/sysctl.d", "/etc/tmpfiles.d", "/usr/local/lib/systemd", "/var/spool/cron",
    "/etc/udev", "/etc/modprobe.d", "/etc/zen-agents", "/run/systemd", "/run/dbus", "/run/udev", "/run/sshd",
    "/run/user", "/var/lib/dpkg", "/var/lib/apt", "/var/lib/rpm", "/var/lib/systemd", "/var/lib/pam", "/var/lib/cloud",
    "/var/lib/zen-agents", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet",
    "/var/log/journal", "/var/log/audit",
)  # fmt: skip

#: These themselves; what a person lists below them is theirs to list. `/tmp`, `/var/tmp` and `/var/log` are not here: their
#: old files are what the cleaning actions are for.
PATHS = (
    "/", "/etc", "/usr", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/var", "/var/lib", "/run",
    "/home", "/home/*", "/root", "/opt", "/srv", "/mnt", "/media",
    "/etc/passwd*", "/etc/shadow*", "/etc/group*", "/etc/gshadow*", "/etc/subuid*", "/etc/subgid*", "/etc/sudoers",
    "/etc/fstab", "/etc/crypttab", "/etc/mtab", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/nsswitch.conf",
    "/etc/machine-id", "/etc/ld.so.*", "/etc/login.defs", "/etc/shells", "/etc/crontab", "/etc/profile", "/etc/environment",
    "/var/log/wtmp*", "/var/log/btmp*", "/var/log/lastlog", "/run/utmp", "/swapfile", "/swap.img",
)  # fmt: skip

#: Of these, what an action may put right all the same if its allow-list names exactly that path: a person wrote it there,
#: and it only ever becomes what a person declared.
EXEMPT = {
    "restore_file": (
        "/etc/hosts", "/etc/resolv.conf", "/etc/sysctl.d/*.conf", "/etc/tmpfiles.d/*.conf",
        *(f"/etc/systemd/system/*.{kind}" for kind in ("service", "socket", "timer", "path")),
        # Drop-ins of one unit; those of all with a prefix (`cloud-.service.d`), or of a kind (`service.d`), are others' too.
        *(f"/etc/systemd/system/*[!-].{kind}.d/*.conf" for kind in ("service", "socket", "timer", "path")),
    ),
    "switch_resolver": ("/etc/resolv.conf",),
    "restore_resolver": ("/etc/resolv.conf",),
    "widen_port_range": ("/proc/sys/net/ipv4/ip_local_port_range",),
    "restore_port_range": ("/proc/sys/net/ipv4/ip_local_port_range",),
    "raise_conntrack_limit": ("/proc/sys/net/netfilter/nf_conntrack_max",),
    "restore_conntrack_limit": ("/proc/sys/net/netfilter/nf_conntrack_max",),
    "restore_sysctl": tuple("/proc/sys" + "/*" * depth for depth in range(2, 8)),
}  # fmt: skip
#: Never set, whoever lists them: the kernel runs what they name, or only a boot takes them back.
NEVER_SET = (
    "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hotplug", "/proc/sys/kernel/poweroff_cmd",
    "/proc/sys/kernel/usermodehelper/*", "/proc/sys/fs/binfmt_misc/*",
    "/proc/sys/kernel/modules_disabled", "/proc/sys/kernel/kexec_load_disabled",
    "/proc/sys/kernel/unprivileged_bpf_disabled", "/proc/sys/kernel/yama/ptrace_scope",
)  # fmt: skip
#: What ends another action that somebody agreed to, for which its time was part of what was agreed to.
ENDS = {
    "restore_resolver": "switch_resolver",
    "restore_port_range": "widen_port_range",
    "restore_conntrack_limit": "raise_conntrack_limit",
}
#: Below it a path begins with the name of the unit that it belongs to.
UNIT_FILES = "/etc/systemd/system/"


def is_exempt(action: str, path: str) -> bool:
    """Tell whether an action may touch a protected path that its allow-list names exactly."""
    return any(_alike(path, each) for each in EXEMPT.get(action, ())) and not any(_alike(path, each) for each in NEVER_SET)


def _alike(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def unit_of(path: str) -> str:
    """Return the unit whose file or drop-in a path is, "" for any other path."""
    if not path.startswith(UNIT_FILES):
        return ""
    return path.removeprefix(UNIT_FILES).partition("/")[0].removesuffix(".d")
