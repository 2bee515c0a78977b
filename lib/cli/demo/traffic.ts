/**
 * The clients of the demonstration: HTTP requests at a steady pace, however fast the answers are, three of four over
 * kept connections and the others over one of their own.
 */
import { Agent, type ClientRequest, get } from 'node:http';
import type { Tally } from './tally.ts';

const tickMs = 20;
const requestsPerSecond = 200;
const keptConnections = 12;
/** One request of so many has a connection of its own. */
const ownConnectionEvery = 4;
/** Requests under way; beyond, the pace is given up and not the memory. */
const mostUnderWay = 100;
const timeoutMs = 5_000;

export interface Traffic {
  /** Requests that are under way are forgotten. */
  stop(): void;
}

/** What goes wrong while `isServed` is false is not counted: nobody promised otherwise. */
export function startTraffic(url: string, tally: Tally, isServed: () => boolean): Traffic {
  const kept = Array.from({ length: keptConnections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const underWay = new Set<ClientRequest>();
  const startedMs = performance.now();
  let count = 0;

  const request = () => {
    const agent = count % ownConnectionEvery === 0 ? false : kept[count % keptConnections]!;
    const sentMs = performance.now();
    count++;
    const sent = get(url, { agent, timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => tally.answered(body, performance.now() - sentMs));
    });
    underWay.add(sent);
    sent
      .on('timeout', () => sent.destroy(new Error('timeout')))
      .on('error', () => {
        if (isServed()) tally.failed();
      })
      .on('close', () => underWay.delete(sent));
  };

  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * requestsPerSecond);
    while (count < due && underWay.size < mostUnderWay) request();
    count = due;
  }, tickMs);

  return {
    stop() {
      clearInterval(timer);
      for (const sent of underWay) sent.destroy();
      for (const agent of kept) agent.destroy();
    },
  };
}
