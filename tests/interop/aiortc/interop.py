#!/usr/bin/env python3
"""Pavane against aiortc, the WebRTC implementation in Python: data channels, in both offer directions.

The scriptable peer (`cargo build --example stdio -p pavane-tokio`) runs as a child process; aiortc runs here and talks
to it over its line protocol for descriptions, and over the machine's own network for the rest. Both sides need an
address that is not a loopback one, because aiortc uses no other.

    tests/interop/aiortc/run.sh                  makes a virtual environment with aiortc and runs everything
    python interop.py PATH/TO/stdio [name ...]   runs the named scenarios, or all

Each scenario prints one line; the exit status is the number of those that failed. There is none with media beside the
data: aiortc takes no answer that declines a section.
"""

import asyncio
import hashlib
import json
import logging
import sys
import time

from aiortc import RTCPeerConnection, RTCSessionDescription

TIMEOUT = 30


class Stdio:
    """The scriptable peer as a child process."""

    def __init__(self, process):
        self.process = process
        self.next_id = 0
        self.log = []
        self.lines = asyncio.Queue()
        self.reader = asyncio.create_task(self.read())

    @classmethod
    async def start(cls, executable, **start):
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(executable, stdin=pipe, stdout=pipe, limit=1 << 20)
        self = cls(process)
        await self.line("hello")
        self.tell(type="start", scenario="data-echo", trickle=False, iceServers=[], **start)
        return self

    async def read(self):
        async for line in self.process.stdout:
            line = json.loads(line)
            self.log.append(line)
            self.lines.put_nowait(line)

    def tell(self, **line):
        self.process.stdin.write(json.dumps(line).encode() + b"\n")

    async def ask(self, op, **arguments):
        self.next_id += 1
        self.tell(type="do", id=self.next_id, op=op, **arguments)
        return await self.line("done", id=self.next_id)

    async def line(self, kind, **keys):
        """The next line of a kind; what comes before it is passed over."""
        while True:
            line = await asyncio.wait_for(self.lines.get(), TIMEOUT)
            if line["type"] == "error":
                raise AssertionError(line)
            if line["type"] == kind and all(line.get(key) == value for key, value in keys.items()):
                return line

    async def quit(self):
        self.tell(type="quit")
        await asyncio.wait_for(self.process.wait(), 5)
        await self.reader


class Channel:
    """aiortc's channel with a queue of what came in."""

    def __init__(self, channel):
        self.channel = channel
        self.messages = asyncio.Queue()
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        channel.on("message", self.messages.put_nowait)
        channel.on("open", self.opened.set)
        channel.on("close", self.closed.set)
        if channel.readyState == "open":
            self.opened.set()

    async def open(self):
        await asyncio.wait_for(self.opened.wait(), TIMEOUT)
        return self

    async def close(self):
        self.channel.close()
        await asyncio.wait_for(self.closed.wait(), TIMEOUT)

    def send(self, message):
        self.channel.send(message)

    async def receive(self):
        return await asyncio.wait_for(self.messages.get(), TIMEOUT)


async def offer_to(stdio, peer):
    """aiortc offers."""
    await peer.setLocalDescription(await peer.createOffer())
    stdio.tell(type="offer", sdp=peer.localDescription.sdp)
    answer = await stdio.line("answer")
    await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))


async def offer_from(stdio, peer):
    """Pavane offers."""
    stdio.tell(type="do", id="offer", op="offer")
    offer = await stdio.line("offer")
    await peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    stdio.tell(type="answer", sdp=peer.localDescription.sdp)


def announced(peer):
    """The next channel that Pavane opens, as a future."""
    future = asyncio.get_running_loop().create_future()
    peer.once("datachannel", lambda channel: future.set_result(Channel(channel)))
    return future


async def echo(channel):
    """Texts and bytes of every size that both sides take come back as they went; then a megabyte in pieces."""
    pattern = bytes((i * 7 + (i >> 8)) & 255 for i in range(262144))
    for message in ["Shall we dance?", "", "h\u00e4ng \U0001f483", b"", b"\x00", pattern[:1200], pattern[:65536], pattern]:
        channel.send(message)
        assert await channel.receive() == message, f"{len(message)} came back otherwise"
    pieces = [bytes([k]) * 16384 for k in range(64)]
    for piece in pieces:
        channel.send(piece)
    for piece in pieces:
        assert await channel.receive() == piece


async def echo_with_aiortcs_offer(executable):
    stdio, peer = await Stdio.start(executable, role="answerer"), RTCPeerConnection()
    channel = Channel(peer.createDataChannel("aiortc's", protocol="some"))
    await offer_to(stdio, peer)
    line = await stdio.line("channel")
    assert (line["label"], line["protocol"], line["ordered"]) == ("aiortc's", "some", True), line
    await echo(await channel.open())
    await channel.close()
    await stdio.line("channel-closed")
    return stdio, peer


