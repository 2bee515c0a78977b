"""What scapy makes of packets: one order on each line of stdin, one answer on each line of stdout, both JSON.

read     {"bytes": HEX}                what an outer header says, what is inside, and whether scapy would have written
                                       the same bytes: it computes every length and checksum anew
encap    {"inner", "outer"}            a tunnel packet around bytes, by scapy
fragment {"bytes": HEX, "size": N}     the fragments of an IPv4 packet, with N bytes of data each
"""

import json
import logging
import sys

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import GRE, IP, UDP, IPv6, NoPayload, fragment  # noqa: E402


def ip(data):
    return IP(data) if data[0] >> 4 == 4 else IPv6(data)


def written_anew(packet):
    """The bytes of a packet whose lengths and checksums are left to scapy."""
    copy = packet.copy()
    layer = copy
    while not isinstance(layer, NoPayload):
        for name in ("len", "plen", "chksum", "cksum"):
            if name in layer.fields and not (isinstance(layer, UDP) and layer.chksum == 0):
                del layer.fields[name]
        layer.raw_packet_cache = None
        layer = layer.payload
    return bytes(copy)


def read(order):
    data = bytes.fromhex(order["bytes"])
    outer = ip(data)
    gre = outer.payload if isinstance(outer.payload, GRE) else None
    inner = gre.payload if gre is not None else outer.payload
    four = isinstance(outer, IP)
    return {
        "layers": [layer.__name__ for layer in outer.layers()],
        "source": outer.src,
        "destination": outer.dst,
        "trafficClass": outer.tos if four else outer.tc,
        "ttl": outer.ttl if four else outer.hlim,
        "dontFragment": bool(outer.flags.DF) if four else None,
        "flowLabel": None if four else outer.fl,
        "inner": bytes(inner).hex(),
        "same": written_anew(outer) == data,
        "mtu": getattr(outer.payload, "nexthopmtu", getattr(outer.payload, "mtu", None)),
    }


def encapsulate(order):
    inner = ip(bytes.fromhex(order["inner"]))
    outer = order["outer"]
    ends = {"src": outer["source"], "dst": outer["destination"]}
    header = IP(**ends, tos=outer["trafficClass"]) if ":" not in ends["src"] else IPv6(**ends, tc=outer["trafficClass"])
    if outer["encapsulation"] == "gre":
        fields = {name: outer[name] for name in ("key", "seqence_number") if name in outer}
        header /= GRE(
            chksum_present=int(outer["checksum"]),
            key_present=int("key" in outer),
            seqnum_present=int("seqence_number" in outer),
            **fields,
        )
    return {"bytes": bytes(header / inner).hex()}


def cut_up(order):
    return {"fragments": [bytes(each).hex() for each in fragment(IP(bytes.fromhex(order["bytes"])), order["size"])]}


orders = {"read": read, "encap": encapsulate, "fragment": cut_up}
for line in sys.stdin:
    order = json.loads(line)
    print(json.dumps(orders[order["order"]](order)))
