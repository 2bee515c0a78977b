/** `sluice services`: what `save` has kept. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { jsonFlag, outputFlags } from '../flags.ts';
import { renderTable } from '../table.ts';

export const services = defineCommand({
  name: 'services',
  summary: 'List the saved services',
  positionals: {},
  flags: { ...jsonFlag, ...outputFlags },
  examples: [['sluice services', 'what sluice up would run']],
  async run({ json }, terminal) {
    const { savedServices } = await import('../saved.ts');
    const saved = savedServices();
    if (json) {
      terminal.print(
        JSON.stringify({ services: saved.map(({ name, words }) => ({ name, arguments: words })) }),
      );
      return ExitCode.fine;
    }
    const columns = [
      { title: 'SERVICE', cell: ({ name }: (typeof saved)[number]) => name },
      { title: 'COMMAND', cell: ({ words }: (typeof saved)[number]) => words.map(quoted).join(' ') },
    ];
    renderTable(columns, saved, terminal.out).forEach(terminal.print);
    return ExitCode.fine;
  },
});

/** A word as a shell would have to be given it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
