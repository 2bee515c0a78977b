/** The clients of the pictures: from many addresses, in waves, some of them slow. */
import { createSocket } from 'node:dgram';
import { get } from 'node:http';

const tickMs = 50;
/** Requests a second at the height of a wave. */
const most = { web: 90, video: 60, api: 30, dns: 200 } as const;

const startedMs = performance.now();
const due = { web: 0, video: 0, api: 0, dns: 0 };

function anyAddress(): string {
  return `198.51.100.${2 + Math.floor(Math.random() * 59)}`;
}

/** A request over a connection of its own; some are long and read slowly, so that there are flows to be seen. */
function request(host: string, port: number): void {
  const bytes = Math.floor(2_000 + 60_000 * Math.random() ** 3);
  const isSlow = Math.random() < 0.04;
  const path = `/?bytes=${isSlow ? 8_000_000 : bytes}`;
  const sent = get({ host, port, path, localAddress: anyAddress(), agent: false }, (response) => {
    if (!isSlow) {
      response.resume();
      return;
    }
    response.on('data', () => {
      response.pause();
      setTimeout(() => response.resume(), 100 + 900 * Math.random());
    });
  });
  sent.on('error', () => undefined);
}

const sockets = Array.from({ length: 40 }, () => createSocket('udp4').bind(0, anyAddress()));
for (const socket of sockets) socket.on('error', () => undefined).on('message', () => undefined);

setInterval(() => {
  const seconds = (performance.now() - startedMs) / 1_000;
  const wave = 0.55 + 0.3 * Math.sin(seconds / 9) + 0.15 * Math.sin(seconds / 3.1);
  for (const kind of ['web', 'video', 'api', 'dns'] as const) {
    due[kind] += (most[kind] * wave * (0.7 + 0.6 * Math.random()) * tickMs) / 1_000;
    for (; due[kind] >= 1; due[kind]--) {
      if (kind === 'web') request('192.0.2.10', 443);
      else if (kind === 'video') request('192.0.2.20', 443);
      else if (kind === 'api') request('198.51.100.1', 8080);
      else sockets[Math.floor(Math.random() * sockets.length)]!.send('a question', 53, '192.0.2.53');
    }
  }
}, tickMs);
