"""One Asterisk process with the lab's configuration, from its start to its end.

Does not know phones or calls. It listens on 127.0.0.1 only, on free ports, and keeps everything in its own folder.
"""

import asyncio
import secrets
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lab_parts.free_port import free_port
from lab_parts.parts import Part
from phoneterm_bridge.pbx.ami.settings import AmiSettings

from pbx_lab.config_files import read_snippet, write_config
from pbx_lab.guard import Guard
from pbx_lab.lab import PHONE_CONTEXTS, LabOptions
from pbx_lab.process import LabFailed, LabProcess, run_program, start_process

READY_S = 20.0
LOOK_EVERY_S = 0.02
FOLDERS = ("etc", "lib", "spool", "run", "log", "moh")
_FREEPBX_MODULES = ("app_stack.so", "app_chanspy.so", "app_playback.so", "app_disa.so", "app_read.so", "func_db.so",
                    "app_playtones.so", "res_parking.so")  # fmt: skip
_STOCK = "atxferabort = *1\natxfercomplete = *2\natxferswap = *4"
CODES = {  # the lines for features.conf: in [featuremap], and at the end of [general]
    "letters": {"featuremap": '#include "phoneterm_start.conf"', "codes": ""},
    "stock": {"featuremap": "atxfer = *2", "codes": _STOCK},
    "freepbx": {
        "featuremap": "blindxfer = ##\natxfer = *2\ndisconnect = **",
        "codes": "atxferabort = *3\natxfercomplete = *4\natxferthreeway = *5\natxferswap = *6",
    },
    "none": {"featuremap": "", "codes": _STOCK},
}


