"""Makes the files in ../Fixtures/Versions: what sops wrote from 3.7 to 3.13, and rops, feature by
feature.

The files are committed; this is how they came about. Nothing of the Swift code takes part. In the
models below «type|path|value» becomes a ciphertext and ‹type|value› stays plain but counts, or
‹type|value|bytes› where it counts as others; all count for the MAC in the order in which they stand. An age key is wrapped anew at each run, so
files differ from run to run; their values do not.

usage: make_versions.py FOLDER
"""

import base64, hashlib, hmac, json, os, re, sys, textwrap

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# The private key of the fixtures, which is no secret.
SECRET = hashlib.sha256(b"helix-infra fixtures").digest()
WHEN = "2024-05-06T07:08:09Z"


def b64(data):
    return base64.b64encode(data).decode()


def bech32(prefix, data):
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(format(byte, "08b") for byte in data)
    bits += "0" * (-len(bits) % 5)
    words = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    def checksum(values):
        state = 1
        for value in values:
            top, state = state >> 25, (state & 0x1ffffff) << 5 ^ value
            for bit, factor in enumerate([0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]):
                state ^= factor if top >> bit & 1 else 0
        return state
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = checksum(spread + words + [0] * 6) ^ 1
    words += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(letters[word] for word in words)


PUBLIC = X25519PrivateKey.from_private_bytes(SECRET).public_key()
RECIPIENT = bech32("age", PUBLIC.public_bytes_raw())


def derived(secret, salt, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)


