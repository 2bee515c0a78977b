#!/usr/bin/env python3
"""A second reading of the papers, to check the first: SipHash-2-4, Maglev's table, and the way of a flow to its
slot, in plain Python without an eye to speed. Prints the golden vectors; after a change that is meant to
move flows:

    python3 test/hash/maglev_twin.py > test/hash/maglev.golden.json && npx biome format --write test/hash
"""
import hashlib
import ipaddress
import json

MASK = (1 << 64) - 1
NO_BACKEND = 0xFFFF


def siphash(key, message):
    """SipHash-2-4 of bytes, as a 64-bit number (Aumasson and Bernstein 2012, section 2)."""
    k0 = int.from_bytes(key[:8], "little")
    k1 = int.from_bytes(key[8:], "little")
    v = [
        k0 ^ int.from_bytes(b"somepseu", "big"),
        k1 ^ int.from_bytes(b"dorandom", "big"),
        k0 ^ int.from_bytes(b"lygenera", "big"),
        k1 ^ int.from_bytes(b"tedbytes", "big"),
    ]

    def rotate(x, by):
        return (x << by | x >> (64 - by)) & MASK

    def sip_round():
        v[0] = (v[0] + v[1]) & MASK
        v[2] = (v[2] + v[3]) & MASK
        v[1] = rotate(v[1], 13) ^ v[0]
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[1]) & MASK
        v[0] = (v[0] + v[3]) & MASK
        v[1] = rotate(v[1], 17) ^ v[2]
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = rotate(v[2], 32)

    padding = bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    padded = message + padding
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        sip_round()
        sip_round()
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def permutation(h, size):
    offset = (h & 0xFFFFFFFF) % size
    skip = (h >> 32) % (size - 1) + 1
    return ((offset + k * skip) % size for k in range(size))


def maglev(key, size, backends):
    """The table of [(name, weight)] (Eisenbud et al. 2016, section 3.4); slots hold indices into `backends`."""
    table = [NO_BACKEND] * size
    entrants = sorted(
        (name.encode(), index, weight) for index, (name, weight) in enumerate(backends) if weight > 0
    )
    if not entrants:
        return table
    greatest = max(weight for _, _, weight in entrants)
    permutations = [permutation(siphash(key, name), size) for name, _, _ in entrants]
    savings = [greatest - weight for _, _, weight in entrants]
    filled = 0
    while True:
        for i, (_, index, weight) in enumerate(entrants):
            savings[i] += weight
            if savings[i] < greatest:
                continue
            savings[i] -= greatest
            slot = next(slot for slot in permutations[i] if table[slot] == NO_BACKEND)
            table[slot] = index
            filled += 1
            if filled == size:
                return table


def address(text):
    ip = ipaddress.ip_address(text.split("%")[0])
    return ip.packed if ip.version == 6 else bytes(10) + b"\xff\xff" + ip.packed


def flow_key(flow):
    return (
        address(flow["clientAddress"])
        + address(flow["vipAddress"])
        + flow["clientPort"].to_bytes(2, "big")
        + flow["vipPort"].to_bytes(2, "big")
        + bytes([{"tcp": 6, "udp": 17}[flow["protocol"]]])
    )


def table_vector(seed, size, patterns, weights, count):
    """`count` backends numbered from 0: patterns and weights in turn, the number for the pattern's `#`."""
    backends = [
        (patterns[i % len(patterns)].replace("#", str(i)), weights[i % len(weights)]) for i in range(count)
    ]
    table = maglev(bytes.fromhex(seed), size, backends)
    return {
        "seed": seed,
        "size": size,
        "names": patterns,
        "weights": weights,
        "count": count,
        "first": table[:16],
        "sha256": hashlib.sha256(b"".join(index.to_bytes(2, "little") for index in table)).hexdigest(),
    }


def flow_vector(seed, protocol, client_address, client_port, vip_address, vip_port):
    flow = {
        "protocol": protocol,
        "clientAddress": client_address,
        "clientPort": client_port,
        "vipAddress": vip_address,
        "vipPort": vip_port,
    }
    key = flow_key(flow)
    h = siphash(bytes.fromhex(seed), key)
    source = siphash(bytes.fromhex(seed), key[:16])
    return {
        "seed": seed,
        "flow": flow,
        "key": key.hex(),
        "hash": f"{h:016x}",
        "slot": h * 65537 >> 64,
        "sourceHash": f"{source:016x}",
        "sourceSlot": source * 65537 >> 64,
    }


ZERO = "00" * 16
COUNTING = bytes(range(16)).hex()

print(
    json.dumps(
        {
            "tables": [
                table_vector(ZERO, 7, ["backend-#"], [1], 3),
                table_vector(ZERO, 251, ["10.0.2.#:80"], [1], 1),
                table_vector(ZERO, 997, ["10.0.2.#:80"], [1], 10),
                table_vector(COUNTING, 997, ["10.0.2.#:80"], [1], 10),
                table_vector(COUNTING, 997, ["10.0.2.#:80"], [3, 0, 1, 65535], 10),
                table_vector(COUNTING, 997, ["[fd00::#]:53"], [1], 0),
                table_vector(COUNTING, 997, ["bäckend-#", "ｚ#", "𝄞#"], [2, 5], 12),
                table_vector(ZERO, 65537, ["10.0.2.#:80"], [1], 3),
                table_vector(COUNTING, 65537, ["edge-#.example"], [1, 2, 4, 100], 100),
                table_vector(COUNTING, 65537, ["edge-#.example"], [1], 1000),
            ],
            "flows": [
                flow_vector(ZERO, "tcp", "192.0.2.1", 49152, "198.51.100.10", 80),
                flow_vector(COUNTING, "tcp", "192.0.2.1", 49152, "198.51.100.10", 80),
                flow_vector(COUNTING, "tcp", "::ffff:192.0.2.1", 49152, "::ffff:198.51.100.10", 80),
                flow_vector(COUNTING, "udp", "192.0.2.1", 49152, "198.51.100.10", 80),
                flow_vector(COUNTING, "udp", "2001:db8::5:1", 65535, "2001:db8::a", 53),
                flow_vector(COUNTING, "tcp", "fe80::1%eth0", 1, "fe80::2%eth0", 65535),
                flow_vector(COUNTING, "tcp", "::1", 40000, "::1", 8080),
            ],
        },
        ensure_ascii=False,
        indent=2,
    )
)
