"""Decrypts SOPS files for age recipients, to judge what helix-infra writes.

It shares no line with the Swift code: the algorithm is read here a second time, with Python's own
parsers of YAML, JSON and ini, so that a mistake would have to be made twice.

usage: sops_reference.py FORMAT FILE KEYFILE
prints one JSON object a line: {"path": [...], "type": ..., "value": ...}, comments last, or fails.
"""

import base64, configparser, datetime, hashlib, hmac, json, re, sys

import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


# --- age -----------------------------------------------------------------------------------------

def bech32(text):
    """The bytes of a key in Bech32; the checksum is not what is on trial here."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(format(letters.index(c), "05b") for c in text.lower().rsplit("1", 1)[1][:-6])
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits) // 8 * 8, 8))


def unpadded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def derived(secret, salt, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)


def open_age(armored, identities):
    """What an armored age file holds that is for one of some X25519 identities; None when none is."""
    lines = armored.strip().split("\n")
    assert lines[0] == "-----BEGIN AGE ENCRYPTED FILE-----"
    assert lines[-1] == "-----END AGE ENCRYPTED FILE-----"
    file = base64.b64decode("".join(lines[1:-1]), validate=True)
    end = file.index(b"\n--- ") + 1
    header, rest = file[:end].decode(), file[end:]
    code, payload = rest[:rest.index(b"\n")], rest[rest.index(b"\n") + 1:]
    for share, body in re.findall(r"^-> X25519 (\S+)\n(\S+)$", header, re.M):
        for identity in identities:
            key = X25519PrivateKey.from_private_bytes(identity)
            salt = unpadded(share) + key.public_key().public_bytes_raw()
            secret = key.exchange(X25519PublicKey.from_public_bytes(unpadded(share)))
            wrapping = derived(secret, salt, b"age-encryption.org/v1/X25519")
            try:
                file_key = ChaCha20Poly1305(wrapping).decrypt(bytes(12), unpadded(body), None)
            except Exception:
                continue
            covered = (header + "---").encode()
            expected = hmac.digest(derived(file_key, None, b"header"), covered, "sha256")
            assert unpadded(code[4:].decode()) == expected, "the header's code is wrong"
            stream = derived(file_key, payload[:16], b"payload")
            # One chunk: counter nought, marked as the last.
            return ChaCha20Poly1305(stream).decrypt(bytes(11) + b"\1", payload[16:], None)
    return None


# --- Shamir ---------------------------------------------------------------------------------------

def times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return product


def combined(shares):
    secret = []
    for place in range(len(shares[0]) - 1):
        value = 0
        for share in shares:
            term = share[place]
            for other in shares:
                if other is not share:
                    divisor = share[-1] ^ other[-1]
                    inverse = next(i for i in range(1, 256) if times(divisor, i) == 1)
                    term = times(times(term, other[-1]), inverse)
            value ^= term
        secret.append(value)
    return bytes(secret)


# --- the formats: leaves in order, as (keys, value), and the metadata -------------------------------

RULES = ["unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex",
         "unencrypted_comment_regex", "encrypted_comment_regex"]


def scalar(node):
    """A YAML scalar as go-yaml reads it, as far as the tests go."""
    text = node.value
    if node.style is not None:
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text.lower() in ("true", "false") and text in (text.lower(), text.title(), text.upper()):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", text) and not re.fullmatch(r"[-+]?0[0-9]+", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return datetime.datetime.fromisoformat(text + "T00:00:00+00:00")
    return text


def nodes(node, keys, leaves):
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            nodes(value, keys + [key.value], leaves)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            nodes(value, keys, leaves)
    else:
        leaves.append((keys, scalar(node)))


def walk(value, keys, leaves):
    if isinstance(value, dict):
        for key, below in value.items():
            walk(below, keys + [key], leaves)
    elif isinstance(value, list):
        for below in value:
            walk(below, keys, leaves)
    else:
        leaves.append((keys, value))


def unflattened(flat):
    """Metadata from names such as age__list_0__map_enc."""
    top = {}
    for name, text in flat.items():
        place, parts = top, name.split("__")
        for part, following in zip(parts, parts[1:] + [None]):
            if part.startswith("list_"):
                part = int(part[5:])
            elif part.startswith("map_"):
                part = part[4:]
            if following is None:
                place[part] = text.replace("\\n", "\n")
            else:
                place = place.setdefault(part, {})
    def lists(value):
        if not isinstance(value, dict):
            return value
        if value and all(isinstance(key, int) for key in value):
            return [lists(value[key]) for key in sorted(value)]
        return {key: lists(below) for key, below in value.items()}
    return lists(top)


def read_yaml(text):
    leaves, metadata = [], None
    for document in yaml.compose_all(text, yaml.SafeLoader):
        for key, value in document.value:
            if key.value != "sops":
                nodes(value, [key.value], leaves)
            else:
                block = yaml.serialize(value)
                metadata = metadata or yaml.load(block, yaml.BaseLoader)
    return leaves, metadata


def read_json(text):
    document = json.loads(text)
    metadata = document.pop("sops")
    leaves = []
    walk(document, [], leaves)
    return leaves, metadata


def read_dotenv(text):
    leaves, flat = [], {}
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, value = line.split("=", 1)
        if name.startswith("sops_"):
            flat[name[5:]] = value
        else:
            leaves.append(([name], value.replace("\\n", "\n")))
    return leaves, unflattened(flat)


def read_ini(text):
    parser = configparser.RawConfigParser(default_section="\0", strict=False)
    parser.optionxform = str
    parser.read_string(text)
    leaves = [([section, name], value.strip("`"))
              for section in parser.sections() if section != "sops"
              for name, value in parser.items(section)]
    return leaves, unflattened(dict(parser.items("sops")))


# --- SOPS -------------------------------------------------------------------------------------------

CIPHERTEXT = re.compile(
    rb"ENC\[AES256_GCM,data:([^,]+),iv:([^,]+),tag:([^,]+),type:([a-z]+)\]")


def decrypted(key, text, binding):
    data, iv, tag, kind = CIPHERTEXT.match(text.encode()).groups()
    data, iv, tag = (base64.b64decode(part, validate=True) for part in (data, iv, tag))
    assert len(iv) == 32 and len(tag) == 16
    return AESGCM(key).decrypt(iv, data + tag, binding.encode()), kind.decode()


def selects(rule, keys):
    name, pattern = rule
    if name.endswith("suffix"):
        found = any(key.endswith(pattern) for key in keys)
    elif name.endswith("comment_regex"):
        sys.exit("the reference does not read comments")
    else:
        found = any(re.search(pattern, key) for key in keys)
    return found == name.startswith("encrypted")


def canonical(value):
    """Type and bytes of a plain value."""
    if isinstance(value, bool):
        return "bool", b"True" if value else b"False"
    if isinstance(value, int):
        return "int", str(value).encode()
    if isinstance(value, float):
        text = format(__import__("decimal").Decimal(repr(value)), "f")
        return "float", (text.rstrip("0").rstrip(".") if "." in text else text).encode()
    if isinstance(value, datetime.datetime):
        return "time", value.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return "str", value.encode()


def data_key(metadata, identities):
    def part(group):
        opened = (open_age(entry["enc"], identities) for entry in group.get("age") or [])
        return next((found for found in opened if found is not None), None)
    if metadata.get("age"):
        return part(metadata)
    shares = [share for share in map(part, metadata["key_groups"]) if share is not None]
    assert len(shares) >= int(metadata["shamir_threshold"]) >= 2
    return combined(shares)


def main(form, file, key_file):
    identities = [bech32(line) for line in open(key_file).read().split("\n")
                  if line.startswith("AGE-SECRET-KEY-1")]
    text = open(file, newline="").read()
    read = {"yaml": read_yaml, "json": read_json, "binary": read_json, "dotenv": read_dotenv,
            "ini": read_ini}[form]
    leaves, metadata = read(text)
    assert re.fullmatch(r"\d+\.\d+\.\d+", metadata["version"])
    rules = [(name, metadata[name]) for name in RULES if metadata.get(name)]
    assert len(rules) <= 1
    rule = rules[0] if rules else ("unencrypted_suffix", "_unencrypted")
    only = str(metadata.get("mac_only_encrypted", "")).lower() == "true"
    key = data_key(metadata, identities)
    assert key is not None and len(key) == 32, "no identity opens it"
    digest = hashlib.sha512(hashlib.sha256(b"sops").digest() if only else b"")
    for keys, value in leaves:
        selected = selects(rule, keys)
        if value is None:
            continue
        if selected and value != "":
            plain, kind = decrypted(key, value, ":".join(keys) + ":")
        else:
            kind, plain = canonical(value)
        if kind != "comment" and (selected or not only):
            digest.update(plain)
        print(json.dumps({"path": keys, "type": kind, "value": plain.decode()}))
    when = datetime.datetime.fromisoformat(metadata["lastmodified"].replace("Z", "+00:00"))
    stored, kind = decrypted(key, metadata["mac"], when.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert kind == "str" and stored.decode() == digest.hexdigest().upper(), "the MAC is wrong"
    comments(text, key, leaves)


def comments(text, key, leaves):
    """Comments do not say where they belong; each must open in one of the file's maps."""
    bindings = {":"} | {":".join(keys[:end]) + ":" for keys, _ in leaves
                        for end in range(1, len(keys) + 1)}
    for line in re.findall(r"[#;] *(ENC\[.*?,type:comment\])", text):
        for binding in sorted(bindings):
            try:
                plain, kind = decrypted(key, line, binding)
            except Exception:
                continue
            print(json.dumps({"path": None, "type": kind, "value": plain.decode()}))
            break
        else:
            sys.exit("a comment opens nowhere")


main(*sys.argv[1:])
