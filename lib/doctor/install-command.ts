/** How what is missing is installed, in the words of each distribution. */

type Item = 'nft' | 'iptables' | 'ip' | 'kernel-modules';

interface Manager {
  readonly command: string;
  readonly packages: Readonly<Record<Item, string>>;
}

const apt: Manager = {
  command: 'apt-get install -y',
  packages: {
    nft: 'nftables',
    iptables: 'iptables',
    ip: 'iproute2',
    'kernel-modules': 'linux-modules-extra-RELEASE',
  },
};

const dnf: Manager = {
  command: 'dnf install -y',
  packages: {
    nft: 'nftables',
    iptables: 'iptables-nft',
    ip: 'iproute',
    'kernel-modules': 'kernel-modules-extra-RELEASE',
  },
};

const managers: Readonly<Record<string, Manager>> = {
  debian: apt,
  ubuntu: apt,
  fedora: dnf,
  rhel: dnf,
  centos: dnf,
  alpine: {
    command: 'apk add',
    packages: { nft: 'nftables', iptables: 'iptables', ip: 'iproute2', 'kernel-modules': 'linux-lts' },
  },
  arch: {
    command: 'pacman -S --noconfirm',
    packages: { nft: 'nftables', iptables: 'iptables-nft', ip: 'iproute2', 'kernel-modules': 'linux' },
  },
  suse: {
    command: 'zypper install -y',
    packages: { nft: 'nftables', iptables: 'iptables', ip: 'iproute2', 'kernel-modules': 'kernel-default' },
  },
};

/**
 * The command that installs an item on the first of the distributions that is known; undefined if none is. `release`
 * is that of the kernel.
 */
export function installCommand(
  distributions: readonly string[],
  item: Item,
  release = '',
): string | undefined {
  const manager = distributions.map((name) => managers[name]).find((known) => known !== undefined);
  return manager && `${manager.command} ${manager.packages[item].replace('RELEASE', release)}`;
}
