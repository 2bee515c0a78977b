/**
 * An instance in a process of its own, to be killed or to have fewer rights: INSTANCE DIRECTORY DESCRIPTION. It says
 * `ready` when the description is brought about, or what stood in the way, and undoes it at the end of its input.
 */
import { KernelSetup } from '../../../../lib/datapath/kernel/setup.ts';
import { SluiceError } from '../../../../lib/model/errors.ts';

const [instance, directory, description] = process.argv.slice(2) as [string, string, string];
const setup = new KernelSetup({ holder: instance, directory });
try {
  await setup.apply(JSON.parse(description));
  console.log('ready');
  process.stdin.resume().once('end', () => setup.undo());
} catch (error) {
  console.log(error instanceof SluiceError ? `${error.exitCode} ${error.code}: ${error.message}` : error);
}
