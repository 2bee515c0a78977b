/** The VIPs themselves: that clients find them here, and nowhere else. */
import type { Case } from '../check.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';
import type { VipPlace } from '../readers/vip-places.ts';

export function checkVips({ mode, facts, subject, asked }: Case): readonly Finding[] {
  const vips = new Set(subject.services.flatMap(({ vips }) => vips.map(({ address }) => address)));
  return [...vips].flatMap((address) => {
    const place = facts.vips.get(address);
    if (place === undefined) return [];
    const isDuplicate = facts.links.some(({ addresses }) =>
      addresses.some((own) => own.address === address && own.isDuplicate),
    );
    if (isDuplicate || place.holder !== undefined) return [heldByAnother(address, place)];
    if (place.own !== undefined) return [ok('vip', `${address} is on ${place.own}`)];
    if (asked.addVip !== undefined) return [ok('vip', `${address} will be put on ${asked.addVip}`)];
    if (mode === 'dsr' && !facts.routes.has(address)) return [unreachable(address, facts, subject)];
    if (mode === 'proxy') return [notHere(address)];
    return [
      place.link === undefined
        ? ok('vip', `${address} is routed to this machine`)
        : nobodyAnswers(address, place),
    ];
  });
}

/** A backend of direct server return has the VIP on lo, and must not answer for it. */
function heldByAnother(address: string, { holder, holderAddress }: VipPlace): Finding {
  const who = [holder, holderAddress && `(${holderAddress})`].filter(Boolean).join(' ');
  return fault(
    'vip',
    `another machine has ${address} too${who === '' ? '' : `, and answers for it: ${who}`}`,
    // With IPv6 nobody answers for what is on lo.
    holderAddress === undefined || address.includes(':')
      ? { advice: 'take the address off that machine, or use another VIP' }
      : {
          on: holderAddress,
          fix: 'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2',
          advice:
            'if it has the VIP on lo, as a backend of direct server return has; else take it off that machine',
        },
  );
}

function nobodyAnswers(address: string, { link }: VipPlace): Finding {
  const bits = address.includes(':') ? 128 : 32;
  return warning('vip', `nobody on ${link} answers for ${address}: clients on that link will not find it`, {
    fix: `ip address add ${address}/${bits} dev ${link}`,
    advice: `or start sluice with --add-vip ${link}`,
  });
}

/** Checks are sent to the VIP, and only then put into a tunnel: the kernel has to have a way for them, whichever. */
function unreachable(address: string, { routes }: Case['facts'], { services }: Case['subject']): Finding {
  const backends = services
    .filter(({ vips }) => vips.some((vip) => vip.address === address))
    .flatMap((service) => service.backends);
  const link = backends
    .map((backend) => routes.get(backend.address)?.link)
    .find((each) => each !== undefined);
  return fault(
    'vip',
    `this machine has no route that takes ${address}, and cannot send checks there`,
    link === undefined
      ? { advice: 'add a default route' }
      : { fix: `ip route add ${address}/${address.includes(':') ? 128 : 32} dev ${link}` },
  );
}

function notHere(address: string): Finding {
  const bits = address.includes(':') ? 128 : 32;
  return fault('vip', `${address} is not an address of this machine`, {
    fix: `ip address add ${address}/${bits} dev lo`,
  });
}