async def echo_with_pavanes_offer(executable):
    stdio, peer = await Stdio.start(executable, role="offerer"), RTCPeerConnection()
    coming = announced(peer)
    await stdio.ask("channel", label="pavane's", protocol="some")
    await offer_from(stdio, peer)
    channel = await asyncio.wait_for(coming, TIMEOUT)
    assert (channel.channel.label, channel.channel.protocol) == ("pavane's", "some")
    await stdio.line("channel-open")
    await echo(channel)
    await stdio.ask("close-channel", label="pavane's")
    await asyncio.wait_for(channel.closed.wait(), TIMEOUT)
    await stdio.line("channel-closed")
    return stdio, peer


async def a_sink_gets_everything(executable):
    """16 MiB from aiortc to Pavane, counted and hashed there."""
    stdio, peer = await Stdio.start(executable, role="answerer"), RTCPeerConnection()
    channel = Channel(peer.createDataChannel("sink"))
    await offer_to(stdio, peer)
    await channel.open()
    digest, begin = hashlib.sha256(), time.monotonic()
    for k in range(256):
        piece = bytes([k]) * 65536
        digest.update(piece)
        channel.send(piece)
        while channel.channel.bufferedAmount > 1 << 20:
            await asyncio.sleep(0.005)
    channel.send("report")
    report = json.loads(await channel.receive())
    assert report == {"count": 256, "bytes": 256 * 65536, "sha256": digest.hexdigest()}, report
    rate = 256 * 65536 / (time.monotonic() - begin) / 1e6
    return stdio, peer, f"{rate:.1f} MB/s"


async def pavane_sends(executable):
    """16 MiB from Pavane to aiortc."""
    stdio, peer = await Stdio.start(executable, role="offerer"), RTCPeerConnection()
    coming = announced(peer)
    await stdio.ask("channel", label="sink of aiortc")
    await offer_from(stdio, peer)
    channel = await asyncio.wait_for(coming, TIMEOUT)
    begin = time.monotonic()
    stdio.tell(type="do", id="send", op="send", label="sink of aiortc", pattern={"size": 65536, "count": 256})
    for k in range(256):
        message = await channel.receive()
        expected = bytes((i * 7 + (i >> 8) + k) & 255 for i in range(65536)) if k % 64 == 0 else message
        assert len(message) == 65536 and message == expected, f"message {k}"
    rate = 256 * 65536 / (time.monotonic() - begin) / 1e6
    return stdio, peer, f"{rate:.1f} MB/s"


async def unordered_and_unreliable(executable):
    stdio, peer = await Stdio.start(executable, role="answerer"), RTCPeerConnection()
    channel = Channel(peer.createDataChannel("loose", ordered=False, maxRetransmits=2))
    timed = Channel(peer.createDataChannel("timed", maxPacketLifeTime=500))
    await offer_to(stdio, peer)
    for _ in range(2):
        line = await stdio.line("channel")
        expected = {"loose": (False, 2, None), "timed": (True, None, 500)}[line["label"]]
        assert (line["ordered"], line["maxRetransmits"], line["maxPacketLifeTime"]) == expected, line
    for each in (channel, timed):
        await each.open()
        sent = {f"message {k}" for k in range(20)}
        for message in sent:
            each.send(message)
        assert {await each.receive() for _ in sent} == sent
    return stdio, peer


async def closing_is_seen(executable):
    """aiortc closes: Pavane sees it at once, and the other way round."""
    for closer in ("aiortc", "pavane"):
        stdio, peer = await Stdio.start(executable, role="answerer"), RTCPeerConnection()
        channel = Channel(peer.createDataChannel("brief"))
        await offer_to(stdio, peer)
        await channel.open()
        await stdio.line("channel-open")
        begin = time.monotonic()
        if closer == "aiortc":
            await peer.close()
            await stdio.line("channel-closed")
        else:
            await stdio.ask("close")
            await asyncio.wait_for(channel.closed.wait(), TIMEOUT)
        assert time.monotonic() - begin < 2, f"{closer} closed, and it took {time.monotonic() - begin:.1f} s"
        if closer == "aiortc":
            await stdio.quit()
    return stdio, peer


SCENARIOS = [
    echo_with_aiortcs_offer,
    echo_with_pavanes_offer,
    a_sink_gets_everything,
    pavane_sends,
    unordered_and_unreliable,
    closing_is_seen,
]


async def run(scenario, executable):
    try:
        stdio, peer, *remarks = await asyncio.wait_for(scenario(executable), 4 * TIMEOUT)
        await stdio.quit()
        await peer.close()
        print("ok    ", scenario.__name__, *remarks, flush=True)
        return 0
    except Exception as error:
        print("FAILED", scenario.__name__, type(error).__name__, error, flush=True)
        return 1


async def main():
    executable, *names = sys.argv[1:]
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.__name__ in names]
    return sum([await run(scenario, executable) for scenario in chosen])


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(asyncio.run(main()))
