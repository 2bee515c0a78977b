/** What stands behind the `?` of a request, as the client writes it and the server reads it. */
import type { FlowTuple } from '../hash/flow-key.ts';
import { formatFlowTuple, parseFlowTuple } from '../hash/flow-tuple.ts';
import { usageError } from '../model/errors.ts';
import { parseFlowFilter } from '../model/flow-filter.ts';
import { type FlowQuery, type FlowSort, flowSorts } from '../model/flow-query.ts';

const defaultFlows = 1_000;
/** As many as fit a document that is still made in a blink. */
const mostFlows = 100_000;

const flowParameters = ['limit', 'sort', 'reverse', 'filter', 'rates'];

/** `limit=40&sort=rate-in&filter=10.0.0.0%2F8`; the parameters that say what is so anyway are left out. */
export function formatFlowQuery({ limit, sort, reverse, filter, rates }: FlowQuery): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (sort !== undefined) query.set('sort', sort);
  if (reverse === true) query.set('reverse', '1');
  if (filter !== undefined && filter.terms.length > 0) query.set('filter', filter.text);
  if (rates === true) query.set('rates', '1');
  return query.toString();
}

/** Throws ERR_SLUICE_USAGE for parameters that there are not, and for values that they do not take. */
export function parseFlowQuery(query: URLSearchParams): FlowQuery {
  for (const name of query.keys()) {
    if (flowParameters.includes(name)) continue;
    throw usageError(`parameter ${JSON.stringify(name)} is unknown`, `use ${flowParameters.join(', ')}`);
  }
  const [limit, sort, filter] = [query.get('limit'), query.get('sort'), query.get('filter')];
  return {
    limit: limit === null ? defaultFlows : parseLimit(limit),
    ...(sort === null ? {} : { sort: parseSort(sort) }),
    reverse: parseSwitch(query, 'reverse'),
    ...(filter === null ? {} : { filter: parseFlowFilter(filter) }),
    rates: parseSwitch(query, 'rates'),
  };
}

/** `flow=tcp+198.51.100.7%3A40000+192.0.2.10%3A80`. */
export function formatTraced(flow: FlowTuple): string {
  return new URLSearchParams({ flow: formatFlowTuple(flow).join(' ') }).toString();
}

/** Throws ERR_SLUICE_USAGE for what is no flow. */
export function parseTraced(query: URLSearchParams): FlowTuple {
  return parseFlowTuple((query.get('flow') ?? '').split(' ').filter((word) => word !== ''));
}

/** One flow a line. Throws ERR_SLUICE_USAGE for a line that is none. */
export function parseFlowTuples(text: string): FlowTuple[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseFlowTuple(line.split(' ')));
}

/** A parameter that is a whole number, and what it is unless given. */
export function parseWhole(query: URLSearchParams, name: string, otherwise: number): number {
  const given = query.get(name) ?? String(otherwise);
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw usageError(`${name} ${JSON.stringify(given)} is not a number`, 'use a whole number');
}

function parseLimit(given: string): number {
  if (/^\d{1,6}$/.test(given) && Number(given) <= mostFlows) return Number(given);
  throw usageError(
    `limit ${JSON.stringify(given)} is not a number of flows`,
    `use a whole number up to ${mostFlows}`,
  );
}

function parseSort(given: string): FlowSort {
  const sort = flowSorts.find((each) => each === given);
  if (sort !== undefined) return sort;
  throw usageError(`sort ${JSON.stringify(given)} is unknown`, `use one of ${flowSorts.join(', ')}`);
}

function parseSwitch(query: URLSearchParams, name: string): boolean {
  const given = query.get(name) ?? '0';
  if (given === '0' || given === '1') return given === '1';
  throw usageError(`${name} ${JSON.stringify(given)} is neither 1 nor 0`, `write ${name}=1`);
}