def wrapped(data):
    """An armored age file for the fixtures' key."""
    def unpadded(part):
        return b64(part).rstrip("=")
    file_key, once = os.urandom(16), X25519PrivateKey.generate()
    share = once.public_key().public_bytes_raw()
    secret = derived(once.exchange(PUBLIC), share + PUBLIC.public_bytes_raw(),
                     b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(secret).encrypt(bytes(12), file_key, None)
    header = f"age-encryption.org/v1\n-> X25519 {unpadded(share)}\n{unpadded(body)}\n---"
    code = hmac.digest(derived(file_key, None, b"header"), header.encode(), "sha256")
    nonce = os.urandom(16)
    payload = ChaCha20Poly1305(derived(file_key, nonce, b"payload")).encrypt(
        bytes(11) + b"\1", data, None)
    file = header.encode() + b" " + unpadded(code).encode() + b"\n" + nonce + payload
    lines = textwrap.wrap(b64(file), 64)
    return "\n".join(["-----BEGIN AGE ENCRYPTED FILE-----", *lines,
                      "-----END AGE ENCRYPTED FILE-----", ""])


def split(secret):
    """Three shares, of which two give the secret."""
    def times(a, b):
        product = 0
        while b:
            product ^= a if b & 1 else 0
            a = a << 1 ^ (0x11b if a & 0x80 else 0)
            b >>= 1
        return product
    slope = os.urandom(len(secret))
    return [bytes(s ^ times(c, x) for s, c in zip(secret, slope)) + bytes([x]) for x in (5, 1, 9)]


def file(name, model, only_encrypted=False, aad=WHEN, seed=True):
    """A file made of its model, and its values in order."""
    key = os.urandom(32)
    digest = hashlib.sha512(hashlib.sha256(b"sops").digest() if only_encrypted else b"")
    values = []
    def seal(kind, path, plain):
        iv = os.urandom(32)
        sealed = AESGCM(key).encrypt(iv, plain, path.encode())
        return (f"ENC[AES256_GCM,data:{b64(sealed[:-16])},iv:{b64(iv)},"
                f"tag:{b64(sealed[-16:])},type:{kind}]")
    def value(match):
        mark, kind, *rest = match.group(0)[0], *match.group(0)[1:-1].split("|")
        path, text = rest if mark == "«" else (None, rest[0])
        # A plain value may count as another than it looks.
        plain = (rest[-1] if mark == "‹" else text).replace("\\n", "\n").encode()
        if kind != "comment" and (mark == "«" or not only_encrypted):
            digest.update(plain)
        values.append([kind, text.replace("\\n", "\n")])
        return seal(kind, path, plain) if mark == "«" else text
    text = re.sub("«[^»]*»|‹[^›]*›", value, model)
    shares = split(key)
    def block(match):
        width, which = len(match.group(1)), match.group(2)
        part = key if which == "enc" else shares[int(which[5:])]
        return textwrap.indent(wrapped(part), " " * width)[:-1]
    text = re.sub(r"^( *)§(enc|share\d)§$", block, text, flags=re.M)
    text = re.sub(r"§flat§", lambda _: wrapped(key).replace("\n", "\\n"), text)
    text = re.sub(r"§flat(\d)§", lambda m: wrapped(shares[int(m[1])]).replace("\n", "\\n"), text)
    text = text.replace("§recipient§", RECIPIENT)
    mac = seal("str", aad, digest.hexdigest().upper().encode())
    text = text.replace("§mac§", mac)
    open(os.path.join(sys.argv[1], name), "w", newline="").write(text)
    return name, values


OLD_TAIL = """\
sops:
    kms: []
    gcp_kms: []
    azure_kv: []
    hc_vault: []
    age:
        - recipient: §recipient§
          enc: |
            §enc§
    lastmodified: "2024-05-06T07:08:09Z"
    mac: §mac§
    pgp: []
    unencrypted_suffix: _unencrypted
    version: %s
"""

FILES = [
    # Empty lists, the recipient before its key, comments above, one key for all documents.
    file("3.7.yaml", """\
#«comment|:| the first comment»
name: «str|name:|one»
count_unencrypted: ‹int|7›
empty: ""
nothing: null
list:
    - «int|list:|42»
    - truth: «bool|list:truth:|True»
      # in clear, as it was typed by hand
      half: «float|list:half:|0.5»
""" + OLD_TAIL % "3.7.3" + """\
---
second: «str|second:|two\\nlines»
""" + OLD_TAIL % "3.7.3"),
    # Flat metadata, line breaks spelled out.
    file("3.8.env", """\
#«comment|:| words»
A=«str|A:|one»
B_unencrypted=‹str|two words›
EMPTY=
sops_age__list_0__map_enc=§flat§
sops_age__list_0__map_recipient=§recipient§
sops_lastmodified=2024-05-06T07:08:09Z
sops_mac=§mac§
sops_unencrypted_suffix=_unencrypted
sops_version=3.8.1
"""),
    # Numbers of JSON are floats, and lists that are missing are null; no last line break.
    file("3.9.json", """\
{
	"number": "«float|number:|7»",
	"big_unencrypted": ‹float|9007199254740993|9007199254740992›,
	"map": {
		"text": "«str|map:text:|<&>»"
	},
	"sops": {
		"kms": null,
		"gcp_kms": null,
		"azure_kv": null,
		"hc_vault": null,
		"age": [
			{
				"recipient": "§recipient§",
				"enc": "§flat§"
			}
		],
		"lastmodified": "2024-05-06T07:08:09Z",
		"mac": "§mac§",
		"pgp": null,
		"unencrypted_suffix": "_unencrypted",
		"version": "3.9.4"
	}
}"""),
    # A MAC of encrypted values only, and a rule for names.
    file("3.9-mac-only.yaml", """\
apiVersion: ‹str|v1›
data:
    password: «str|data:password:|hunter2»
sops:
    age:
        - recipient: §recipient§
          enc: |
            §enc§
    lastmodified: "2024-05-06T07:08:09Z"
    mac: §mac§
    pgp: []
    encrypted_regex: ^(data|stringData)$
    mac_only_encrypted: true
    version: 3.9.0
""", only_encrypted=True),
    # Sections, a threshold with a fraction, shares in groups.
    file("3.10.ini", """\
[one]
; «comment|one:|words»
a = «str|one:a:|1»

[two]
b_unencrypted = ‹str|plain›

[sops]
key_groups__list_0__map_age__list_0__map_enc       = §flat0§
key_groups__list_0__map_age__list_0__map_recipient = §recipient§
key_groups__list_1__map_age__list_0__map_enc       = §flat1§
key_groups__list_1__map_age__list_0__map_recipient = §recipient§
lastmodified                                       = 2024-05-06T07:08:09Z
mac                                                = §mac§
shamir_threshold                                   = 2.000000
unencrypted_suffix                                 = _unencrypted
version                                            = 3.10.2
"""),
    # Times; lists of keys only where there are some.
    file("3.10.yaml", """\
when: «time|when:|2001-12-14T21:59:43.1-05:00»
day: «time|day:|2001-01-02T00:00:00Z»
plain_unencrypted: ‹time|2001-12-14T21:59:43Z›
sops:
    age:
        - recipient: §recipient§
          enc: |
            §enc§
    lastmodified: "2024-05-06T07:08:09Z"
    mac: §mac§
    unencrypted_suffix: _unencrypted
    version: 3.10.2
"""),
    # One value, no rule.
    file("3.11.bin", """\
{
	"data": "«str|data:|one\\ntwo\\n»",
	"sops": {
		"age": [
			{
				"recipient": "§recipient§",
				"enc": "§flat§"
			}
		],
		"lastmodified": "2024-05-06T07:08:09Z",
		"mac": "§mac§",
		"version": "3.11.0"
	}
}
"""),
    # Comments in lists are items there; a rule that reads comments.
    file("3.12.yaml", """\
# sops:enc
list:
    - «comment|list:| in a list»
    - «str|list:|one»
clear: ‹str|text›
sops:
    shamir_threshold: 2
    key_groups:
        - age:
            - recipient: §recipient§
              enc: |
                §share0§
        - hc_vault:
            - vault_address: https://vault.example.org
              engine_path: sops
              key_name: first
              created_at: "2024-05-06T07:08:09Z"
              enc: vault:v1:unknown
        - age:
            - recipient: §recipient§
              enc: |
                §share2§
    lastmodified: "2024-05-06T07:08:09Z"
    mac: §mac§
    encrypted_comment_regex: sops:enc
    version: 3.12.2
"""),
    # Fields by the alphabet, comments beside values.
    file("3.13.yaml", """\
name: «str|name:|one» #«comment|:| beside»
sops:
    age:
        - enc: |
            §enc§
          recipient: §recipient§
    lastmodified: "2024-05-06T07:08:09Z"
    mac: §mac§
    unencrypted_regex: ^clear
    version: 3.13.1
"""),
    # Whole numbers of JSON are integers again.
    file("3.13.json", """\
{
	"number": "«int|number:|7»",
	"big_unencrypted": ‹int|9007199254740993›,
	"sops": {
		"age": [
			{
				"enc": "§flat§",
				"recipient": "§recipient§"
			}
		],
		"lastmodified": "2024-05-06T07:08:09Z",
		"mac": "§mac§",
		"unencrypted_suffix": "_unencrypted",
		"version": "3.13.2"
	}
}
"""),
    # Another program: no version, a time without quotes and with a fraction, lists not indented.
    file("rops.yaml", """\
hello: «str|hello:|world»
list:
- «bool|list:|True»
sops:
  age:
  - recipient: §recipient§
    enc: |
      §enc§
  lastmodified: 2024-05-06T07:08:09.123+00:00
  mac: §mac§
"""),
]

with open(os.path.join(sys.argv[1], "values.json"), "w") as index:
    json.dump(dict(FILES), index, indent=1, sort_keys=True)
    index.write("\n")
with open(os.path.join(sys.argv[1], "key.txt"), "w") as key_file:
    key_file.write(bech32("AGE-SECRET-KEY-".lower(), SECRET).upper() + "\n")