class AsteriskServer:
    """The process, its ports and its two AMI logins: one for a bridge, one for the lab's inspector."""

    def __init__(self, part: Part, options: LabOptions, guard: Guard) -> None:
        """Choose ports and secrets; nothing is started yet."""
        if options.codes not in CODES:
            raise ValueError(f"the lab knows no feature codes {options.codes!r}")
        ami_port = free_port(socket.SOCK_STREAM)
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.ami = AmiSettings("127.0.0.1", ami_port, "phoneterm", secrets.token_hex(12))
        self.inspector = AmiSettings("127.0.0.1", ami_port, "lab", secrets.token_hex(12))
        self._part = part
        self._options = options
        self._guard = guard
        self._process: LabProcess | None = None
        self._command: LabProcess | None = None
        self._folder = Path()
        self._codes = CODES[options.codes]

    async def start(self) -> None:
        """Start Asterisk and wait until it takes AMI connections; LabFailed says why it does not."""
        self._folder = self._part.make_folder()
        self._guard.watch_folder(self._folder)
        for name in FOLDERS:
            (self._folder / name).mkdir()
        (self._folder / "moh" / "hold.ulaw").write_bytes(bytes((0xFF, 0x7F)) * 8000)  # two seconds of silence
        write_config(self._folder / "etc", self._values(), self._options.dialplan)
        argv = [*self._part.argv, "-f", "-C", self._part.inside(self._folder / "etc" / "asterisk.conf")]
        self._process = await start_process("asterisk", argv, self._folder / "asterisk.out", self._guard)
        await self._wait_until_listening(self._process)

    async def stop(self) -> None:
        """Kill Asterisk: nothing in its folder is needed, and with calls up an orderly end takes seconds."""
        if self._command is not None:
            await self._command.kill()
            self._command = None
        if self._process is not None:
            await self._process.kill()
            self._process = None

    async def write_codes(self, codes: Mapping[str, str]) -> None:
        """Set feature codes by their names in features.conf, and reload them; LabFailed says what went wrong."""
        lines = [f"{name} = {code}" for name, code in codes.items() if name != "atxfer"]
        self._codes = {"featuremap": f"atxfer = {codes['atxfer']}", "codes": "\n".join(lines)}
        write_config(self._folder / "etc", self._values(), self._options.dialplan)
        await self.run_command("module reload features")

    async def write_rights(self, write: str) -> None:
        """Set the write classes of the bridge's login, and reload them; LabFailed says what went wrong."""
        self._options = replace(self._options, ami_write=write)
        write_config(self._folder / "etc", self._values(), self._options.dialplan)
        await self.run_command("manager reload")

    async def run_command(self, command: str) -> None:
        """Have Asterisk carry out a line of its console, beside AMI; LabFailed says what went wrong."""
        await run_program("asterisk -rx", self._console(command), self._folder / "command.out", self._guard)

    async def begin_command(self, command: str) -> None:
        """Have Asterisk begin with a line of its console that takes long; `end_command` waits for its end."""
        output = self._folder / "long_command.out"
        self._command = await start_process("asterisk -rx", self._console(command), output, self._guard)

    async def end_command(self) -> None:
        """Wait for the end of the command that takes long."""
        if self._command is not None:
            await self._command.wait()
            self._command = None

    def _console(self, command: str) -> list[str]:
        return [*self._part.argv, "-C", self._part.inside(self._folder / "etc" / "asterisk.conf"), "-rx", command]

    def _values(self) -> dict[str, str]:
        options = self._options
        return {
            "folder": self._part.inside(self._folder),
            "modules": self._part.inside(_module_folder(self._part.root)),
            "ami_port": str(self.ami.port),
            "sip_port": str(self.sip_port),
            "secret": self.ami.secret,
            "inspector_username": self.inspector.username,
            "inspector_secret": self.inspector.secret,
            "dial_options": "${DIAL_OPTIONS}",
            "globals": "" if options.allows_transfer else "DIAL_OPTIONS =\nTRUNK_OPTIONS =",
            "login_changes": self._login_changes(),
            "login_limit": "" if options.allows_second_login else "allowmultiplelogin = no",
            "module_changes": self._module_changes(),
            "phone_context": PHONE_CONTEXTS[options.dialplan],
            "trunk_context": "from-pstn" if options.dialplan == "freepbx" else PHONE_CONTEXTS[options.dialplan],
            "freepbx_dial_options": "HhTtr" if options.allows_transfer else "Hhr",
            "freepbx_trunk_options": "T" if options.allows_transfer else "",
            "wide_route": "include => outrt-2" if options.has_wide_route else "",
            "after_dial": "Busy(20)" if options.plays_busy else "Hangup()",
            "ring_s": str(options.ring_s),
            "atxferdropcall": "yes" if options.drops_unanswered else "no",
            "atxfernoanswertimeout_s": str(options.no_answer_s),
            "atxferloopdelay_s": str(options.callback_delay_s),
            "asterisk_options": read_snippet("phoneterm_tones.conf") + self._tone_changes(),
            "pause": "#exec /bin/sleep 2" if options.starts_slowly else "",
            **self._codes,
        }

    def _module_changes(self) -> str:
        options = self._options
        more = [f"load = {name}" for name in (_FREEPBX_MODULES if options.dialplan == "freepbx" else ())]
        return "\n".join([*more, *([] if options.tells_files else ["noload = func_config.so"])])

    def _login_changes(self) -> str:
        """Return the lines of the bridge's login that differ from its snippet; of a repeated key the last counts."""
        options, usual = self._options, LabOptions()
        lines = [options.login_lines] if options.login_lines else []
        if (options.ami_read, options.ami_write) != (usual.ami_read, usual.ami_write):
            lines += [f"read = {options.ami_read}", f"write = {options.ami_write}"]
        if not options.permits_bridge:
            lines.append("deny = 127.0.0.1/255.255.255.255")
        return "\n".join([f"[{self.ami.username}](+)", *lines]) if lines else ""

    def _tone_changes(self) -> str:
        least_ms = self._options.min_dtmf_ms
        return "" if least_ms == LabOptions().min_dtmf_ms else f"mindtmfduration = {least_ms}"

    async def _wait_until_listening(self, process: LabProcess) -> None:
        deadline = asyncio.get_running_loop().time() + READY_S
        while True:
            try:
                _, writer = await asyncio.open_connection(self.ami.host, self.ami.port)
            except OSError:
                if not process.is_running:
                    raise LabFailed(f"Asterisk ended at once: {process.last_line()}") from None
                if asyncio.get_running_loop().time() > deadline:
                    raise LabFailed(f"Asterisk took no AMI connection within {READY_S:.0f} s.") from None
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                writer.close()
                return


def _module_folder(root: Path) -> Path:
    """Return where this Asterisk's modules are; LabFailed when there are none."""
    for pattern in ("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules", "usr/lib64/asterisk/modules"):
        for folder in sorted(root.glob(pattern)):
            return folder
    raise LabFailed(f"there are no Asterisk modules under {root / 'usr/lib'}")
