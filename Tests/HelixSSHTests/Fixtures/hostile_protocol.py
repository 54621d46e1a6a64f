"""The server's half of the SSH protocol, in steps that a scenario may leave out, repeat or spoil.

One set of algorithms: curve25519-sha256, ssh-ed25519, aes128-ctr, hmac-sha2-256. Only the owner of
one given key is let in, and commands run on this machine, so that clients meet a true server until
a scenario turns on them.
"""

import asyncio
import hashlib
import hmac
import os
import signal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DISCONNECT, IGNORE, SERVICE_REQUEST, SERVICE_ACCEPT, KEXINIT, NEWKEYS = 1, 2, 5, 6, 20, 21
ECDH_INIT, ECDH_REPLY = 30, 31
AUTH_REQUEST, AUTH_FAILURE, AUTH_SUCCESS, AUTH_BANNER, PK_OK = 50, 51, 52, 53, 60
GLOBAL_REQUEST, REQUEST_FAILURE = 80, 82
OPEN, CONFIRMATION, OPEN_FAILURE, ADJUST, DATA, EXTENDED_DATA = 90, 91, 92, 93, 94, 95
EOF, CLOSE, REQUEST, SUCCESS, FAILURE = 96, 97, 98, 99, 100


def number(value):
    return value.to_bytes(4, "big")


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return number(len(value)) + value


def big(value):
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


class Fields:
    """Reads the protocol's types from a payload."""

    def __init__(self, payload, start=1):
        self.payload, self.at = payload, start

    def bytes(self, count):
        self.at += count
        return self.payload[self.at - count : self.at]

    def number(self):
        return int.from_bytes(self.bytes(4), "big")

    def string(self):
        return self.bytes(self.number())

    def flag(self):
        return self.bytes(1) != b"\0"


class Seal:
    """One direction's cipher and MAC."""

    def __init__(self, key, start, mac_key):
        self.cipher = Cipher(algorithms.AES(key), modes.CTR(start)).encryptor()
        self.mac_key = mac_key

    def mac(self, sequence, packet):
        return hmac.digest(self.mac_key, number(sequence) + packet, "sha256")


class Peer:
    """One connection of a client."""

    NAMES = ["curve25519-sha256", "ssh-ed25519"] + ["aes128-ctr"] * 2 + ["hmac-sha2-256"] * 2 + [
        "none", "none", "", ""]

    def __init__(self, reader, writer, host_key, user_key):
        self.reader, self.writer = reader, writer
        self.host_key, self.user_key = host_key, user_key
        self.sent = self.received = 0
        self.sealer = self.opener = self.session_id = None
        self.channels = {}
        self.window = 2 * 1024 * 1024

    # Packets

    def pack(self, payload):
        block = 16 if self.sealer else 8
        padding = block - (5 + len(payload)) % block
        padding += block if padding < 4 else 0
        packet = number(1 + len(payload) + padding) + bytes([padding]) + payload + bytes(padding)
        sequence, self.sent = self.sent, (self.sent + 1) % 2**32
        if not self.sealer:
            return packet
        return self.sealer.cipher.update(packet) + self.sealer.mac(sequence, packet)

    def post(self, *parts):
        """Sends a message without waiting for the client to take it."""
        kind, *rest = parts
        self.writer.write(self.pack(bytes([kind]) + b"".join(rest)))

    async def send(self, *parts):
        self.post(*parts)
        await self.writer.drain()

    async def packet(self):
        """The next message that means anything."""
        while True:
            payload = await self.any_packet()
            if payload[0] not in (2, 3, 4):
                return payload

    async def any_packet(self):
        first = await self.reader.readexactly(16 if self.opener else 4)
        first = self.opener.cipher.update(first) if self.opener else first
        length = int.from_bytes(first[:4], "big")
        rest = await self.reader.readexactly(length + 4 - len(first))
        packet = first + (self.opener.cipher.update(rest) if self.opener else rest)
        if self.opener:
            await self.reader.readexactly(32)
        self.received += 1
        return packet[5 : 4 + length - packet[4]]

    async def silence(self):
        """Reads on, and never says another word."""
        while await self.reader.read(65536):
            pass

    # Stages

    async def greet(self):
        self.version = b"SSH-2.0-Hostile_1.0"
        self.writer.write(self.version + b"\r\n")
        self.client_version = (await self.reader.readline()).rstrip(b"\r\n")

    def kexinit(self, names=None):
        lists = b"".join(string(name) for name in names or self.NAMES)
        return bytes([KEXINIT]) + bytes(16) + lists + bytes(5)

    async def exchange_keys(self, spoil=lambda signature: signature):
        ours = self.kexinit()
        self.post(ours[0], ours[1:])
        theirs = await self.packet()
        their_point = Fields(await self.packet()).string()
        private = X25519PrivateKey.generate()
        our_point = private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        shared = private.exchange(X25519PublicKey.from_public_bytes(their_point))
        shared = big(int.from_bytes(shared, "big"))
        blob = self.public(self.host_key)
        digest = hashlib.sha256(
            b"".join(map(string, (
                self.client_version, self.version, theirs, ours, blob, their_point, our_point)))
            + shared).digest()
        self.session_id = self.session_id or digest
        signature = string("ssh-ed25519") + string(spoil(self.host_key.sign(digest)))
        self.post(ECDH_REPLY, string(blob), string(our_point), string(signature))
        self.post(NEWKEYS)

        def key(letter):
            return hashlib.sha256(shared + digest + letter + self.session_id).digest()

        self.sealer = Seal(key(b"D")[:16], key(b"B")[:16], key(b"F"))
        while await self.packet() != bytes([NEWKEYS]):
            pass
        self.opener = Seal(key(b"C")[:16], key(b"A")[:16], key(b"E"))

    @staticmethod
    def public(key):
        raw = key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return string("ssh-ed25519") + string(raw)

    async def accept_service(self):
        await self.packet()
        await self.send(SERVICE_ACCEPT, string("ssh-userauth"))

    async def let_in(self, last_word=True, methods=b"publickey"):
        """Lets the owner of the user's key in, or, without the last word, stops before it."""
        while True:
            request = await self.packet()
            fields = Fields(request)
            user, _, method = fields.string(), fields.string(), fields.string()
            if method != b"publickey":
                await self.send(AUTH_FAILURE, string(methods), b"\0")
                continue
            is_signed, algorithm, blob = fields.flag(), fields.string(), fields.string()
            if blob != self.user_key or methods != b"publickey":
                await self.send(AUTH_FAILURE, string(methods), b"\0")
            elif not is_signed:
                await self.send(PK_OK, string(algorithm), string(blob))
            elif self.is_signed(request[: fields.at], Fields(fields.string(), 0)):
                if not last_word:
                    return
                return await self.send(AUTH_SUCCESS)
            else:
                await self.send(AUTH_FAILURE, string(methods), b"\0")

    def is_signed(self, request, signature):
        signature.string()
        key = Ed25519PublicKey.from_public_bytes(Fields(self.user_key, 15).string())
        try:
            key.verify(signature.string(), string(self.session_id) + request)
        except InvalidSignature:
            return False
        return True

    async def log_in(self):
        await self.greet()
        await self.exchange_keys()
        await self.accept_service()
        await self.let_in()

    # Channels

    async def serve(self):
        """Serves channels until the client goes."""
        while True:
            payload = await self.packet()
            fields = Fields(payload)
            match payload[0]:
                case 20:
                    return
                case 80:
                    fields.string()
                    if fields.flag():
                        await self.send(REQUEST_FAILURE)
                case 90:
                    fields.string()
                    theirs, room, _ = fields.number(), fields.number(), fields.number()
                    await self.opened(Channel(self, len(self.channels), theirs, room))
                case 93:
                    self.channels[fields.number()].allow(fields.number())
                case 94:
                    self.channels[fields.number()].take(fields.string())
                case 96:
                    self.channels[fields.number()].take(b"")
                case 97:
                    self.channels[fields.number()].close()
                case 98:
                    channel = self.channels[fields.number()]
                    kind, wants_answer = fields.string(), fields.flag()
                    if kind == b"exec":
                        await self.asked(channel, fields.string().decode())
                    elif wants_answer:
                        await self.send(FAILURE, number(channel.theirs))

    async def opened(self, channel):
        self.channels[channel.ours] = channel
        await self.send(
            CONFIRMATION, number(channel.theirs), number(channel.ours), number(self.window),
            number(32768))

    async def asked(self, channel, line):
        await self.send(SUCCESS, number(channel.theirs))
        channel.job = asyncio.create_task(channel.run(line))

    def end(self):
        for channel in self.channels.values():
            channel.end()


