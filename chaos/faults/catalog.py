"""All faults, on one page. A new one is one file plus one line here."""

from __future__ import annotations

from chaos.faults.archive_left_plain import ArchiveLeftPlain
from chaos.faults.archives_piled_up import ArchivesPiledUp
from chaos.faults.bad_delivery import BadDelivery
from chaos.faults.bad_import import BadImport
from chaos.faults.bad_nameserver import BadNameserver
from chaos.faults.base import Fault
from chaos.faults.broken_config import BrokenConfig
from chaos.faults.certificate_expiring import CertificateExpiring
from chaos.faults.certificate_not_loaded import CertificateNotLoaded
from chaos.faults.clock_skewed import ClockSkewed
from chaos.faults.conffile_upgraded import ConffileUpgraded
from chaos.faults.conntrack_filled import ConntrackFilled
from chaos.faults.corrupted_data import CorruptedData
from chaos.faults.crash_on_full_disk import CrashOnFullDisk
from chaos.faults.crashed_service import CrashedService
from chaos.faults.daemon_killed import DaemonKilled
from chaos.faults.deleted_library import DeletedLibrary
from chaos.faults.deleted_open_log import DeletedOpenLog
from chaos.faults.descriptor_leak import DescriptorLeak
from chaos.faults.directory_removed import DirectoryRemoved
from chaos.faults.flaky_listener import FlakyListener
from chaos.faults.followed_crash import FollowedCrash
from chaos.faults.hostile_names import HostileNames
from chaos.faults.hostile_text import HostileText
from chaos.faults.hosts_poisoned import HostsPoisoned
from chaos.faults.hung_service import HungService
from chaos.faults.inode_exhaustion import InodeExhaustion
from chaos.faults.intrusion_trace import IntrusionTrace
from chaos.faults.java_hung import JavaHung
from chaos.faults.job_done import JobDone
from chaos.faults.journal_grown import JournalGrown
from chaos.faults.kernel_setting_changed import KernelSettingChanged
from chaos.faults.log_flood import LogFlood
from chaos.faults.log_grown import LogGrown
from chaos.faults.login_attempts import HostileLogins, LoginAttempts
from chaos.faults.memory_leak import MemoryLeak
from chaos.faults.nameserver_away import NameserverAway
from chaos.faults.network_lost import NetworkLost
from chaos.faults.old_temp_files import OldTempFiles
from chaos.faults.oom_kill import OomKill
from chaos.faults.packaged_service import PackagedService
from chaos.faults.pid_reused import PidReused
from chaos.faults.pidfile_removed import PidfileRemoved
from chaos.faults.pool_exhausted import PoolExhausted
from chaos.faults.port_kept import PortKept
from chaos.faults.ports_exhausted import PortsExhausted
from chaos.faults.probes_blinded import ProbesBlinded
from chaos.faults.read_only_remount import ReadOnlyRemount
from chaos.faults.recurring_crash import RecurringCrash
from chaos.faults.redis_filled import RedisFilled
from chaos.faults.requirement_returned import RequirementReturned
from chaos.faults.resolver_killed import ResolverKilled
from chaos.faults.rival_controller import RivalController
from chaos.faults.root_gone import RootGone
from chaos.faults.runaway_child import RunawayChild
from chaos.faults.silent_metrics import SilentMetrics
from chaos.faults.slow_to_end import SlowToEnd
from chaos.faults.slow_to_start import SlowToStart
from chaos.faults.stale_lock import StaleLock
from chaos.faults.stale_pidfile import StalePidfile
from chaos.faults.stalls import Stalls
from chaos.faults.start_skipped import StartSkipped
from chaos.faults.starts_fail import StartsFail
from chaos.faults.stopped_by_person import StoppedByPerson
from chaos.faults.stuck_job import StuckJob
from chaos.faults.temp_files_in_use import TempFilesInUse
from chaos.faults.time_daemon_killed import TimeDaemonKilled
from chaos.faults.two_crashes import TwoCrashes
from chaos.faults.uninterruptible import Uninterruptible
from chaos.faults.unit_edited import UnitEdited
from chaos.faults.unit_fought_over import UnitFoughtOver
from chaos.faults.upgrade_under_way import UpgradeUnderWay
from chaos.faults.vulnerable_os_package import VulnerableOsPackage
from chaos.faults.vulnerable_python_package import VulnerablePythonPackage
from chaos.faults.wrong_permissions import WrongPermissions
from chaos.faults.zombie_pile_up import ZombiePileUp

FAULTS: tuple[type[Fault], ...] = (
    ArchiveLeftPlain,
    ArchivesPiledUp,
    BadDelivery,
    BadImport,
    BadNameserver,
    BrokenConfig,
    CertificateExpiring,
    CertificateNotLoaded,
    ClockSkewed,
    ConffileUpgraded,
    ConntrackFilled,
    CorruptedData,
    CrashOnFullDisk,
    CrashedService,
    DaemonKilled,
    DeletedLibrary,
    DeletedOpenLog,
    DescriptorLeak,
    DirectoryRemoved,
    FlakyListener,
    FollowedCrash,
    HostileNames,
    HostileText,
    HostsPoisoned,
    HungService,
    InodeExhaustion,
    IntrusionTrace,
    JavaHung,
    JobDone,
    JournalGrown,
    KernelSettingChanged,
    LogFlood,
    LogGrown,
    LoginAttempts,
    HostileLogins,
    MemoryLeak,
    NameserverAway,
    NetworkLost,
    OldTempFiles,
    OomKill,
    PackagedService,
    PidReused,
    PidfileRemoved,
    PoolExhausted,
    PortKept,
    PortsExhausted,
    ProbesBlinded,
    ReadOnlyRemount,
    RecurringCrash,
    RedisFilled,
    RequirementReturned,
    ResolverKilled,
    RivalController,
    RootGone,
    RunawayChild,
    SilentMetrics,
    SlowToEnd,
    SlowToStart,
    StaleLock,
    StalePidfile,
    Stalls,
    StartSkipped,
    StartsFail,
    StoppedByPerson,
    StuckJob,
    TempFilesInUse,
    TimeDaemonKilled,
    TwoCrashes,
    Uninterruptible,
    UnitEdited,
    UnitFoughtOver,
    UpgradeUnderWay,
    VulnerableOsPackage,
    VulnerablePythonPackage,
    WrongPermissions,
    ZombiePileUp,
)
