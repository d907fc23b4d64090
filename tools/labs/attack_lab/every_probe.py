"""All probes of the standing watch, in the order in which they run; a new one is a file in `probes/` and a line here.

Does not run them.
"""

from attack_lab.probe import Probe
from attack_lab.probes.begun_requests import BegunRequests
from attack_lab.probes.clock_set import ClockSet
from attack_lab.probes.cut_end import CutEnd
from attack_lab.probes.dropped_triggers import DroppedTriggers
from attack_lab.probes.eavesdropper import Eavesdropper
from attack_lab.probes.false_broker import FalseBroker
from attack_lab.probes.false_terminal import FalseTerminal
from attack_lab.probes.false_voipnow import FalseVoipNow
from attack_lab.probes.flood import Flood
from attack_lab.probes.foreign_topic import ForeignTopic
from attack_lab.probes.forged_actor import ForgedActor
from attack_lab.probes.forged_columns import ForgedColumns
from attack_lab.probes.forged_command import ForgedCommand
from attack_lab.probes.forged_view import ForgedView
from attack_lab.probes.fuzzed_decoders import FuzzedDecoders
from attack_lab.probes.fuzzed_messages import FuzzedMessages
from attack_lab.probes.granted_in_sql import GrantedInSql
from attack_lab.probes.host_pause import HostPause
from attack_lab.probes.killed_bridge import KilledBridge
from attack_lab.probes.late_command import LateCommand
from attack_lab.probes.many_connections import ManyConnections
from attack_lab.probes.many_filters import ManyFilters
from attack_lab.probes.read_secrets import ReadSecrets
from attack_lab.probes.removed_store import RemovedStore
from attack_lab.probes.replaced_store import ReplacedStore
from attack_lab.probes.replayed_command import ReplayedCommand
from attack_lab.probes.retained_command import RetainedCommand
from attack_lab.probes.revoked_terminal import RevokedTerminal
from attack_lab.probes.rotated_terminal import RotatedTerminal
from attack_lab.probes.stolen_copy import StolenCopy
from attack_lab.probes.stranger import Stranger
from attack_lab.probes.unwritten_store import UnwrittenStore
from attack_lab.probes.web_page_at_control import WebPageAtControl
from attack_lab.probes.web_page_at_pages import WebPageAtPages

PROBES: tuple[Probe, ...] = (
    Stranger(),
    Eavesdropper(),
    FalseBroker(),
    FalseVoipNow(),
    FalseTerminal(),
    ReadSecrets(),
    ForgedCommand(),
    ReplayedCommand(),
    RetainedCommand(),
    LateCommand(),
    ForeignTopic(),
    FuzzedMessages(),
    FuzzedDecoders(),
    KilledBridge(),
    RevokedTerminal(),
    RotatedTerminal(),
    ManyConnections(),
    ManyFilters(),
    StolenCopy(),
    Flood(),
    HostPause(),
    ClockSet(),
    ReplacedStore(),
    RemovedStore(),
    UnwrittenStore(),
    ForgedView(),
    ForgedColumns(),
    DroppedTriggers(),
    GrantedInSql(),
    CutEnd(),
    ForgedActor(),
    WebPageAtControl(),
    WebPageAtPages(),
    BegunRequests(),
)
