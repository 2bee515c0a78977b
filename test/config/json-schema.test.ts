import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configJsonSchema } from '../../lib/config/json-schema.ts';

/** The schema of a map: what these tests look at. */
interface MapSchema {
  readonly properties: Readonly<
    Record<string, { description?: string; default?: unknown; items?: MapSchema }>
  >;
  readonly required: readonly string[];
  readonly additionalProperties: boolean;
}

describe('the published JSON Schema', () => {
  const instance = configJsonSchema() as unknown as MapSchema;
  const { services, drain } = instance.properties;
  const service = services?.items;
  assert.ok(service);

  it('asks for what has no default, and for nothing else', () => {
    assert.deepEqual(instance.required, ['services']);
    assert.deepEqual(service.required, ['name', 'listen', 'backends']);
  });

  it('knows no other keys', () => {
    assert.equal(instance.additionalProperties, false);
    assert.equal(service.additionalProperties, false);
  });

  it('describes every key', () => {
    for (const [key, { description }] of Object.entries({ ...instance.properties, ...service.properties })) {
      assert.equal(typeof description, 'string', key);
    }
  });

  it('shows defaults as they are written', () => {
    const { 'connect-timeout': connectTimeout, retries } = service.properties;
    assert.equal(drain?.default, '10s');
    assert.equal(connectTimeout?.default, '2s');
    assert.equal(retries?.default, 2);
  });
});
