"""An SSH server that turns on its clients, each time in one of the ways listed below.

usage: hostile_server.py FOLDER PID

Reads FOLDER/host (a private key) and FOLDER/user.pub (who may come in), listens on a port of its
own for every scenario, writes lines of name and port to FOLDER/ports, and ends with process PID.
"""

import asyncio
import base64
import os
import sys

from cryptography.hazmat.primitives import serialization

from hostile_protocol import *

RUDE = b"\x1b]0;owned\x07\x1b[2J\x9b31m \xff\xfe bye\r\n\x1b[8m"
scenarios = {}


def scenario(function):
    scenarios[function.__name__.replace("_", "-")] = function
    return function


# Scenarios that play no trick, to know that the others fail for their own reason


@scenario
async def honest(peer):
    await peer.log_in()
    await peer.serve()


# Silence


@scenario
async def silent_within_greeting(peer):
    peer.writer.write(b"SSH-2.0-Host")
    await peer.silence()


@scenario
async def silent_after_greeting(peer):
    await peer.greet()
    await peer.silence()


@scenario
async def silent_within_kexinit(peer):
    await peer.greet()
    peer.writer.write(peer.pack(peer.kexinit())[:100])
    await peer.silence()


@scenario
async def silent_after_kexinit(peer):
    await peer.greet()
    ours = peer.kexinit()
    peer.post(ours[0], ours[1:])
    await peer.silence()