class Channel:
    """A session channel and its command."""

    def __init__(self, peer, ours, theirs, room):
        self.peer, self.ours, self.theirs, self.room = peer, ours, theirs, room
        self.input = asyncio.Queue()
        self.has_room = asyncio.Event()
        self.process = self.job = None
        self.is_closed = False
        self.sends_status = True

    def allow(self, count):
        self.room += count
        self.has_room.set()

    def take(self, data):
        self.input.put_nowait(data)

    async def say(self, data, stream=0):
        """Sends output as far as the client's window lets it."""
        while data:
            while self.room == 0:
                self.has_room.clear()
                await self.has_room.wait()
            piece = data[: min(self.room, 32000)]
            self.room -= len(piece)
            data = data[len(piece) :]
            await self.shout(piece, stream)

    async def shout(self, data, stream=0):
        """Sends output whether the client has room for it or not."""
        if stream:
            await self.peer.send(EXTENDED_DATA, number(self.theirs), number(1), string(data))
        else:
            await self.peer.send(DATA, number(self.theirs), string(data))

    async def run(self, line):
        self.process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", line, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, start_new_session=True)
        feeding = asyncio.create_task(self.feed())
        await asyncio.gather(self.copy(self.process.stdout, 0), self.copy(self.process.stderr, 1))
        status = await self.process.wait()
        feeding.cancel()
        await self.peer.send(EOF, number(self.theirs))
        if self.sends_status:
            await self.peer.send(
                REQUEST, number(self.theirs), string("exit-status"), b"\0", number(status % 256))
        await self.hang_up()

    async def copy(self, stream, index):
        while data := await stream.read(32000):
            await self.say(data, index)

    async def feed(self):
        while data := await self.input.get():
            self.process.stdin.write(data)
            await self.process.stdin.drain()
            await self.peer.send(ADJUST, number(self.theirs), number(len(data)))
        self.process.stdin.close()

    async def hang_up(self):
        if not self.is_closed:
            self.is_closed = True
            await self.peer.send(CLOSE, number(self.theirs))

    def close(self):
        if not self.is_closed:
            self.is_closed = True
            self.peer.post(CLOSE, number(self.theirs))
        self.end()

    def end(self):
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.job:
            self.job.cancel()
