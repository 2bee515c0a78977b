/** Every command, in the order of the help: what runs, what is kept, what is asked and changed while it runs. */
import type { Command } from './command.ts';
import { backend } from './commands/backend.ts';
import { backends } from './commands/backends.ts';
import { check } from './commands/check.ts';
import { completion } from './commands/completion.ts';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { drain } from './commands/drain.ts';
import { dsr } from './commands/dsr.ts';
import { enable } from './commands/enable.ts';
import { flows } from './commands/flows.ts';
import { forget } from './commands/forget.ts';
import { nat } from './commands/nat.ts';
import { plan } from './commands/plan.ts';
import { proxy } from './commands/proxy.ts';
import { reload } from './commands/reload.ts';
import { save } from './commands/save.ts';
import { services } from './commands/services.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { top } from './commands/top.ts';
import { trace } from './commands/trace.ts';
import { up } from './commands/up.ts';
import { weight } from './commands/weight.ts';

export const commands: readonly Command[] = [
  proxy,
  nat,
  dsr,
  backend,
  up,
  check,
  plan,
  reload,
  stop,
  save,
  services,
  forget,
  status,
  backends,
  flows,
  trace,
  drain,
  enable,
  weight,
  top,
  doctor,
  demo,
  completion,
];