@scenario
async def silent_after_newkeys(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.silence()


@scenario
async def silent_after_service(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.accept_service()
    await peer.silence()


@scenario
async def silent_before_last_word(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.accept_service()
    await peer.let_in(last_word=False)
    await peer.silence()


@scenario
async def silent_after_login(peer):
    await peer.log_in()
    await peer.silence()


async def ignore(*_):
    pass


@scenario
async def silent_after_open(peer):
    peer.asked = ignore
    await peer.log_in()
    await peer.serve()


@scenario
async def silent_after_exec(peer):
    peer.asked = lambda channel, _: peer.send(SUCCESS, number(channel.theirs))
    await peer.log_in()
    await peer.serve()


# Broken rules


@scenario
async def wrong_signature(peer):
    await peer.greet()
    await peer.exchange_keys(spoil=lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]))
    await peer.silence()


@scenario
async def wrong_mac(peer):
    await peer.greet()
    await peer.exchange_keys()
    peer.sealer.mac_key = bytes(32)
    await peer.accept_service()
    await peer.silence()


@scenario
async def huge_packet(peer):
    await peer.greet()
    peer.writer.write(number(0x7FFFFFFF) + bytes(4096))
    await peer.silence()


@scenario
async def empty_packet(peer):
    await peer.greet()
    peer.writer.write(number(0) + bytes(4096))
    await peer.silence()


@scenario
async def garbage_after_login(peer):
    await peer.log_in()
    while True:
        peer.writer.write(os.urandom(16384))
        await peer.writer.drain()


@scenario
async def welcome_without_login(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.accept_service()
    await peer.packet()
    await peer.send(AUTH_SUCCESS)
    await peer.serve()


@scenario
async def window_never_opened(peer):
    peer.window = 0
    peer.asked = lambda channel, _: peer.send(SUCCESS, number(channel.theirs))
    await peer.log_in()
    await peer.serve()


@scenario
async def closed_without_status(peer):
    async def asked(channel, line):
        channel.sends_status = False
        await Peer.asked(peer, channel, line)

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


@scenario
async def closed_at_once(peer):
    async def asked(channel, _):
        await peer.send(SUCCESS, number(channel.theirs))
        await channel.hang_up()

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


@scenario
async def never_closed(peer):
    async def asked(channel, line):
        channel.is_closed = True
        await Peer.asked(peer, channel, line)

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


@scenario
async def other_channel(peer):
    async def asked(channel, line):
        for stranger in (77, 2**32 - 1):
            await peer.send(DATA, number(stranger), string("for somebody else"))
            await peer.send(ADJUST, number(stranger), number(2**32 - 1))
            await peer.send(CLOSE, number(stranger))
        await Peer.asked(peer, channel, line)

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


# Rude words


@scenario
async def rude_greeting(peer):
    peer.writer.write(RUDE + b"\r\n")


@scenario
async def rude_algorithms(peer):
    await peer.greet()
    ours = peer.kexinit([RUDE + name.encode() for name in peer.NAMES])
    peer.post(ours[0], ours[1:])
    await peer.silence()


@scenario
async def rude_goodbye(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.send(DISCONNECT, number(11), string(RUDE), string(""))


@scenario
async def rude_banner(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.accept_service()
    await peer.send(AUTH_BANNER, string(RUDE), string(""))
    await peer.let_in(methods=RUDE.replace(b",", b"") + b",password" + RUDE)


@scenario
async def rude_refusal(peer):
    peer.opened = lambda channel: peer.send(
        OPEN_FAILURE, number(channel.theirs), number(2), string(RUDE), string(""))
    await peer.log_in()
    await peer.serve()


@scenario
async def rude_shell(peer):
    async def asked(channel, _):
        await peer.send(SUCCESS, number(channel.theirs))
        await channel.say(RUDE + b"no shell for you" + RUDE)
        await channel.say(RUDE, stream=1)
        await channel.hang_up()

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


@scenario
async def goodbye_in_use(peer):
    async def asked(channel, _):
        await peer.send(SUCCESS, number(channel.theirs))
        await peer.send(DISCONNECT, number(11), string(RUDE), string(""))

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


# Floods


async def flood(peer, *message):
    """Sends the same message for ever, as fast as the client takes it."""
    while True:
        for _ in range(64):
            peer.post(*message)
        await peer.writer.drain()


@scenario
async def kexinit_flood(peer):
    await peer.greet()
    ours = peer.kexinit()
    await flood(peer, ours[0], ours[1:])


@scenario
async def ignore_flood(peer):
    await peer.greet()
    await flood(peer, IGNORE, string(bytes(16384)))


@scenario
async def banner_flood(peer):
    await peer.greet()
    await peer.exchange_keys()
    await peer.accept_service()
    await flood(peer, AUTH_BANNER, string(bytes(16384)), string(""))


@scenario
async def stranger_flood(peer):
    await peer.log_in()
    await flood(peer, 192, bytes(16384))


@scenario
async def question_flood(peer):
    await peer.log_in()
    await flood(peer, GLOBAL_REQUEST, string("keepalive@openssh.com"), b"\1")


async def flood_after_exec(peer, talk):
    async def asked(channel, _):
        await peer.send(SUCCESS, number(channel.theirs))
        channel.job = asyncio.create_task(talk(channel))

    peer.asked = asked
    await peer.log_in()
    await peer.serve()


@scenario
async def window_ignored(peer):
    async def talk(channel):
        while True:
            await channel.shout(b"x" * 16384)
            await channel.shout(b"x" * 16384, stream=1)

    await flood_after_exec(peer, talk)


@scenario
async def noise_flood(peer):
    async def talk(channel):
        while True:
            await channel.say(RUDE * 1000)
            await channel.say(RUDE * 1000, stream=1)

    await flood_after_exec(peer, talk)


@scenario
async def crumb_flood(peer):
    async def talk(channel):
        while True:
            await channel.say(b"x")

    await flood_after_exec(peer, talk)


# The server


async def start(name, play, host_key, user_key):
    async def answer(reader, writer):
        peer = Peer(reader, writer, host_key, user_key)
        try:
            await play(peer)
        except (ConnectionError, asyncio.IncompleteReadError, IndexError, KeyError):
            pass
        finally:
            peer.end()
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return f"{name} {server.sockets[0].getsockname()[1]}\n", server


async def main(folder, parent):
    with open(f"{folder}/host", "rb") as file:
        host_key = serialization.load_ssh_private_key(file.read(), None)
    with open(f"{folder}/user.pub") as file:
        user_key = base64.b64decode(file.read().split()[1])
    started = [await start(*item, host_key, user_key) for item in scenarios.items()]
    with open(f"{folder}/ports.new", "w") as file:
        file.writelines(line for line, _ in started)
    os.rename(f"{folder}/ports.new", f"{folder}/ports")
    while os.path.exists(f"/proc/{parent}"):
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
