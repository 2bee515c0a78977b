/** A machine in memory: its files, and what its tools answer. */
import { CommandError } from '../../lib/datapath/kernel/command.ts';
import type { Machine } from '../../lib/doctor/machine.ts';

export interface MemoryMachineOptions {
  readonly files?: Readonly<Record<string, string>>;
  /**
   * What a command prints, by the command with all its words; where there is none, by its program alone. A program
   * that has neither is not installed.
   */
  readonly commands?: Readonly<Record<string, string | ((words: readonly string[]) => string)>>;
  readonly queueError?: string;
  readonly rawSocketError?: string;
}

export interface MemoryMachine extends Machine {
  /** The commands that were run, in order. */
  readonly ran: readonly string[];
}

/** How a tool ends badly. */
export function complaint(program: string, text: string): CommandError {
  return new CommandError(program, text, false);
}

/** A machine on which time passes at once. */
export function memoryMachine(options: MemoryMachineOptions = {}): MemoryMachine {
  const { files = {}, commands = {}, queueError, rawSocketError } = options;
  const ran: string[] = [];
  return {
    ran,
    platform: 'linux',
    uid: 0,
    read: (path) => files[path],
    canWrite: (path) => path in files,
    run: async (program, words) => {
      const command = [program, ...words].join(' ');
      ran.push(command);
      const answer = commands[command] ?? commands[program];
      if (answer === undefined) throw new CommandError(program, 'not found', true);
      return typeof answer === 'string' ? answer : answer(words);
    },
    tryQueue: async () => queueError,
    tryRawSocket: async () => rawSocketError,
    pause: async () => undefined,
  };
}
