/** The configuration file as JSON Schema, for editors that complete and check YAML. */
import { z } from 'zod';
import { instanceSchema } from './schema.ts';

/** A JSON Schema (draft 2020-12) of what a person may write; what clashes between services is beyond it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'sluice configuration', ...z.toJSONSchema(instanceSchema, { io: 'input' }) };
}
