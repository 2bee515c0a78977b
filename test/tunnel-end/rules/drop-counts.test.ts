import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countsOfIptables, countsOfNft } from '../../../lib/tunnel-end/rules/drop-counts.ts';

describe('the packets that rules dropped', () => {
  it('are read from a table as nft lists it', () => {
    const listing = `table inet sluice-backend {
	chain arriving {
		meta mark & 0xffff0000 != 0x51cf0000 counter packets 3 bytes 252 drop
		meta mark set meta mark & 0x0000ffff
		ip daddr 192.0.2.10 return
		counter packets 5 bytes 420 drop
	}

	chain strangers {
		type filter hook prerouting priority mangle; policy accept;
		meta nfproto ipv4 meta l4proto gre fib daddr type local counter packets 40 bytes 3360 drop
	}
}
`;
    assert.deepEqual(countsOfNft(listing), { strangers: 43, notForVip: 5 });
  });

  it('are read from all tables of both families as iptables-save shows them, ours alone', () => {
    const saved = `*raw
:sluice-backend/in - [0:0]
[9:99] -A PREROUTING -j sluice-backend
[1:84] -A sluice-backend/in -m mark ! --mark 0x51cf0000/0xffff0000 -j DROP
[2:168] -A sluice-backend/in -j DROP
COMMIT
*mangle
[7:588] -A sluice-backend -p gre -m addrtype --dst-type LOCAL -j DROP
[1000:9999] -A sluice-backend-2 -p gre -m addrtype --dst-type LOCAL -j DROP
[1000:9999] -A FORWARD -j DROP
COMMIT
*raw
[10:840] -A sluice-backend/in -m mark ! --mark 0x51cf0000/0xffff0000 -j DROP
COMMIT
`;
    assert.deepEqual(countsOfIptables('sluice-backend', saved), { strangers: 18, notForVip: 2 });
  });
});
