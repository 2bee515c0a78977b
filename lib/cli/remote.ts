/** Conversations with a running instance. */
import type { ControlClient } from '../control/client.ts';

/** Which instance: what neither flag says is found out. */
export interface Whom {
  readonly name: string | undefined;
  readonly control: string | undefined;
}

/** Asks the instance that the flags point to, and hangs up. */
export async function askInstance<Answer>(
  { name, control }: Whom,
  ask: (instance: ControlClient) => Promise<Answer>,
): Promise<Answer> {
  const [{ ControlClient }, { findControl }] = await Promise.all([
    import('../control/client.ts'),
    import('../control/path.ts'),
  ]);
  const instance = new ControlClient(await findControl({ name, control }));
  try {
    return await ask(instance);
  } finally {
    await instance.close();
  }
}
