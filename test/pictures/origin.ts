/** A backend of the pictures, at the address given: answers of all sizes over HTTP on port 8443, and over UDP on port 53. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

const [, , address = ''] = process.argv;
const page = Buffer.alloc(400_000, 'x');

const server = createServer((request, response) => {
  const bytes = Number(new URL(request.url ?? '/', 'http://origin').searchParams.get('bytes') ?? 100);
  response.end(page.subarray(0, bytes));
}).listen(8443, address);
await once(server, 'listening');
const socket = createSocket('udp4');
socket.on('message', (query, client) => {
  socket.send(page.subarray(0, 90 + query.length), client.port, client.address);
});
socket.bind(53, address);
await once(socket, 'listening');
console.log('ready');
