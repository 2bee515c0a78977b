/** Descriptors: a proxy needs two for each connection. */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';

/** Listeners, checks, the control socket. */
const housekeeping = 64;
const few = 1_024;
const enough = 65_536;
/** As many as Linux allows unless fs.nr_open says otherwise. */
const generous = 1_048_576;

export function checkDescriptors({ facts }: Case): readonly Finding[] {
  const { openFiles } = facts.process;
  if (openFiles === undefined) return [moot('descriptors', 'the limit is not known')];
  const detail = `${openFiles}, so that ${Math.max(0, Math.floor((openFiles - housekeeping) / 2))} connections are held at most`;
  if (openFiles >= enough) return [ok('descriptors', detail)];
  const wayOut = {
    fix: `prlimit --pid $$ --nofile=${generous}:${generous}`,
    advice: 'as root in the shell that starts sluice, or LimitNOFILE in its systemd unit',
  };
  return [openFiles < few ? fault('descriptors', detail, wayOut) : warning('descriptors', detail, wayOut)];
}
