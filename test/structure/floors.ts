/**
 * The house that lib/ is built as: every folder stands on a floor and uses its own floor and lower ones.
 *
 *   4 people     cli  tui  lab                          reach floor 3 through control; cli also starts the daemon
 *   3 process    daemon  control  metrics
 *   2 world      datapath  tunnel-end  proxy  trace  discovery  doctor  ANY/session     sockets, threads, files
 *   1 decisions  forward  bgp  bfd  sync  health  config     pure
 *   0 values     packet  hash  conntrack  balance  model     pure
 *
 * Pure code imports no `node:` module, and asks for time and chance by argument.
 */
import { dirname, join } from 'node:path/posix';
import { codeOf, importsOf, type Source } from './sources.ts';

const floors: readonly (readonly string[])[] = [
  ['packet', 'hash', 'conntrack', 'balance', 'model'],
  ['forward', 'bgp', 'bfd', 'sync', 'health', 'config'],
  ['datapath', 'tunnel-end', 'proxy', 'trace', 'discovery', 'doctor'],
  ['daemon', 'control', 'metrics'],
  ['cli', 'tui', 'lab'],
];

const highestPureFloor = 1;
const sessionFloor = 2;
const processFloor = 3;
const peopleFloor = 4;

/** The packages that pure code may use. */
const purePackages: Readonly<Record<string, readonly string[]>> = { config: ['yaml', 'zod'] };

/** What of floor 3 the folders of floor 4 may use. */
const doorsToProcess: Readonly<Record<string, readonly string[]>> = {
  cli: ['control', 'daemon'],
  tui: ['control'],
  lab: ['control'],
};

/** Time, chance and input or output that would not come by argument. */
const impure =
  /\b(?:Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|fetch\(|crypto\.|process\.|console\.)/;

/** A folder of lib/, or the `session` folder inside one. */
interface Room {
  readonly folder: string;
  /** Undefined for a folder that stands on no floor. */
  readonly floor: number | undefined;
}

function roomOf(path: string): Room {
  const [, folder = '', inner] = path.split('/');
  const floor = floors.findIndex((folders) => folders.includes(folder));
  if (floor < 0) return { folder, floor: undefined };
  return inner === 'session' ? { folder: `${folder}/session`, floor: sessionFloor } : { folder, floor };
}

/** What is wrong with the way the sources use each other, a sentence for each; paths as in `Source`. */
export function violations(sources: readonly Source[]): string[] {
  return [...sources.flatMap(violationsOf), ...circles(sources)];
}

function violationsOf({ path, text }: Source): string[] {
  const room = roomOf(path);
  if (room.floor === undefined) return [`${path}: lib/${room.folder} stands on no floor`];
  const isPure = room.floor <= highestPureFloor;
  const reach = isPure ? impure.exec(codeOf(text)) : null;
  return [
    ...importsOf(text).flatMap((imported) => {
      const reason = imported.startsWith('.')
        ? whyNotUse(room, roomOf(join(dirname(path), imported)))
        : isPure && whyNotPure(room, imported);
      return reason ? [`${path}: ${reason}: ${imported}`] : [];
    }),
    ...(reach === null ? [] : [`${path}: ${room.folder} is pure and may not use ${reach[0]}`]),
  ];
}

function whyNotUse(user: Room, used: Room): string | false {
  if (used.floor === undefined) return `imports what stands on no floor`;
  if (used.floor > user.floor!)
    return `${user.folder} (floor ${user.floor}) imports ${used.folder} (floor ${used.floor})`;
  const doors =
    used.floor === processFloor && user.floor === peopleFloor ? doorsToProcess[user.folder] : undefined;
  return (
    doors !== undefined &&
    !doors.includes(used.folder) &&
    `${user.folder} imports ${used.folder}, not ${doors.join(' or ')}`
  );
}

function whyNotPure({ folder }: Room, imported: string): string | false {
  return !purePackages[folder]?.includes(imported) && `${folder} is pure and may not import`;
}

/** Folders of one floor may use each other, but not in a circle: that would be one folder in two places. */
function circles(sources: readonly Source[]): string[] {
  const uses = new Map<string, Set<string>>();
  for (const { path, text } of sources) {
    const { folder } = roomOf(path);
    const used = uses.get(folder) ?? new Set();
    uses.set(folder, used);
    for (const imported of importsOf(text)) {
      if (imported.startsWith('.')) used.add(roomOf(join(dirname(path), imported)).folder);
    }
    used.delete(folder);
  }
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    [...(uses.get(from) ?? [])].some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return [...uses.keys()]
    .filter((folder) => reaches(folder, folder))
    .map((folder) => `lib/${folder} uses itself in a circle of folders`);
}
