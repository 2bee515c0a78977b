/**
 * A backend of the pictures: answers of all sizes over HTTP, on port 8443 of its own address and on port 443 of the VIP,
 * and over UDP on port 53.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

const [, , address = '', vip = ''] = process.argv;
const page = Buffer.alloc(8_000_000, 'x');

for (const at of [
  { host: address, port: 8443 },
  { host: vip, port: 443 },
]) {
  const server = createServer((request, response) => {
    const bytes = Number(new URL(request.url ?? '/', 'http://origin').searchParams.get('bytes') ?? 100);
    response.end(page.subarray(0, bytes));
  }).listen(at);
  await once(server, 'listening');
}
const socket = createSocket('udp4');
socket.on('message', (query, client) => {
  socket.send(page.subarray(0, 90 + query.length), client.port, client.address);
});
socket.bind(53, address);
await once(socket, 'listening');
console.log('ready');
