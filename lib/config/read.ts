/**
 * From plain values, as YAML or the command line gives them, to an `InstanceSpec`, or to everything that is wrong with
 * them: what the schema refuses, and what only shows when services stand side by side.
 */
import { formatListen } from '../model/address.ts';
import type { InstanceSpec, ServiceSpec } from '../model/spec.ts';
import { missingPorts } from './backend-ports.ts';
import { dsrFindings } from './dsr-findings.ts';
import { explain, type Finding } from './explain.ts';
import { misplacedKeys } from './mode-keys.ts';
import { natFindings } from './nat-findings.ts';
import { instanceSchema, modeKeys, serviceSchema } from './schema.ts';

export type Reading =
  | { readonly spec: InstanceSpec; readonly findings?: never }
  | { readonly spec?: never; readonly findings: readonly Finding[] };

export function readInstance(value: unknown): Reading {
  const instance = instanceSchema.safeParse(value, { reportInput: true });
  const services = instance.success ? instance.data.services : soundServices(value);
  const portless = missingPorts(value);
  const others = [
    ...portless,
    ...misplacedKeys(value, modeKeys),
    ...findClashes(services),
    ...natFindings(services, instance.data?.nat),
    ...dsrFindings(services, instance.data),
  ];
  if (instance.success && others.length === 0) return { spec: instance.data };
  // What the schema makes of an address without a port is said in other words.
  const known = new Set(portless.map(({ path }) => JSON.stringify(path)));
  const issues = explain(instance.error?.issues ?? []);
  return { findings: [...issues.filter(({ path }) => !known.has(JSON.stringify(path))), ...others] };
}

/** The services that can be read though others cannot, each at its place in the list. */
function soundServices(value: unknown): (ServiceSpec | undefined)[] {
  const services: unknown =
    value !== null && typeof value === 'object' && 'services' in value && value.services;
  return Array.isArray(services) ? services.map((service) => serviceSchema.safeParse(service).data) : [];
}

/** Names and addresses that are taken twice: each second use is a mistake. */
function findClashes(services: readonly (ServiceSpec | undefined)[]): Finding[] {
  const findings: Finding[] = [];
  const names = new Set<string>();
  const listens = new Map<string, string>();
  for (const [index, service] of services.entries()) {
    if (service === undefined) continue;
    const path = ['services', index];
    if (names.has(service.name)) {
      findings.push({
        message: `service ${service.name} is there twice`,
        remedy: 'give each service a name of its own',
        path: [...path, 'name'],
      });
    }
    names.add(service.name);
    for (const [place, listen] of service.listen.entries()) {
      const address = formatListen(listen);
      const owner = listens.get(address);
      if (owner !== undefined) {
        findings.push({
          message: `${address} is taken by service ${owner}`,
          remedy: 'listen on each address once',
          path: [...path, 'listen', place],
        });
      }
      // Port 0 is another port each time.
      if (listen.port !== 0) listens.set(address, service.name);
    }
    const backends = new Set<string>();
    for (const [place, { name }] of service.backends.entries()) {
      if (backends.has(name)) {
        findings.push({
          message: `backend ${name} is there twice`,
          remedy: 'leave one out, or give one a name',
          path: [...path, 'backends', place],
        });
      }
      backends.add(name);
    }
  }
  return findings;
}
